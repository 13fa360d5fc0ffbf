/* pack: plain weights into the form that a plan's kernel reads.
 *
 * Both are elements alone, without the header, which pack_header makes. `plain` is
 * [oc][ic/groups][kd][kh][kw]; `packed` has room for layout_elements of the plan's layout. Slots
 * that no weight fills are set to 0. Stands on: plan, layout.
 */
#ifndef GEN_PLAN_PACK_H
#define GEN_PLAN_PACK_H

#include "gen/plan/layout.h"

#include <convc/kernel.h>

/* What stands in front of packed weights of this layout, of elements of `bytes` bytes. */
struct convc_packed_header pack_header(const struct layout *l, int64_t bytes);

/* By layout_index: every weight keeps its value. `bytes` is that of one element. */
void pack_by_layout(const struct layout *l, int64_t bytes, const void *plain, void *packed);

#endif
