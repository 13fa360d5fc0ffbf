#include "runtime/cli/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

struct work {
    _Atomic int64_t next;
    int64_t items, grain;
    void (*task)(void *argument, int64_t begin, int64_t end);
    void *argument;
};

static void *take_ranges(void *argument)
{
    struct work *w = argument;
    for (;;) {
        int64_t begin = atomic_fetch_add(&w->next, w->grain);
        if (begin >= w->items)
            return NULL;
        int64_t end = w->items - begin < w->grain ? w->items : begin + w->grain;
        w->task(w->argument, begin, end);
    }
}

void parallel_ranges(int threads, int64_t items, int64_t grain,
                     void (*task)(void *argument, int64_t begin, int64_t end), void *argument)
{
    enum { THREADS_MAX = 256 };
    pthread_t helper[THREADS_MAX];
    int helpers = 0;
    struct work w = { 0, items, grain, task, argument };
    int wanted = threads - 1 < THREADS_MAX ? threads - 1 : THREADS_MAX;
    if ((items - 1) / grain < wanted)
        wanted = (int)((items - 1) / grain);
    while (helpers < wanted && !pthread_create(&helper[helpers], NULL, take_ranges, &w))
        helpers++;
    take_ranges(&w);
    for (int i = 0; i < helpers; i++)
        pthread_join(helper[i], NULL);
}
