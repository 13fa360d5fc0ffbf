/* A plan for a problem: "PROBLEM\nPLAN"; without a second line, of a plain one. */
#include "gen/spec/spec.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

void fuzz_one(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size), *plan = strchr(text, '\n');
    const char *line = "ic32ih14oc64oh14kh3ph1";
    struct arena memory = { 0 };
    struct convc_problem p;
    struct problem resolved;
    struct diag d = { 0 };
    if (plan) {
        *plan++ = '\0';
        line = text;
    }
    if (spec_benchdnn(line, &memory, &p, &d) == CONVC_OK &&
        problem_resolve(&p, &resolved, &d) == CONVC_OK)
        fuzz_plan(&resolved, plan ? plan : text);
    arena_free(&memory);
    free(text);
}
