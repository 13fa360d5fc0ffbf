/* convc/convc.h: compile a convolution, run it.
 *
 *     convc_context *cx;
 *     convc_kernel *k;
 *     struct convc_problem p;
 *     convc_problem_init(&p);
 *     p.n = 1, p.ic = 64, p.oc = 64;
 *     p.in[CONVC_H] = p.in[CONVC_W] = 56;
 *     p.kernel[CONVC_H] = p.kernel[CONVC_W] = 3;
 *     convc_context_create(NULL, &cx);
 *     convc_compile(cx, &p, NULL, &k);              // milliseconds; from memory, nanoseconds
 *     void *packed = aligned_alloc(64, convc_packed_bytes(k));
 *     convc_pack(k, weights, packed);
 *     struct convc_args a = { sizeof a, .src = src, .wei = packed, .dst = dst, .n = 1 };
 *     a.workspace = aligned_alloc(64, convc_workspace_bytes(k, a.n, 0));
 *     convc_run(k, &a);
 *
 * Every call that can fail returns a status; after a failure convc_last_error() is one sentence
 * about it, kept per thread. Structures begin with their own size. All calls may be made from any
 * thread; a context is destroyed once, when no other call on it is under way.
 *
 * A child of a fork may go on using the contexts and kernels of its parent, whatever other threads
 * were amid: fork waits until the compiles under way are done, and the runs on threads of convc,
 * and nothing of that begins meanwhile. What threads that the child lacks held is not freed there,
 * and what they were writing is not finished. posix_spawn and vfork wait for nothing.
 */
#ifndef CONVC_CONVC_H
#define CONVC_CONVC_H

#include <convc/kernel.h>
#include <convc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CONVC_VERSION_MAJOR 0
#define CONVC_VERSION_MINOR 1
#define CONVC_VERSION_PATCH 0

/* ---- status ---------------------------------------------------------------------------------- */

/* A few words for a status: "bad shape". Never NULL. */
CONVC_API const char *convc_status_string(enum convc_status status);

/* The sentence of this thread's last failed call; "" where there was none. Valid until this
 * thread's next call. */
CONVC_API const char *convc_last_error(void);

/* Frees a text that convc returned. NULL is fine. */
CONVC_API void convc_text_free(char *text);

/* ---- memory ---------------------------------------------------------------------------------- */

/* A host's own malloc, realloc and free, each with `user` in front: for any type aligned, NULL
 * where there is no memory, no size 0, no block NULL. Threads call them at once. */
struct convc_allocator {
    size_t struct_bytes;
    void *user;
    void *(*allocate)(void *user, size_t bytes);
    void *(*reallocate)(void *user, void *block, size_t bytes); /* where it fails, block stays */
    void (*release)(void *user, void *block);
};

/* Where all memory comes from that convc allocates itself, in the whole process: for contexts,
 * kernels, specs, texts. LLVM, SQLite, pthreadpool and the C library have their own ways; a host
 * that wants SQLite's too has SQLITE_CONFIG_MALLOC. To be called before any other call, and before
 * there are threads; NULL: the C library's. CONVC_ERR_ARGUMENT where a function is missing, or
 * where convc has allocated already. A call that gets no memory returns CONVC_ERR_MEMORY, or does
 * without; it leaves nothing behind, and the next one works. convc_run and finding a kernel in
 * memory allocate nothing. */
CONVC_API enum convc_status convc_set_allocator(const struct convc_allocator *allocator);

/* ---- context --------------------------------------------------------------------------------- */

typedef struct convc_context convc_context;
typedef struct convc_kernel convc_kernel;

/* A host's own thread pool: call task(argument, i) for every i in [0, count), in any order and from
 * any threads, and return when all are done. It is needed for as long as the context or a kernel of
 * it lives. */
typedef void (*convc_parallel_for)(void *pool, void (*task)(void *argument, size_t i),
                                   void *argument, size_t count);

