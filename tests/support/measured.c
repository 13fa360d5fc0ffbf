#include "tests/support/measured.h"

#include "tests/support/support.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const char measured_program[] = CONVC_BINARY_DIR "/tests/convc-measure-planted";
const char measured_problem[] = "ic8ih9oc8kh3";
const char measured_plan[] = "direct lanes=oc tile=1x3x1 order=rows border=peel";
const char measured_other[] = "direct lanes=oc tile=1x2x1 order=rows border=peel";

const double measured_patience = 300;

struct measurer *measured_start(void)
{
    const struct measurer_options o = { .program = measured_program,
                                        .threads = 1,
                                        .patience = measured_patience };
    struct measurer *m = NULL;
    struct diag d = { 0 };
    if (measurer_start(&o, &m, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    return m;
}

struct measurer *measured_start_planted(const char *variable, const char *value)
{
    setenv(variable, value, 1);
    struct measurer *m = measured_start();
    unsetenv(variable);
    return m;
}

pid_t measured_child(void)
{
    pid_t found = 0;
    DIR *all = opendir("/proc");
    for (struct dirent *e; (e = readdir(all));) {
        char path[300], state;
        int pid, parent;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        if (!f)
            continue;
        if (fscanf(f, "%d (%*[^)]) %c %d", &pid, &state, &parent) == 3 && parent == getpid())
            found = found ? -1 : pid;
        fclose(f);
    }
    closedir(all);
    return found;
}

void measured_kill_child(void)
{
    siginfo_t end;
    pid_t child = measured_child();
    assert_true(child > 0);
    kill(child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), 0);
}
