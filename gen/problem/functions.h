/* functions: the arithmetic of a problem, where it is not a sum of products with bias, residual and
 * activation behind it.
 *
 *     acc = reduce over the taps of combine(x, w), beginning with `init`
 *     dst = epilogue(acc, args...)
 *
 * or, of one channel at a time, with x and w of all taps of a window at once,
 *
 *     acc = window(x, w)
 *
 * functions_resolve reads the texts of struct convc_problem into one canonical form: functions are
 * simplified; reductions that a name could state, such as add(acc,mul(t,t)), have it, their work
 * being the terms'; and a sum of products, however it was written, is none of our business.
 * Plain data, a part of the resolved problem. Errors: CONVC_ERR_SPEC for texts, CONVC_ERR_ARGUMENT
 * for what does not go together, with the field in front. Stands on: expr.
 */
#ifndef GEN_PROBLEM_FUNCTIONS_H
#define GEN_PROBLEM_FUNCTIONS_H

#include "gen/expr/expr.h"

enum reduction {
    REDUCE_SUM,
    REDUCE_MAX, /* a > b ? a : b; where a term is NaN the order decides, and it is the plan's */
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_FOLD, /* a function of acc and t: tap by tap, in the order kd, kh, kw, ic */
};

enum arg_kind { ARG_CHANNEL, ARG_TENSOR, ARG_SCALAR };

/* The variables of combine, of a fold and of an epilogue, whose args follow. */
enum { VAR_X = 0, VAR_W = 1 };
enum { VAR_ACC = 0, VAR_T = 1 };
enum { FUNCTIONS_ARGS = 8, ARG_NAME = 32 };

/* Different operations and operands of a function of one tap, or of an accumulator: kernels write
 * it down once for each of the accumulators. Windows may have EXPR_NODES. */
enum { FUNCTIONS_NODES = 96 };

/* Taps of a window, whether it names them or not. */
enum { WINDOW_TAPS = 1 << 16 };

struct functions {
    bool terms;    /* combine and reduce are not a sum of products          */
    bool windowed; /* a window instead of combine and reduce                */
    bool weighted; /* the window reads weights; true without one            */
    bool epilogue; /* instead of bias, residual and activation              */
    bool neutral;  /* of skipped taps: combine(padding_value, w) changes no acc, whatever w */
    enum reduction reduce;
    double init;
    union {
        struct expr combine; /* where terms    */
        struct expr window;  /* where windowed */
    };
    struct expr fold, last; /* where REDUCE_FOLD; where epilogue */

    struct expr_window taps; /* where windowed: what the variables of the window are. w is the
                              * weight that a sum of products would multiply with x: under `flip`
                              * that of the mirrored tap */

    int arg_count;
    struct {
        char name[ARG_NAME];
        enum arg_kind kind;
    } arg[FUNCTIONS_ARGS];
};

/* The extents, channels and names of p are checked. */
enum convc_status functions_resolve(const struct convc_problem *p, struct functions *f,
                                    struct diag *d);

/* Weights of a window that all channels share, in the order of its taps, become constants of the
 * function. */
void functions_bind(struct functions *f, const double *w, bool wide);

/* Is there more to do than a sum of products, bias, residual and activation? */
bool functions_any(const struct functions *f);

/* Do combine and reduce leave multipliers idle? Then sums may be their work. */
bool functions_never_multiply(const struct functions *f);

/* What an accumulator holds that has seen nothing: changes no other of a named reduction. */
double functions_identity(enum reduction r);

/* Is a tap that reads `value` as good as none: does it leave every accumulator as it is, whatever
 * finite number its weight is? */
bool functions_absorb(const struct functions *f, double value, bool wide);

/* As additions to a problem's text; nothing for a plain sum of products. */
void functions_print(const struct functions *f, struct text *t);

/* 128 bits of the same; 0 for a plain sum of products. Out of memory: bits that are no other's, so
 * that nothing is taken for equal. */
void functions_hash(const struct functions *f, uint64_t hash[2]);

const char *arg_kind_name(enum arg_kind kind);

#endif