/* All zero is the default for every field. */
struct convc_context_options {
    size_t struct_bytes;
    int32_t threads; /* 1 to 1024; 0: all that the process may run on                */
    int32_t flags;   /* CONVC_NO_*                                                   */
    convc_parallel_for parallel_for; /* NULL: convc's own pool */
    void *pool;              /* first argument of parallel_for                               */
    const char *cache_dir;   /* NULL: $XDG_CACHE_HOME/convc, else $HOME/.cache/convc         */
    const char *target;      /* NULL: this machine; else "TRIPLE:CPU[+feature...]" or "CPU"  */
    size_t max_code_bytes;   /* bound of the memory cache; 0: 256 MiB                        */
    size_t max_kernels;      /* likewise; 0: 16384. Each in use takes at most one memory map, of
                                which Linux allows 65530; beyond that it is the reference    */
    const char *tuning_db;   /* NULL: none; else a tuning database, see convc/tuning.h       */
    int32_t compile_threads; /* that layers are compiled on (convc/layer.h), at most 1024; 0: half
                                of `threads`, 1 to 8. Where it is given LLVM is set up here, in some
                                milliseconds, else by the first convc_layer_create of the process */
};

enum {
    CONVC_NO_DISK_CACHE = 1 << 0,
    CONVC_NO_JIT =
        1 << 1, /* every kernel is the reference (what a machine that forbids JIT does) */
    CONVC_NEW_TUNING_DB = 1 << 2, /* tuning_db may still be absent: convc_tune makes it */
};

/* opt may be NULL. Writes *out only on CONVC_OK. A cache directory that cannot be trusted or
 * written is no error: the context does without it. tuning_db is: CONVC_ERR_IO where it is not
 * there or cannot be read, CONVC_ERR_ARGUMENT where it is no tuning database or of a newer convc.
 */
CONVC_API enum convc_status convc_context_create(const struct convc_context_options *opt,
                                                 convc_context **out);

/* Kernels that are still retained stay callable and are released as usual, and so do layers. Waits
 * for no compile: layers whose compile has not begun are CONVC_LAYER_CANCELLED, what has begun is
 * finished in the background. NULL is fine. */
CONVC_API void convc_context_destroy(convc_context *cx);

/* What the context compiles for: "x86_64-pc-linux-gnu:znver5". Lives as long as the context. */
CONVC_API const char *convc_context_target(const convc_context *cx);

/* What a context did since it was created; kernels, code_bytes and layers are as of now. The
 * difference of two calls is what happened between them. */
struct convc_context_stats {
    size_t struct_bytes;   /* set before the call                                              */
    int64_t memory_hits;   /* look-ups that found their kernel,                                */
    int64_t memory_waits;  /* that found it being made by another thread, and waited,          */
    int64_t memory_misses; /* that made it: from disk, by the compiler, or as the reference    */
    int64_t failures;      /* misses that made none                                            */
    int64_t evictions;     /* kernels that left for want of room                               */
    int64_t kernels, code_bytes;   /* in memory                                                  */
    int64_t disk_hits, disk_bytes; /* misses that the disk cache had, and what it gave         */
    int64_t compiles;   /* misses that LLVM compiled,                                       */
    double compile_ms;  /* and what those took, together                                    */
    int64_t references; /* misses that ended with the reference; convc_kernel_info says why */
    int64_t layers_waiting, layers_compiling; /* see convc/layer.h                             */
    int32_t compiler_lost; /* 1: LLVM gave up in this process, see convc_llvm_fault            */
};

/* Fills what stats->struct_bytes has room for. CONVC_ERR_ARGUMENT. */
CONVC_API enum convc_status convc_context_stats(convc_context *cx,
                                                struct convc_context_stats *stats);

/* ---- problems -------------------------------------------------------------------------------- */

/* Defaults: forward, 2 axes, f32, NHWC, batch 1, groups 1, stride 1, dilation 1, no padding, and
 * extents of 1. */
CONVC_API void convc_problem_init(struct convc_problem *p);

/* Fails with CONVC_ERR_SHAPE, CONVC_ERR_ARGUMENT or CONVC_ERR_UNSUPPORTED and names field, value
 * and rule. Every call that takes a problem checks it. */
CONVC_API enum convc_status convc_problem_check(const struct convc_problem *p);

/* out: depth, height, width of the output. */
CONVC_API enum convc_status convc_problem_output(const struct convc_problem *p, int64_t out[3]);

