/* wx PROGRAM ARGUMENT...: runs a program that may not have memory that is writable and executable
 * at once, nor may what it starts: the system ends who asks for it, by SIGSYS.
 *
 * A filter within the kernel, so that no way of asking goes around it. Where the system has none,
 * the program runs without, and a line says so. Stands on: Linux.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { ARCH = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { ARCH = AUDIT_ARCH_AARCH64 };
#else
#error "which system calls are these?"
#endif

/* All of `bits` in argument `i` of a system call: the end. */
#define FORBID(call, i, bits)                                                                      \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),                         \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 4),                                    \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[i])),                \
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),                                                 \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static int forbid(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), /* an emulated or foreign program */
        FORBID(mmap, 2, PROT_WRITE | PROT_EXEC),
        FORBID(mprotect, 2, PROT_WRITE | PROT_EXEC),
        FORBID(pkey_mprotect, 2, PROT_WRITE | PROT_EXEC),
        FORBID(shmat, 2, SHM_EXEC),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: wx PROGRAM ARGUMENT...\n");
        return 2;
    }
    if (forbid() != 0)
        fprintf(stderr, "wx: not checked: %s\n", strerror(errno));
    execvp(argv[1], argv + 1);
    fprintf(stderr, "wx: %s: %s\n", argv[1], strerror(errno));
    return 127;
}
