#include "runtime/context_make.h"

#include "gen/base/memory.h"
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "runtime/clock.h"

#include <pthread.h>

/* ---- the compiler ---------------------------------------------------------------------------- */

static _Thread_local const struct machine *warmed; /* by this thread, right now */

/* Compiles a small row filter, channel by channel, which needs every table that other kernels do.
 */
static void warm_up(void)
{
    struct diag d = { 0 };
    struct convc_problem p;
    struct problem problem;
    struct plan plan;
    struct object object = { 0 };
    const struct object_request request = { .problem = &problem,
                                            .plan = &plan,
                                            .target = &warmed->target,
                                            .symbol = "kernel",
                                            .form = OBJECT_ELF };
    problem_init(&p);
    p.ic = p.oc = p.groups = 16;
    p.in[CONVC_W] = 8;
    p.kernel[CONVC_W] = 3;
    p.pad_begin[CONVC_W] = p.pad_end[CONVC_W] = 1;
    if (problem_resolve(&p, &problem, &d) == CONVC_OK &&
        choose_plan(&problem, request.target, &plan, &d) == CONVC_OK)
        object_emit(&request, &object, &d);
    object_free(&object);
    jobs_hold_exit();
}

void context_warm_up(const struct convc_context *cx)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    warmed = cx->machine;
    if (!warmed->jit || warmed->foreign.status != CONVC_OK)
        return; /* it compiles nothing; the first that does is still to come */
    pthread_once(&once, warm_up);
}

/* ---- kernels --------------------------------------------------------------------------------- */

/* The plan and who chose it: the caller, the tuning database or the cost model. */
static enum convc_status find_plan(const struct making *m, struct planned *out, struct diag *d)
{
    const struct target *target = &m->cx->machine->target;
    out->by = m->forced ? CONVC_PLAN_FORCED : CONVC_PLAN_TUNED;
    if (m->forced)
        out->plan = *m->forced;
    if (m->forced || tuning_plan(&m->cx->tuning, m->problem, target, &out->plan, NULL))
        return CONVC_OK;
    out->by = CONVC_PLAN_MODELLED;
    return choose_plan(m->problem, target, &out->plan, d);
}

static void tell_plan(const struct making *m, const struct planned *out, double ms)
{
    static const char *const by[] = { "modelled", "tuned", "forced" };
    struct text problem = { 0 };
    char plan[PLAN_TEXT_MAX] = "";
    bool none = out->none.status != CONVC_OK;
    if (!verbose_on(VERBOSE_DISPATCH))
        return;
    if (!none)
        plan_print(&out->plan, plan);
    problem_print(m->problem, &problem);
    verbose_line(&(struct verbose){ .stage = VERBOSE_DISPATCH,
                                    .what = by[out->by],
                                    .algorithm = none ? "reference"
                                                      : plan_algorithm_name(out->plan.algorithm),
                                    .plan = plan,
                                    .number = -1,
                                    .reason = out->none.text,
                                    .problem = problem.data,
                                    .ms = ms });
    text_free(&problem);
}

enum convc_status context_plan(const struct making *m, struct planned *out, struct diag *d)
{
    double start = clock_seconds();
    const struct machine *machine = m->cx->machine;
    out->none = (struct diag){ 0 };
    /* Without a JIT the reference answers, whatever the target. */
    if (machine->jit && machine->foreign.status != CONVC_OK)
        return diag_fail(d, machine->foreign.status, "%s", machine->foreign.text);
    enum convc_status st = find_plan(m, out, &out->none);
    if (st != CONVC_OK && st != CONVC_ERR_UNSUPPORTED)
        return diag_fail(d, st, "%s", out->none.text);
    tell_plan(m, out, (clock_seconds() - start) * 1e3);
    return CONVC_OK;
}