/* The strides in force, in elements by CONVC_STRIDE_*, and the elements from the first to one past
 * the last that `n` images touch. Each pointer may be NULL. */
CONVC_API enum convc_status convc_problem_src(const struct convc_problem *p, int64_t n,
                                              int64_t stride[5], int64_t *elements);
CONVC_API enum convc_status convc_problem_dst(const struct convc_problem *p, int64_t n,
                                              int64_t stride[5], int64_t *elements);

/* Elements of the plain weights, [oc][ic/groups][kernel d][h][w]. */
CONVC_API enum convc_status convc_problem_wei(const struct convc_problem *p, int64_t *elements);

/* One line that is a problem for the command line too, benchdnn's notation with convc's additions.
 * Free with convc_text_free. */
CONVC_API enum convc_status convc_problem_text(const struct convc_problem *p, char **text);

/* ---- specs ----------------------------------------------------------------------------------- */

typedef struct convc_spec convc_spec;

/* A spec to read. Give `path` ("-" is standard input), or `text` with a `name` for messages. A path
 * that names no file but reads as a benchdnn problem is that problem. */
struct convc_spec_source {
    size_t struct_bytes;
    const char *path;
    const char *text;
    const char *name;
    const char *const *defines; /* "NAME=VALUE", for convc.param */
    size_t define_count;
    const char *lib_dir; /* where `require` looks; NULL: lib beside the spec or its directory, then
                            installed */
};

/* CONVC_ERR_SPEC, or what convc_problem_check says of a convolution, with "file:line: field=value
 * rule"; CONVC_ERR_UNSUPPORTED for what this version cannot read; CONVC_ERR_ARGUMENT for a source
 * or a define that is malformed; CONVC_ERR_IO; CONVC_ERR_MEMORY. Writes *out only on CONVC_OK. */
CONVC_API enum convc_status convc_spec_load(const struct convc_spec_source *source,
                                            convc_spec **out);
CONVC_API size_t convc_spec_count(const convc_spec *spec);

/* Convolution i. It, and the texts of its functions and its constant weights, which a copy of it
 * shares, live as long as the spec. */
CONVC_API const struct convc_problem *convc_spec_problem(const convc_spec *spec, size_t i);

/* The weights that the spec gives convolution i, [oc][ic/groups][kernel d][h][w] as double; NULL
 * where it gives none. Where there are more than the problem takes as constants, its `weights` are
 * NULL and these are to be packed. Live as long as the spec. */
CONVC_API const double *convc_spec_weights(const convc_spec *spec, size_t i);

/* File i of those that were read for the spec: its own first, then the modules that it required, as
 * their paths were found. NULL behind the last one; a text, standard input and a problem are no
 * files. Lives as long as the spec. */
CONVC_API const char *convc_spec_file(const convc_spec *spec, size_t i);
CONVC_API void convc_spec_free(convc_spec *spec);

/* ---- kernels --------------------------------------------------------------------------------- */

enum convc_source {
    CONVC_FROM_MEMORY = 0,
    CONVC_FROM_DISK = 1,
    CONVC_FROM_COMPILER = 2,
    CONVC_FROM_REFERENCE = 3, /* no machine code: convc_kernel_info says why */
};

/* Who chose a plan. What a tuning database has for a problem, on the very target and by the very
 * versions of convc and LLVM, is used where it still fits; else the cost model chooses. */
enum convc_plan_source {
    CONVC_PLAN_MODELLED = 0, /* the cost model                     */
    CONVC_PLAN_TUNED = 1,    /* the measurements of tuning_db      */
    CONVC_PLAN_FORCED = 2,   /* the caller of convc_compile        */
};

struct convc_compile_options {
    size_t struct_bytes;
    const char *plan;          /* NULL: the best by tuning_db or the cost model */
    enum convc_source *source; /* where this call found the kernel; may be NULL */
};

/* Finds or makes the kernel of a problem: memory cache; then, by the plan of the tuning database or
 * the cost model, disk cache, compiler, reference. `n` and
 * `name` of the problem do not matter. One compile however many threads ask. The caller owns one
 * reference. opt may be NULL. What convc_problem_check says of the problem; CONVC_ERR_PLAN where
 * the plan does not fit; CONVC_ERR_UNSUPPORTED where the target is not for this machine;
 * CONVC_ERR_MEMORY. Writes *out only on CONVC_OK. */
