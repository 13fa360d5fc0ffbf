/* spec_env: what a spec can name: convc, the harmless part of Lua's library, require.
 *
 * The greater part is Lua itself, in prelude.lua and filters.lua, so that its loops count as
 * instructions.
 * Stands on: spec_sandbox, spec_read, spec_file, lua.
 */
#ifndef GEN_SPEC_SPEC_ENV_H
#define GEN_SPEC_SPEC_ENV_H

#include "gen/spec/spec_sandbox.h"

/* Makes the environment. */
void env_open(lua_State *L);

/* Gives it to the chunk on top of the stack. */
void env_give(lua_State *L);

#endif
