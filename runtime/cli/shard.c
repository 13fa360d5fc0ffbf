#include "runtime/cli/shard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS_MOST = 65536 };

static bool read_number(const char *text, long low, long high, int32_t *out)
{
    char *end;
    errno = 0;
    long v = text ? strtol(text, &end, 10) : low - 1;
    if (!text || end == text || *end || errno || v < low || v > high)
        return false;
    *out = (int32_t)v;
    return true;
}

/* ---- launchers ------------------------------------------------------------------------------- */

static int32_t variable(const char *name, int32_t otherwise)
{
    int32_t v;
    return read_number(getenv(name), 0, INT32_MAX, &v) ? v : otherwise;
}

/* The ranks of a job step, in each task of an array of jobs where there is one. */
static bool from_slurm(struct shard *s)
{
    int32_t rank = variable("SLURM_PROCID", -1), ranks = variable("SLURM_NTASKS", 1);
    int32_t task = variable("SLURM_ARRAY_TASK_ID", -1),
            tasks = variable("SLURM_ARRAY_TASK_COUNT", 1);
    int32_t step = variable("SLURM_ARRAY_TASK_STEP", 1);
    if (rank < 0 && task < 0)
        return false;
    if (rank < 0)
        rank = 0, ranks = 1;
    task = task < 0 || !step ? 0 : (task - variable("SLURM_ARRAY_TASK_MIN", 0)) / step;
    if (ranks > SHARDS_MOST || tasks > SHARDS_MOST)
        return false;
    *s = (struct shard){ task * ranks + rank, tasks * ranks };
    return true;
}

static bool from_environment(const char *rank, const char *size, int32_t first, struct shard *s)
{
    *s = (struct shard){ variable(rank, -1), size ? variable(size, 0) : 0 };
    if (s->index < first)
        return false;
    s->index -= first;
    return true;
}

/* Where a launcher tells no number of processes, that is 0. */
static bool from_launcher(struct shard *s)
{
    return from_slurm(s) ||
           from_environment("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", 0, s) ||
           from_environment("PMI_RANK", "PMI_SIZE", 0, s) ||
           from_environment("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", 0, s) ||
           from_environment("PARALLEL_SEQ", NULL, 1, s);
}

static enum exit_code read_auto(const char *text, struct shard *s, struct failure *f)
{
    int32_t count = 0;
    bool given = text[4] == '/' && read_number(text + 5, 1, SHARDS_MOST, &count);
    if (text[4] && !given)
        return fail(f, EXIT_USAGE, "--shard=%s: N of auto/N is a number from 1 to %d", text,
                    SHARDS_MOST);
    if (!from_launcher(s))
        return fail(f, EXIT_USAGE,
                    "--shard=%s: neither Slurm, an MPI nor GNU parallel has started this process; "
                    "I/N says which shard it is",
                    text);
    if (given)
        s->count = count;
    if (!s->count)
        return fail(f, EXIT_USAGE,
                    "--shard=auto: the launcher does not say how many processes there are; "
                    "auto/N does");
    if (s->index >= s->count || s->count > SHARDS_MOST)
        return fail(f, EXIT_USAGE, "--shard=%s: this is process %d of %d, which cannot be", text,
                    (int)s->index + 1, (int)s->count);
    return EXIT_FINE;
}

/* ---- what the command line says -------------------------------------------------------------- */

enum exit_code shard_read(const char *text, struct shard *s, struct failure *f)
{
    char first[16];
    *s = (struct shard){ 0, 1 };
    if (!text)
        return EXIT_FINE;
    if (!strncmp(text, "auto", 4))
        return read_auto(text, s, f);
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : 0;
    snprintf(first, sizeof first, "%.*s", (int)(length < 15 ? length : 15), text);
    if (!slash || !read_number(slash + 1, 1, SHARDS_MOST, &s->count) ||
        !read_number(first, 1, s->count, &s->index))
        return fail(f, EXIT_USAGE,
                    "--shard=%s is not I/N with I from 1 to N and N up to %d, nor auto or auto/N",
                    text, SHARDS_MOST);
    s->index--;
    return EXIT_FINE;
}

char *shard_path(const char *path, const struct shard *s)
{
    char number[16];
    size_t digits = (size_t)snprintf(number, sizeof number, "%d", (int)s->index + 1), marks = 0;
    for (const char *p = path; (p = strstr(p, "%r")); p += 2)
        marks++;
    char *whole = malloc(strlen(path) + marks * digits + 1), *to = whole;
    if (!whole)
        return NULL;
    for (const char *p = path; *p;) {
        bool mark = p[0] == '%' && p[1] == 'r';
        memcpy(to, mark ? number : p, mark ? digits : 1);
        to += mark ? digits : 1;
        p += mark ? 2 : 1;
    }
    *to = '\0';
    return whole;
}
