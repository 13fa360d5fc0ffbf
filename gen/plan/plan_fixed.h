/* plan_fixed: filters over bytes in whole numbers of 16 bits. When it fits, which candidates there
 * are, what they should cost. Stands on: fixed_nest, arena.
 */
#ifndef GEN_PLAN_PLAN_FIXED_H
#define GEN_PLAN_PLAN_FIXED_H

#include "gen/plan/choose.h"

void plan_fixed_print(const struct plan *plan, struct text *t);
enum convc_status plan_fixed_parse(const char *key, const char *value, struct plan *plan,
                                   struct diag *d);
enum convc_status plan_fixed_check(const struct plan *plan, const struct problem *p,
                                   const struct target *t, struct diag *d);
double plan_fixed_error_bound(const struct plan *plan, const struct problem *p);
double plan_fixed_unit_bound(const struct plan *plan, const struct problem *p);
void plan_fixed_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                       struct layout *l);
void plan_fixed_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                     const void *plain, void *packed);
size_t plan_fixed_workspace_bytes(const struct problem *p, const struct plan *plan,
                                  const struct target *t);
int64_t plan_fixed_items(const struct problem *p, const struct plan *plan, const struct target *t,
                         int32_t phase, int64_t n);
void plan_fixed_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                        struct text *text);

enum convc_status plan_fixed_candidates(struct arena *a, const struct problem *p,
                                        const struct target *t, struct candidates *out,
                                        struct diag *d);
void plan_fixed_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                     struct cost *cost);

#endif
