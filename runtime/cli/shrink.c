#include "runtime/cli/shrink.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct search {
    struct convc_problem p; /* the least so far, with texts and weights in `room` */
    struct shrink_room *room;
    shrink_fails fails;
    void *data;
    int left; /* questions */
    int64_t weights;
};

static int64_t weight_count(const struct convc_problem *p)
{
    return p->oc * (p->ic / (p->groups ? p->groups : 1)) * p->kernel[0] * p->kernel[1] *
           p->kernel[2];
}

/* Takes the candidate where it is another problem and fails. */
static bool take(struct search *s, const struct convc_problem *candidate)
{
    if (!memcmp(candidate, &s->p, sizeof s->p) || s->left <= 0 ||
        (candidate->weights && weight_count(candidate) > s->weights) ||
        convc_problem_check(candidate))
        return false;
    s->left--;
    if (!s->fails(s->data, candidate))
        return false;
    s->p = *candidate;
    return true;
}

/* ---- numbers --------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct convc_problem, member)

static int64_t *number(struct convc_problem *p, size_t offset)
{
    return (int64_t *)(void *)((char *)p + offset);
}

/* Brings a number as near to `least` as the problem goes on failing. */
static bool lower(struct search *s, size_t offset, int64_t least)
{
    bool any = false;
    for (;;) {
        int64_t now = *number(&s->p, offset);
        const int64_t way = now - least, tries[] = { least,   now - way / 2, now - 32, now - 16,
                                                     now - 8, now - 4,       now - 1 };
        bool taken = false;
        for (int i = 0; i < 7 && !taken && now != least; i++) {
            bool further = way > 0 ? tries[i] < least : i > 1;
            if (further || (i > 0 && tries[i] == least))
                continue;
            struct convc_problem candidate = s->p;
            *number(&candidate, offset) = tries[i];
            taken = take(s, &candidate);
        }
        if (!taken)
            return any;
        any = true;
    }
}

/* Groups, and the channels of one, which the problem has multiplied. */
enum channels { GROUPS, ICG, OCG, CHANNELS };

static bool lower_channels(struct search *s, enum channels which)
{
    bool any = false;
    for (;;) {
        const int64_t now[CHANNELS] = { s->p.groups, s->p.ic / s->p.groups, s->p.oc / s->p.groups };
        const int64_t tries[] = { 1, now[which] / 2, now[which] - 1 };
        bool taken = false;
        for (int i = 0; i < 3 && !taken && now[which] > 1; i++) {
            if (i > 0 && tries[i] == tries[i - 1])
                continue;
            int64_t to[CHANNELS] = { now[0], now[1], now[2] };
            struct convc_problem candidate = s->p;
            to[which] = tries[i];
            candidate.groups = to[GROUPS];
            candidate.ic = to[GROUPS] * to[ICG];
            candidate.oc = to[GROUPS] * to[OCG];
            taken = take(s, &candidate);
        }
        if (!taken)
            return any;
        any = true;
    }
}

static bool lower_axis(struct search *s, int axis)
{
    bool any = lower(s, AT(pad_begin[0]) + (size_t)axis * sizeof(int64_t), 0);
    any |= lower(s, AT(pad_end[0]) + (size_t)axis * sizeof(int64_t), 0);
    any |= lower(s, AT(stride[0]) + (size_t)axis * sizeof(int64_t), 1);
    any |= lower(s, AT(dilation[0]) + (size_t)axis * sizeof(int64_t), 1);
    any |= lower(s, AT(kernel[0]) + (size_t)axis * sizeof(int64_t), 1);
    any |= lower(s, AT(in[0]) + (size_t)axis * sizeof(int64_t), 1);
    return any;
}

static bool lower_numbers(struct search *s)
{
    bool any = lower(s, AT(n), 1);
    for (int which = 0; which < CHANNELS; which++)
        any |= lower_channels(s, (enum channels)which);
    for (int axis = 0; axis < 3; axis++)
        any |= lower_axis(s, axis);
    return any;
}

/* ---- what can go altogether ------------------------------------------------------------------ */

