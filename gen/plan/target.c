#include "gen/plan/target.h"

#include "gen/plan/isa.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__APPLE__)
static const char host_system[] = "apple-darwin", host_kernel[] = "darwin";
#elif defined(__x86_64__)
static const char host_system[] = "pc-linux-gnu", host_kernel[] = "linux";
#else
static const char host_system[] = "unknown-linux-gnu", host_kernel[] = "linux";
#endif

/* Of a CPU known by name alone: that depends on the model. */
static const int usual_l3_bytes = 32 << 20;

static const struct isa *isa_of(const struct target *t)
{
    return isa_find(t->triple, strcspn(t->triple, "-"));
}

/* Everything that follows from a CPU and a set of features. */
static void describe(struct target *t, const struct isa *isa, const struct isa_cpu *cpu,
                     uint64_t features)
{
    snprintf(t->cpu, sizeof t->cpu, "%s", cpu->name);
    t->l1_bytes = cpu->l1_kib * 1024;
    t->l1_ways = cpu->l1_ways;
    t->l2_bytes = cpu->l2_kib * 1024;
    t->l3_bytes = usual_l3_bytes;
    t->ceilings = usual_ceilings;
    isa->describe(features, t);
}

/* ---- this machine -------------------------------------------------------------------------- */

static void host_triple(const struct isa *isa, struct target *t)
{
    snprintf(t->triple, sizeof t->triple, "%s-%s", isa ? isa->name : "unknown", host_system);
}

/* *value becomes what the system says, where it says anything. */
static void ask_system(int name, int *value)
{
    long answer = sysconf(name);
    if (answer > 0 && answer <= 1 << 30)
        *value = (int)answer;
}

static void ask_caches(struct target *t)
{
#if defined(_SC_LEVEL1_DCACHE_SIZE)
    ask_system(_SC_LEVEL1_DCACHE_SIZE, &t->l1_bytes);
    ask_system(_SC_LEVEL1_DCACHE_ASSOC, &t->l1_ways);
    ask_system(_SC_LEVEL2_CACHE_SIZE, &t->l2_bytes);
    ask_system(_SC_LEVEL3_CACHE_SIZE, &t->l3_bytes);
#endif
}

void target_host(struct target *t)
{
    memset(t, 0, sizeof *t);
    const struct isa *isa = isa_host();
    host_triple(isa, t);
    if (isa) {
        uint64_t features = isa_host_features();
        const struct isa_cpu *cpu = isa_host_cpu(features);
        describe(t, isa, cpu, cpu->features);
    } else {
        const struct isa_cpu any = { "generic", 0, 32, 8, 512 };
        describe(t, isa_find("wasm32", 6), &any, 0);
    }
    ask_caches(t);
}

/* ---- text ---------------------------------------------------------------------------------- */

/* The features behind the CPU's name: [+-]name..., into *set and t->features. */
static enum convc_status parse_features(const struct isa *isa, const char *text, uint64_t *set,
                                        struct target *t, struct diag *d)
{
    size_t size = 0;
    while (*text) {
        int f = isa_match_feature(isa, text + 1);
        if (f < 0)
            return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                             "target feature \"%.80s\" is none that convc knows of %s", text,
                             isa->name);
        const char *name = isa->feature[f].name;
        *set = *text == '+' ? isa_add(isa, *set, f) : isa_remove(isa, *set, f);
        size_t room = sizeof t->features - size;
        int n = snprintf(t->features + size, room, "%s%c%s", size ? "," : "", *text, name);
        if (n < 0 || (size_t)n >= room)
            return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                             "target lists more features than fit %zu characters",
                             sizeof t->features - 1);
        size += (size_t)n;
        text += 1 + strlen(name);
    }
    return CONVC_OK;
}

/* A triple may name a format of objects at its end. LLVM dies of those that it does not have for
 * the machine, so that they are told here: the name of such a one, or NULL. */
static const char *foreign_format(const char *triple, const struct isa *isa)
{
    static const struct {
        const char *name, *machines;
    } formats[] = { { "coff", "" },
                    { "goff", "" },
                    { "spirv", "" },
                    { "elf", "x86_64 aarch64 riscv64" },
                    { "macho", "x86_64 aarch64" },
                    { "wasm", "wasm32" } };
    const char *end = triple;
    for (int dash = 0; end && dash < 3; dash++)
        end = strchr(end, '-') ? strchr(end, '-') + 1 : NULL;
    for (size_t i = 0; end && i < sizeof formats / sizeof *formats; i++) {
        size_t all = strlen(end), length = strlen(formats[i].name);
        if (all >= length && !strcmp(end + all - length, formats[i].name) &&
            !strstr(formats[i].machines, isa->name))
            return formats[i].name;
    }
    return NULL;
}

static enum convc_status parse_triple(const char *text, size_t size, struct target *t,
                                      struct diag *d)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-._";
    if (size == 0 || size >= sizeof t->triple || strspn(text, allowed) < size)
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "target triple \"%.*s\" must be 1 to %zu letters, digits, \"-\", \".\" "
                         "and \"_\"",
                         size > 80 ? 80 : (int)size, text, sizeof t->triple - 1);
    memcpy(t->triple, text, size);
    if (!isa_of(t))
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "target triple \"%s\" must begin with x86_64, aarch64, arm64, riscv64 or "
                         "wasm32",
                         t->triple);
    const char *format = foreign_format(t->triple, isa_of(t));
    if (format)
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "target triple \"%s\" asks for objects in %s, which LLVM does not write "
                         "for %s",
                         t->triple, format, isa_of(t)->name);
    return CONVC_OK;
}

