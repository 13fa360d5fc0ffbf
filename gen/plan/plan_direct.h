/* plan_direct: the direct nest. When it fits, which candidates there are, what they should cost.
 * Stands on: nest, arena.
 */
#ifndef GEN_PLAN_PLAN_DIRECT_H
#define GEN_PLAN_PLAN_DIRECT_H

#include "gen/plan/choose.h"

void plan_direct_print(const struct plan *plan, struct text *t);
enum convc_status plan_direct_parse(const char *key, const char *value, struct plan *plan,
                                    struct diag *d);
enum convc_status plan_direct_check(const struct plan *plan, const struct problem *p,
                                    const struct target *t, struct diag *d);
double plan_direct_error_bound(const struct plan *plan, const struct problem *p);
void plan_direct_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                        struct layout *l);
void plan_direct_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                      const void *plain, void *packed);
size_t plan_direct_workspace_bytes(const struct problem *p, const struct plan *plan,
                                   const struct target *t);
int64_t plan_direct_items(const struct problem *p, const struct plan *plan, const struct target *t,
                          int32_t phase, int64_t n);
void plan_direct_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                         struct text *text);

/* Adds this algorithm's candidates, with their cost. */
enum convc_status plan_direct_candidates(struct arena *a, const struct problem *p,
                                         const struct target *t, struct candidates *out,
                                         struct diag *d);
void plan_direct_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                      struct cost *cost);

#endif
