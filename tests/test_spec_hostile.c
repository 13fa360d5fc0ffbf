/* Functions of specs that loop, explode, nest, return nonsense or capture what they should not:
 * each is refused soon, in one sentence that names the file, the line and the field. */
#include "tests/support/hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "return convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3, padding = 1,\n "
#define COMBINE(body)  HEAD "combine = function(x, w) " body " end }"
#define REDUCE(body)   HEAD "reduce = { init = 0, fn = function(acc, t) " body " end } }"
#define EPILOGUE(body) HEAD "epilogue = function(acc, e) " body " end, args = { s = 'channel' } }"

/* What does not end, grows or nests. */
static const struct hostile endless[] = {
    { COMBINE("repeat local y = x + w until false"), ":2: combine: runs for" },
    { COMBINE("::a:: x = x + 0 goto a"), ":2: combine: more than " },
    { REDUCE("while acc do acc = acc + 0 end"), ":2: reduce: more than " },
    { EPILOGUE("local function f(n) return f(n - 1) end return f(1)"), ":2: epilogue: runs for" },
    { REDUCE("local function a(v) return b(v) end function b(v) return a(v) end return a(t)"),
      ":2: reduce: runs for" },
    { EPILOGUE("for i = 1, math.huge do acc = acc + e.s end return acc"),
      ":2: epilogue: more than " },
    { COMBINE("table.sort({ 3, 2, 1 }, function() while true do end end) return x"),
      ":2: combine: runs for" },
    { COMBINE("local t = {} for i = 1, 1e5 do t[i] = x end return convc.max(table.unpack(t))"),
      ":2: combine: table.unpack: more than 1000 values" },
    { REDUCE("for i = 1, 4000 do acc = acc * acc + t end return acc"), ":2: reduce: more than " },
    { EPILOGUE("for i = 1, 1e5 do acc = convc.exp(acc) end return acc"),
      ":2: epilogue: more than " },
    { COMBINE("local y = x for i = 1, 1e5 do y = y * w + i end return y"),
      ":2: combine: more than " },
    { REDUCE("for i = 1, 3000 do t = convc.where(convc.lt(t, acc), t * t, acc + t) end return t"),
      ":2: reduce: more than " },
    { COMBINE("local t, s = {}, 'a' for i = 1, 15 do s = s .. s end "
              "for i = 1, 1e9 do local big = s .. i t[i] = function() return big end end"),
      ":2: combine: needs more than 64 MB of memory" },
    { COMBINE("local s = '' for i = 1, 1e6 do s = s .. string.format('%99d', i) end"),
      ":2: combine: makes a string of more than 65536 bytes" },
    { COMBINE("local function f(...) return f(1, ...) end return f()"), ":2: combine: runs for" },
    { COMBINE("local function f(a) return (f(a)) end return f(x)"), ":2: combine: stack overflow" },
    { COMBINE("local function f() return { f() } end return f()"),
      ":2: combine: needs more than 64 MB of memory" },
    { REDUCE("while true do table.concat({ 1, 2 }) end"), ":2: reduce: runs for" },
    { REDUCE("while true do string.format('%99.99f', 1e308) end"), ":2: reduce: runs for" },
    { EPILOGUE("local t = {} for i = 1, 2^18 do t[i] = i end while true do for k in pairs(t) do "
               "end end"),
      ":2: epilogue: runs for" },
    { EPILOGUE("table.move({}, 1, 1e15, 1, {}) return acc"), ":2: epilogue: runs for" },
    { EPILOGUE("local t = {} while true do table.insert(t, 1, acc) end"),
      ":2: epilogue: runs for" },
    { EPILOGUE("while true do local y = math.abs(-1) end"), ":2: epilogue: runs for" },
    { EPILOGUE("while true do convc.param('A', 1) end"), ":2: epilogue: runs for" },
    { "for i = 1, 1e9 do convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3, "
      "padding = "
      "1,\n"
      " combine = function(x, w) for i = 1, 1e4 do x = x + i end return x end } end",
      ":2: combine: more than " },
};

