/* blame: which words of plans the cost model judges wrongly.
 *
 * A plan's error is its measured ratio to the model's own plan over the ratio that the model
 * predicts; those of one convolution are taken relative to their geometric mean. Of a word, such as
 * order=weights, the error is the geometric mean over all plans that have it. A plan's tile counts
 * as three words.
 */
#ifndef CLI_BLAME_H
#define CLI_BLAME_H

#include "runtime/cli/evidence.h"

struct blame {
    char word[48];
    int64_t plans, problems; /* how many have it, of how many convolutions                 */
    double error;            /* above 1: such plans are slower than the model thinks       */
    double log_sum;          /* while it is being counted, as is                           */
    size_t seen;             /* the convolution that had it last, from 1                   */
};

/* Words that some plans have and others have not, at least three, the gravest first; malloc'd. */
enum convc_status blame_words(const struct evidence *e, size_t count, struct blame **words,
                              size_t *word_count);

#endif
