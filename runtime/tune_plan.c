#include "runtime/tune_plan.h"

int tune_rounds(int rung)
{
    static const int rounds[TUNE_RUNGS] = { 5, 11, 25, 51 };
    return rounds[rung];
}
