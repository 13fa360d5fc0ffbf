/* convc/layer.h: a convolution that answers at once, while its kernel is being compiled.
 *
 *     convc_layer *layer;
 *     convc_layer_create(cx, &p, weights, NULL, &layer);       // does not wait for the compiler
 *     struct convc_args a = { sizeof a, .src = src, .dst = dst, .n = 1 };
 *     a.workspace = aligned_alloc(64, convc_layer_workspace_bytes(layer, a.n, 0));
 *     convc_layer_run(layer, &a);                              // right from the first call on
 *
 * A layer is a kernel and the weights that it runs with. It begins as the reference, which is slow;
 * a thread of convc's compiles the kernel that convc_compile would find and packs the weights for
 * it; from the next run on that is the kernel in force. Runs that are under way end on the one that
 * they began with. What was compiled before, and is still in memory, is in force at once. A layer
 * keeps its plain weights, beside the packed ones, as long as it lives.
 *
 * No call waits for the compiler but convc_layer_wait, and the first convc_layer_create of a
 * process, which sets it up, unless the context's compile_threads were given. All may be made from
 * any thread, from within `done` too; a layer is destroyed once, when no run of it and no other
 * call on it is under way, but for `done`. Layers outlive their context, as kernels do. In the
 * child of a fork they go on: what the parent was compiling, the child compiles for itself.
 */
#ifndef CONVC_LAYER_H
#define CONVC_LAYER_H

#include <convc/convc.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct convc_layer convc_layer;

enum convc_layer_state {
    CONVC_LAYER_COMPILING = 0, /* the reference answers, until ...                              */
    CONVC_LAYER_READY = 1,     /* ... this: the kernel is what convc_compile would give         */
    CONVC_LAYER_FAILED = 2,    /* the reference for good: convc_compile would have failed       */
    CONVC_LAYER_CANCELLED = 3, /* the reference for good: convc_layer_cancel, or the context is
                                  destroyed                                                     */
};

/* All zero is the default for every field. */
struct convc_layer_options {
    size_t struct_bytes;
    const char *plan; /* NULL: the best by tuning_db or the cost model */
    /* Called once, when the layer is READY (CONVC_OK) or FAILED (the status of it, with its
     * sentence in convc_last_error), by a thread of convc's that holds no lock: after the kernel
     * came into force, before convc_layer_wait returns in any other thread. It may be called before
     * convc_layer_create returns. Layers of one context are compiled in the order in which they
     * were created, by compile_threads threads; as long as `done` takes, one of them does not. Not
     * called once the context is destroyed, unless the compile had begun. A child that it forks
     * must not return from it. NULL: nobody is told. */
    void (*done)(void *data, convc_layer *layer, enum convc_status status);
    void *data;
};

/* weights: plain, as convc_pack takes them, copied; NULL where the problem has none to pack. `n`
 * and `name` of the problem do not matter, and nothing of it is kept. opt may be NULL. What
 * convc_problem_check says of the problem; CONVC_ERR_PLAN where the plan does not fit;
 * CONVC_ERR_UNSUPPORTED where the target is not for this machine; CONVC_ERR_MEMORY, also where no
 * thread can be had. Writes *out only on CONVC_OK. */
CONVC_API enum convc_status convc_layer_create(convc_context *cx, const struct convc_problem *p,
                                               const void *weights,
                                               const struct convc_layer_options *opt,
                                               convc_layer **out);

/* Does not wait for the compiler. When it returns, `done` is not running and will not be called,
 * unless `done` itself is the caller. NULL is fine. */
CONVC_API void convc_layer_destroy(convc_layer *layer);

/* What a run needs, whichever kernel is in force, as convc_workspace_bytes tells it of a kernel. */
CONVC_API size_t convc_layer_workspace_bytes(const convc_layer *layer, int64_t n, int32_t threads);

/* convc_run with the kernel in force; args->wei is not read. Allocates nothing and takes no lock,
 * but in the child of a fork starts the threads that are missing there. What is refused does not
 * depend on the kernel in force. Results of the reference differ from those of the kernel within
 * its error bound, and are bitwise the same from the kernel on. */
CONVC_API enum convc_status convc_layer_run(convc_layer *layer, const struct convc_args *args);

CONVC_API enum convc_layer_state convc_layer_state(const convc_layer *layer);

/* Waits for the compiler, and for `done`, but no longer than so many seconds; 0 asks, and a
 * negative number waits as long as it takes. CONVC_OK: READY; CONVC_ERR_TIMEOUT: still COMPILING,
 * or `done` has not returned; CONVC_ERR_CANCELLED, also where the process ends first; where FAILED,
 * what convc_compile would have returned; CONVC_ERR_MEMORY where the child of a fork can have no
 * thread; CONVC_ERR_ARGUMENT. A `done` that waits for another layer keeps a thread from compiling:
 * with compile_threads of 1, for ever. */
CONVC_API enum convc_status convc_layer_wait(convc_layer *layer, double seconds);

/* 1: in time. The layer stays the reference, `done` is not called, and who waits gets
 * CONVC_ERR_CANCELLED. What the compiler is working on it finishes all the same, for the caches.
 * 0: too late, the layer is no longer COMPILING. */
CONVC_API int32_t convc_layer_cancel(convc_layer *layer);

/* The kernel in force, for convc_kernel_info. Lives as long as the layer; retain it for longer. */
CONVC_API convc_kernel *convc_layer_kernel(const convc_layer *layer);

#ifdef __cplusplus
}
#endif
#endif
