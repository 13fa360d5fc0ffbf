/* measured: measurers whose child can have faults planted (tests/support/planted.c), and what is
 * left of children.
 */
#ifndef TESTS_SUPPORT_MEASURED_H
#define TESTS_SUPPORT_MEASURED_H

#include "runtime/measurer.h"

#include <sys/types.h>

/* convc-measure-planted. */
extern const char measured_program[];

/* A small problem and two plans of it. */
extern const char measured_problem[], measured_plan[], measured_other[];

/* Seconds that no load of the machine makes pass. */
extern const double measured_patience;

/* Fails the test where it does not start. */
struct measurer *measured_start(void);

/* The variable of the environment has the value while the child starts. */
struct measurer *measured_start_planted(const char *variable, const char *value);

/* The only child of this process, be it one that ended and nobody waited for; 0 where there is
 * none, -1 where there are several. */
pid_t measured_child(void);

/* Kills it; it has ended when this returns, and can still be waited for. */
void measured_kill_child(void);

#endif