CONVC_API enum convc_status convc_compile(convc_context *cx, const struct convc_problem *p,
                                          const struct convc_compile_options *opt,
                                          convc_kernel **out);

CONVC_API void convc_kernel_retain(convc_kernel *k);
CONVC_API void convc_kernel_release(convc_kernel *k); /* NULL is fine */

struct convc_kernel_info {
    size_t struct_bytes;      /* set before the call */
    const char *plan;         /* one line; these texts live as long as the kernel */
    const char *algorithm;    /* "direct", "winograd", "stencil", "fixed" */
    const char *target;       /* "x86_64-pc-linux-gnu:znver5" */
    const char *reason;       /* why it is the reference; "" where it is not */
    enum convc_source source; /* where the kernel first came from */
    double compile_ms;        /* wall time of the call that made it */
    double error_bound;       /* relative to the largest sum of |src*wei|, see `tolerance` */
    size_t object_bytes;      /* 0 for the reference */
    convc_kernel_fn function; /* NULL for the reference */
    int32_t phases;
    int32_t plain_sum; /* 1: sums as the formula does, exact on whole numbers; 0: see error_bound */
    enum convc_plan_source plan_source;
    double unit_bound; /* besides, in units of a result of whole numbers, before it is rounded */
};
CONVC_API enum convc_status convc_kernel_info(const convc_kernel *k,
                                              struct convc_kernel_info *info);

/* Work items of one phase for a batch of n: kernels accept any range within [0, items). 0 where
 * there is no such phase, or where no memory holds so many images. */
CONVC_API int64_t convc_kernel_items(const convc_kernel *k, int32_t phase, int64_t n);

/* Bytes of the packed weights, header included; 0 where there are none to pack. */
CONVC_API size_t convc_packed_bytes(const convc_kernel *k);

/* plain: [oc][ic/groups][kernel d][h][w]. packed: convc_packed_bytes(k) bytes, 64-byte aligned.
 * Where that is 0 neither is touched. Megabytes are read faster, and in the same time each time,
 * from huge pages: aligned to 2 MiB, and behind madvise(MADV_HUGEPAGE) before they are written. */
CONVC_API enum convc_status convc_pack(const convc_kernel *k, const void *plain, void *packed);

/* What a run of a batch of n on `threads` threads needs. 0 threads: all of the context's, as
 * convc_run does. */
CONVC_API size_t convc_workspace_bytes(const convc_kernel *k, int64_t n, int32_t threads);

/* Run `k` once, on the context's threads. See struct convc_args for shapes and alignment.
 * Results are bitwise the same for any number of threads and any split of the batch.
 * CONVC_ERR_ARGUMENT, and dst untouched, where a pointer is missing or misaligned, dst overlaps
 * what it may not, n is negative or too large, or the weights were packed for another layout.
 * Threads may share `k`, each with a workspace of its own. */
CONVC_API enum convc_status convc_run(const convc_kernel *k, const struct convc_args *args);

/* The reference: any problem, naive, slow; products are summed in the next wider type. args->wei is
 * plain. */
CONVC_API enum convc_status convc_reference(const struct convc_problem *p,
                                            const struct convc_args *args);

/* The reference for some outputs: index[i] counts the outputs in N, C, spatial order; out[i] is the
 * value before it is rounded to dst's type. */
CONVC_API enum convc_status convc_reference_at(const struct convc_problem *p,
                                               const struct convc_args *args, const int64_t *index,
                                               size_t count, double *out);

/* How far a kernel's outputs may be off from those, problems with functions of the user being
 * computed in their type by any plan: the errors of the operations, propagated. 0 where none of
 * them rounds, infinite where nothing can be said, as where a NaN takes part. CONVC_ERR_UNSUPPORTED
 * for sums of products with bias, residual and activation alone, for which convc_kernel_info has a
 * bound. */
CONVC_API enum convc_status convc_reference_error_at(const struct convc_problem *p,
                                                     const struct convc_args *args,
                                                     const int64_t *index, size_t count,
                                                     double *out);

