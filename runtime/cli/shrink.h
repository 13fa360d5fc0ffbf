/* shrink: from a problem that fails to the least one that fails in the same way.
 *
 * One property after another is lowered or taken away for as long as the problem goes on failing:
 * extents, channels, groups, kernels, padding, steps, types, strides, functions, weights. What is
 * left has nothing that could go alone. Stands on: random.h, for the room that texts have.
 */
#ifndef CLI_SHRINK_H
#define CLI_SHRINK_H

#include "runtime/cli/random.h"

#include <stdbool.h>

/* Does the problem fail? Called with valid problems only. */
typedef bool (*shrink_fails)(void *data, const struct convc_problem *p);

/* Room for the texts and weights of the result. */
struct shrink_room {
    struct random_texts texts;
    double weights[RANDOM_WEIGHTS];
};

/* `p` fails; *least becomes what is left of it, whose texts and weights are in `room`, after at
 * most `most` questions. Problems of other origin than random.h's, whose texts or weights do not
 * fit, stay as they are. */
void shrink(const struct convc_problem *p, shrink_fails fails, void *data, int most,
            struct shrink_room *room, struct convc_problem *least);

#endif
