/* The sweep of a stencil's tile whose column forms are passed on in registers.
 *
 * Vectors of column forms are whole and lie as the source does, so that reading them crosses no
 * cache line; what outputs read between two of them is moved into place from both. */
#include "gen/emit/stencil_tile.h"

/* Vectors of every column form and row, from the first that the span's outputs read on; those that
 * the next span reads as well. */
struct stencil_rolled {
    int from, vectors; /* where the span of columns writes; of each form and row */
    LLVMValueRef value[STENCIL_ROLLED];
    struct em_var carried[STENCIL_ROLLED];
};

static int place_of(const struct stencil_tile *t, int keep, int r, int64_t v)
{
    return (keep * t->rows + r) * t->rolled->vectors + (int)v;
}

void stencil_set_rolled(struct stencil_tile *t, int keep, int r, int v, LLVMValueRef x)
{
    t->rolled->value[place_of(t, keep, r, t->rolled->from + v)] = x;
}

LLVMValueRef stencil_read_rolled(struct stencil_tile *t, const struct stencil_step *step)
{
    const struct stencil_nest *n = t->n;
    int64_t v = step->at[2] / n->lanes - n->first, lane = step->at[2] % n->lanes;
    const LLVMValueRef *x = &t->rolled->value[place_of(t, (int)step->at[0], (int)step->at[1], v)];
    int pick[EM_LANES_MAX];
    for (int l = 0; l < n->lanes; l++)
        pick[l] = (int)lane + l;
    return lane ? em_shuffle(t->em, x[0], x[1], pick, n->lanes) : x[0];
}

/* The last vectors of `vectors`, to be passed on; and those that were. */
static void pass_on(struct stencil_tile *t)
{
    const struct stencil_nest *n = t->n;
    for (int i = 0; i < n->kept * t->rows; i++)
        for (int v = 0; v < n->carried; v++)
            em_set(t->em, t->rolled->carried[i * n->carried + v],
                   t->rolled->value[(i + 1) * t->rolled->vectors - n->carried + v]);
}

static void take_over(struct stencil_tile *t)
{
    const struct stencil_nest *n = t->n;
    for (int i = 0; i < n->kept * t->rows; i++)
        for (int v = 0; v < n->carried; v++)
            t->rolled->value[i * t->rolled->vectors + v] =
                em_get(t->em, t->rolled->carried[i * n->carried + v]);
}

/* Is the vector, whose number is known, whole and read inside? */
static bool is_inside(const struct stencil_sweep *s, int64_t vector)
{
    return vector >= s->begin && vector < s->end;
}

/* `vecs` vectors of outputs from `vector` on, and before them the columns that they read and that
 * were not there: their numbers are known where `known` is not -1. */
static void emit_step(struct stencil_tile *t, LLVMValueRef vector, int64_t known, int vecs,
                      bool inside)
{
    const struct stencil_nest *n = t->n;
    const struct stencil_sweep *columns = &n->columns, *outputs = &n->outputs;
    int ahead = n->first + n->carried;
    int64_t column = known < 0 ? -1 : known + ahead;
    struct stencil_span span = {
        .sweep = columns, .columns = true, .vector = column, .vecs = vecs
    };
    span.inside = inside || is_inside(columns, column);
    t->rolled->from = n->carried;
    t->rolled->vectors = n->carried + vecs;
    take_over(t);
    stencil_emit_span(t, &span, em_add(t->em, vector, em_int(t->em, ahead)));
    span = (struct stencil_span){ .sweep = outputs, .vector = known, .vecs = vecs };
    span.inside = inside || is_inside(outputs, known);
    stencil_emit_span(t, &span, vector);
    pass_on(t);
}

static void emit_known(struct stencil_tile *t, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        emit_step(t, em_int(t->em, i), i, 1, false);
}

/* Columns that the first outputs read, but for the last. */
static void emit_first(struct stencil_tile *t)
{
    const struct stencil_nest *n = t->n;
    t->rolled->vectors = n->carried;
    for (int v = 0; v < n->carried; v++) {
        int64_t vector = n->first + v;
        struct stencil_span span = { .sweep = &n->columns, .columns = true, .vecs = 1 };
        span.vector = vector;
        span.inside = is_inside(&n->columns, vector);
        t->rolled->from = v;
        stencil_emit_span(t, &span, em_int(t->em, vector));
    }
    pass_on(t);
}

/* Vectors of outputs that read inside, and whose columns do: [*begin, *end). */
static void find_inside(const struct stencil_nest *n, int64_t *begin, int64_t *end)
{
    int64_t ahead = n->first + n->carried;
    int64_t first = n->columns.begin - ahead, last = n->columns.end - ahead;
    *begin = first > n->outputs.begin ? first : n->outputs.begin;
    *end = last < n->outputs.end ? last : n->outputs.end;
    *end = *end > *begin ? *end : *begin;
}

void stencil_roll(struct stencil_tile *t)
{
    const struct stencil_nest *n = t->n;
    struct stencil_rolled rolled;
    struct em *em = t->em;
    int64_t begin, end, vecs = n->plan.vecs;
    t->rolled = &rolled;
    for (int i = 0; i < n->kept * t->rows * n->carried; i++)
        rolled.carried[i] = em_var(em, t->vector, "rolled");
    find_inside(n, &begin, &end);
    int64_t tiles = (end - begin) / vecs, rest = begin + tiles * vecs;
    emit_first(t);
    emit_known(t, 0, begin);
    EM_FOR (em, tile, em_int(em, 0), em_int(em, tiles)) {
        emit_step(t, em_mul_add(em, tile, vecs, begin), -1, (int)vecs, true);
    }
    emit_known(t, rest, n->outputs.vectors);
    t->rolled = NULL;
}
