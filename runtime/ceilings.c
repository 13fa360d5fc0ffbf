#include "runtime/ceilings.h"

#include "gen/base/memory.h"
#include "gen/base/text.h"
#include "runtime/bandwidth.h"
#include "runtime/disk_dir.h"

#include <stdio.h>
#include <string.h>

static const char file_name[] = "ceilings";
static const char title[] = "convc ceilings 1";

/* ---- measuring ------------------------------------------------------------------------------- */

/* A multiple of 64 KiB, at least one. */
static int64_t rounded(int64_t bytes)
{
    int64_t unit = 1 << 16;
    return bytes < unit ? unit : bytes / unit * unit;
}

/* Buffers that lie in one level for certain: half of it, but well beyond the one before. */
static int64_t l3_buffer(const struct target *t)
{
    int64_t half = t->l3_bytes / 2, beyond = 4 * (int64_t)t->l2_bytes;
    return rounded(half < beyond ? half : beyond);
}

static int64_t memory_buffer(const struct target *t)
{
    int64_t beyond = 3 * (int64_t)t->l3_bytes, least = 32 * (int64_t)t->l2_bytes;
    return rounded(beyond > least ? beyond : least);
}

enum convc_status ceilings_measure(struct pool *one, const struct target *t, double seconds,
                                   struct ceilings_measured *out, struct diag *d)
{
    int64_t l1 = t->l1_bytes / 2 / 4096 * 4096;
    double each = seconds / 5;
    if (peak_measure(one, CONVC_F32, each, &out->gflops, d) == CONVC_OK &&
        bandwidth_measure(l1 ? l1 : 4096, each, &out->l1, d) == CONVC_OK &&
        bandwidth_measure(rounded(t->l2_bytes / 2), each, &out->l2, d) == CONVC_OK &&
        bandwidth_measure(memory_buffer(t), each, &out->memory, d) == CONVC_OK) {
        out->l3 = out->memory;
        if (t->l3_bytes > t->l2_bytes)
            bandwidth_measure(l3_buffer(t), each, &out->l3, d);
    }
    return d->status;
}

struct ceilings ceilings_per_cycle(const struct ceilings_measured *m, const struct target *t)
{
    double gigahertz = m->gflops / (4.0 * target_lanes(t, 4));
    return (struct ceilings){ .l1 = m->l1 / gigahertz,
                              .l2 = m->l2 / gigahertz,
                              .l3 = m->l3 / gigahertz,
                              .memory = m->memory / gigahertz };
}

/* ---- the file -------------------------------------------------------------------------------- */

enum convc_status ceilings_store(int dir, const char *target, const struct ceilings *c,
                                 struct diag *d)
{
    struct text t = { 0 };
    struct ceilings back;
    uint64_t refused = memory_refused();
    text_add(&t, "%s\ntarget %s\nl1 %.2f\nl2 %.2f\nl3 %.2f\nmemory %.2f\n", title, target, c->l1,
             c->l2, c->l3, c->memory);
    if (!t.failed && t.data)
        disk_file_write(dir, file_name, t.data, strlen(t.data));
    text_free(&t);
    bool kept = ceilings_load(dir, target, &back);
    if (!kept && memory_refused() != refused)
        return diag_memory(d);
    if (!kept)
        return diag_fail(d, CONVC_ERR_IO,
                         "the ceilings could not be written to the directory of "
                         "the disk cache");
    return CONVC_OK;
}

/* Bytes per cycle that some machine might have. */
static bool plausible(double rate)
{
    return rate >= 0.1 && rate <= 4096;
}

static bool parse(const char *text, const char *target, struct ceilings *out)
{
    char read_title[32], read_target[700], rest;
    struct ceilings c;
    int n = sscanf(text, "%31[^\n] target %699s l1 %lf l2 %lf l3 %lf memory %lf %c", read_title,
                   read_target, &c.l1, &c.l2, &c.l3, &c.memory, &rest);
    if (n != 6 || strcmp(read_title, title) != 0 || strcmp(read_target, target) != 0)
        return false;
    if (!plausible(c.l1) || !plausible(c.l2) || !plausible(c.l3) || !plausible(c.memory))
        return false;
    *out = c;
    return true;
}

bool ceilings_load(int dir, const char *target, struct ceilings *out)
{
    struct disk_file file;
    if (!disk_file_read(dir, file_name, &file) || !file.bytes)
        return false;
    char *text = memory_text(file.bytes, file.count);
    bool found = text && parse(text, target, out);
    memory_free(text);
    memory_free(file.bytes);
    return found;
}
