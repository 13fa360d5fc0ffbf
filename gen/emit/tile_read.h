/* tile_read: where the source operands of a tile come from.
 *
 * A `read` says how one operand is fetched: found once per tap, before the loop over channels, it
 * is then a load at a constant distance from a pointer that reads share. Stands on: tile, border.
 */
#ifndef GEN_EMIT_TILE_READ_H
#define GEN_EMIT_TILE_READ_H

#include "gen/emit/tile.h"

enum read_kind {
    READ_NOTHING,  /* the tap is skipped                                */
    READ_CONSTANT, /* padding_value                                     */
    READ_PLAIN,    /* at a constant stride from the tile's first column */
    READ_LANES,    /* every lane at a place of its own, known           */
    READ_COMPUTED, /* at a place that the kernel computes               */
};

struct read {
    enum read_kind kind;
    LLVMValueRef base; /* pointer at channel 0                          */
    LLVMValueRef here; /* the same at the channel of this turn          */
    int64_t distance;  /* bytes from there                              */
    LLVMValueRef inside, offset;
    struct em_lanes on;
    int64_t lane[EM_LANES_MAX]; /* bytes from base                      */
};

/* Source vectors that several unrolled taps share. A column outside of the input, too, has an
 * address within, but the value of padding: `inside` tells it from the column that lies there. */
enum { SEEN_MAX = 256 };
struct seen {
    LLVMValueRef here, inside, value;
    int64_t distance;
    int active; /* lanes: two vectors may begin alike where the strides of src overlap */
};

struct reads {
    struct tile *tile;
    struct read list[TILE_ACCUMULATORS]; /* [row][col], or [row][vec] with LANES_OW */
    struct seen seen[SEEN_MAX];
    int seen_count;
};

/* Tap kw as it is met in the loops. */
struct tap {
    LLVMValueRef kw;
    int64_t number; /* of this tap, or of one that reads alike */
    bool inside;    /* BORDER_COMPUTED: known to read inside for every column */
};

/* Finds the reads of one tap. */
void reads_find(struct reads *s, const struct tile_row *row, const struct tap *tap);

/* Finds the reads of column c alone, the others skip the tap. Returns whether it reads inside; the
 * reads found are good only there. */
LLVMValueRef reads_find_column(struct reads *s, const struct tile_row *row, const struct tap *tap,
                               int c);

/* Makes column c read padding instead. */
void reads_pad_column(struct reads *s, const struct tile_row *row, int c);

/* Moves every read `bytes` along the channels. Reads of one base share one pointer. */
void reads_advance(struct reads *s, LLVMValueRef bytes);

/* Read i, `more` bytes on: one element in all lanes; consecutive channels, 0 in
 * lanes that are off; a vector of output columns; or each lane's own
 * channel `ic` of the groups in vector v. Not for READ_NOTHING. */
LLVMValueRef reads_broadcast(struct reads *s, int i, int64_t more);
LLVMValueRef reads_channels(struct reads *s, int i, int64_t more, const struct em_lanes *on);
LLVMValueRef reads_columns(struct reads *s, int i, int64_t more);
LLVMValueRef reads_groups(struct reads *s, int i, int v, int ic);

/* Bytes from one element to the next along an axis of the source. */
int64_t reads_src_bytes(const struct tile *t, int axis);

#endif
