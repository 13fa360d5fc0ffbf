/* plan_winograd: Winograd's algorithm. When it fits, which candidates there are, what they should
 * cost, how far off their results may be. Stands on: winograd, arena.
 */
#ifndef GEN_PLAN_PLAN_WINOGRAD_H
#define GEN_PLAN_PLAN_WINOGRAD_H

#include "gen/plan/choose.h"

void plan_winograd_print(const struct plan *plan, struct text *t);
enum convc_status plan_winograd_parse(const char *key, const char *value, struct plan *plan,
                                      struct diag *d);
enum convc_status plan_winograd_check(const struct plan *plan, const struct problem *p,
                                      const struct target *t, struct diag *d);
double plan_winograd_error_bound(const struct plan *plan, const struct problem *p);
void plan_winograd_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                          struct layout *l);
void plan_winograd_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                        const void *plain, void *packed);
size_t plan_winograd_workspace_bytes(const struct problem *p, const struct plan *plan,
                                     const struct target *t);
int64_t plan_winograd_items(const struct problem *p, const struct plan *plan,
                            const struct target *t, int32_t phase, int64_t n);
void plan_winograd_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                           struct text *text);

enum convc_status plan_winograd_candidates(struct arena *a, const struct problem *p,
                                           const struct target *t, struct candidates *out,
                                           struct diag *d);
void plan_winograd_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                        struct cost *cost);

#endif