/* ---- plans and explanations ------------------------------------------------------------------ */

/* Every plan that the compiler would consider, one a line, best first. Free with convc_text_free.
 */
CONVC_API enum convc_status convc_plans(convc_context *cx, const struct convc_problem *p,
                                        char **text);

enum {
    CONVC_SHOW_PROBLEM = 1 << 0,
    CONVC_SHOW_PLAN = 1 << 1, /* the loop nest, its cost, and why the other plans lost */
    CONVC_SHOW_IR = 1 << 2,
    CONVC_SHOW_ASM = 1 << 3,
};

/* What would be done for `p`, and why. plan NULL: the chosen one. Free with convc_text_free. */
CONVC_API enum convc_status convc_explain(convc_context *cx, const struct convc_problem *p,
                                          const char *plan, int32_t show, char **text);

/* ---- the disk cache -------------------------------------------------------------------------- */

struct convc_cache_entry {
    const char *file;    /* name within the directory */
    const char *problem; /* its text */
    const char *plan;
    const char *target;
    int64_t bytes;
    int64_t modified; /* seconds since 1970 */
    int32_t intact;   /* 1: checksum and key are right */
};

/* Calls visit for every entry of the context's directory; stops when it returns non-zero. */
CONVC_API enum convc_status
convc_cache_visit(convc_context *cx, int (*visit)(void *data, const struct convc_cache_entry *e),
                  void *data);

/* Removes what is broken or of another version (prune), or everything (clear); *removed, which may
 * be NULL, counts them. Without a directory there is nothing to remove, nor to visit. */
CONVC_API enum convc_status convc_cache_prune(convc_context *cx, int64_t *removed);
CONVC_API enum convc_status convc_cache_clear(convc_context *cx, int64_t *removed);

/* The directory in use; "" where there is none, and then why is a sentence. */
CONVC_API const char *convc_cache_directory(const convc_context *cx, const char **why);

/* ---- ahead of time --------------------------------------------------------------------------- */

/* What convc_emit makes. */
enum convc_form {
    CONVC_FORM_OBJECT = 0,  /* an object file, of one problem                        */
    CONVC_FORM_ASM = 1,     /* assembly, of one problem                              */
    CONVC_FORM_IR = 2,      /* LLVM's text, of one problem                           */
    CONVC_FORM_BITCODE = 3, /* LLVM's bitcode, of one problem                        */
    CONVC_FORM_HEADER = 4,  /* a C header for the objects of all the problems        */
    CONVC_FORM_LIBRARY = 5, /* a static library, as ar writes it, of all the objects */
};

/* What static kernels shall be. SPEED: as fast as the built-in cost model knows, by the code that
 * convc_compile loads. SIZE: small. Of the plans that should take at most four times as long, the
 * one whose object is smallest, which is found by making objects and takes some ten times as long;
 * loops are not unrolled. Never larger than with the plan of SPEED. Where the caller gives a plan,
 * that one, with loops that are not unrolled. */
enum convc_optimize { CONVC_OPTIMIZE_SPEED = 0, CONVC_OPTIMIZE_SIZE = 1 };

/* All zero is the default for every field. */
struct convc_emit_options {
    size_t struct_bytes;
    enum convc_form form;
    int32_t hidden;      /* 1: symbols are not exported from what they are linked into       */
    const char *target;  /* "TRIPLE:CPU[+feature...]" or "CPU", up to 16 with commas
                            between; NULL: this machine                                      */
    const char *plan;    /* NULL: the best by the built-in cost model                        */
    const char *prefix;  /* of every name; NULL: none                                        */
    const char *library; /* what header and library call themselves; NULL: "kernels"         */
    int32_t variant;     /* of several targets, the one of an object, assembly, IR or bitcode;
                            their number: what picks among them; one more: what asks the CPU */
    enum convc_optimize optimize;
    const char *const *plans; /* instead of `plan`, one of each problem and target, such as a tuning
                                 found: plans[problem * targets + target]; NULL among them: the best
                                 by the built-in cost model                                       */
};

