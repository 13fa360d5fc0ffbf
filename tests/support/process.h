/* process: what this process takes of the machine.
 *
 * Stands on: Linux.
 */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdint.h>

/* Do sanitizers keep memory that was freed, and have threads and maps of their own? */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { PROCESS_INSTRUMENTED = 1 };
#else
enum { PROCESS_INSTRUMENTED = 0 };
#endif

int64_t process_maps(void);     /* lines of /proc/self/maps     */
int64_t process_resident(void); /* bytes of memory that it has  */

#endif
