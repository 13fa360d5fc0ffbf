/* plan_stencil: filters over one channel as expressions of its window. When it fits, which
 * candidates there are, what they should cost. Stands on: stencil_nest, arena.
 */
#ifndef GEN_PLAN_PLAN_STENCIL_H
#define GEN_PLAN_PLAN_STENCIL_H

#include "gen/plan/choose.h"

void plan_stencil_print(const struct plan *plan, struct text *t);
enum convc_status plan_stencil_parse(const char *key, const char *value, struct plan *plan,
                                     struct diag *d);
enum convc_status plan_stencil_check(const struct plan *plan, const struct problem *p,
                                     const struct target *t, struct diag *d);
double plan_stencil_error_bound(const struct plan *plan, const struct problem *p);
void plan_stencil_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                         struct layout *l);
void plan_stencil_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                       const void *plain, void *packed);
size_t plan_stencil_workspace_bytes(const struct problem *p, const struct plan *plan,
                                    const struct target *t);
int64_t plan_stencil_items(const struct problem *p, const struct plan *plan, const struct target *t,
                           int32_t phase, int64_t n);
void plan_stencil_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                          struct text *text);

enum convc_status plan_stencil_candidates(struct arena *a, const struct problem *p,
                                          const struct target *t, struct candidates *out,
                                          struct diag *d);
void plan_stencil_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                       struct cost *cost);

#endif
