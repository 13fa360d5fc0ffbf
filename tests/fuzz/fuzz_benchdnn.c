/* One problem in benchdnn's notation, with convc's additions. */
#include "gen/spec/spec.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(const uint8_t *bytes, size_t size)
{
    char *line = fuzz_text(bytes, size);
    struct arena memory = { 0 };
    struct convc_problem p;
    struct diag d = { 0 };
    (void)spec_benchdnn_looks(line);
    if (spec_benchdnn(line, &memory, &p, &d) == CONVC_OK)
        fuzz_problem(&p);
    else
        FACT(d.text[0], "a failure without a sentence");
    arena_free(&memory);
    free(line);
}
