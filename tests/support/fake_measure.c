/* convc-measure as a sham (bench/measure.c has the requests): nothing is compiled, and the time of
 * a plan follows from its text and the problem's alone, so that whole sweeps take no time, and two
 * of them find the same. A round's times wobble a little, by the number of the round.
 *
 *     FAKE_MILLISECONDS   how long a plan takes to "compile" (default 1)
 *     FAKE_FAIL           problems whose text contains it cannot be measured
 *     FAKE_RACES          ends after so many races, between two requests
 *     FAKE_LOG            a file that gets a line for every race
 */
#include <convc/convc.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 16 };

static uint64_t mix(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

/* 0 to 1. */
static double share(uint64_t h)
{
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15u;
    return (double)(h >> 40) / (double)(1 << 24);
}

static void wait_a_little(void)
{
    const char *text = getenv("FAKE_MILLISECONDS");
    long microseconds = text ? atol(text) * 1000 : 1000;
    nanosleep(&(struct timespec){ microseconds / 1000000, microseconds % 1000000 * 1000 }, NULL);
}

/* Half the time of the slowest at best; 2 % of wobble. */
static double seconds_of(uint64_t plan, long round)
{
    double wobble = share(plan + (uint64_t)round * 0x2545f4914f6cdd1du);
    return 1e-4 * (0.5 + 0.5 * share(plan)) * (1 + 0.02 * wobble);
}

static void keep_log(void)
{
    const char *path = getenv("FAKE_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;
    if (log) {
        fputs("race\n", log);
        fclose(log);
    }
}

static void race(const char *text, const uint64_t plan[SLOTS])
{
    char *slots, *end;
    long rounds = strtol(text, &slots, 10);
    strtod(slots, &slots);
    for (long round = 0; round < rounds; round++) {
        printf("round");
        for (const char *p = slots; *p; p = end)
            printf(" %.0fe-12", seconds_of(plan[strtol(p, &end, 10) % SLOTS], round) * 1e12);
        printf("\n");
    }
    printf("done\n");
}

/* Keeps what is asked of it, and answers. */
static void answer(const char *line, uint64_t *problem, uint64_t plan[SLOTS])
{
    if (!strcmp(line, "version")) {
        printf("ok %d.%d.%d\n", CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR, CONVC_VERSION_PATCH);
    } else if (!strncmp(line, "problem ", 8)) {
        const char *fail = getenv("FAKE_FAIL");
        *problem = mix(0xcbf29ce484222325u, line + 8);
        printf(fail && strstr(line, fail) ? "failed as planted\n" : "ok\n");
    } else if (!strncmp(line, "plan ", 5)) {
        char *text;
        long slot = strtol(line + 5, &text, 10);
        plan[slot % SLOTS] = mix(*problem, text);
        wait_a_little();
        printf("ok\n");
    } else if (!strncmp(line, "race ", 5)) {
        keep_log();
        race(line + 5, plan);
    } else {
        printf("failed no such request\n");
    }
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    uint64_t problem = 0, plan[SLOTS] = { 0 };
    const char *text = getenv("FAKE_RACES");
    int races = text ? atoi(text) : -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        answer(line, &problem, plan);
        fflush(stdout);
        if (!strncmp(line, "race ", 5) && --races == 0)
            abort();
    }
    free(line);
    return 0;
}
