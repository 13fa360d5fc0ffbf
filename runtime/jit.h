/* jit: object bytes to callable functions. LLJIT is given objects only, never IR.
 *
 * Callable from any thread. Errors: CONVC_ERR_COMPILER; CONVC_ERR_UNSUPPORTED where the machine
 * forbids executable memory. LLVM works aside. Stands on: object, aside,
 * elf_sections, llvm-c/LLJIT.h.
 */
#ifndef RUNTIME_JIT_H
#define RUNTIME_JIT_H

#include "gen/out/object.h"

#include <convc/kernel.h>

struct jit;
struct jit_code; /* one loaded object */

enum convc_status jit_create(struct jit **out, struct diag *d);
void jit_destroy(struct jit *jit); /* what was loaded must have been unloaded; NULL is fine */

/* The bytes are copied. Objects that are loaded at the same time may share a symbol. */
enum convc_status jit_load(struct jit *jit, const char *bytes, size_t count, const char *symbol,
                           struct jit_code **code, convc_kernel_fn *function, struct diag *d);
void jit_unload(struct jit *jit, struct jit_code *code); /* NULL code is fine */

#endif