/* Operands where they are none. */
static const struct hostile misused[] = {
    { EPILOGUE("for i = 1, acc do end return acc"),
      ":2: epilogue: bad 'for' limit (number expected, got symbol;" },
    { COMBINE("for i = x, 10 do end return x"),
      ":2: combine: bad 'for' initial value (number expected, got s" },
    { COMBINE("for i = 1, 10, w do end return x"),
      ":2: combine: bad 'for' step (number expected, got symbol; th" },
    { COMBINE("for k, v in pairs(x) do end return x"), ":2: combine: pairs: value 1 is no table" },
    { COMBINE("for i, v in ipairs(x) do end return x"), ":2: combine: an operand has no fields" },
    { COMBINE("for v in x do end return x"), ":2: combine: an operand is no function" },
    { COMBINE("table.sort({ 3, 2, 1 }, function(a, b) return x < w end) return x"),
      ":2: combine: Lua's < and > cannot be traced: write convc.lt(" },
    { COMBINE("table.sort({ x, w, x }) return x"),
      ":2: combine: Lua's < and > cannot be traced: write convc.lt(" },
    { COMBINE("return table.unpack({}, 1, x)"),
      ":2: combine: Lua's < and > cannot be traced: write convc.lt(" },
    { COMBINE("return select(x, 1, 2)"),
      ":2: combine: bad argument #1 to 'select' (number expected, g" },
    { COMBINE("table.concat({ x, w }, ',') return x"),
      ":2: combine: table.concat: a value is no string" },
    { COMBINE("return x ^ 17"), ":2: combine: pow takes a whole constant from -16 to 16 as it" },
    { COMBINE("return x ^ math.huge"),
      ":2: combine: pow takes a whole constant from -16 to 16 as it" },
    { COMBINE("return convc.conv { input = {1,1,1,1}, out_channels = 1, kernel_size = 1, combine = "
              "function(a, b) "
              "return a end }"),
      ":2: combine: convc.conv cannot be called in here" },
    { COMBINE("convc.param('Q', x) return x"),
      ":2: combine: convc.param: the default of Q, symbol, is neith" },
    { COMBINE("return x == w"), ":2: combine: Lua's == and ~= cannot be traced: write convc.e" },
    { REDUCE("return acc, t, 3 < t"),
      ":2: reduce: Lua's < and > cannot be traced: write convc.lt(a" },
    { REDUCE("return t == acc"), ":2: reduce: Lua's == and ~= cannot be traced: write convc.eq" },
    { COMBINE("local t = {} t[x] = w return t[x] + 1 .. w"),
      ":2: combine: .. makes no text of an operand" },
    { COMBINE("return ('a'):rep(x)"),
      ":2: combine: attempt to index a string value (constant 'a')" },
    { COMBINE("return string.format('%d', x)"),
      ":2: combine: bad argument #2 to 'format' (number expected, g" },
    { COMBINE("return string.format(x)"), ":2: combine: string.format: value 1 is no string" },
    { COMBINE("return math.max(x, w)"),
      ":2: combine: Lua's < and > cannot be traced: write convc.lt(" },
    { COMBINE("return math.min(1, x)"),
      ":2: combine: Lua's < and > cannot be traced: write convc.lt(" },
    { COMBINE("return math.fmod(x, 2)"),
      ":2: combine: bad argument #1 to 'fmod' (number expected, got" },
    { COMBINE("return math.ult(x, 1)"),
      ":2: combine: bad argument #1 to 'ult' (number expected, got" },
    { COMBINE("return math.random(x)"),
      ":2: combine: bad argument #1 to 'random' (number expected, g" },
    { COMBINE("return x & w"), ":2: combine: and takes a comparison as its operand 1, not a" },
    { COMBINE("return x | 1"), ":2: combine: or takes a comparison as its operand 1, not a n" },
    { COMBINE("return ~x"), ":2: combine: not takes a comparison as its operand 1, not a" },
    { COMBINE("return x >> w"), ":2: combine: Lua's >> cannot be traced: write a quotient, an" },
    { COMBINE("return 1 ~ x"), ":2: combine: Lua's ~ between two operands cannot be traced:" },
    { COMBINE("assert(x == w) return x"),
      ":2: combine: Lua's == and ~= cannot be traced: write convc.e" },
    { COMBINE("assert(nil, 'no')"), ":2: combine: no" },
    { COMBINE("return x[1]"), ":2: combine: an operand has no fields" },
    { COMBINE("return x:abs()"), ":2: combine: an operand has no fields" },
    { COMBINE("local a <close> = x return x"),
      ":2: combine: variable 'a' got a non-closable value" },
    { COMBINE("return getmetatable(x)"),
      ":2: combine: attempt to call a nil value (global 'getmetatab" },
    { COMBINE("return load('return 1')()"),
      ":2: combine: attempt to call a nil value (global 'load')" },
    { COMBINE("return os.time()"), ":2: combine: attempt to index a nil value (global 'os')" },
    { COMBINE("local y <const> = x; return y.a"), ":2: combine: an operand has no fields" },
    { COMBINE("return convc.abs()"), ":2: combine: abs takes 1 operand, not 0" },
    { COMBINE("return convc.abs(nil)"), ":2: combine: convc.abs is given nil, which is no number" },
    { COMBINE("return convc.abs('x')"),
      ":2: combine: convc.abs is given \"x\", which is no number" },
    { COMBINE("return convc.where(x)"), ":2: combine: where takes 3 operands, not 1" },
    { COMBINE("return convc.where(true, x, w)"),
      ":2: combine: convc.where is given true, which is no number" },
    { COMBINE("return convc.pow(x, 1.5)"),
      ":2: combine: pow takes a whole constant from -16 to 16 as it" },
    { COMBINE("return convc.pow(2, x)"),
      ":2: combine: pow takes a whole constant from -16 to 16 as it" },
    { COMBINE("return convc.relu({})"),
      ":2: combine: convc.relu is given {...}, which is no number" },
    { COMBINE("return convc.max(convc.lt(x, w), x)"),
      ":2: combine: max takes a number as its operand 1, not a comp" },
};

