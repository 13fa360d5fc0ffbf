/* memcpy: moves as many bytes as a convolution must, so that a ratio is the share of memcpy's rate
 * that the convolution reaches.
 *
 * Every byte of the source is read once and every byte of the output written once, residual and
 * tensors of an epilogue's arguments read once each. A copy reads as much as it writes, so half of
 * their sum is copied, from one array to another; with several threads each copies a part. Weights
 * are not counted. It computes nothing, so nothing is compared.
 * Stands on: peer, pthreadpool.
 */
#include "bench/peers/peer.h"
#include "runtime/cli/element.h"

#include <pthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    size_t bytes, part;
    unsigned char *from, *to;
    pthreadpool_t pool; /* NULL: the caller's thread alone */
};

static void copy_part(void *state, size_t begin, size_t bytes)
{
    const struct state *s = state;
    memcpy(s->to + begin, s->from + begin, bytes);
}

static enum exit_code run(struct peer_run *r, struct failure *f)
{
    struct state *s = r->state;
    if (s->pool)
        pthreadpool_parallelize_1d_tile_1d(s->pool, copy_part, s, s->bytes, s->part, 0);
    else
        copy_part(s, 0, s->bytes);
    return EXIT_FINE;
}

static void destroy(struct peer_run *r)
{
    struct state *s = r->state;
    if (!s)
        return;
    if (s->pool)
        pthreadpool_destroy(s->pool);
    free(s->from);
    free(s->to);
    free(s);
    r->state = NULL;
}

/* Tensors of the output's shape that are read. */
static int64_t tensors_read(const struct convc_problem *p)
{
    static const char kind[] = ":tensor";
    int64_t count = p->residual;
    for (const char *at = p->args; at && (at = strstr(at, kind)); at += strlen(kind))
        count++;
    return count;
}

static size_t bytes_moved(const struct peer_task *t)
{
    const struct convc_problem *p = t->problem;
    int64_t src = peer_src_elements(t) * element_bytes(p->src_dtype);
    int64_t dst = peer_dst_elements(t) * element_bytes(p->dst_dtype);
    return (size_t)(src + dst * (1 + tensors_read(p)));
}

static enum exit_code prepare(const struct peer_task *t, enum peer_layout layout,
                              struct peer_run *r, struct failure *f)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(f);
    *r = (struct peer_run){ .state = s, .in_spec_layout = true };
    s->bytes = (bytes_moved(t) + 1) / 2;
    s->part = (s->bytes / (size_t)t->threads + 63) / 64 * 64 + 64;
    size_t room = (s->bytes + 63) / 64 * 64;
    s->from = aligned_alloc(64, room);
    s->to = aligned_alloc(64, room);
    if (s->from && s->to && t->threads > 1)
        s->pool = pthreadpool_create((size_t)t->threads);
    if (!s->from || !s->to || (t->threads > 1 && !s->pool)) {
        destroy(r);
        return fail_memory(f);
    }
    memset(s->from, 1, room);
    memset(s->to, 0, room);
    snprintf(r->layout, sizeof r->layout, "%zu bytes copied", s->bytes);
    return EXIT_FINE;
}

const struct peer peer_memcpy = {
    .name = "memcpy",
    .says_itself = true,
    .when_named = true,
    .prepare = prepare,
    .run = run,
    .destroy = destroy,
};
