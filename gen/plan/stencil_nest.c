#include "gen/plan/stencil_nest.h"

#include "gen/base/memory.h"
#include "gen/base/number.h"
#include "gen/plan/picture.h"

/* ---- which problems ------------------------------------------------------------------------- */

/* What taps outside read must be a value of the source, or a number. */
static bool has_border(const struct problem *p)
{
    return p->p.padding_mode != CONVC_PAD_IDENTITY;
}

static enum convc_status check_problem(const struct problem *p, struct diag *d)
{
    const char *unfit = stencil_unfit(p);
    if (!unfit && picture_unit(p) == 0)
        unfit = "needs the pixels of a row side by side, or all channels of a pixel treated alike";
    if (!unfit && p->p.stride[CONVC_W] > 2)
        unfit = "needs a stride of 1 or 2 along the width";
    if (!unfit && !has_border(p))
        unfit = "needs a border of values";
    return unfit ? diag_fail(d, CONVC_ERR_PLAN, "stencil %s", unfit) : CONVC_OK;
}

/* ---- sweeps --------------------------------------------------------------------------------- */

/* Does the vector read inside, and is it whole? Vectors of strided columns are read with what lies
 * in between. */
static bool inside(const struct stencil_nest *n, const struct stencil_sweep *s, int64_t vector,
                   int64_t reach)
{
    int64_t first = vector * n->lanes, last = first + n->lanes - 1;
    int64_t begin = first / n->unit * s->stride - s->pad;
    int64_t end = last / n->unit * s->stride + s->stride - 1 - s->pad + reach;
    return last < s->width && begin >= 0 && end < n->p->p.in[CONVC_W];
}

/* Finds the vectors; false where more than a few are not inside. */
static bool find_vectors(const struct stencil_nest *n, int64_t reach, struct stencil_sweep *s)
{
    s->vectors = ceil_div(s->width, n->lanes);
    s->begin = 0;
    while (s->begin < s->vectors && s->begin < STENCIL_EDGES && !inside(n, s, s->begin, reach))
        s->begin++;
    s->end = s->vectors;
    while (s->end > s->begin && s->vectors - s->end < STENCIL_EDGES &&
           !inside(n, s, s->end - 1, reach))
        s->end--;
    bool some =
        s->end > s->begin && inside(n, s, s->begin, reach) && inside(n, s, s->end - 1, reach);
    if (!some)
        s->begin = s->end = s->vectors;
    return some || s->vectors <= STENCIL_EDGES;
}

/* Outputs of an axis all of whose taps are inside. */
static void find_inside(const struct problem *p, int a, int64_t reach, int64_t *begin, int64_t *end)
{
    int64_t pad = p->p.pad_begin[a], stride = p->p.stride[a], room = p->p.in[a] - 1 + pad - reach;
    *begin = pad > 0 ? ceil_div(pad, stride) : 0;
    *end = room < 0 ? 0 : room / stride + 1;
    *end = *end < p->out[a] ? *end : p->out[a];
    *begin = *begin < *end ? *begin : *end;
}

/* ---- forms that are kept -------------------------------------------------------------------- */

static bool keep_term(struct stencil_nest *n, struct stencil_term term)
{
    if (!n->program.form[term.form].column)
        return true;
    n->left = !n->kept || term.at[2] < n->left ? term.at[2] : n->left;
    n->right = !n->kept || term.at[2] > n->right ? term.at[2] : n->right;
    for (int i = 0; i < n->kept; i++)
        if (n->keep[i].form == term.form && n->keep[i].at[0] == term.at[0] &&
            n->keep[i].at[1] == term.at[1])
            return true;
    if (n->kept == STENCIL_KEPT)
        return false;
    term.at[2] = 0;
    n->keep[n->kept++] = term;
    return true;
}

static bool list_row(struct stencil_nest *n, struct stencil_term term)
{
    if (n->program.form[term.form].op != STENCIL_SRC)
        return true;
    for (int i = 0; i < n->src_rows; i++)
        if (n->src_row[i][0] == term.at[0] && n->src_row[i][1] == term.at[1])
            return true;
    if (n->src_rows == STENCIL_SRC_ROWS)
        return false;
    n->src_row[n->src_rows][0] = term.at[0];
    n->src_row[n->src_rows++][1] = term.at[1];
    return true;
}

