#include "runtime/perf_map.h"

#include "gen/base/text.h"
#include "runtime/elf_sections.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 400 }; /* constant weights would make lines of a megabyte */

static bool wanted;

static void read_environment(void)
{
    const char *value = secure_getenv("CONVC_PERF_MAP");
    wanted = value && value[0] && strcmp(value, "0") != 0;
}

bool perf_map_on(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
    return wanted;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* When this process began, in seconds since 1970, by the clock ticks since the machine did; 0 where
 * that is not to be known. */
static double began(void)
{
    char line[1024];
    struct timespec now, up;
    unsigned long long ticks = 0;
    FILE *f = fopen("/proc/self/stat", "re");
    if (!f)
        return 0;
    const char *read = fgets(line, sizeof line, f);
    fclose(f);
    const char *rest = read ? strrchr(line, ')') : NULL; /* behind the program's name */
    if (!rest || sscanf(rest + 1,
                        "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
                        " %*s %*s %*s %llu",
                        &ticks) != 1)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    double uptime = (double)up.tv_sec + (double)up.tv_nsec / 1e9;
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 - uptime +
           (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static bool trusted(const struct stat *s)
{
    return S_ISREG(s->st_mode) && s->st_nlink == 1 && s->st_uid == geteuid() && !(s->st_mode & 022);
}

/* -1: there is none that can be trusted. Other compilers of the process may write it too. */
static int open_map(void)
{
    const int how = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    char path[64];
    struct stat s;
    snprintf(path, sizeof path, "/tmp/perf-%jd.map", (intmax_t)getpid());
    int fd = open(path, how | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        return fd;
    fd = open(path, how);
    if (fd < 0)
        return -1;
    bool fine = fstat(fd, &s) == 0 && trusted(&s);
    if (fine && (double)s.st_mtime + 1 >= began())
        return fd;
    close(fd);
    if (!fine)
        return -1;
    unlink(path);
    return open(path, how | O_CREAT | O_EXCL, 0600);
}

/* ---- the object ------------------------------------------------------------------------------ */

static bool fits(size_t count, uint64_t offset, uint64_t bytes)
{
    return offset <= count && bytes <= count - offset;
}

/* Bytes of the function `symbol` in a table of symbols; 0 where it is not there. */
static uint64_t symbol_bytes(const char *object, size_t count, const Elf64_Shdr *table,
                             const Elf64_Shdr *names, const char *symbol)
{
    Elf64_Sym s;
    for (uint64_t o = 0; o + sizeof s <= table->sh_size; o += sizeof s) {
        if (!fits(count, table->sh_offset + o, sizeof s))
            return 0;
        memcpy(&s, object + table->sh_offset + o, sizeof s);
        uint64_t name = names->sh_offset + s.st_name;
        if (ELF64_ST_TYPE(s.st_info) == STT_FUNC && fits(count, name, strlen(symbol) + 1) &&
            !strcmp(object + name, symbol))
            return s.st_size;
    }
    return 0;
}

/* The same of an object. */
static uint64_t function_bytes(const char *object, size_t count, const char *symbol)
{
    unsigned sections = elf_sections(object, count);
    uint64_t bytes = 0;
    for (unsigned i = 0; i < sections && !bytes; i++) {
        Elf64_Shdr table, names;
        elf_section(object, i, &table);
        if (table.sh_type != SHT_SYMTAB || table.sh_link >= sections)
            continue;
        elf_section(object, table.sh_link, &names);
        bytes = symbol_bytes(object, count, &table, &names, symbol);
    }
    return bytes;
}

void perf_map_add(const void *address, const char *object, size_t count, const char *symbol,
                  const char *name)
{
    struct text line = { 0 };
    uint64_t bytes = function_bytes(object, count, symbol);
    text_add(&line, "%jx %jx convc:", (uintmax_t)(uintptr_t)address, (uintmax_t)bytes);
    for (size_t i = 0; name[i] && i < NAME_MAX_BYTES; i++)
        text_append(&line, name[i] == ' ' ? "_" : &name[i], 1);
    text_append(&line, "\n", 1);
    int fd = bytes && !line.failed ? open_map() : -1;
    if (fd >= 0) {
        /* At once: the file grows by whole lines, whoever else writes. */
        ssize_t ignored = write(fd, line.data, line.size);
        (void)ignored;
        close(fd);
    }
    text_free(&line);
}
