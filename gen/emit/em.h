/* em: the vocabulary in which every emitter is written.
 *
 * A `struct em` is one LLVM function under construction. EM_FOR makes a loop in the kernel; a plain
 * C `for` unrolls into it. em_var is a mutable local that becomes a register. Arithmetic on
 * constants folds, so that emitters need no special cases for strides of 1 or loops of one turn.
 * Offsets are in bytes and of type i64; pointers are opaque.
 * Stands on: base, target, llvm-c/Core.h.
 */
#ifndef GEN_EMIT_EM_H
#define GEN_EMIT_EM_H

#include "gen/plan/target.h"

#include <llvm-c/Core.h>
#include <stdbool.h>

/* A function of the user that is called, not written down where it is used: see em_expr. */
struct em_outlined {
    const void *expr;
    int node;
    LLVMTypeRef type; /* of what it is about */
    LLVMValueRef function;
};
enum { EM_OUTLINED_MAX = 16 };

struct em {
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMValueRef function;
    LLVMBasicBlockRef entry; /* holds the em_vars and falls through to the body */
    const struct target *target;
    bool small;  /* less code is worth more than fewer cycles */
    bool failed; /* out of memory */
    LLVMTypeRef i1, i32, i64, f32, f64, ptr;
    struct em_outlined outlined[EM_OUTLINED_MAX];
    int outlined_count;
};

/* Begins a new module of `context`, in which em_next opens the first function. */
void em_begin(struct em *em, LLVMContextRef context, const struct target *t);

/* The same, with `symbol`, a convc_kernel_fn, open. */
void em_open(struct em *em, LLVMContextRef context, const char *symbol, const struct target *t);

/* Closes the function and opens another one in the module. */
void em_next(struct em *em, const char *symbol, LLVMTypeRef type);

/* The last that a function does, where it returns a value. */
void em_return(struct em *em, LLVMValueRef value);

/* Closes the function; the module is the caller's. */
LLVMModuleRef em_close(struct em *em);

/* ---- integers ------------------------------------------------------------------------------ */

