#include "runtime/measurer_child.h"

#include "runtime/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- how it ended --------------------------------------------------------------------------- */

static const char *signal_name(int number, char text[32])
{
    static const struct {
        int number;
        const char *name;
    } names[] = { { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" },   { SIGFPE, "SIGFPE" },
                  { SIGILL, "SIGILL" },   { SIGKILL, "SIGKILL" }, { SIGSEGV, "SIGSEGV" },
                  { SIGTERM, "SIGTERM" }, { SIGTRAP, "SIGTRAP" }, { SIGXCPU, "SIGXCPU" } };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(text, 32, "signal %d", number);
    return text;
}

/* Adds the first line that it wrote to its standard error, where it wrote one, without its name. */
static void add_said(const struct child *c, struct text *why)
{
    static const char name[] = "convc-measure: ";
    char line[300];
    ssize_t n = pread(c->said, line, sizeof line - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    const char *begin = line + strspn(line, "\r\n");
    if (!strncmp(begin, name, strlen(name)))
        begin += strlen(name);
    int length = (int)strcspn(begin, "\r\n");
    if (length > 0)
        text_add(why, ": %.*s", length, begin);
}

static void add_end(const struct child *c, bool known, int status, struct text *why)
{
    char name[32];
    if (known && WIFSIGNALED(status))
        text_add(why, "convc-measure crashed with %s", signal_name(WTERMSIG(status), name));
    else if (known)
        text_add(why, "convc-measure ended with exit code %d", WEXITSTATUS(status));
    else
        text_add(why, "convc-measure ended"); /* somebody else in this process waited for it */
    add_said(c, why);
}

/* What ended by itself did so before its side of the socket was closed, and keeps the reason that
 * it had. */
void child_end(struct child *c, struct text *why)
{
    int status = 0;
    pid_t got;
    if (!c->pid)
        return;
    kill(c->pid, SIGKILL);
    while ((got = waitpid(c->pid, &status, 0)) < 0 && errno == EINTR)
        ;
    if (why)
        add_end(c, got == c->pid, status, why);
    close(c->socket);
    close(c->said);
    text_free(&c->in);
    *c = (struct child){ 0 };
}

/* ---- how it starts -------------------------------------------------------------------------- */

/* The same file under a number above those of the standard streams, which this process may have
 * closed and the child has not. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return high;
}

struct ends {
    int ours, childs, said;
};

static bool open_ends(struct ends *e)
{
    int pair[2] = { -1, -1 };
    bool fine = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
    e->ours = above_standard(pair[0]);
    e->childs = above_standard(pair[1]);
    e->said = fine ? above_standard(memfd_create("convc-measure", MFD_CLOEXEC)) : -1;
    return e->ours >= 0 && e->childs >= 0 && e->said >= 0;
}

static void close_ends(const struct ends *e)
{
    const int fds[] = { e->ours, e->childs, e->said };
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Signals are as they come to a program, and the group is its own. */
static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setflags(
        attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    if (!error)
        error = posix_spawnattr_setsigmask(attr, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attr, &all);
    if (!error)
        error = posix_spawnattr_setpgroup(attr, 0);
    return error;
}

static int set_streams(posix_spawn_file_actions_t *files, const struct ends *e)
{
    int error = posix_spawn_file_actions_adddup2(files, e->childs, STDIN_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(files, e->childs, STDOUT_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(files, e->said, STDERR_FILENO);
    return error;
}

static int spawn(char *const argv[], const struct ends *e, pid_t *pid)
{
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t files;
    int error = posix_spawnattr_init(&attr);
    if (error)
        return error;
    error = posix_spawn_file_actions_init(&files);
    if (!error) {
        error = set_attributes(&attr);
        if (!error)
            error = set_streams(&files, e);
        if (!error)
            error = posix_spawn(pid, argv[0], &files, &attr, argv, environ);
        posix_spawn_file_actions_destroy(&files);
    }
    posix_spawnattr_destroy(&attr);
    return error;
}

int child_start(struct child *c, char *const argv[])
{
    struct ends e;
    pid_t pid;
    int error = open_ends(&e) ? spawn(argv, &e, &pid) : errno;
    if (error) {
        close_ends(&e);
        return error;
    }
    close(e.childs);
    *c = (struct child){ .pid = pid, .socket = e.ours, .said = e.said };
    return 0;
}

bool child_has_ended(const struct child *c)
{
    char byte;
    ssize_t n = recv(c->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Waits until the socket can do `what`. */
static enum heard wait_until(const struct child *c, short what, double deadline)
{
    for (;;) {
        double left = deadline - clock_seconds();
        struct pollfd p = { .fd = c->socket, .events = what };
        int n = poll(&p, 1, left > 0 ? left < 1000 ? (int)(left * 1e3) + 1 : 1000 * 1000 : 0);
        if (n > 0)
            return HEARD;
        if (n == 0 && left <= 0)
            return SILENT;
    }
}

enum heard child_tell(const struct child *c, const char *bytes, size_t count, double patience)
{
    double deadline = clock_seconds() + patience;
    while (count > 0) {
        ssize_t n = send(c->socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            bytes += n;
            count -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (wait_until(c, POLLOUT, deadline) == SILENT)
                return SILENT;
        } else if (errno != EINTR) {
            return ENDED;
        }
    }
    return HEARD;
}

static enum heard receive(struct child *c, double deadline)
{
    char bytes[4096];
    for (;;) {
        ssize_t n = recv(c->socket, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0) {
            text_append(&c->in, bytes, (size_t)n);
            return c->in.failed ? NO_MEMORY : HEARD;
        }
        if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return ENDED;
        if (wait_until(c, POLLIN, deadline) == SILENT)
            return SILENT;
    }
}

/* Forgets the line of before. */
static void consume(struct child *c)
{
    c->in.size -= c->consumed;
    memmove(c->in.data, c->in.data + c->consumed, c->in.size);
    c->consumed = 0;
}

enum heard child_hear(struct child *c, double patience, char **line)
{
    double deadline = clock_seconds() + patience;
    char *end = NULL;
    if (c->consumed)
        consume(c);
    for (size_t searched = 0; !end;) {
        enum heard heard = HEARD;
        if (searched == c->in.size)
            heard = receive(c, deadline);
        if (heard)
            return heard;
        end = memchr(c->in.data + searched, '\n', c->in.size - searched);
        searched = c->in.size;
    }
    *end = '\0';
    *line = c->in.data;
    c->consumed = (size_t)(end - c->in.data) + 1;
    return HEARD;
}