static enum convc_status compile_kernel(const struct making *m, struct convc_kernel *k,
                                        const struct disk_key *key, struct diag *d)
{
    const struct machine *machine = m->cx->machine;
    const struct object_request request = { .problem = m->problem,
                                            .plan = &k->plan,
                                            .target = &machine->target,
                                            .symbol = key->symbol,
                                            .form = OBJECT_ELF };
    struct object object = { 0 };
    if (object_emit(&request, &object, d) != CONVC_OK)
        return d->status;
    if (kernel_load(k, object.bytes, object.count, key->symbol, CONVC_FROM_COMPILER, d) ==
            CONVC_OK &&
        m->cx->disk)
        cache_disk_store(m->cx->disk, key, object.bytes, object.count);
    object_free(&object);
    return d->status;
}

/* An object that does not load is as good as none: it is compiled anew, and written over. */
static bool load_from_disk(const struct making *m, struct convc_kernel *k,
                           const struct disk_key *key)
{
    struct diag ignored = { 0 };
    struct disk_object found;
    if (!m->cx->disk || !cache_disk_load(m->cx->disk, key, &found))
        return false;
    kernel_load(k, found.object, found.count, key->symbol, CONVC_FROM_DISK, &ignored);
    memory_free(found.file);
    if (ignored.status == CONVC_OK)
        atomic_fetch_add(&m->cx->counters.disk_bytes, (int64_t)found.count);
    return ignored.status == CONVC_OK;
}

/* Machine code for a kernel, or the reason why it stays the reference. */
static enum convc_status give_code(const struct making *m, struct convc_kernel *k, struct diag *d)
{
    struct diag refused = { 0 };
    struct text problem = { 0 };
    struct disk_key key;

    if (!m->cx->machine->jit) {
        kernel_refer(k, m->cx->machine->no_jit.text);
        return CONVC_OK;
    }
    problem_print(m->problem, &problem);
    if (problem.failed || !problem.data) {
        text_free(&problem);
        return diag_memory(d);
    }
    disk_key_init(&key, m->cx->machine->target_text, problem.data, k->plan_text);
    if (!load_from_disk(m, k, &key))
        compile_kernel(m, k, &key, &refused);
    text_free(&problem);
    if (refused.status == CONVC_ERR_MEMORY)
        return diag_memory(d);
    if (refused.status != CONVC_OK)
        kernel_refer(k, refused.text);
    return CONVC_OK;
}

static const char *source_name(enum convc_source source)
{
    static const char *const name[] = { "memory", "disk", "compiled", "reference" };
    return name[source];
}

void context_tell_found(const struct convc_kernel *k)
{
    kernel_tell(k, VERBOSE_COMPILE, source_name(CONVC_FROM_MEMORY), (int64_t)k->object_bytes, -1);
}

static void count_kernel(struct counters *c, const struct convc_kernel *k)
{
    atomic_int_least64_t *const from[] = { NULL, &c->disk, &c->compiled, &c->reference };
    atomic_fetch_add(from[k->source], 1);
    if (k->source == CONVC_FROM_COMPILER)
        atomic_fetch_add(&c->compile_us, (int64_t)(k->compile_ms * 1e3));
}

enum convc_status context_make(void *making, struct convc_kernel **out, struct diag *d)
{
    const struct making *m = making;
    double start = clock_seconds();
    struct convc_kernel *k = NULL;
    struct planned planned;

    enum convc_status st = m->from ? problem_resolve(m->from, m->problem, d) : CONVC_OK;
    if (m->planned)
        planned = *m->planned;
    else if (st == CONVC_OK)
        st = context_plan(m, &planned, d);
    if (st != CONVC_OK)
        return st;
    bool none = planned.none.status != CONVC_OK;
    st = kernel_create(m->cx->machine, m->problem, none ? NULL : &planned.plan, &k, d);
    if (st == CONVC_OK && none)
        kernel_refer(k, planned.none.text);
    else if (st == CONVC_OK)
        st = give_code(m, k, d);
    if (st != CONVC_OK) {
        convc_kernel_release(k);
        return st;
    }
    k->compile_ms = (clock_seconds() - start) * 1e3;
    k->plan_source = planned.by;
    count_kernel(&m->cx->counters, k);
    kernel_tell(k, VERBOSE_COMPILE, source_name(k->source), (int64_t)k->object_bytes,
                k->compile_ms);
    *out = k;
    return CONVC_OK;
}
