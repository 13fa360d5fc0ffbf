/* measure_parent: this process ends when the one that started it does.
 *
 * The end of standard input tells a process that reads; one whose kernel hangs never reads again.
 * PR_SET_PDEATHSIG would come when the thread that started it ends, which may be long before.
 */
#ifndef BENCH_MEASURE_PARENT_H
#define BENCH_MEASURE_PARENT_H

/* Starts watching, in a thread that sleeps. Without threads to be had, nothing watches. */
void measure_end_with_parent(void);

#endif
