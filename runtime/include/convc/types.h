/* convc/types.h: what a convolution is, as plain data.
 *
 * A `struct convc_problem` says what is computed and nothing about how. It owns no memory: copy it,
 * keep it on the stack. Needs nothing but the C library.
 */
#ifndef CONVC_TYPES_H
#define CONVC_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) || defined(CONVC_STATIC)
#define CONVC_API
#else
#define CONVC_API __attribute__((visibility("default")))
#endif

/* What a call came to. CONVC_OK is 0; after any other, convc_last_error() holds one sentence. */
enum convc_status {
    CONVC_OK = 0,
    CONVC_ERR_ARGUMENT, /* a pointer, a size or a handle that the call cannot accept            */
    CONVC_ERR_SHAPE,    /* extents that do not go together, or an output that would be empty    */
    CONVC_ERR_SPEC,     /* a Lua spec or a problem text that cannot be read                     */
    CONVC_ERR_PLAN,     /* a plan text that cannot be read, or that does not fit the problem    */
    CONVC_ERR_UNSUPPORTED, /* legal, but outside of what this build or this machine can do */
    CONVC_ERR_MEMORY,    /* out of memory                                                        */
    CONVC_ERR_IO,        /* a file that cannot be read or written                                */
    CONVC_ERR_COMPILER,  /* LLVM refused; with a fallback allowed the reference answers instead  */
    CONVC_ERR_INTERNAL,  /* a bug in convc                                                       */
    CONVC_ERR_CANCELLED, /* what was waited for was called off                                  */
    CONVC_ERR_TIMEOUT,   /* what is waited for is not there yet                                 */
};

enum convc_kind {
    CONVC_FORWARD = 0,
};

/* Reals compute; whole numbers are what pictures are made of, in src and dst alone. What is stored
 * as a whole number is rounded to the nearest, to the even one of two, and what lies beyond the
 * type's ends becomes the end: 255 for 300 and for infinity, 0 for NaN. */
enum convc_dtype {
    CONVC_F32 = 0,
    CONVC_F64 = 1,
    CONVC_U8 = 2,
    CONVC_S16 = 3,
    CONVC_U16 = 4,
};

/* Where the channels lie in memory when no strides are given. The names hold for 1 and 3 axes too.
 */
enum convc_layout {
    CONVC_NHWC = 0, /* channels last  */
    CONVC_NCHW = 1, /* channels first */
};

/* What a tap outside of the input reads. abcd stands for the input:
 * reflect dcb|abcd|cba, symmetric dcba|abcd|dcba, replicate aaa|abcd|ddd, circular bcd|abcd|abc.
 * Pads larger than the input fold again and again. */
enum convc_padding_mode {
    CONVC_PAD_ZEROS = 0,
    CONVC_PAD_CONSTANT = 1, /* padding_value */
    CONVC_PAD_REFLECT = 2,
    CONVC_PAD_SYMMETRIC = 3,
    CONVC_PAD_REPLICATE = 4,
    CONVC_PAD_CIRCULAR = 5,
    CONVC_PAD_IDENTITY = 6, /* taps outside are skipped */
};

/* Applied to acc + bias + residual. */
enum convc_activation {
    CONVC_ACT_NONE = 0,
    CONVC_ACT_RELU = 1,       /* x > 0 ? x : 0                                             */
    CONVC_ACT_CLAMP = 2,      /* min(max(x, activation_args[0]), activation_args[1])       */
    CONVC_ACT_LEAKY_RELU = 3, /* x > 0 ? x : activation_args[0] * x                        */
    CONVC_ACT_SIGMOID = 4,    /* 1 / (1 + exp(-x))                                         */
    CONVC_ACT_TANH = 5,
    CONVC_ACT_SILU = 6,      /* x / (1 + exp(-x)); 0 at -infinity                         */
    CONVC_ACT_GELU = 7,      /* x / 2 * (1 + erf(x / sqrt(2))); 0 at -infinity            */
    CONVC_ACT_HARDSWISH = 8, /* x * min(max(x + 3, 0), 6) / 6                             */
};

/* The spatial axes in every array of three: depth, height, width. A problem with fewer axes uses
 * the last ones; the others hold extent 1, kernel 1, stride 1, dilation 1, padding 0. */
enum { CONVC_D = 0, CONVC_H = 1, CONVC_W = 2 };

/* The axes of a tensor in every array of strides. */
enum {
    CONVC_STRIDE_N = 0,
    CONVC_STRIDE_C = 1,
    CONVC_STRIDE_D = 2,
    CONVC_STRIDE_H = 3,
    CONVC_STRIDE_W = 4
};

#define CONVC_NAME_MAX 64

/* Functions of the user are texts: calls without blanks, such as "abs(sub(x,w))". They know numbers
 * ("inf" too), the variables of their place, and
 *
 *   add sub mul div neg abs sqrt exp log tanh sigmoid floor ceil relu
 *   min max      of two to eight; max(a,b) is a > b ? a : b, min(a,b) is a < b ? a : b
 *   clamp(a,low,high)  pow(a,N), N a whole number from -16 to 16
 *   lt le gt ge eq ne  comparisons of numbers; and or not, of comparisons
 *   where(c,a,b)       c ? a : b
 *
 * At most 96 different operations and operands; of a window 1024. What is used again may be defined
 * in front: "def(A,B,...,R)" is R, in which @0 stands for A, @1 for B and so on. */

