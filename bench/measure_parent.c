#include "bench/measure_parent.h"

#include "runtime/cli/failure.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns when process `parent` has ended; at once where this kernel cannot tell. */
static void wait_for(pid_t parent)
{
    struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, parent, 0), .events = POLLIN };
    if (end.fd < 0)
        return;
    while (poll(&end, 1, -1) < 0) /* a signal came */
        ;
    close(end.fd);
}

static void *watch(void *argument)
{
    pid_t parent = *(const pid_t *)argument;
    wait_for(parent);
    while (getppid() == parent)
        sleep(1);
    _exit(EXIT_SYSTEM);
}

void measure_end_with_parent(void)
{
    static pid_t parent;
    pthread_t thread;
    sigset_t all, before;
    parent = getppid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the other threads' */
    if (pthread_create(&thread, NULL, watch, &parent) == 0)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
