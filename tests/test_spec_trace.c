/* Functions in specs: what tracing makes of them, and what it refuses, soon and in one sentence. */
#include "gen/spec/spec.h"
#include "tests/support/hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SPEC(fields)                                                                               \
    "return convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3, padding = 1,"    \
    "\n " fields " }"

struct traced {
    const char *text, *additions; /* behind the padding of the problem's text */
};

static const struct traced functions[] = {
    { SPEC("combine = function(x, w) return x * w end"), "" },
    { SPEC("combine = function(x, w) return w * x end, reduce = 'sum'"), "" },
    { SPEC("reduce = { init = 0, fn = function(acc, t) return t + acc end }"), "" },
    { SPEC("combine = function(x, w) return convc.abs(x - w) end"),
      ";mode=constant;value=0;combine=abs(sub(x,w))" },
    { SPEC("combine = function(x, w) return (x - w)^2 end"),
      ";mode=constant;value=0;combine=mul(sub(x,w),sub(x,w))" },
    { SPEC("combine = function(x, w) return x - w end,"
           "reduce = { init = 0, fn = function(a, t) return a + t * t end }"),
      ";mode=constant;value=0;combine=mul(sub(x,w),sub(x,w))" },
    { SPEC("combine = function(x, w) return x + w end, reduce = 'max'"),
      ";mode=constant;value=0;combine=add(x,w);reduce=max" },
    { SPEC("combine = function(x, w) return x + w end, padding_mode = 'identity',"
           "reduce = { init = -math.huge, fn = function(a, t) return convc.max(a, t) end }"),
      ";mode=identity;combine=add(x,w);reduce=max" },
    { SPEC("combine = function(x, w) return x + w end, padding_mode = 'identity',"
           "reduce = { init = 0, fn = function(a, t) return convc.max(t, a) end }"),
      ";mode=identity;combine=add(x,w);reduce=max(acc,t)" },
    { SPEC("reduce = { init = 1, fn = function(a, t) return a * 0.5 + t end }"),
      ";mode=constant;value=0;combine=mul(x,w);reduce=add(t,mul(acc,0.5));init=1" },
    { SPEC("epilogue = function(acc, e) return convc.relu(acc * e.scale + e.shift) end,"
           "args = { shift = 'channel', scale = 'tensor' }"),
      ";epilogue=max(add(shift,mul(acc,scale)),0);args=scale:tensor,shift:channel" },
    { SPEC("epilogue = function(acc) return convc.where(convc.lt(acc, 0) & ~convc.eq(acc, -1) |"
           "convc.ge(acc, 5), -acc // 2, 1 / acc) end"),
      ";epilogue=where(or(le(5,acc),and(lt(acc,0),not(eq(acc,-1)))),floor(mul(acc,-0.5)),"
      "div(1,acc))" },
    { SPEC("epilogue = function(acc) return 3 end"), ";epilogue=3" },
    { SPEC("epilogue = function(acc) return convc.clamp(convc.tanh(acc), 0, convc.max(1, acc, 2))"
           " end"),
      ";epilogue=min(max(tanh(acc),0),max(max(1,acc),2))" },
};

static void functions_become_texts(void **state)
{
    static const char *const shape =
        "g1mb1ic6ih8iw8oc8oh8ow8kh3kw3sh1sw1dh0dw0ph1pw1"; /* of SPEC */
    (void)state;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct spec_source source = { .text = functions[i].text, .name = "good.lua" };
        struct spec spec;
        struct problem p;
        struct diag d = { 0 };
        struct text t = { 0 };
        if (spec_load(&source, &spec, &d) != CONVC_OK ||
            problem_resolve(&spec.convs[0].problem, &p, &d) != CONVC_OK)
            fail_msg("%s: %s", functions[i].text, d.text);
        problem_print(&p, &t);
        assert_int_equal(strncmp(t.data, shape, strlen(shape)), 0);
        assert_string_equal(t.data + strlen(shape), functions[i].additions);
        text_free(&t);
        spec_free(&spec);
    }
}

#define COMBINE(body) SPEC("combine = function(x, w) " body " end")
#define TOO_LARGE     "more than 1024 different operations and operands"

#define WINDOW(body)                                                                               \
    "local k\nreturn convc.conv { input = {1, 6, 8, 8}, kernel_size = 3, window = function(x, "    \
    "w) " body " end }"

