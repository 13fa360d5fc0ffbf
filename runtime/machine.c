#include "runtime/machine.h"

#include "gen/base/memory.h"
#include "gen/out/aside.h"

static void create_jit(struct machine *m, int32_t flags)
{
    if (flags & CONVC_NO_JIT)
        diag_fail(&m->no_jit, CONVC_ERR_UNSUPPORTED, "the context was created with CONVC_NO_JIT");
    else
        jit_create(&m->jit, &m->no_jit);
}

enum convc_status machine_create(const struct convc_context_options *opt, struct machine **out,
                                 struct diag *d)
{
    struct machine *m = memory_zeroed(1, sizeof *m);
    if (!m)
        return diag_memory(d);
    atomic_init(&m->references, 1);
    if (opt->target)
        target_parse(opt->target, &m->target, d);
    else
        target_host(&m->target);
    if (d->status == CONVC_OK)
        pool_create(opt->threads, opt->parallel_for, opt->pool, &m->pool, d);
    if (d->status != CONVC_OK) {
        machine_release(m);
        return d->status;
    }
    target_print(&m->target, m->target_text, sizeof m->target_text);
    target_runs_here(&m->target, &m->foreign);
    create_jit(m, opt->flags);
    *out = m;
    return CONVC_OK;
}

struct machine *machine_retain(struct machine *m)
{
    atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
    return m;
}

void machine_release(struct machine *m)
{
    if (atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) != 1)
        return;
    jit_destroy(m->jit);
    pool_destroy(m->pool);
    memory_free(m);
}

void convc_llvm_fault(const char *reason)
{
    aside_fault(reason);
}