/* Makes static kernels, which need neither convc nor a C library when they run: for each problem
 * the functions that the header declares, named after the problem's `name`. What C forbids in names
 * becomes '_', and a name that C or its library has gets one behind: "tanh_". Of several targets
 * the library picks, at the first call, the best that the CPU runs; the header says how to force
 * one. The bytes depend on nothing but the arguments; a target that is
 * named is the same on every machine, and what convc_calibrate measured plays no part. *bytes has a
 * NUL behind it, and is freed with convc_text_free. opt may be NULL. What convc_problem_check says
 * of a problem; CONVC_ERR_ARGUMENT where a name is missing or two clash, or where count does not
 * suit the form; CONVC_ERR_PLAN; CONVC_ERR_UNSUPPORTED for targets; CONVC_ERR_COMPILER;
 * CONVC_ERR_MEMORY. A sentence about one of the problems begins with its name and ": ". Writes
 * *bytes and *size only on CONVC_OK. */
CONVC_API enum convc_status convc_emit(const struct convc_problem *problems, size_t count,
                                       const struct convc_emit_options *opt, char **bytes,
                                       size_t *size);

/* The same for several files of the same problems, by any number of threads at once: plans are
 * chosen once, and each object is made once, be it wanted for itself or for the library. Of the
 * options form and variant are arguments of convc_emission_file; `problem` counts from 0 and says
 * which one an object, assembly, IR or bitcode is of. Nothing of the arguments is kept. */
typedef struct convc_emission convc_emission;
CONVC_API enum convc_status convc_emission_create(const struct convc_problem *problems,
                                                  size_t count,
                                                  const struct convc_emit_options *opt,
                                                  convc_emission **out);
CONVC_API enum convc_status convc_emission_file(convc_emission *e, enum convc_form form,
                                                size_t problem, int32_t variant, char **bytes,
                                                size_t *size);
CONVC_API void convc_emission_destroy(convc_emission *e); /* NULL is allowed */

/* The identifier that stands for a problem's name in the functions of convc_emit. `to` has `bytes`
 * bytes, which 160 are enough for. */
CONVC_API enum convc_status convc_emit_name(const struct convc_problem *p, const char *prefix,
                                            char *to, size_t bytes);

/* ---- faults of the compiler ------------------------------------------------------------------ */

/* LLVM ends the process when it meets an error that it cannot go on with, unless a handler does not
 * return. convc installs one when it first needs LLVM, at the latest in the first
 * convc_context_create that has a JIT. After such an error on a thread that works for convc, calls
 * go on as where there is no JIT: kernels that were made run, others are the reference and say why,
 * and what needs the compiler fails with CONVC_ERR_COMPILER. On other threads the handler prints
 * the error and returns. Memory that LLVM finds none of is such an error, by a new-handler of C++.
 *
 * For a host that uses the same LLVM and has a handler of its own, which it installs after convc's:
 * let it call this first. It does not return on a thread that works for convc. */
CONVC_API void convc_llvm_fault(const char *reason);

/* ---- the machine ----------------------------------------------------------------------------- */

/* Measures the FMA peak of `threads` threads right now, in GFLOP/s, in about `seconds`. 0 threads:
 * the context's. */
CONVC_API enum convc_status convc_measure_peak(convc_context *cx, enum convc_dtype dtype,
                                               int32_t threads, double seconds, double *gflops);

/* What one core can do at most: f32 multiply-adds in GFLOP/s, and what it reads from the levels of
 * its caches and from memory in 10^9 bytes a second. */
struct convc_ceilings {
    size_t struct_bytes;
    double gflops, l1, l2, l3, memory;
};

/* Measures them in about `seconds`, of this machine whatever the context's target.
 * CONVC_ERR_ARGUMENT, CONVC_ERR_MEMORY. */
CONVC_API enum convc_status convc_measure_ceilings(convc_context *cx, double seconds,
                                                   struct convc_ceilings *out);

/* Measures them and keeps them beside the disk cache, in a file of their own. The cost model of
 * contexts created later, for this machine and with that directory, goes by them instead of the
 * built-in ones. CONVC_ERR_IO where there is no directory, also. */
CONVC_API enum convc_status convc_calibrate(convc_context *cx, double seconds,
                                            struct convc_ceilings *out);

#ifdef __cplusplus
}
#endif
#endif
