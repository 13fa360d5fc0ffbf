#include "runtime/cli/winners.h"

#include "runtime/cli/layers.h"

#include <convc/tuning.h>
#include <stdlib.h>
#include <string.h>

static enum exit_code open_target(const struct options *o, const char *target, struct winners *t,
                                  struct failure *f)
{
    convc_context **more = realloc(t->context, ((size_t)t->targets + 1) * sizeof(convc_context *));
    struct options one = *o;
    one.threads = 1; /* nothing is run */
    if (!more)
        return fail_memory(f);
    t->context = more;
    more[t->targets] = NULL;
    return context_open(&one, target, CONVC_NO_JIT | CONVC_NO_DISK_CACHE, &more[t->targets++], f);
}

enum exit_code winners_open(const struct options *o, struct winners *t, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    if (!o->db || o->plan)
        return EXIT_FINE;
    if (!o->target)
        return open_target(o, NULL, t, f);
    char *list = strdup(o->target), *next = list, *one;
    if (!list)
        return fail_memory(f);
    while (code == EXIT_FINE && (one = strsep(&next, ",")))
        code = open_target(o, one, t, f);
    free(list);
    return code;
}

void winners_close(struct winners *t)
{
    for (int i = 0; i < t->targets; i++)
        convc_context_destroy(t->context[i]);
    free(t->context);
}

enum exit_code winners_plans(const struct winners *t, const struct convc_problem *problem,
                             size_t count, char ***plans, struct failure *f)
{
    size_t targets = (size_t)t->targets;
    *plans = NULL;
    if (!targets)
        return EXIT_FINE;
    *plans = calloc(count * targets + 1, sizeof(char *));
    if (!*plans)
        return fail_memory(f);
    for (size_t i = 0; i < count * targets; i++) {
        enum convc_status st =
            convc_tuning_best(t->context[i % targets], &problem[i / targets], &(*plans)[i]);
        if (st == CONVC_ERR_MEMORY)
            return fail_memory(f); /* what is wrong with a problem is told when it is emitted */
    }
    return EXIT_FINE;
}

void winners_free_plans(const struct winners *t, char **plans, size_t count)
{
    for (size_t i = 0; plans && i < count * (size_t)t->targets; i++)
        convc_text_free(plans[i]);
    free(plans);
}
