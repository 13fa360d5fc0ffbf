/* A spec in Lua, or a list of problems: it is run, and all that it returns is looked at. */
#include "gen/spec/spec.h"
#include "tests/fuzz/fuzz.h"

enum { CONVS_LOOKED_AT = 4 };

void fuzz_one(const uint8_t *bytes, size_t size)
{
    static const char *const defines[] = { "N=3" };
    char *text = fuzz_text(bytes, size);
    struct spec_source source = { .text = text, .name = "spec.lua", .lib_dir = "/nowhere" };
    struct spec spec;
    struct diag d = { 0 };
    source.defines = defines;
    source.define_count = size % 2;
    if (spec_load(&source, &spec, &d) == CONVC_OK) {
        for (size_t i = 0; i < spec.count && i < CONVS_LOOKED_AT; i++)
            fuzz_problem(&spec.convs[i].problem);
        spec_free(&spec);
    } else {
        fuzz_sentence(d.text);
    }
    free(text);
}
