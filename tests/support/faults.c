/* faults: runs a program, one of whose system calls on the way to a file goes wrong.
 *
 *     convc-faults FAULT N PROGRAM [ARGUMENT...]
 *
 * FAULT is EIO, ENOSPC, EACCES or EINTR, which call number N, counted from 1 over all threads and
 * children, returns without having done anything (but close, which closes); or `short`: it writes
 * half of what it should. Calls are those that open for writing, write, sync, close what was
 * written, rename, link, unlink, make directories and cut files. What is written to standard error
 * does not count. The call is named in the file that the environment's FAULTS_LOG names, "none"
 * where there were fewer, with how many there were. Ends as the program does; 77 where programs
 * cannot be traced. Linux on x86-64.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)

/* Of a call: which, and where its descriptor and the flags of opening are. */
static const struct call {
    long number;
    const char *name;
    bool writes, opens, descriptor;
} calls[] = {
    { SYS_write, "write", true, false, true },
    { SYS_pwrite64, "pwrite", true, false, true },
    { SYS_writev, "writev", false, false, true },
    { SYS_openat, "openat", false, true, false },
    { SYS_open, "open", false, true, false },
    { SYS_fsync, "fsync", false, false, true },
    { SYS_fdatasync, "fdatasync", false, false, true },
    { SYS_ftruncate, "ftruncate", false, false, true },
    { SYS_fallocate, "fallocate", false, false, true },
    { SYS_rename, "rename", false, false, false },
    { SYS_renameat, "renameat", false, false, false },
    { SYS_renameat2, "renameat2", false, false, false },
    { SYS_link, "link", false, false, false },
    { SYS_linkat, "linkat", false, false, false },
    { SYS_unlink, "unlink", false, false, false },
    { SYS_unlinkat, "unlinkat", false, false, false },
    { SYS_mkdir, "mkdir", false, false, false },
    { SYS_mkdirat, "mkdirat", false, false, false },
    { SYS_rmdir, "rmdir", false, false, false },
    { SYS_flock, "flock", false, false, true },
    { SYS_close, "close", false, false, true },
};

static struct {
    int error; /* 0: short */
    long at, count;
    pid_t failing; /* the thread whose call is to return the error; 0: none */
    const char *name;
} plan = { .name = "none" };

/* Was the descriptor opened to write to a file? */
static bool is_written(pid_t thread, unsigned long long descriptor)
{
    char path[64], link[2] = "", line[80];
    unsigned flags = O_RDONLY;
    snprintf(path, sizeof path, "/proc/%d/fd/%llu", (int)thread, descriptor);
    if (readlink(path, link, 1) != 1 || link[0] != '/')
        return false;
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%llu", (int)thread, descriptor);
    FILE *info = fopen(path, "r");
    while (info && fgets(line, sizeof line, info))
        sscanf(line, "flags: %o", &flags);
    if (info)
        fclose(info);
    return (flags & O_ACCMODE) != O_RDONLY;
}

static const struct call *find(pid_t thread, const struct user_regs_struct *r)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *c = &calls[i];
        if (c->number != (long)r->orig_rax)
            continue;
        unsigned long long flags = c->number == SYS_open ? r->rsi : r->rdx;
        if ((c->opens && (flags & O_ACCMODE) == O_RDONLY) || (c->descriptor && r->rdi == 2) ||
            (c->number == SYS_close && !is_written(thread, r->rdi)) ||
            (!plan.error && !(c->writes && r->rdx > 1)))
            return NULL;
        return c;
    }
    return NULL;
}

static void enter(pid_t thread)
{
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, thread, NULL, &r) != 0)
        return;
    const struct call *c = find(thread, &r);
    if (!c || ++plan.count != plan.at)
        return;
    plan.name = c->name;
    if (plan.error) {
        if (c->number != SYS_close) /* which closes, whatever it says */
            r.orig_rax = (unsigned long long)-1;
        plan.failing = thread;
    } else {
        r.rdx /= 2;
    }
    ptrace(PTRACE_SETREGS, thread, NULL, &r);
}

static void leave(pid_t thread)
{
    struct user_regs_struct r;
    if (plan.failing != thread || ptrace(PTRACE_GETREGS, thread, NULL, &r) != 0)
        return;
    r.rax = (unsigned long long)-plan.error;
    ptrace(PTRACE_SETREGS, thread, NULL, &r);
    plan.failing = 0;
}

static void at_call(pid_t thread)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, (void *)sizeof info, &info) < 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        enter(thread);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        leave(thread);
}

/* Until the program has ended; returns how. */
static int follow(pid_t program)
{
    for (;;) {
        int status, pass = 0;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0)
            return EXIT_FAILURE;
        if (!WIFSTOPPED(status)) {
            if (thread == program)
                return status;
            continue;
        }
        int stop = WSTOPSIG(status);
        if (stop == (SIGTRAP | 0x80))
            at_call(thread);
        else if (status >> 16 == 0 && stop != SIGSTOP && stop != SIGTRAP)
            pass = stop;
        ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(long)pass);
    }
}

static void begin(char **argv)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(77);
    raise(SIGSTOP);
    execvp(argv[0], argv);
    _exit(127);
}

static int end(int status)
{
    const char *path = getenv("FAULTS_LOG");
    FILE *log = path ? fopen(path, "w") : NULL;
    if (log) {
        fprintf(log, "%s %ld\n", plan.count >= plan.at ? plan.name : "none", plan.count);
        fclose(log);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int error;
    } faults[] = { { "short", 0 },
                   { "EIO", EIO },
                   { "ENOSPC", ENOSPC },
                   { "EACCES", EACCES },
                   { "EINTR", EINTR } };
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
    size_t which = 0;
    int status;
    while (argc > 3 && which < 5 && strcmp(argv[1], faults[which].name) != 0)
        which++;
    if (argc < 4 || which == 5)
        return 2;
    plan.error = faults[which].error;
    plan.at = atol(argv[2]);
    pid_t program = fork();
    if (program == 0)
        begin(argv + 3);
    if (waitpid(program, &status, 0) != program || !WIFSTOPPED(status))
        return 77;
    if (ptrace(PTRACE_SETOPTIONS, program, NULL, (void *)options) != 0)
        return 77;
    ptrace(PTRACE_SYSCALL, program, NULL, NULL);
    return end(follow(program));
}

#else

int main(void)
{
    return 77;
}

#endif
