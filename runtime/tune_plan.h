/* tune_plan: a plan of the space of a search, and how thoroughly it was measured.
 */
#ifndef RUNTIME_TUNE_PLAN_H
#define RUNTIME_TUNE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

enum { TUNE_RUNGS = 4 };

/* A plan of the space, and the measurement of the highest rung that it has. */
struct tune_plan {
    const char *text;
    double predicted; /* modelled time / that of the base */
    bool own;         /* this shard's to measure */
    bool base;        /* what the others are measured against: it needs no measurement */
    bool first;       /* what this machine would take without a database: looked at before others */
    bool failed;      /* wrong, crashed, hung or refused */
    int rung;         /* -1: not measured */
    double ratio, low, high;
};

/* Rounds of a measurement. */
int tune_rounds(int rung);

#endif
