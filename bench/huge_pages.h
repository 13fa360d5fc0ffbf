/* huge_pages: what is measured lies in huge pages, where the system has them to give.
 *
 * In small pages where in memory an operand lies, and with it which cache lines crowd out which, is
 * another one each time: the same plan with weights of 25 MB took 1.2 to 1.7 ms, in huge pages 1.1.
 */
#ifndef BENCH_HUGE_PAGES_H
#define BENCH_HUGE_PAGES_H

/* Begins this process anew, once, with an allocator of glibc's that asks for huge pages, ours and
 * the peers' alike; without effect where GLIBC_TUNABLES is set or is not looked at. `argv` is
 * main's. */
void huge_pages_begin(char **argv);

#endif