/* Rows that are read, and forms that are kept, each once. */
static bool list_terms(struct stencil_nest *n)
{
    struct stencil_terms *l = memory_take(sizeof *l);
    bool good = l;
    for (int f = 0; good && f < n->program.filters; f++) {
        stencil_terms_of(n, n->program.root[f], false, l);
        good = !l->full;
        for (int i = 0; good && i < l->count; i++)
            good = list_row(n, l->term[i]);
        if (n->plan.columns == COLUMNS_AGAIN)
            continue;
        stencil_terms_of(n, n->program.root[f], true, l);
        for (int i = 0; good && i < l->count; i++)
            good = keep_term(n, l->term[i]);
    }
    memory_free(l);
    return good;
}

/* Columns of forms: as many more than the outputs' as the border has, whole vectors before. */
static bool find_kept(struct stencil_nest *n)
{
    const struct convc_problem *c = &n->p->p;
    int64_t pad = c->pad_begin[CONVC_W];
    if (!n->kept)
        return false;
    n->lead = pad;
    while (pad > 0 && n->lead * n->unit % n->lanes)
        n->lead++;
    int64_t cols = (n->p->out[CONVC_W] - 1) * c->stride[CONVC_W] + n->reach[CONVC_W] + 1;
    n->columns = (struct stencil_sweep){ .stride = 1, .pad = n->lead };
    n->columns.width = (cols + n->lead - pad) * n->unit;
    int64_t elements = (ceil_div(n->columns.width, n->lanes) + c->stride[CONVC_W] + 1) * n->lanes;
    n->scratch_row = ceil_div(elements * n->bytes, 64) * 64;
    return find_vectors(n, 0, &n->columns);
}

