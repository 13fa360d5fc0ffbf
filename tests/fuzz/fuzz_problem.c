#include "gen/plan/choose.h"
#include "gen/plan/layout.h"
#include "gen/spec/spec.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char *const targets[] = { "x86-64", "x86-64-v3", "znver5",
                                       "aarch64-unknown-linux-gnu:neoverse-v1",
                                       "riscv64-unknown-linux-gnu:generic-rv64" };
enum { TARGETS = sizeof targets / sizeof *targets };

/* The text says the same problem. */
static void read_back(const struct problem *p)
{
    struct text line = { 0 };
    struct arena memory = { 0 };
    struct convc_problem again;
    struct problem resolved;
    struct diag d = { 0 };
    struct problem_key key, other;
    problem_print(p, &line);
    FACT(!line.failed, "out of memory");
    FACT(spec_benchdnn(line.data, &memory, &again, &d) == CONVC_OK, "%s: %s", line.data, d.text);
    FACT(problem_resolve(&again, &resolved, &d) == CONVC_OK, "%s: %s", line.data, d.text);
    problem_key(p, &key);
    problem_key(&resolved, &other);
    FACT(!memcmp(&key, &other, sizeof key), "%s is another problem", line.data);
    arena_free(&memory);
    text_free(&line);
}

/* A plan that fits can be asked for all that it needs. */
static void ask(const struct problem *p, const struct plan *plan, const struct target *t)
{
    char text[PLAN_TEXT_MAX];
    struct plan again;
    struct diag d = { 0 };
    struct cost cost;
    plan_print(plan, text);
    FACT(plan_parse(text, &again, &d) == CONVC_OK, "%s: %s", text, d.text);
    char other[PLAN_TEXT_MAX];
    plan_print(&again, other);
    FACT(!strcmp(text, other), "%s reads as %s", text, other);
    plan_cost(p, plan, t, &cost);
    FACT(cost.cycles >= 0, "%s costs %g cycles", text, cost.cycles);
    FACT(plan_workspace_bytes(p, plan, t) % 64 == 0, "%s", text);
    for (int phase = 0; phase < plan_phases(plan); phase++)
        FACT(plan_items(p, plan, t, phase, 1) > 0, "%s has no items in phase %d", text, phase);
    struct text words = { 0 };
    plan_explain(p, plan, t, &words);
    FACT(!words.failed, "out of memory");
    text_free(&words);
}

void fuzz_problem(const struct convc_problem *p)
{
    struct problem resolved;
    struct diag d = { 0 };
    if (problem_resolve(p, &resolved, &d) != CONVC_OK) {
        fuzz_sentence(d.text);
        return;
    }
    read_back(&resolved);
    uint64_t which = (uint64_t)resolved.p.ic + (uint64_t)resolved.p.in[2]; /* any one will do */
    struct target t;
    struct plan plan;
    FACT(target_parse(targets[which % TARGETS], &t, &d) == CONVC_OK, "%s", d.text);
    enum convc_status st = choose_plan(&resolved, &t, &plan, &d);
    if (st) {
        fuzz_sentence(d.text);
        return;
    }
    FACT(plan_check(&plan, &resolved, &t, &d) == CONVC_OK, "%s", d.text);
    ask(&resolved, &plan, &t);
}

void fuzz_plan(const struct problem *p, const char *text)
{
    struct plan plan;
    struct diag d = { 0 };
    if (plan_parse(text, &plan, &d) != CONVC_OK) {
        fuzz_sentence(d.text);
        return;
    }
    for (int i = 0; i < TARGETS; i++) {
        struct target t;
        struct diag why = { 0 };
        FACT(target_parse(targets[i], &t, &why) == CONVC_OK, "%s", why.text);
        if (plan_check(&plan, p, &t, &why) == CONVC_OK)
            ask(p, &plan, &t);
        else
            fuzz_sentence(why.text);
    }
}
