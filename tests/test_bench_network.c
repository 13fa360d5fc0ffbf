/* What a bench makes of measurements: kinds of layers, sums over networks, places in a roofline.
 * The measurements are made up. */
#include "bench/network.h"
#include "bench/roofline.h"
#include "runtime/cli/page.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * fabs(b)))
        fail_msg("%.17g is not %.17g", a, b);
}

static void load(struct network *net, struct options *o, char **words, size_t count)
{
    struct failure f = { 0 };
    *o = (struct options){ .word = words, .word_count = count, .tolerance = NAN, .peers = "none" };
    if (network_load(o, net, &f))
        fail_msg("%s", f.text);
}

/* Two peers, of which the second computes the first kind only. */
static void measure(struct network *net, size_t kind, double ms, double first, double second)
{
    struct contest *c = &net->contest[kind];
    *c = (struct contest){ .peers = 2 };
    snprintf(c->result.name, sizeof c->result.name, "kind%zu", kind);
    c->result.time_ms = ms;
    c->result.gflops = 100;
    c->result.peak_gflops = 200;
    const double peer[] = { first, second };
    for (int i = 0; i < 2; i++) {
        c->peer[i].entry = &peer_entries[i];
        c->peer[i].best.time_ms = peer[i];
        c->peer[i].best.ratio = peer[i] / ms;
    }
    net->field.count = 2;
    net->measured++;
}

static void equal_layers_are_one_kind_whatever_their_names(void **state)
{
    struct network net;
    struct options o;
    char *words[] = { "ic8ih9oc8oh7kh3nfirst", "ic8ih9oc8oh9kh3ph1", "ic8ih9oc8oh7kh3" };
    load(&net, &o, words, 3);
    assert_int_equal(net.layers.count, 3);
    assert_int_equal(net.kinds, 2);
    assert_int_equal(net.kind[0], net.kind[2]);
    assert_int_not_equal(net.kind[0], net.kind[1]);
    assert_int_equal(network_times(&net, SPEC_ALL, net.kind[0]), 2);
    assert_int_equal(network_times(&net, 2, net.kind[0]), 1);
    assert_int_equal(network_times(&net, 2, net.kind[1]), 0);
    network_free(&net);
}

static void a_ratio_of_a_network_is_sum_over_sum(void **state)
{
    struct network net;
    struct options o;
    struct total t;
    char *words[] = { "ic8ih9oc8oh7kh3", "ic8ih9oc8oh9kh3ph1", "ic8ih9oc8oh7kh3" };
    load(&net, &o, words, 3);
    measure(&net, 0, 1, 4, 2); /* occurs twice */
    measure(&net, 1, 10, 5, NAN);
    network_total(&net, SPEC_ALL, &t);
    assert_int_equal(t.layers, 3);
    assert_int_equal(t.kinds, 2);
    near(t.time_ms, 12);
    near(t.gflops, 100);
    near(t.peak_fraction, 0.5);
    near(t.peer[0].ratio, (2 * 4 + 5) / 12.0);
    near(t.peer[0].geomean, cbrt(4 * 4 * 0.5));
    near(t.peer[0].worst, 0.5);
    assert_string_equal(t.peer[0].worst_name, "kind1");
    assert_int_equal(t.peer[1].layers, 2);
    near(t.peer[1].ratio, 2);
    network_total(&net, 1, &t);
    assert_int_equal(t.peer[1].layers, 0);
    assert_true(isnan(t.peer[1].ratio));
    near(t.peer[0].ratio, 0.5);
    network_free(&net);
}

static void peers_are_known_by_name(void **state)
{
    struct field field;
    struct failure f = { 0 };
    assert_int_equal(field_read("none", &field, &f), EXIT_FINE);
    assert_int_equal(field.count, 0);
    assert_int_equal(field_read("onednn,nobody", &field, &f), EXIT_USAGE);
    assert_non_null(strstr(f.text, "nobody is no peer"));
    assert_int_equal(field_read("one", &field, &f), EXIT_USAGE);
    assert_int_equal(field_read("", &field, &f), EXIT_USAGE);
}

static void intensity_counts_every_byte_once(void **state)
{
    struct convc_problem p;
    convc_problem_init(&p);
    p.n = 2, p.ic = 8, p.oc = 16, p.groups = 2;
    p.in[CONVC_H] = 5, p.in[CONVC_W] = 6;
    p.kernel[CONVC_H] = 3, p.kernel[CONVC_W] = 1;
    double flops = 2.0 * 2 * 16 * 4 * 3 * (3 * 6);
    double src = 2 * 8 * 30, wei = 16 * 4 * 3, dst = 2 * 16 * 18;
    near(roofline_intensity(&p), flops / (4 * (src + wei + dst)));
    p.residual = 1;
    near(roofline_intensity(&p), flops / (4 * (src + wei + 2 * dst)));
}

static void text_in_a_page_reads_as_itself(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    html_text(out, "<a b=\"c\"> & 'd'");
    fclose(out);
    assert_string_equal(text, "&lt;a b=&quot;c&quot;&gt; &amp; &#39;d&#39;");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_layers_are_one_kind_whatever_their_names),
        cmocka_unit_test(a_ratio_of_a_network_is_sum_over_sum),
        cmocka_unit_test(peers_are_known_by_name),
        cmocka_unit_test(intensity_counts_every_byte_once),
        cmocka_unit_test(text_in_a_page_reads_as_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