enum part {
    FLIP,
    BIAS,
    RESIDUAL,
    ACTIVATION,
    SRC_STRIDES,
    DST_STRIDES,
    LAYOUT,
    SRC_TYPE,
    DST_TYPE,
    WIDE_TYPE,
    BORDER,
    BORDER_VALUE,
    TOLERANCE,
    COMBINE,
    REDUCE,
    WINDOW,
    EPILOGUE,
    ARGS,
    WEIGHTS,
    AXIS,
    PARTS
};

static void drop_values(enum part part, struct convc_problem *p)
{
    switch (part) {
    case FLIP: p->flip = 0; break;
    case BIAS: p->bias = 0; break;
    case RESIDUAL: p->residual = 0; break;
    case ACTIVATION:
        p->activation = CONVC_ACT_NONE;
        p->activation_args[0] = p->activation_args[1] = 0;
        break;
    case SRC_STRIDES: memset(p->src_stride, 0, sizeof p->src_stride); break;
    case DST_STRIDES: memset(p->dst_stride, 0, sizeof p->dst_stride); break;
    case LAYOUT: p->layout = CONVC_NHWC; break;
    case SRC_TYPE: p->src_dtype = p->acc_dtype; break;
    case DST_TYPE: p->dst_dtype = p->acc_dtype; break;
    case WIDE_TYPE:
        p->src_dtype = p->src_dtype == p->acc_dtype ? CONVC_F32 : p->src_dtype;
        p->dst_dtype = p->dst_dtype == p->acc_dtype ? CONVC_F32 : p->dst_dtype;
        p->wei_dtype = p->acc_dtype = CONVC_F32;
        break;
    case BORDER: p->padding_mode = CONVC_PAD_ZEROS; /* and its value */ /* fall through */
    case BORDER_VALUE: p->padding_value = 0; break;
    case TOLERANCE: p->tolerance = 1e-5; break; /* what a text need not say */
    default: break;
    }
}

static void drop_functions(enum part part, struct convc_problem *p)
{
    switch (part) {
    case COMBINE: p->combine = NULL; break;
    case REDUCE:
        p->reduce = NULL;
        p->reduce_init = 0;
        break;
    case WINDOW: p->window = NULL; break;
    case EPILOGUE: p->epilogue = NULL; /* and its args */ /* fall through */
    case ARGS: p->args = NULL; break;
    case WEIGHTS: p->weights = NULL; break;
    case AXIS: p->spatial -= p->spatial > 1; break; /* valid where that one is of one element */
    default: break;
    }
}

static bool drop_parts(struct search *s)
{
    bool any = false;
    for (int part = 0; part < PARTS; part++) {
        struct convc_problem candidate = s->p;
        drop_values((enum part)part, &candidate);
        drop_functions((enum part)part, &candidate);
        any |= take(s, &candidate);
    }
    return any;
}

/* ---- texts ----------------------------------------------------------------------------------- */

enum { TEXT_MOST = sizeof((struct random_texts *)0)->window };

/* Does the problem fail with what has just been written to its texts or weights? */
static bool still_fails(struct search *s)
{
    if (s->left <= 0 || convc_problem_check(&s->p))
        return false;
    s->left--;
    return s->fails(s->data, &s->p);
}

/* Behind the call whose parenthesis is at text[open]. */
static size_t call_end(const char *text, size_t open)
{
    int depth = 0;
    size_t at = open;
    do {
        depth += (text[at] == '(') - (text[at] == ')');
        at += text[at] != '\0';
    } while (depth > 0 && text[at]);
    return at;
}

/* Puts one of its operands in the place of the call whose parenthesis is at own[open]. */
static bool lower_call(struct search *s, char *own, size_t size, size_t open)
{
    char was[TEXT_MOST];
    size_t begin = open, end = call_end(own, open);
    while (begin > 0 && !strchr("(),", own[begin - 1]))
        begin--;
    snprintf(was, sizeof was, "%s", own);
    for (size_t at = open + 1; at < end;) {
        size_t stop = at;
        for (int depth = 0; stop + 1 < end && (depth > 0 || was[stop] != ','); stop++)
            depth += (was[stop] == '(') - (was[stop] == ')');
        snprintf(own, size, "%.*s%.*s%s", (int)begin, was, (int)(stop - at), was + at, was + end);
        if (still_fails(s))
            return true;
        at = stop + 1;
    }
    snprintf(own, size, "%s", was);
    return false;
}