/* What is no expression. */
static const struct hostile nonsense[] = {
    { COMBINE("return 0/0"), ":2: combine: the function returns nan" },
    { COMBINE("return function(a, b) return a end"),
      ":2: combine: the function returns function, not an expressio" },
    { EPILOGUE("return convc.filters.sobel_x"),
      ":2: epilogue: the function returns {...}, not an expression" },
    { COMBINE("return true"), ":2: combine: the function returns true, not an expression of" },
    { COMBINE("return not x"), ":2: combine: the function returns false, not an expression o" },
    { COMBINE("return convc.lt"), ":2: combine: the function returns function, not an expressio" },
    { EPILOGUE("return e"), ":2: epilogue: the function returns {...}, not an expression" },
    { EPILOGUE("return e.s.s"), ":2: epilogue: an operand has no fields" },
    { EPILOGUE("return e.t"), ":2: epilogue: \"t\" is none of the args" },
    { EPILOGUE("return e[1]"), ":2: epilogue: 1 is none of the args" },
    { EPILOGUE("return e[acc]"), ":2: epilogue: symbol is none of the args" },
    { EPILOGUE("return e + acc"), ":2: epilogue: convc.add is given {...}, which is no number" },
    { EPILOGUE("return e()"), ":2: epilogue: attempt to call a table value (local 'e')" },
    { EPILOGUE("return e == acc"), ":2: epilogue: the function returns false, not an expression" },
    { EPILOGUE("return e.s < acc"),
      ":2: epilogue: Lua's < and > cannot be traced: write convc.lt" },
    { REDUCE("return convc.lt(acc, t)"),
      ":2: reduce: the function returns a comparison; convc.where m" },
    { COMBINE("local t = { [x] = 1 } return t[w]"),
      ":2: combine: the function returns nil, not an expression of" },
    { COMBINE("return string.format('%s', x)"),
      ":2: combine: the function returns \"symbol\", not an expressio" },
    { COMBINE("return tostring(x)"),
      ":2: combine: the function returns \"symbol\", not an expressio" },
    { COMBINE("return type(x)"), ":2: combine: the function returns \"userdata\", not an express" },
    { COMBINE("return math.tointeger(x)"),
      ":2: combine: the function returns nil, not an expression of" },
    { COMBINE("assert(false, x)"), ":2: combine: error(symbol) was called, without a sentence" },
    { COMBINE("error()"), ":2: combine: error(nil) was called, without a sentence" },
    { COMBINE("error(3)"), ":2: combine: error(3) was called, without a sentence" },
    { COMBINE("convc.abs = function() end return convc.abs(x)"),
      ":2: combine: the function returns nil, not an expression of" },
};

/* What is no function of these operands. */
static const struct hostile no_functions[] = {
    { HEAD "combine = math.max }", ":2: combine: Lua's < and > cannot be traced: write convc.lt(" },
    { HEAD "combine = convc.abs }", ":2: combine: abs takes 1 operand, not 2" },
    { HEAD "combine = convc.conv }", ":2: combine: convc.conv(symbol) takes one table of fields" },
    { HEAD "combine = error }", ":2: combine: bad argument #2 to 'error' (number expected, go" },
    { HEAD "combine = tostring }",
      ":2: combine: the function returns \"symbol\", not an expressio" },
    { HEAD "combine = select }", ":2: combine: bad argument #1 to 'select' (number expected, g" },
    { HEAD "epilogue = convc.relu }",
      ":2: epilogue: convc.relu is given {...}, which is no number" },
    { HEAD "epilogue = convc.param }",
      ":2: epilogue: convc.param(symbol): a parameter's name is a s" },
    { HEAD "epilogue = {} }", ":2: epilogue={...} is no function" },
    { HEAD "reduce = {} }", ":2: reduce.init=nil is no number" },
    { HEAD "reduce = { init = 'x', fn = function(a,t) return a end } }",
      ":2: reduce.init=\"x\" is no number" },
    { HEAD "reduce = { init = math.huge, fn = 3 } }", ":2: reduce.fn=3 is no function" },
    { HEAD "reduce = { fn = function(a,t) return a end } }", ":2: reduce.init=nil is no number" },
    { HEAD "reduce = {init = 0, fn = function(a,t) return b end } }",
      ":2: reduce: the function returns nil, not an expression of i" },
    { HEAD "combine = function(...) return select('#', ...) > 1 and ... end, epilogue = "
           "function(...) return "
           "(...)(1) end }",
      ":2: epilogue: an operand is no function" },
};