static const struct hostile bad[] = {
    { COMBINE("return x < w"), ":2: combine: Lua's < and > cannot be traced: write convc.lt" },
    { COMBINE("return x > 1"), ":2: combine: Lua's < and > cannot be traced" },
    { COMBINE("return 1 <= x"), ":2: combine: Lua's <= and >= cannot be traced" },
    { COMBINE("if x == w then return x end"), ":2: combine: Lua's == and ~= cannot be" },
    { COMBINE("return x % 2"), ":2: combine: % cannot be traced" },
    { COMBINE("return x .. 'a'"), ":2: combine: .. makes no text of an operand" },
    { COMBINE("return #x"), ":2: combine: an operand has no length" },
    { COMBINE("return x.y"), ":2: combine: an operand has no fields" },
    { COMBINE("x.y = 1"), ":2: combine: an operand has no fields" },
    { COMBINE("return x(1)"), ":2: combine: an operand is no function" },
    { COMBINE("return x + nil"), ":2: combine: convc.add is given nil, which is no number" },
    { COMBINE("return x + '1'"), ":2: combine: convc.add is given \"1\", which is no number" },
    { COMBINE("return x * (0/0)"), ":2: combine: convc.mul is given nan" },
    { COMBINE("return x ^ 0.5"), ":2: combine: pow takes a whole constant from -16 to 16" },
    { COMBINE("return x ^ w"), ":2: combine: pow takes a whole constant from -16 to 16" },
    { COMBINE("return math.abs(x)"), ":2: combine: bad argument #1 to 'abs' (number "
                                     "expected, got symbol; the functions for "
                                     "it are convc.abs" },
    { COMBINE("return convc.where(x, w, 1)"),
      ":2: combine: where takes a comparison as its operand 1" },
    { COMBINE("return convc.lt(x, w) + 1"), ":2: combine: add takes a number as its operand 1" },
    { COMBINE("return convc.abs(x, w)"), ":2: combine: abs takes 1 operand, not 2" },
    { COMBINE("return convc.max(x)"), ":2: combine: max takes 2 to 8 operands, not 1" },
    { COMBINE("return convc.max(x,x,x,x,x,x,x,x,x)"),
      ":2: combine: convc.max takes at most 8 values" },
    { COMBINE("return convc.conv { }"), ":2: combine: convc.conv cannot be called in here" },
    { COMBINE("error('boo')"), ":2: combine: boo" },
    { COMBINE("error({})"), ":2: combine: error({...}) was called, without a sentence" },
    { COMBINE(""), ":2: combine: the function returns nil, not an expression" },
    { COMBINE("return 'x'"), ":2: combine: the function returns \"x\", not an expression" },
    { COMBINE("return '1'"), ":2: combine: the function returns \"1\", not an expression" },
    { COMBINE("error(x)"), ":2: combine: error(symbol) was called, without a sentence" },
    { COMBINE("return convc.conv(x)"), ":2: combine: convc.conv(symbol) takes one table" },
    { "local k\n" COMBINE("k = x return x") "\nand k", ": returns symbol, where a spec" },
    { "local k\n" COMBINE("k = x return x") "\nand { k }", ": value 1 of the list, symbol,"
                                                           " is no convolution" },
    { "local k\n" COMBINE(
          "k = x return x") "\nand convc.conv { input = k, out_channels = 1, kernel_size = 1 }",
      ":4: input=symbol " },
    { COMBINE("return {}"), ":2: combine: the function returns {...}, not an expression" },
    { COMBINE("return x, w, 1, nil end, reduce = function() return 1"),
      ":2: reduce=function is none of sum, max, min, prod" },
    { COMBINE("return convc.eq(x, w)"), ":2: combine: the function returns a comparison" },
    { COMBINE("k = x return x end, reduce = { init = 0, fn = function(a, t) return a + k end }, y ="
              "function()"),
      ":2: y is no field" },
    { COMBINE("k = x return x end, reduce = { init = 0, fn = function(a, t) return a + k end"
              " }, epilogue = function(acc) return acc"),
      ":2: reduce: convc.add is given an operand of another function" },
    { COMBINE("k = x return w") "\nreturn convc.abs(k)", ":3: " },
    { SPEC("padding = convc.abs(3)"),
      ":2: convc.abs works on the operands of combine, reduce, window and epilogue alone" },
    { SPEC("combine = 3"), ":2: combine=3 is no function" },
    { SPEC("reduce = 'foo'"), ":2: reduce=\"foo\" is none of sum, max, min, prod" },
    { SPEC("reduce = { init = 0 }"), ":2: reduce.fn=nil is no function" },
    { SPEC("reduce = { init = 0/0, fn = 1 }"), ":2: reduce.init=" },
    { SPEC("reduce = { init = 0, fm = 1 }"), ":2: reduce has \"fm\", where" },
    { SPEC("epilogue = function(acc, e) return e.scale end"),
      ":2: epilogue: \"scale\" is none of the args" },
    { SPEC("args = { a = 'row' }"), ":2: args.a=\"row\" is none of channel, tensor, scalar" },
    { SPEC("args = { ['a:scalar,b'] = 'row' }"), ":2: args: \"a:scalar,b\" is not 1 to 31" },
    { SPEC("args = { acc = 'scalar' }"), ":2: args: \"acc\" is not 1 to 31" },
    { SPEC("args = { 'scalar' }"), ":2: args: 1 is not 1 to 31" },
    { SPEC("args = { a='scalar', b='scalar', c='scalar', d='scalar', e='scalar', f='scalar',"
           "g='scalar', h='scalar', i='scalar' }"),
      ":2: args has more than 8" },

    /* Windows. */
    { "return convc.conv { input = {1, 6, 8, 8},\n window = function(x) return x(0, 0) end }",
      ":1: kernel_size is missing" },
    { "return convc.conv { input = {1, 6, 8, 8}, kernel_size = 300,\n"
      "padding = 200, window = function(x) return convc.median(convc.taps(x)) end }",
      ":2: window: more than 1024 different operations and operands" },
    { WINDOW("return x(3, 0)"),
      ":2: window: coordinate 1 of a tap of x is 3, where the kernel has 0 to 2" },
    { WINDOW("return x(0, 0) * w(0, -1)"),
      ":2: window: coordinate 2 of a tap of w is -1, where the kernel has 0 to 2" },
    { WINDOW("return x(1)"), ":2: window: x takes 2 coordinates, x(i,j), not 1" },
    { WINDOW("return x(0, 0, 0, 0)"), ":2: window: x takes 2 coordinates, x(i,j), not 4" },
    { WINDOW("return x(0, 0.5)"),
      ":2: window: coordinate 2 of a tap of x is 0.5, no whole number" },
    { WINDOW("return x(x(0, 0), 0)"),
      ":2: window: coordinate 1 of a tap of x is symbol, no whole number" },
    { WINDOW("return x + 1"),
      ":2: window: a window is no number: its taps are x(i, j), and convc.taps(x) lists "
      "them "
      "all" },
    { WINDOW("return convc.abs(x)"),
      ":2: window: convc.abs is given a whole window, not a tap of it" },
    { WINDOW("return x"),
      ":2: window: the function returns window, not an expression of its operands" },
    { WINDOW("return w(0, 0)"), ":2: window: the function reads no tap of x" },
    { WINDOW("return 3"), ":2: window: the function reads no tap of x" },
    { WINDOW("return convc.median(x)"), ":2: window: convc.median takes a list" },
    { WINDOW("return convc.median({})"), ":2: window: convc.median takes a list of 1 or more" },
    { WINDOW("return convc.rank(convc.taps(x), 10)"),
      ":2: window: convc.rank takes a list and a whole number from 1 to its length" },
    { WINDOW("return convc.taps(3)"),
      ":2: window: convc.taps is given 3, where it takes x or w of a window" },
    { WINDOW("k = x return x(0, 0) end, epilogue = function(acc) return acc + k(0, 0)"),
      ":2: epilogue: a call is given a window of another function" },
    { "return convc.conv { input = {1, 6, 8, 8}, weights = { { 1, 2 } },\n"
      "window = function(x) return x(0, 0) end }",
      ":1: weights are given, but the window reads no w" },
    { SPEC("window = 3"), ":2: window=3 is no function" },

    /* What does not end, or grows. */
    { COMBINE("while true do end"), ":2: combine: runs for more than 10000000 instructions" },
    { COMBINE("local function f() return f() end return f()"),
      ":2: combine: runs for more than 10000000 instructions" },
    { COMBINE("local function f(a) return 1 + f(a) end return f(x)"), "" },
    { COMBINE("local function f(a) return 1 + f(a + 1) end return f(x)"),
      ":2: combine: " TOO_LARGE },
    { COMBINE("for i = 1, 1e6 do x = x + w * i end return x"), ":2: combine: " TOO_LARGE },
    { COMBINE("for i = 1, 1e6 do x = x * x end return x"), ":2: combine: " TOO_LARGE },
    { COMBINE("for i = 1, 1e6 do local y = x + i end return x"),
      ":2: combine: more than 1024 different operations" },
    { COMBINE("for i = 1, 1e9 do local y = x + w end return x"), ":2: combine: runs for" },
    { COMBINE("local t, s = {}, 'a' for i = 1, 15 do s = s .. s end "
              "for i = 1, 1e9 do t[i] = s .. i end"),
      ":2: combine: needs more than" },
    { COMBINE("local s = 'a' while true do s = s .. s end"),
      ":2: combine: makes a string of more than" },
    { "local function f(x, w) return (x - w) ^ 16 end\nwhile true do\nconvc.conv { input = {1, 6, "
      "8, "
      "8}, out_channels = 8, kernel_size = 3, combine = f } end",
      ":" },
};