LLVMValueRef em_int(struct em *em, int64_t v);
bool em_is_const(LLVMValueRef v, int64_t *value);
LLVMValueRef em_add(struct em *em, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef em_sub(struct em *em, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef em_mul(struct em *em, LLVMValueRef a, int64_t b);
LLVMValueRef em_mul_add(struct em *em, LLVMValueRef a, int64_t b, int64_t c); /* a*b + c */
LLVMValueRef em_min(struct em *em, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef em_max(struct em *em, LLVMValueRef a, LLVMValueRef b);

/* *rest = a mod n, returns a div n; a is not negative. */
LLVMValueRef em_divide(struct em *em, LLVMValueRef a, LLVMValueRef n, LLVMValueRef *rest);

LLVMValueRef em_equal(struct em *em, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef em_below(struct em *em, LLVMValueRef a, LLVMValueRef b); /* unsigned: 0 <= a < b */
LLVMValueRef em_less(struct em *em, LLVMValueRef a, LLVMValueRef b);  /* signed */
LLVMValueRef em_and(struct em *em, LLVMValueRef a, LLVMValueRef b);   /* of two i1 */
LLVMValueRef em_not(struct em *em, LLVMValueRef a);
LLVMValueRef em_true(struct em *em);

/* ---- memory -------------------------------------------------------------------------------- */

/* Asks for a cache line to be brought there; reads nothing, so any address will do. */
enum em_cache { EM_L1 = 1, EM_L2 };
void em_prefetch(struct em *em, LLVMValueRef p, enum em_cache to);

/* A set of lanes, known while emitting: lane l is active where on[l]. */
enum { EM_LANES_MAX = 64 };
struct em_lanes {
    int count, active;
    bool on[EM_LANES_MAX];
};
struct em_lanes em_lanes_first(int count, int active);

LLVMTypeRef em_vector(LLVMTypeRef element, int lanes);
LLVMValueRef em_at(struct em *em, LLVMValueRef p, LLVMValueRef bytes);
LLVMValueRef em_at_const(struct em *em, LLVMValueRef p, int64_t bytes);

/* The same value, whose origin LLVM's loop passes cannot see. Without it loop strength reduction
 * weighs every address of a tile against every loop around it: more than half of the compile time,
 * and registers lost to precomputed addresses. */
LLVMValueRef em_opaque(struct em *em, LLVMValueRef v);

/* The same vector, which is there from here on: what it is computed from is done with, where LLVM
 * would rather keep that, in memory if need be, and compute where the vector is read. No
 * instruction; does nothing on targets that have no name for the register. */
LLVMValueRef em_pinned(struct em *em, LLVMValueRef v);

/* The same constant in a register, whose value LLVM does not see: x * 1 stays a product. The
 * constant itself on targets that have no name for the register. */
LLVMValueRef em_hidden(struct em *em, LLVMValueRef constant);
LLVMValueRef em_load(struct em *em, LLVMTypeRef type, LLVMValueRef p, unsigned align);
void em_store(struct em *em, LLVMValueRef v, LLVMValueRef p, unsigned align);

/* Consecutive elements; lanes that are off read nothing and hold `other` (NULL: zero). */
LLVMValueRef em_load_lanes(struct em *em, LLVMTypeRef vector, LLVMValueRef p,
                           const struct em_lanes *on, LLVMValueRef other);
void em_store_lanes(struct em *em, LLVMValueRef v, LLVMValueRef p, const struct em_lanes *on);

/* The same, lanes on where `on`, a vector of i1 of the kernel, says so; the others hold 0. */
LLVMValueRef em_load_where(struct em *em, LLVMTypeRef vector, LLVMValueRef p, LLVMValueRef on);
void em_store_where(struct em *em, LLVMValueRef v, LLVMValueRef p, LLVMValueRef on);
LLVMValueRef em_lane_mask(struct em *em, const struct em_lanes *on);

/* Elements at p + offset[l] bytes, offsets known while emitting. */
LLVMValueRef em_gather(struct em *em, LLVMTypeRef vector, LLVMValueRef p, const int64_t *offset,
                       const struct em_lanes *on, LLVMValueRef other);
void em_scatter(struct em *em, LLVMValueRef v, LLVMValueRef p, const int64_t *offset,
                const struct em_lanes *on);

/* Elements at p + offset[l] bytes, offsets a vector of i64 and `on` a vector of i1 of the kernel.
 */
LLVMValueRef em_gather_at(struct em *em, LLVMTypeRef vector, LLVMValueRef p, LLVMValueRef offset,
                          LLVMValueRef on, LLVMValueRef other);

/* ---- values -------------------------------------------------------------------------------- */

LLVMValueRef em_real(LLVMTypeRef type, double v);   /* of a scalar or vector type */
LLVMValueRef em_whole(LLVMTypeRef type, int64_t v); /* likewise, of integers */
LLVMValueRef em_splat(struct em *em, LLVMValueRef scalar, int lanes);
LLVMValueRef em_shuffle(struct em *em, LLVMValueRef a, LLVMValueRef b, const int *lane, int lanes);

/* Lane l of x at lane[l], integers as wide as the elements. Vectors of 64 bytes, or
 * of eight f32. */
LLVMValueRef em_permute(struct em *em, LLVMValueRef x, LLVMValueRef lane);
LLVMValueRef em_fma(struct em *em, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c); /* a*b + c */
LLVMValueRef em_fmax(struct em *em, LLVMValueRef a, LLVMValueRef b); /* a > b ? a : b */
LLVMValueRef em_fmin(struct em *em, LLVMValueRef a, LLVMValueRef b); /* a < b ? a : b */

/* An overloaded intrinsic: em_call(em, "llvm.fabs", &type, 1, args, 1). */
LLVMValueRef em_call(struct em *em, const char *name, LLVMTypeRef *types, unsigned type_count,
                     LLVMValueRef *args, unsigned arg_count);

/* ---- mutable locals and control ------------------------------------------------------------ */

struct em_var {
    LLVMTypeRef type;
    LLVMValueRef slot;
};
struct em_var em_var(struct em *em, LLVMTypeRef type, const char *name);
LLVMValueRef em_get(struct em *em, struct em_var v);
void em_set(struct em *em, struct em_var v, LLVMValueRef value);

/* for (i = begin; i < end; i++). One turn known while emitting makes no loop. */
#define EM_FOR(em, i, begin, end)                                                                  \
    for (struct em_loop i##_loop = em_loop_begin(em, #i, begin, end); i##_loop.open;               \
         em_loop_end(&i##_loop))                                                                   \
        for (LLVMValueRef i = i##_loop.index; i; i = NULL)

/* if (condition). A condition known while emitting makes no branch. */
#define EM_IF(em, condition)                                                                       \
    for (struct em_branch em_branch_ = em_if_begin(em, condition); em_branch_.open;                \
         em_if_end(&em_branch_))

struct em_loop {
    struct em *em;
    bool open;
    LLVMValueRef index, end;
    LLVMBasicBlockRef body, exit;
};
struct em_loop em_loop_begin(struct em *em, const char *name, LLVMValueRef begin, LLVMValueRef end);
void em_loop_end(struct em_loop *loop);

struct em_branch {
    struct em *em;
    bool open;
    LLVMBasicBlockRef exit;
};
struct em_branch em_if_begin(struct em *em, LLVMValueRef condition);
void em_if_end(struct em_branch *branch);

#endif