/* One convolution. convc_problem_init fills in every default; set `n ic oc in kernel` and what else
 * differs.
 *
 * out[a] = floor((in[a] + pad_begin[a] + pad_end[a] - (dilation[a]*(kernel[a]-1) + 1)) / stride[a])
 * + 1
 *
 * dst[n][o][x] = activation(bias[o] + residual[n][o][x] +
 *     sum over i < ic/groups and taps k of
 *         src[n][g*(ic/groups) + i][x*stride + k*dilation - pad_begin] * wei[o][i][k])
 *
 * with group g = o / (oc/groups), and with wei[o][i][kernel-1-k] instead where `flip` is set.
 * Constants (padding_value, activation_args) are rounded to the accumulator's type first. A tap
 * outside of a zero-padded input adds nothing while its weight is finite; under an infinite weight
 * or NaN the outputs at the border may be NaN. */
struct convc_problem {
    size_t struct_bytes; /* sizeof(struct convc_problem), set by convc_problem_init */
    enum convc_kind kind;
    int32_t spatial; /* 1 to 3 axes */
    /* acc: f32 or f64, in which is computed; wei is the same, and so are bias, channel args and
     * scalar args. src and dst are that, or u8, s16 or u16; residual and tensor args are as dst. */
    enum convc_dtype src_dtype, wei_dtype, acc_dtype, dst_dtype;
    enum convc_layout layout;

    int64_t n; /* batch: a default for files and tools; kernels take theirs at run time */
    int64_t ic, oc, groups;
    int64_t in[3], kernel[3], stride[3], dilation[3];
    int64_t pad_begin[3], pad_end[3]; /* negative crops (benchdnn only) */
    enum convc_padding_mode padding_mode;
    double padding_value;

    int32_t flip, bias, residual; /* 0 or 1 */
    enum convc_activation activation;
    double activation_args[2];
    /* How far off results may be, relative to the largest sum of |src*wei| within one output
     * channel of one image; 0 admits direct algorithms only. Transforms mix the elements of a patch
     * of src, and of a kernel, before they multiply: where one value dwarfs its neighbours the
     * error is relative to the largest |src| times the largest |wei|, and an infinite or NaN
     * element spoils the whole tile that reads it.
     * Results of whole numbers (u8, s16, u16) are rounded anyhow: unless tolerance is 0, what is
     * rounded may besides be a quarter of a unit off, so that a result differs from the exactly
     * rounded one near a half alone, and by 1. Filters with constant weights over u8 make use of
     * it; convc_kernel_info tells how much of it. */
    double tolerance;

    /* In elements, by CONVC_STRIDE_*. All zero: dense in `layout`. The residual has dst's strides.
     * Strides are not negative; those of dst must keep its elements apart. */
    int64_t src_stride[5], dst_stride[5];

    /* Other arithmetic; NULL or "": as above. The texts belong to the caller, who keeps them for
     * the time of each call that takes the problem.
     *
     *   acc = reduce over the taps, beginning with reduce_init, of combine(x, w); or window(x, w)
     *   dst = epilogue(acc, args)
     *
     * combine      of x, from src, and w, the weight
     * reduce       "sum", "max", "min" or "prod"; else a function of acc and t, done tap by tap in
     *              the order depth, height, width, channel. Without a tap acc is reduce_init; of
     *              those with a name it is 0, -infinity, infinity and 1. max and min of terms among
     *              which is a NaN depend on the plan
     * window       instead of combine and reduce: acc as a function of all taps of one channel,
     *              x(i,j) and w(i,j), counted from 0; x(i) along one axis, x(d,i,j) along three.
     *              w(i,j) is the weight that a sum would multiply with x(i,j), under `flip` that of
     *              the mirrored tap. oc and groups are ic; CONVC_PAD_IDENTITY has no meaning. A
     *              window that names no w has no weights: nothing is packed, and convc_args.wei is
     *              not read
     * epilogue     of acc and the names in args, instead of bias, residual and activation
     * args         "scale:channel,shift:tensor,gain:scalar": at most 8, given at run time in this
     *              order, in convc_args.user. A channel arg has oc elements, a tensor arg is laid
     *              out as dst is, a scalar is one element
     *
     * Under other arithmetic than sums of products, zeros are values of 0 like any others, and taps
     * are left out under CONVC_PAD_IDENTITY alone. An algorithm that relies on sums of products is
     * no candidate; tolerance then means nothing. */
    const char *combine, *reduce, *window, *epilogue, *args;
    double reduce_init;

    /* Weights that are part of the problem, in the order of convc_pack's; NULL: given at run time.
     * The caller keeps them for the time of each call that takes the problem. Finite; a kernel has
     * at most 1024 values, and so have all channels before they repeat; at most 65536 together.
     * Kernels have them built in: nothing is packed, and convc_args.wei is not read.
     * In a sum of products a weight of 0 is an absent tap. The reference and plans of `stencil` do
     * not read it; other plans multiply with it, so that an infinity or a NaN there makes the
     * output NaN. Under finite sources all plans agree. */
    const double *weights;

    char name[CONVC_NAME_MAX + 1]; /* for people and generated symbols; not part of the identity */
};

#ifdef __cplusplus
}
#endif
#endif
