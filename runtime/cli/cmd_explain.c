/* explain: what would be done for every layer, and why. */
#include "runtime/cli/command.h"
#include "runtime/cli/json.h"
#include "runtime/cli/layers.h"

#include <string.h>

static enum exit_code explain_layer(const struct options *o, convc_context *cx,
                                    const struct layer *l, struct failure *f)
{
    const struct convc_problem *p = &l->problem;
    char *text, *problem;
    struct json j;
    enum convc_status st = convc_explain(cx, p, o->plan, o->show, &text);
    if (st)
        return layer_fail(o, l, st, convc_last_error(), f);
    if (!o->json) {
        fputs(text, stdout);
        convc_text_free(text);
        return EXIT_FINE;
    }
    st = convc_problem_text(p, &problem);
    if (st == CONVC_OK) {
        json_begin(&j, stdout);
        json_text(&j, "name", p->name);
        json_text(&j, "problem", problem);
        json_text(&j, "text", text);
        json_end(&j);
        convc_text_free(problem);
    }
    convc_text_free(text);
    return st ? fail_status(f, st) : EXIT_FINE;
}

enum exit_code cmd_explain(const struct options *o, struct failure *f)
{
    struct layers l = { 0 };
    convc_context *cx = NULL;
    if (!o->word_count)
        return fail(f, EXIT_USAGE, "explain needs a spec; see convc explain --help");
    if (o->target && strchr(o->target, ','))
        return fail(f, EXIT_USAGE, "--target=%s: explain takes one target", o->target);
    enum exit_code code = layers_load(o, NULL, 0, &l, f);
    if (code == EXIT_FINE)
        code = context_open(o, o->target, 0, &cx, f);
    for (size_t i = 0; code == EXIT_FINE && i < l.count; i++) {
        if (i && !o->json)
            putchar('\n');
        code = explain_layer(o, cx, &l.layer[i], f);
    }
    convc_context_destroy(cx);
    layers_free(&l);
    return code;
}