/* Operands that were kept, in another function, in another convolution, outside of all. */
static const struct hostile captured[] = {
    { "local k\n" HEAD
      "combine = function(x, w) k = x return x end, epilogue = function(acc) return acc + k end }",
      ":3: epilogue: convc.add is given an operand of another funct" },
    { "local k\n" HEAD
      "combine = function(x, w) k = k or x return k end, epilogue = function(acc) return k end }",
      ":3: epilogue: the function returns an operand of another fun" },
    { "local k\n"
      "local function c() return convc.conv { input = {1, 1, 4, 4}, out_channels = 1, kernel_size "
      "= 1,\n"
      "combine = function(x, w) k = k or x return k * w end } end\n"
      "return { c(), c() }",
      ":3: combine: convc.mul is given an operand of another functi" },
    { "local k\n"
      "local function c() return convc.conv { input = {1, 1, 4, 4}, out_channels = 1, kernel_size "
      "= 1,\n"
      "combine = function(x, w) k = k or { x } return k[1] * w end } end\n"
      "return { c(), c() }",
      ":3: combine: convc.mul is given an operand of another functi" },
    { "local k\n"
      "local function c() return convc.conv { input = {1, 1, 4, 4}, out_channels = 1, kernel_size "
      "= 1,\n"
      "epilogue = function(acc, e) k = k or e return acc * k.s end, args = { s = 'scalar' } } end\n"
      "return { c(), c() }",
      ":3: epilogue: convc.mul is given an operand of another funct" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.conv { input = {1,1,4,4}, out_channels = 1, kernel_size = 1, weights = { { k } } "
      "}",
      ":4: weights has symbol in it, which is no finite number" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.conv { input = {1,1,4,4}, out_channels = k, kernel_size = 1 }",
      ":4: out_channels=symbol is no integer" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.conv { input = {1,1,4,4}, out_channels = 1, kernel_size = 1, reduce = { init = k, "
      "fn = "
      "function(a, t) return a end } }",
      ":4: reduce.init=symbol is no number" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.conv { input = {1,1,4,4}, out_channels = 1, kernel_size = 1, name = k }",
      ":4: name=symbol is not 1 to 64 of A-Z a-z 0-9 _ . : - with n" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.conv { input = {1,1,4,4}, out_channels = 1, kernel_size = 1, padding_value = k, "
      "padding_mode = 'constant' }",
      ":4: padding_value=symbol is no number" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.conv { [k] = 1 }",
      ":4: the value 1 stands in no field" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.param('N', k)",
      ":4: convc.param: the default of N, symbol, is neither a numb" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and require(k)",
      ":4: require(symbol): a module of specs/lib is named by lette" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and k + 1",
      ":4: convc.add works on the operands of combine, reduce, window and" },
    { "local k\n" HEAD "combine = function(x, w) k = x return x end }\n"
      "and convc.conv { input = {1,1,4,4}, out_channels = 1, kernel_size = 1, combine = k }",
      ":4: combine=symbol is no function" },
};

static void what_does_not_end_is_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(endless, CONVC_ERR_SPEC);
}

static void operands_are_no_values_of_lua(void **state)
{
    (void)state;
    ASSERT_REFUSED(misused, CONVC_ERR_SPEC);
}

static void only_expressions_are_taken(void **state)
{
    (void)state;
    ASSERT_REFUSED(nonsense, CONVC_ERR_SPEC);
}

static void only_functions_of_the_operands_are_taken(void **state)
{
    (void)state;
    ASSERT_REFUSED(no_functions, CONVC_ERR_SPEC);
}

static void operands_belong_to_one_function(void **state)
{
    (void)state;
    ASSERT_REFUSED(captured, CONVC_ERR_SPEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_end_is_refused),
        cmocka_unit_test(operands_are_no_values_of_lua),
        cmocka_unit_test(only_expressions_are_taken),
        cmocka_unit_test(only_functions_of_the_operands_are_taken),
        cmocka_unit_test(operands_belong_to_one_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
