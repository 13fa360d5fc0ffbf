/* problem: what is computed; validated, canonical, printable.
 *
 * problem_resolve turns what a caller wrote into the one form that everything behind it reads:
 * strides filled in, modes that cannot matter reset, shapes checked without overflow. Two problems
 * that compute the same in the same memory resolve to the same key. Errors are CONVC_ERR_SHAPE,
 * CONVC_ERR_ARGUMENT and CONVC_ERR_UNSUPPORTED with field, value and rule. Stands on: base.
 */
#ifndef GEN_PROBLEM_PROBLEM_H
#define GEN_PROBLEM_PROBLEM_H

#include "gen/base/diag.h"
#include "gen/base/text.h"
#include "gen/problem/constants.h"
#include "gen/problem/functions.h"

#include <stdbool.h>

/* A resolved problem; `p` has its strides filled in, its functions are in `f` alone and its
 * constant weights in `c`: the texts and the weights of `p` are NULL. */
struct problem {
    struct convc_problem p;
    struct functions f;
    struct constants c;
    int64_t out[3];
    int64_t icg, ocg; /* channels in one group */
};

/* The identity of a problem: equal bytes mean equal kernels. Holds no batch and no name, and
 * neither the layout nor the number of axes: strides and extents say it all. */
struct problem_key {
    int64_t field[32];
};

/* Defaults: those of convc_problem_init, with a tolerance of 1e-5. */
void problem_init(struct convc_problem *p);

/* Bytes of an element: 1 to 8. */
int64_t dtype_bytes(enum convc_dtype t);
const char *dtype_name(enum convc_dtype t);

/* The type that the first `n` characters of `text` name. */
bool dtype_named(const char *text, size_t n, enum convc_dtype *t);

/* A whole number's type: its least and its greatest value. */
bool dtype_whole(enum convc_dtype t);
double dtype_least(enum convc_dtype t);
double dtype_most(enum convc_dtype t);

/* `t` for src and dst, f32 for wei and acc where `t` is no real type. */
void dtype_everywhere(struct convc_problem *p, enum convc_dtype t);
const char *padding_mode_name(enum convc_padding_mode m);
const char *activation_name(enum convc_activation a);

/* Checks `from` and writes its canonical form. On failure *to is unspecified.
 *
 * Limits: extents, kernels, strides, dilations and outputs are 1 to 2^31-1 (so are channels and
 * groups; n begins at 0), paddings -2^32 to 2^31-1, and no tensor spans more than 2^62 bytes.
 *
 * Canonical means:
 *   pad_end      the smallest that gives the same output, (out-1)*stride + k_e - in - pad_begin,
 *                with k_e = dilation*(kernel-1) + 1; negative where the end of the input is not
 *                read. Taps fold back by `in` alone, so no border mode can tell the difference.
 *   stride       1 along an axis of one output
 *   dilation     1 along an axis of one tap
 *   flip         0 where every kernel extent is 1, of constant weights, which are mirrored, and
 *                under windows that read no weights
 *   padding_mode zeros where no tap falls outside, and wherever taps outside can be left out: under
 *                identity; under zeros, and a constant, which change no accumulator (0 times a
 *                finite weight). Zeros that do are a constant 0
 *   padding_value of zeros: with functions, one that changes no accumulator, if there is one
 *                (f.neutral), so that lanes which are left out may hold it
 *   constants    0 where unused, else rounded to the accumulator's type
 *   functions    as in gen/problem/functions.h
 *   strides      filled in; those of axes of one element as in gen/problem/strides.h */
enum convc_status problem_resolve(const struct convc_problem *from, struct problem *to,
                                  struct diag *d);

void problem_key(const struct problem *p, struct problem_key *key);

/* The problem as one line in benchdnn's notation with convc's additions. spec_benchdnn reads it
 * back to an equal key; only the name is lost.
 *
 *     line      = shape { ";" addition }
 *     shape     = "g" G "mb" N "ic" C in "oc" O out kernel stride dilation padding
 *     in        = [ "id" int ] [ "ih" int ] "iw" int      and likewise out "od oh ow", kernel
 *                 "kd kh kw", stride "sd sh sw", dilation "dd dh dw", padding "pd ph pw"
 *     addition  = "mode=" name              constant reflect symmetric replicate circular identity
 *               | "value=" real             padding_value, of mode=constant
 *               | "flip" | "bias" | "residual"
 *               | "act=" name { "," real }  relu clamp,LOW,HIGH leaky_relu,SLOPE sigmoid tanh silu
 *                                           gelu hardswish
 *               | "dtype=" name             f32 f64 u8 s16 u16: dtype_everywhere
 *               | "dtype=" src ":" acc ":" dst
 *               | "layout=" name            nhwc nchw
 *               | "tol=" real               tolerance
 *               | "weights=" run { "," run }     constants, each channel's [ic/groups][kernel]
 *               | "combine=" function       of x and w, as in gen/expr/expr.h
 *               | "reduce=" name            sum max min prod
 *               | "reduce=" function        of acc and t
 *               | "init=" real              what acc begins with, of reduce=function
 *               | "window=" function        of the taps of x and w
 *               | "epilogue=" function      of acc and the args
 *               | "args=" name ":" kind { "," name ":" kind }        channel tensor scalar
 *               | "src_strides=" int "," int "," int "," int "," int     n, c, d, h, w
 *               | "dst_strides=" likewise
 *     run       = real [ "*" int ]        a value, and how many of it follow one another
 *
 * Weights are given for as many channels as it takes before they repeat.
 * No spaces. Every axis of the problem is printed, in this order: w; h w; d h w, and that tells 1,
 * 2 and 3 axes apart. Dilation counts benchdnn's way, 0 = dense. Padding is that at the beginning
 * (negative crops); the one at the end follows from the output, see problem_resolve. An addition is
 * printed, in this order, where it differs from problem_init (nothing, zeros, f32, nhwc, tolerance
 * 1e-5); strides where they are not dense in the layout. A real has as many digits as it takes to
 * read back the same double. */
void problem_print(const struct problem *p, struct text *t);

/* Elements from the first to one past the last that n images of a tensor of these extents touch;
 * -1 where that is past 2^62. */
int64_t problem_span(const int64_t stride[5], int64_t n, int64_t c, const int64_t extent[3]);

/* Where tap `i` of an axis of `n` elements reads under a padding mode; -1: outside (zeros,
 * constant, identity). Folds as often as it takes. Exact for every i that a resolved problem can
 * make. */
int64_t problem_border(enum convc_padding_mode mode, int64_t i, int64_t n);

/* Are there weights, to be packed and given at run time? */
bool problem_packs(const struct problem *p);

/* Is there one tap? */
bool problem_pointwise(const struct problem *p);

/* Can a tap of this axis fall outside of the input? */
bool problem_axis_pads(const struct problem *p, int axis);
bool problem_pads(const struct problem *p); /* of any axis? */

#endif
