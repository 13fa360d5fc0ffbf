/* Lines of JSON on their way into a tuning database. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_tuned.h"

void fuzz_one(const uint8_t *bytes, size_t size)
{
    struct fuzz_tuned t;
    struct diag d = { 0 };
    struct tune_db *db;
    int64_t added = 0;
    FILE *from = size ? fmemopen((void *)(uintptr_t)bytes, size, "r") : NULL;
    if (!from)
        return;
    fuzz_tuned_open(&t);
    FACT(tune_db_open(t.into, true, &db, &d) == CONVC_OK, "%s", d.text);
    if (tune_db_import(db, from, "rows.json", &added, &d) != CONVC_OK)
        fuzz_sentence(d.text);
    FACT(d.status == CONVC_OK || !added, "%lld rows of a text that failed", (long long)added);
    fuzz_tuned_read(db);
    tune_db_close(db);
    fclose(from);
    fuzz_tuned_close(&t);
}