static bool lower_text(struct search *s, const char *text, char *own, size_t size)
{
    bool any = false;
    for (size_t i = 0; text && own[i];) {
        bool lowered = own[i] == '(' && lower_call(s, own, size, i);
        any |= lowered;
        i = lowered ? 0 : i + 1;
    }
    return any;
}

static bool lower_texts(struct search *s)
{
    struct random_texts *t = &s->room->texts;
    bool any = lower_text(s, s->p.combine, t->combine, sizeof t->combine);
    any |= lower_text(s, s->p.reduce, t->reduce, sizeof t->reduce);
    any |= lower_text(s, s->p.window, t->window, sizeof t->window);
    any |= lower_text(s, s->p.epilogue, t->epilogue, sizeof t->epilogue);
    return any;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Makes weights from `from` on `value`, `count` of them, where they are not. */
static bool set_weights(struct search *s, int64_t from, int64_t count, double value)
{
    double was[RANDOM_WEIGHTS], *w = s->room->weights + from;
    bool same = true;
    memcpy(was, w, (size_t)count * sizeof *w);
    for (int64_t i = 0; i < count; i++) {
        same = same && w[i] == value;
        w[i] = value;
    }
    if (!same && still_fails(s))
        return true;
    memcpy(w, was, (size_t)count * sizeof *w);
    return false;
}

static bool weights_differ(const double *w, int64_t count)
{
    int64_t same = 0;
    while (same < count && w[same] == w[0])
        same++;
    return same < count;
}

/* All of them 1, or all the same, or else as many as can be 0, and then 1. */
static bool lower_weights(struct search *s)
{
    enum { ONE_BY_ONE = 64 };
    const double *w = s->room->weights;
    int64_t count = s->p.weights ? weight_count(&s->p) : 0;
    if (!count)
        return false;
    bool any = set_weights(s, 0, count, 1);
    for (int64_t i = 0; i < count && i < ONE_BY_ONE && weights_differ(w, count); i++)
        any |= w[i] != 0 && set_weights(s, 0, count, w[i]);
    for (int64_t i = 0; i < count && count <= ONE_BY_ONE && weights_differ(w, count); i++)
        if (w[i] != 0 && w[i] != 1)
            any |= set_weights(s, i, 1, 0) || set_weights(s, i, 1, 1);
    return any;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Copies a text of the problem to the room. */
static bool move_text(const char **text, char *own, size_t size)
{
    if (!*text)
        return true;
    if (strlen(*text) >= size)
        return false;
    snprintf(own, size, "%s", *text);
    *text = own;
    return true;
}

static bool move_in(struct search *s, struct shrink_room *room)
{
    struct random_texts *t = &room->texts;
    struct convc_problem *p = &s->p;
    s->room = room;
    s->weights = p->weights ? weight_count(p) : RANDOM_WEIGHTS;
    if (s->weights > RANDOM_WEIGHTS || !move_text(&p->combine, t->combine, sizeof t->combine) ||
        !move_text(&p->reduce, t->reduce, sizeof t->reduce) ||
        !move_text(&p->window, t->window, sizeof t->window) ||
        !move_text(&p->epilogue, t->epilogue, sizeof t->epilogue) ||
        !move_text(&p->args, t->args, sizeof t->args))
        return false;
    if (p->weights) {
        memcpy(room->weights, p->weights, (size_t)s->weights * sizeof *room->weights);
        p->weights = room->weights;
    }
    return true;
}

void shrink(const struct convc_problem *p, shrink_fails fails, void *data, int most,
            struct shrink_room *room, struct convc_problem *least)
{
    struct search s = { .p = *p, .fails = fails, .data = data, .left = most };
    *least = *p;
    if (!move_in(&s, room))
        return;
    for (bool any = true; any && s.left > 0;) {
        any = drop_parts(&s);
        any |= lower_numbers(&s);
        any |= lower_texts(&s);
        any |= lower_weights(&s);
    }
    *least = s.p;
}