/* "CPU[+feature...]" for t->triple, and what the two come to. */
static enum convc_status parse_cpu(const char *text, struct target *t, uint64_t *features,
                                   struct diag *d)
{
    const struct isa *isa = isa_of(t);
    int cpu = isa ? isa_match_cpu(isa, text) : -1;
    if (cpu < 0)
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "target CPU \"%.80s\" is none that convc knows of %s", text,
                         isa ? isa->name : t->triple);
    *features = isa->cpu[cpu].features;
    enum convc_status st = parse_features(isa, text + strlen(isa->cpu[cpu].name), features, t, d);
    if (st == CONVC_OK)
        describe(t, isa, &isa->cpu[cpu], *features);
    return st;
}

enum convc_status target_parse(const char *text, struct target *t, struct diag *d)
{
    if (strcmp(text, "native") == 0) {
        target_host(t);
        return CONVC_OK;
    }
    memset(t, 0, sizeof *t);
    const char *colon = strchr(text, ':');
    if (!colon)
        host_triple(isa_host(), t);
    else if (parse_triple(text, (size_t)(colon - text), t, d) != CONVC_OK)
        return d->status;
    uint64_t features;
    return parse_cpu(colon ? colon + 1 : text, t, &features, d);
}

void target_print(const struct target *t, char *buffer, size_t size)
{
    int n = snprintf(buffer, size, "%s:%s", t->triple, t->cpu);
    size_t at = n < 0 ? size : (size_t)n;
    for (const char *f = t->features; *f && at + 1 < size; f++)
        if (*f != ',')
            buffer[at++] = *f;
    if (at < size)
        buffer[at] = '\0';
}

/* ---- running ------------------------------------------------------------------------------- */

enum {
    TEXT_MAX = sizeof((struct target *)0)->triple + sizeof((struct target *)0)->cpu +
               TARGET_FEATURES_MAX + 2
};

enum convc_status target_features(const struct target *t, uint64_t *set, struct diag *d)
{
    char text[TEXT_MAX];
    struct target again = *t;
    target_print(t, text, sizeof text);
    again.features[0] = '\0';
    return parse_cpu(text + strlen(t->triple) + 1, &again, set, d);
}

enum convc_status target_runs_here(const struct target *t, struct diag *d)
{
    char text[TEXT_MAX];
    target_print(t, text, sizeof text);
    const struct isa *isa = isa_of(t);
    if (!isa || isa != isa_host() || !strstr(t->triple, host_kernel)) {
        struct target host;
        target_host(&host);
        return diag_fail(d, CONVC_ERR_UNSUPPORTED, "target %s is not for this machine, %s", text,
                         host.triple);
    }

    uint64_t needed;
    if (target_features(t, &needed, d) != CONVC_OK)
        return d->status;
    uint64_t missing = needed & ~isa_host_features();
    for (int f = 0; f < isa->features; f++)
        if (missing >> f & 1)
            return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                             "target %s needs %s, which this machine lacks",
                             text + strlen(t->triple) + 1, isa->feature[f].name);
    return CONVC_OK;
}

enum convc_status target_computes(const struct target *t, struct diag *d)
{
    char text[TEXT_MAX];
    const struct isa *isa = isa_of(t);
    uint64_t set;
    if (target_features(t, &set, d) != CONVC_OK)
        return d->status;
    target_print(t, text, sizeof text);
    for (int f = 0; f < isa->features; f++) {
        if ((isa->arithmetic & ~set) >> f & 1)
            return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                             "target %s lacks +%s: kernels would call a compiler's library", text,
                             isa->feature[f].name);
    }
    return CONVC_OK;
}

void target_llvm_features(const struct target *t, char to[TARGET_FEATURES_MAX])
{
    const struct isa *isa = isa_of(t);
    char list[TARGET_FEATURES_MAX], *save = NULL;
    size_t n = 0;
    strcpy(list, t->features);
    for (char *f = strtok_r(list, ",", &save); f; f = strtok_r(NULL, ",", &save)) {
        int known = isa ? isa_match_feature(isa, f + 1) : -1;
        if (known < 0 || !isa->feature[known].own)
            n += (size_t)sprintf(to + n, "%s%s", n ? "," : "", f);
    }
    to[n] = '\0';
}

int target_vscale(const struct target *t)
{
    bool arm = !strncmp(t->triple, "aarch64", 7) || !strncmp(t->triple, "arm64", 5);
    return arm && t->vector_bytes > 16 ? t->vector_bytes / 16 : 0;
}

struct target target_of_known_length(const struct target *t)
{
    struct target known = *t;
    if (target_vscale(t)) {
        known.vector_bytes = 16;
        known.masks = false;
    }
    return known;
}

int target_l3_of_core(const struct target *t)
{
    const int one_complex = 32 << 20;
    return t->l3_bytes < one_complex ? t->l3_bytes : one_complex;
}

bool target_narrow(const struct target *t)
{
    return t->vector_registers < 32;
}

int target_lanes(const struct target *t, int64_t bytes)
{
    int lanes = (int)(t->vector_bytes / bytes);
    return lanes < 1 ? 1 : lanes;
}
