#include "gen/plan/plan_stencil.h"

#include "gen/base/memory.h"
#include "gen/plan/layout.h"
#include "gen/plan/stencil_nest.h"

#include <stdio.h>
#include <string.h>

/* ---- text ---------------------------------------------------------------------------------- */

static const char *const columns_word[] = { "again", "kept", "rolled" };

void plan_stencil_print(const struct plan *plan, struct text *t)
{
    const struct plan_stencil *s = &plan->stencil;
    text_add(t, " tile=%dx%d strip=%lld", s->rows, s->vecs, (long long)s->strip);
    if (s->columns)
        text_add(t, " columns=%s", columns_word[s->columns]);
    if (s->apart)
        text_add(t, " edges=apart");
}

static bool read_columns(const char *value, struct plan_stencil *s)
{
    for (int i = COLUMNS_AGAIN; i <= COLUMNS_ROLLED; i++) {
        if (strcmp(value, columns_word[i]) != 0)
            continue;
        s->columns = (enum plan_columns)i;
        return true;
    }
    return false;
}

static bool read_tile(const char *value, struct plan_stencil *s)
{
    int used = 0;
    bool digits = strspn(value, "0123456789x") == strlen(value) && strlen(value) < 12;
    return digits && sscanf(value, "%9dx%9d%n", &s->rows, &s->vecs, &used) == 2 &&
           value[used] == '\0';
}

enum convc_status plan_stencil_parse(const char *key, const char *value, struct plan *plan,
                                     struct diag *d)
{
    struct plan_stencil *s = &plan->stencil;
    bool good;
    if (!strcmp(key, "tile")) {
        good = read_tile(value, s);
    } else if (!strcmp(key, "strip")) {
        good = plan_read_count(value, &s->strip);
    } else if (!strcmp(key, "columns")) {
        good = read_columns(value, s);
    } else if (!strcmp(key, "edges")) {
        s->apart = !strcmp(value, "apart");
        good = s->apart || !strcmp(value, "tiled");
    } else {
        return diag_fail(d, CONVC_ERR_PLAN,
                         "plan word '%s' is unknown; stencil has tile, strip, columns and edges",
                         key);
    }
    if (!good)
        return diag_fail(d, CONVC_ERR_PLAN, "plan word '%s=%s' has no such value", key, value);
    return CONVC_OK;
}

/* ---- facts --------------------------------------------------------------------------------- */

enum convc_status plan_stencil_check(const struct plan *plan, const struct problem *p,
                                     const struct target *t, struct diag *d)
{
    return stencil_nest_check(p, &plan->stencil, t, d);
}

/* Every product is rounded, and so are the factors that columns are taken apart into. */
double plan_stencil_error_bound(const struct plan *plan, const struct problem *p)
{
    if (p->f.windowed || stencil_number_of(p).narrow)
        return 0;
    double u = p->p.acc_dtype == CONVC_F64 ? 0x1p-53 : 0x1p-24;
    return ((double)p->c.values + 8) * u;
}

/* Weights are in the code. */
void plan_stencil_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                         struct layout *l)
{
    layout_plain(p, l);
}

void plan_stencil_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                       const void *plain, void *packed)
{
}

size_t plan_stencil_workspace_bytes(const struct problem *p, const struct plan *plan,
                                    const struct target *t)
{
    if (plan->stencil.columns != COLUMNS_KEPT)
        return 0;
    struct stencil_nest *n = stencil_nest_of(p, &plan->stencil, t);
    size_t bytes = n ? stencil_nest_workspace(n) : 0;
    memory_free(n);
    return bytes;
}

int64_t plan_stencil_items(const struct problem *p, const struct plan *plan, const struct target *t,
                           int32_t phase, int64_t n)
{
    return n * stencil_channels(p) * p->out[CONVC_D] * stencil_strips(p, &plan->stencil);
}

void plan_stencil_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                          struct text *text)
{
    struct stencil_nest *n = stencil_nest_of(p, &plan->stencil, t);
    text->failed = text->failed || !n;
    if (!n)
        return;
    const struct stencil *s = &n->program;
    text_add(text, "  %d taps that are not 0, %d multiplications and %d operations, %d filters\n",
             s->taps, s->multiplies, s->operations, s->filters);
    if (s->number.narrow)
        text_add(text, "  in whole numbers of 16 bits %s a sign, weights times %d\n",
                 s->number.sign ? "with" : "without", 1 << s->number.shift);
    text_add(text, "  for image < n, channel < %lld, strip < %lld of %lld rows\n",
             (long long)n->channels, (long long)n->strips, (long long)n->plan.strip);
    text_add(text, "    for %d rows that read inside, and singly for the %lld others\n",
             n->plan.rows, (long long)(p->out[CONVC_H] - n->row_end + n->row_begin));
    if (plan->stencil.columns == COLUMNS_KEPT)
        text_add(text, "      for source column < %lld: %d column forms into scratch memory\n",
                 (long long)n->columns.width, n->kept);
    text_add(text, "      for vector < %lld, %lld of them at the border\n",
             (long long)n->outputs.vectors,
             (long long)(n->outputs.begin + n->outputs.vectors - n->outputs.end));
    if (n->plan.apart)
        text_add(text, "      for every row: the vectors at the border\n");
    if (plan->stencil.columns == COLUMNS_ROLLED)
        text_add(text, "        %d column forms, and those of %d vectors before in registers\n",
                 n->kept, n->carried);
    text_add(text, "        register tile %d x %d vectors of %d %s\n", n->plan.rows, n->plan.vecs,
             n->lanes, n->unit > 1 ? "channels and columns" : "columns");
    memory_free(n);
}
