/* picture: how the rows of a channel lie in memory, and what the lanes of a vector may be.
 *
 * Stands on: problem.
 */
#ifndef GEN_PLAN_PICTURE_H
#define GEN_PLAN_PICTURE_H

#include "gen/problem/problem.h"

/* Are the pixels of a row side by side, in the source and in the result? */
bool picture_is_planar(const struct problem *p);

/* Are all channels of a pixel side by side and treated alike, in the source and in the result? Then
 * the elements of a row of pixels are like those of one channel. */
bool picture_is_flat(const struct problem *p);

/* Elements of a row that belong to one column: 1, or all channels; 0 where it is neither. */
int64_t picture_unit(const struct problem *p);

/* Channels that loops go over. */
int64_t picture_channels(const struct problem *p);

#endif
