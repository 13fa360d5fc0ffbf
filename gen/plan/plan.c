#include "gen/plan/plan.h"

#include "gen/base/memory.h"
#include "gen/plan/plan_direct.h"
#include "gen/plan/plan_fixed.h"
#include "gen/plan/plan_stencil.h"
#include "gen/plan/plan_winograd.h"

#include <stdlib.h>
#include <string.h>

/* What each algorithm answers; indexed by enum plan_algorithm. */
static const struct {
    const char *name;
    bool plain_sum; /* adds the products up as the problem states them: needs no tolerance */
    int phases;
    void (*print)(const struct plan *plan, struct text *t);
    enum convc_status (*parse)(const char *key, const char *value, struct plan *plan,
                               struct diag *d);
    enum convc_status (*check)(const struct plan *, const struct problem *, const struct target *,
                               struct diag *);
    double (*error_bound)(const struct plan *plan, const struct problem *p);
    void (*layout)(const struct problem *, const struct plan *, const struct target *,
                   struct layout *);
    void (*pack)(const struct problem *, const struct plan *, const struct target *,
                 const void *plain, void *packed);
    size_t (*workspace_bytes)(const struct problem *, const struct plan *, const struct target *);
    int64_t (*items)(const struct problem *, const struct plan *, const struct target *,
                     int32_t phase, int64_t n);
    void (*explain)(const struct problem *, const struct plan *, const struct target *,
                    struct text *);
} algorithm[PLAN_ALGORITHMS] = {
    [PLAN_DIRECT] = { "direct", true, 1, plan_direct_print, plan_direct_parse, plan_direct_check,
                      plan_direct_error_bound, plan_direct_layout, plan_direct_pack,
                      plan_direct_workspace_bytes, plan_direct_items, plan_direct_explain },
    [PLAN_WINOGRAD] = { "winograd", false, 1, plan_winograd_print, plan_winograd_parse,
                        plan_winograd_check, plan_winograd_error_bound, plan_winograd_layout,
                        plan_winograd_pack, plan_winograd_workspace_bytes, plan_winograd_items,
                        plan_winograd_explain },
    [PLAN_STENCIL] = { "stencil", true, 1, plan_stencil_print, plan_stencil_parse,
                       plan_stencil_check, plan_stencil_error_bound, plan_stencil_layout,
                       plan_stencil_pack, plan_stencil_workspace_bytes, plan_stencil_items,
                       plan_stencil_explain },
    [PLAN_FIXED] = { "fixed", false, 1, plan_fixed_print, plan_fixed_parse, plan_fixed_check,
                     plan_fixed_error_bound, plan_fixed_layout, plan_fixed_pack,
                     plan_fixed_workspace_bytes, plan_fixed_items, plan_fixed_explain },
};

const char *plan_algorithm_name(enum plan_algorithm a)
{
    return algorithm[a].name;
}

void plan_print(const struct plan *plan, char text[PLAN_TEXT_MAX])
{
    struct text t = text_in(text, PLAN_TEXT_MAX);
    text_add(&t, "%s", algorithm[plan->algorithm].name);
    algorithm[plan->algorithm].print(plan, &t);
}

static enum convc_status parse_word(char *word, struct plan *plan, struct diag *d)
{
    char *equals = strchr(word, '=');
    if (!equals)
        return diag_fail(d, CONVC_ERR_PLAN, "plan word '%s' is not KEY=VALUE", word);
    *equals = '\0';
    return algorithm[plan->algorithm].parse(word, equals + 1, plan, d);
}

static enum convc_status unknown_algorithm(const char *text, struct diag *d)
{
    char names[PLAN_TEXT_MAX] = "";
    for (int a = 0; a < PLAN_ALGORITHMS; a++) {
        strcat(names, a ? ", " : "");
        strcat(names, algorithm[a].name);
    }
    return diag_fail(d, CONVC_ERR_PLAN, "plan '%.80s' does not begin with an algorithm: %s", text,
                     names);
}

enum convc_status plan_parse(const char *text, struct plan *plan, struct diag *d)
{
    char copy[PLAN_TEXT_MAX], *save = NULL;
    if (strlen(text) >= sizeof copy)
        return diag_fail(d, CONVC_ERR_PLAN, "a plan has at most %d characters", PLAN_TEXT_MAX - 1);
    strcpy(copy, text);
    char *word = strtok_r(copy, " ", &save);
    *plan = (struct plan){ .algorithm = PLAN_ALGORITHMS };
    for (int a = 0; word && a < PLAN_ALGORITHMS; a++) {
        if (!strcmp(word, algorithm[a].name))
            plan->algorithm = (enum plan_algorithm)a;
    }
    if (plan->algorithm == PLAN_ALGORITHMS)
        return unknown_algorithm(text, d);
    while ((word = strtok_r(NULL, " ", &save))) {
        if (parse_word(word, plan, d) != CONVC_OK)
            return d->status;
    }
    return CONVC_OK;
}

bool plan_read_count(const char *value, int64_t *out)
{
    char *end;
    if (*value < '0' || *value > '9' || strlen(value) > 15)
        return false;
    *out = strtoll(value, &end, 10);
    return *end == '\0';
}

enum convc_status plan_check(const struct plan *plan, const struct problem *p,
                             const struct target *t, struct diag *d)
{
    uint64_t refused = memory_refused();
    struct diag why = { 0 };
    if (algorithm[plan->algorithm].check(plan, p, t, &why) == CONVC_OK)
        return CONVC_OK;
    return memory_refused() != refused ? diag_memory(d) : diag_fail(d, why.status, "%s", why.text);
}

double plan_error_bound(const struct plan *plan, const struct problem *p)
{
    return algorithm[plan->algorithm].error_bound(plan, p);
}

bool plan_in_code(const struct plan *plan)
{
    return plan->algorithm == PLAN_STENCIL || plan->algorithm == PLAN_FIXED;
}

double plan_unit_bound(const struct plan *plan, const struct problem *p)
{
    return plan->algorithm == PLAN_FIXED ? plan_fixed_unit_bound(plan, p) : 0;
}

bool plan_plain_sum(const struct plan *plan)
{
    return algorithm[plan->algorithm].plain_sum;
}

bool plan_admitted(const struct plan *plan, const struct problem *p)
{
    double units = p->p.tolerance > 0 ? 0.25 : 0;
    return plan_plain_sum(plan) ||
           (plan_error_bound(plan, p) <= p->p.tolerance && plan_unit_bound(plan, p) <= units);
}

void plan_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                 struct layout *l)
{
    algorithm[plan->algorithm].layout(p, plan, t, l);
}

void plan_pack(const struct problem *p, const struct plan *plan, const struct target *t,
               const void *plain, void *packed)
{
    algorithm[plan->algorithm].pack(p, plan, t, plain, packed);
}

int plan_phases(const struct plan *plan)
{
    return algorithm[plan->algorithm].phases;
}

int64_t plan_items(const struct problem *p, const struct plan *plan, const struct target *t,
                   int32_t phase, int64_t n)
{
    return algorithm[plan->algorithm].items(p, plan, t, phase, n);
}

size_t plan_workspace_bytes(const struct problem *p, const struct plan *plan,
                            const struct target *t)
{
    return algorithm[plan->algorithm].workspace_bytes(p, plan, t);
}

void plan_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                  struct text *text)
{
    algorithm[plan->algorithm].explain(p, plan, t, text);
}
