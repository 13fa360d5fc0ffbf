/* archive: a static library, as ar writes it.
 *
 * The common format of System V and GNU: an index of symbols, a table of long file names, and the
 * members one after the other. No time, no owner: the same members give the same bytes.
 * Source: System V ABI, chapter 7, "Archive File"; ar(5). Stands on: text, diag.
 */
#ifndef GEN_OUT_ARCHIVE_H
#define GEN_OUT_ARCHIVE_H

#include "gen/base/diag.h"
#include "gen/base/text.h"

struct archive_member {
    const char *name; /* of the file: no '/' */
    const char *bytes;
    size_t count;
    const char *const *symbol; /* that linkers shall find here */
    size_t symbols;
};

/* Appends the library to `out`. CONVC_ERR_UNSUPPORTED for one of more than 4 GiB. */
enum convc_status archive_write(const struct archive_member *member, size_t members,
                                struct text *out, struct diag *d);

#endif