/* Vectors of columns that a vector of outputs reads, and registers for them. */
static bool find_rolled(struct stencil_nest *n)
{
    if (!n->kept || n->outputs.stride != 1)
        return false;
    int64_t far = n->lead - n->outputs.pad;
    n->first = (int)((n->left + far) * n->unit / n->lanes);
    n->carried = (int)(((n->right + far) * n->unit + n->lanes - 1) / n->lanes) - n->first;
    return (int64_t)n->plan.rows * n->kept * (n->carried + n->plan.vecs) <= STENCIL_ROLLED;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Of a vector: as many as the target's, or half as often as they would reach beyond the row. */
static int find_lanes(const struct stencil_nest *n, const struct target *t)
{
    enum { LEAST_BYTES = 16 };
    const struct target known = target_of_known_length(t);
    int lanes = target_lanes(&known, n->bytes);
    while (lanes * n->bytes > LEAST_BYTES && lanes / 2 >= n->p->out[CONVC_W] * n->unit)
        lanes /= 2;
    return lanes;
}

static bool fill(struct stencil_nest *n, const struct problem *p, const struct plan_stencil *plan,
                 const struct target *t)
{
    const struct convc_problem *c = &p->p;
    n->p = p;
    n->plan = *plan;
    n->src_bytes = dtype_bytes(c->src_dtype);
    n->dst_bytes = dtype_bytes(c->dst_dtype);
    n->acc_bytes = dtype_bytes(c->acc_dtype);
    stencil_of(p, &n->program);
    n->bytes = n->program.number.narrow ? 2 : n->acc_bytes;
    n->unit = picture_is_planar(p) ? 1 : c->ic;
    n->lanes = find_lanes(n, t);
    n->channels = stencil_channels(p);
    for (int f = 0; f < n->program.filters; f++) {
        const struct stencil_term *root = &n->program.root[f];
        for (int a = 0; a < 3; a++) {
            int64_t far = root->at[a] + n->program.form[root->form].reach[a];
            n->reach[a] = far > n->reach[a] ? far : n->reach[a];
        }
    }
    n->strips = stencil_strips(p, plan);
    find_inside(p, CONVC_H, n->reach[CONVC_H], &n->row_begin, &n->row_end);
    find_inside(p, CONVC_D, n->reach[CONVC_D], &n->depth_begin, &n->depth_end);
    n->outputs = (struct stencil_sweep){ .stride = c->stride[CONVC_W],
                                         .pad = c->pad_begin[CONVC_W],
                                         .width = p->out[CONVC_W] * n->unit };
    bool good = find_vectors(n, n->reach[CONVC_W], &n->outputs);
    good = good && !n->program.full && list_terms(n);
    good = good && (plan->columns == COLUMNS_AGAIN || find_kept(n));
    return good && (plan->columns != COLUMNS_ROLLED || find_rolled(n));
}

struct stencil_nest *stencil_nest_of(const struct problem *p, const struct plan_stencil *plan,
                                     const struct target *t)
{
    struct stencil_nest *n = memory_zeroed(1, sizeof *n);
    if (n && fill(n, p, plan, t))
        return n;
    memory_free(n);
    return NULL;
}

int64_t stencil_nest_copies(const struct stencil_nest *n)
{
    int64_t edges = n->outputs.begin + n->outputs.vectors - n->outputs.end;
    return n->plan.apart ? 2 + ceil_div(edges, n->plan.rows * n->plan.vecs) : 3 + edges;
}

/* The steps of a tile, within what code may be made of. */
static bool steps_fit(const struct stencil_nest *n)
{
    enum { WRITTEN_MOST = 3000 };
    int result[STENCIL_ROWS * STENCIL_VECS];
    struct stencil_steps *s = memory_zeroed(1, sizeof *s);
    int64_t copies = stencil_nest_copies(n);
    for (int f = 0; s && f < n->program.filters; f++)
        stencil_steps_add(n, &n->outputs, n->program.root[f], n->plan.rows, n->plan.vecs,
                          n->plan.columns != COLUMNS_AGAIN, s, result);
    bool good = s && !s->full && s->count * copies <= WRITTEN_MOST * n->plan.vecs;
    memory_free(s);
    return good;
}

enum convc_status stencil_nest_check(const struct problem *p, const struct plan_stencil *plan,
                                     const struct target *t, struct diag *d)
{
    if (check_problem(p, d) != CONVC_OK)
        return d->status;
    if (plan->rows < 1 || plan->rows > STENCIL_ROWS || plan->vecs < 1 || plan->vecs > STENCIL_VECS)
        return diag_fail(d, CONVC_ERR_PLAN, "tile=%dx%d is not within %dx%d", plan->rows,
                         plan->vecs, STENCIL_ROWS, STENCIL_VECS);
    if (plan->strip < 1)
        return diag_fail(d, CONVC_ERR_PLAN, "strip=%lld must be at least 1",
                         (long long)plan->strip);
    if (plan->columns != COLUMNS_AGAIN && plan->apart)
        return diag_fail(d, CONVC_ERR_PLAN, "edges=apart and columns do not go together");
    struct stencil_nest *n = memory_zeroed(1, sizeof *n);
    if (!n)
        return diag_memory(d);
    bool good = fill(n, p, plan, t), none = plan->columns != COLUMNS_AGAIN && !n->kept;
    if (none)
        diag_fail(d, CONVC_ERR_PLAN, "columns: no column form is met at several columns");
    else if (plan->columns == COLUMNS_ROLLED && n->outputs.stride != 1)
        diag_fail(d, CONVC_ERR_PLAN, "columns=rolled needs a stride of 1 along the width");
    else if (!good || !steps_fit(n))
        diag_fail(d, CONVC_ERR_PLAN,
                  "stencil would be too much code: its border or its kernel is "
                  "too wide");
    else if ((double)stencil_nest_workspace(n) > 64 << 20)
        diag_fail(d, CONVC_ERR_PLAN, "columns=kept would take more than 64 MiB of scratch memory");
    memory_free(n);
    return d->status;
}

int64_t stencil_channels(const struct problem *p)
{
    return picture_channels(p);
}

int64_t stencil_strips(const struct problem *p, const struct plan_stencil *plan)
{
    return ceil_div(p->out[CONVC_H], plan->strip);
}

size_t stencil_nest_workspace(const struct stencil_nest *n)
{
    bool kept = n->plan.columns == COLUMNS_KEPT;
    return kept ? (size_t)(n->scratch_row * n->kept * n->plan.rows) : 0;
}