/* What does not go together. */
static const struct hostile contrary[] = {
    { SPEC("epilogue = function(acc) return acc end, bias = true"),
      ":2: epilogue takes the place of bias, residual and activation: bias" },
    { SPEC("args = { a = 'scalar' }"), ":2: args are for an epilogue, and there is none" },
    { WINDOW("return x(0, 0) end, combine = function(x, w) return x"),
      ":2: window takes the place of combine and reduce: combine cannot be given too" },
    { WINDOW("return x(0, 0) end, padding_mode = 'identity', flip = false, activation = nil and "
             "function()"),
      ":2: padding_mode=identity leaves out taps, and a window has them all" },
};

/* What has no shape. */
static const struct hostile misshapen[] = {
    { SPEC("window = function(x) return x(0, 0) end"),
      ":1: groups=6 does not divide out_channels=8" },
    { "return convc.conv { input = {1, 6, 8, 8}, groups = 2, kernel_size = 3,\n"
      "window = function(x) return x(0, 0) end }",
      ":1: groups=2 must be in_channels=6, a window being one channel's" },
    { "return convc.conv { input = {1, 6, 8, 8}, kernel_size = 300,\n"
      "padding = 200, window = function(x) return x(0, 0) end }",
      ":1: kernel_size makes a window of 90000 taps, more than 65536" },
    { "return convc.conv { input = {1, 6, 8, 8}, kernel_size = 2147483647,\n"
      "padding = 2147483647, window = function(x) return x(0, 0) end }",
      ":1: kernel_size makes a window of more than 65536 taps" },
};

static void bad_functions_are_refused_soon(void **state)
{
    (void)state;
    ASSERT_REFUSED(bad, CONVC_ERR_SPEC);
    ASSERT_REFUSED(contrary, CONVC_ERR_ARGUMENT);
    ASSERT_REFUSED(misshapen, CONVC_ERR_SHAPE);
}

/* The texts are the spec's, not Lua's. */
static void texts_outlive_lua(void **state)
{
    struct spec_source source = {
        .text = "local list = {}\nfor i = 1, 50 do list[i] = convc.conv { input = {1, 1, 4}, "
                "out_channels = 1, kernel_size = 1, combine = function(x, w) return x * w + i end }"
                " end\nreturn list",
        .name = "many.lua"
    };
    struct spec spec;
    struct diag d = { 0 };
    (void)state;
    assert_int_equal(spec_load(&source, &spec, &d), CONVC_OK);
    for (int i = 0; i < 50; i++) {
        char want[64];
        snprintf(want, sizeof want, "add(mul(x,w),%d)", i + 1);
        assert_string_equal(spec.convs[i].problem.combine, want);
    }
    spec_free(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_become_texts),
        cmocka_unit_test(bad_functions_are_refused_soon),
        cmocka_unit_test(texts_outlive_lua),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
