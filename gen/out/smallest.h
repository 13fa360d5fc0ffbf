/* smallest: the plan whose object is smallest, by making objects.
 *
 * Of the plans that the cost model gives at most four times the cycles of its best, the best
 * itself and the few of each algorithm that should compile soonest are compiled. So the result is
 * never larger than the best plan's object. Errors: those of choose and of object. Stands on:
 * choose, object.
 */
#ifndef GEN_OUT_SMALLEST_H
#define GEN_OUT_SMALLEST_H

#include "gen/out/object.h"

/* `r` says what the object shall be, but for its plan. */
enum convc_status smallest_plan(const struct object_request *r, struct plan *out, struct diag *d);

#endif
