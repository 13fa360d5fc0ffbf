/* perf_map: names kernels for `perf report`, in /tmp/perf-PID.map, where CONVC_PERF_MAP asks for
 * it.
 *
 * The file must be this user's, and no one else's to write: what else lies under that name (a link,
 * a pipe, someone's file) is left alone, and nothing is written. What an earlier process with the
 * same number left is removed. Nothing here is an error. Stands on: text, elf_sections, POSIX.
 */
#ifndef RUNTIME_PERF_MAP_H
#define RUNTIME_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>

bool perf_map_on(void);

/* Adds `symbol` of an object that was loaded at `address`, as "convc:" and `name`, whose blanks
 * become '_'. */
void perf_map_add(const void *address, const char *object, size_t count, const char *symbol,
                  const char *name);

#endif
