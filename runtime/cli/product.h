/* product: the files that a command makes, all of them or none.
 *
 * What is made is kept in memory until everything is; then it is written to temporary files, and
 * only when all are complete do they get their names.
 */
#ifndef CLI_PRODUCT_H
#define CLI_PRODUCT_H

#include "runtime/cli/stream.h"

struct product {
    char *path, *bytes;
    size_t size;
    struct stream_out out;
};

/* Zero-initialise, but for the directory. */
struct products {
    const char *directory; /* where they go; made where it is missing */
    struct product *list;
    size_t count, capacity;
};

/* One more, "DIRECTORY/FILE". Takes the bytes, which are of convc_emit, whatever the outcome. Two
 * of one path are refused. */
enum exit_code products_add(struct products *p, const char *file, char *bytes, size_t size,
                            struct failure *f);

/* Makes the directory and writes all, under temporary names. */
enum exit_code products_stage(struct products *p, struct failure *f);

/* Gives all files their names where `code` is EXIT_FINE, else leaves nothing behind. Returns
 * `code`, or EXIT_SYSTEM. */
enum exit_code products_finish(struct products *p, enum exit_code code, struct failure *f);
void products_free(struct products *p);

#endif
