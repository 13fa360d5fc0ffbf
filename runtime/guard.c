#include "runtime/guard.h"

#include "gen/out/aside.h"

#include <stdbool.h>
#include <stddef.h>

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct guard *list;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool hooked;

static void before_fork(void)
{
    pthread_mutex_lock(&list_mutex);
    for (struct guard *g = list; g; g = g->next)
        pthread_mutex_lock(&g->mutex);
}

static void after_fork(void)
{
    for (struct guard *g = list; g; g = g->next)
        pthread_mutex_unlock(&g->mutex);
    pthread_mutex_unlock(&list_mutex);
}

static void after_fork_in_child(void)
{
    for (struct guard *g = list; g; g = g->next) {
        if (g->in_child)
            g->in_child(g);
    }
    after_fork();
}

/* Some hold a guard while LLVM works for them. */
static void hook(void)
{
    aside_prepare();
    hooked = pthread_atfork(before_fork, after_fork, after_fork_in_child) == 0;
}

enum convc_status guard_init(struct guard *g, void (*in_child)(struct guard *g), struct diag *d)
{
    pthread_once(&once, hook);
    if (!hooked || pthread_mutex_init(&g->mutex, NULL) != 0)
        return diag_memory(d);
    g->in_child = in_child;
    pthread_mutex_lock(&list_mutex);
    g->previous = NULL;
    g->next = list;
    if (list)
        list->previous = g;
    list = g;
    pthread_mutex_unlock(&list_mutex);
    return CONVC_OK;
}

void guard_destroy(struct guard *g)
{
    pthread_mutex_lock(&list_mutex);
    if (g->previous)
        g->previous->next = g->next;
    else
        list = g->next;
    if (g->next)
        g->next->previous = g->previous;
    pthread_mutex_unlock(&list_mutex);
    pthread_mutex_destroy(&g->mutex);
}
