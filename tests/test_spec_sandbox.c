/* Hostile specs: each is refused soon, with one sentence, and takes no more memory than it may. */
#include "gen/spec/spec.h"
#include "tests/support/hostile.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static const struct hostile endless[] = {
    { "while true do end", ":1: runs for more than 10000000 instructions" },
    { "repeat until false", ":1: runs for more than 10000000 instructions" },
    { "::again:: goto again", ":1: runs for more than 10000000 instructions" },
    { "for i = 1, math.huge do end", ":1: runs for more than 10000000 instructions" },
    { "local i = 0\nfor k in function() i = i + 1 return i end do end",
      ":2: runs for more than 10000000 instructions" },
    { "local function f() return f() end\nf()", ":1: runs for more than 10000000 instructions" },
    { "table.sort({ 3, 2, 1 }, function() while true do end end)",
      ":1: runs for more than 10000000 instructions" },
    { "local t = {}\nfor i = 1, 1e5 do t[i] = i end\nwhile true do table.concat(t, '', 1, 9) end",
      ":3: runs for more than 10000000 instructions" },
    { "local t = {}\nwhile true do table.insert(t, 1, 1) end",
      ":2: runs for more than 10000000 instructions" },
    { "table.move({}, 1, math.maxinteger - 1, 2)", ":1: runs for more than 10000000 instructions" },
    { "table.move({}, 1, 1e15, 1, {})", ":1: runs for more than 10000000 instructions" },
    { "table.concat({ 1 }, '', 1, 0)\ntable.sort({ 1, 2, 3 }, function() return true end)\n"
      "while true do string.format('%99.99f', 1e308) end",
      ":3: runs for" },
    { "local t = {}\nfor i = 1, 900 do t[i] = i end\nwhile true do table.unpack(t) end",
      ":3: runs for" },
    { "local s = 'x'\nfor i = 1, 15 do s = s .. s end\nlocal a, b = s .. 'a', s .. 'b'\n"
      "while true do local c = a < b end",
      ":4: runs for" },
    { "local t = {}\nfor i = 1, 2^19 do t[i .. ''] = 1 end\nwhile true do for k in pairs(t) do end "
      "end",
      "" },
    { "while true do for k in pairs(math) do end end", "" },
};

static const struct hostile memory[] = {
    { "local t = {}\nwhile true do t[#t + 1] = {} end", "" },
    { "local t = {}\nfor i = 1, 1e9 do t[i] = i end", ": needs more than 64 MB of memory" },
    { "local s = 'x'\nwhile true do s = s .. s end", ": makes a string of more than 65536 bytes" },
    { "local t, s = {}, ''\nfor i = 1, 1e4 do s = s .. 'xxxx' t[i] = s end",
      ": needs more than 64 MB of memory" },
    { "local t = {}\nfor i = 1, 3e4 do t[i] = 'xx' end\nlocal s = table.concat(t)\n"
      "return table.concat({ s, s })",
      ": makes a string of more than 65536 bytes" },
    { "local t = {}\nfor i = 1, 1e7 do t[i .. 'k'] = function() return t end end", "" },
    { "local f = function(...) return select('#', ...) end\nlocal t = {}\n"
      "for i = 1, 999 do t[i] = i end\nlocal function g(n, ...) return g(n + 1, n, ...) end\n"
      "g(1)",
      "" },
    { "local function f() return 1 + f() end\nf()", ": needs more than 64 MB of memory" },
    { "local function f(t) return { f(t) } end\nf({})", ": needs more than 64 MB of memory" },
    { "local t = {}\nt.t = t\nreturn t", ": returns a table with fields" },
    { "local w = { 1 }\nfor i = 1, 40 do w = { w, w } end\n"
      "return convc.conv { input = { 1, 1, 8, 8 }, weights = w }",
      ":3: weights is nested more than 5 deep" },
    { "local r, w = 0\nfor i = 1, 4 do local n = {}\n"
      "for k = 1, 3000 do n[k] = i == 1 and 1 or w end w = n end\n"
      "return convc.conv { input = { 1, 3000, 8, 8 }, weights = w }",
      ":4: weights makes more than 4194304 values" },
    { "local t, w = {}, {}\nfor i = 1, 1000 do w[i] = { } for j = 1, 1000 do w[i][j] = 1 end end\n"
      "for i = 1, 99 do\nt[i] = convc.conv { input = { 1, 1, 2000, 2000 }, weights = w }\nend",
      "" },
    { "local t = {}\nwhile true do\nt[#t + 1] = convc.conv { input = { 1, 1, 1, 1 }, "
      "out_channels = 1, kernel_size = 1 }\nend",
      "" },
    { "local t = {}\nfor i = 1, 10001 do\nt[i] = convc.conv { input = { 1, 1, 1, 1 }, "
      "out_channels = 1, kernel_size = 1 }\nend\nreturn t",
      ": returns 10001 convolutions, more than 10000" },
    { "local c = convc.conv { input = { 1, 1, 1, 1 }, out_channels = 1, kernel_size = 1 }\n"
      "local t = {}\nfor i = 1, 1e5 do t[i] = c end\nreturn t",
      ": returns 100000 convolutions, more than 10000" },
};

/* Each names something that a spec must not reach. */
static const struct hostile escapes[] = {
    { "os.exit(1)", ":1: attempt to index a nil value (global 'os')" },
    { "os.execute('id')", ":1: attempt to index a nil value (global 'os')" },
    { "io.open('/etc/passwd')", ":1: attempt to index a nil value (global 'io')" },
    { "debug.getregistry()", ":1: attempt to index a nil value (global 'debug')" },
    { "package.loadlib('libc.so.6', 'system')",
      ":1: attempt to index a nil value (global 'package')" },
    { "coroutine.wrap(function() end)()", ":1: attempt to index a nil value (global 'coroutine')" },
    { "utf8.char(65)", ":1: attempt to index a nil value (global 'utf8')" },
    { "load('return 1')()", ":1: attempt to call a nil value (global 'load')" },
    { "loadstring('return 1')()", ":1: attempt to call a nil value (global 'loadstring')" },
    { "loadfile('/etc/passwd')", ":1: attempt to call a nil value (global 'loadfile')" },
    { "dofile('/etc/passwd')", ":1: attempt to call a nil value (global 'dofile')" },
    { "pcall(error)", ":1: attempt to call a nil value (global 'pcall')" },
    { "xpcall(error, error)", ":1: attempt to call a nil value (global 'xpcall')" },
    { "setmetatable({}, { __gc = error })",
      ":1: attempt to call a nil value (global 'setmetatable')" },
    { "getmetatable('').__index = nil", ":1: attempt to call a nil value (global 'getmetatable')" },
    { "rawset(math, 'pi', 3)", ":1: attempt to call a nil value (global 'rawset')" },
    { "rawget(math, 'pi')", ":1: attempt to call a nil value (global 'rawget')" },
    { "rawequal(1, 1)", ":1: attempt to call a nil value (global 'rawequal')" },
    { "rawlen({})", ":1: attempt to call a nil value (global 'rawlen')" },
    { "next({})", ":1: attempt to call a nil value (global 'next')" },
    { "print('x')", ":1: attempt to call a nil value (global 'print')" },
    { "warn('@on')", ":1: attempt to call a nil value (global 'warn')" },
    { "collectgarbage('stop')", ":1: attempt to call a nil value (global 'collectgarbage')" },
    { "_G.os.exit(1)", ":1: attempt to index a nil value (global '_G')" },
    { "_ENV.io.write('x')", ":1: attempt to index a nil value (global 'io')" },
    { "string.rep('x', 1e9)", ":1: attempt to call a nil value (field 'rep')" },
    { "string.dump(function() end)", ":1: attempt to call a nil value (field 'dump')" },
    { "string.find('aaa', '(a*)*b')", ":1: attempt to call a nil value (field 'find')" },
    { "string.gsub('a', 'a', 'b')", ":1: attempt to call a nil value (field 'gsub')" },
    { "string.pack('i16', 1)", ":1: attempt to call a nil value (field 'pack')" },
    { "('x'):rep(1e9)", ":1: attempt to index a string value" },
    { "local s = 'x' + 1", ":1: attempt to perform arithmetic on a string value" },
    { "string.format(('%s'), 1, 2)\nlocal f = '%s'\nfor i = 1, 9 do f = f .. f end\n"
      "string.format(f, table.unpack({}, 1, 600))",
      ":4: string.format: a format has at most 1000 characters" },
    { "\x1bLua\x54", ": is compiled Lua; only source text is read" },
    { "require 'os'", ":1: require(\"os\"): specs/lib has no os.lua" },
    { "require '.."
      "/secret'",
      ":1: require(\".."
      "/secret\"): a module of specs/lib is named" },
    { "require '/etc/passwd'", ":1: require(\"/etc/passwd\"): a module of specs/lib is named" },
    { "require 'a.b'", ":1: require(\"a.b\"): a module of specs/lib is named" },
    { "require 'a\\0b'", ":1: require(\"a\\x00b\"): a module of specs/lib is named" },
    { "convc.conv { input = { 1, 1, 1, 1 }, out_channels = 1, kernel_size = 1 }.x = 1", ":1: " },
    { "local c = convc.conv { input = { 1, 1, 1, 1 }, out_channels = 1, kernel_size = 1 }\n"
      "return c.__gc",
      ":2: attempt to index a convolution value (local 'c')" },
    { "local c = convc.conv { input = { 1, 1, 1, 1 }, out_channels = 1, kernel_size = 1 }\n"
      "return c()",
      ":2: attempt to call a convolution value (local 'c')" },
    { "error('\\27[2J\\7\\nforged.lua:1: all is well')",
      ":1: \\x1b[2J\\x07\\nforged.lua:1: all is well" },
    { "local s = 'x'\nfor i = 1, 15 do s = s .. s end\nerror(s)", ":3: xxxxxxxxxxxxxxxx" },
    { "error(function() end)", ":1: error(function) was called, without a sentence" },
    { "error('prelude:')", ":1: prelude:" },
    { "error('prelude:', 0)", ":1: prelude:" },
    { "local x <close> = 3", ":1: variable 'x' got a non-closable value" },
    { "math.random(0, 1 << 62, 3)", ":1: wrong number of arguments" },
    { "table.concat = nil\ntable.concat({})", ":2: attempt to call a nil value (field 'concat')" },
    { "convc.conv = nil\nreturn convc.conv { }", ":2: attempt to call a nil value (field 'conv')" },
};

static void endless_specs_end(void **state)
{
    (void)state;
    ASSERT_REFUSED(endless, CONVC_ERR_SPEC);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    ASSERT_REFUSED(memory, CONVC_ERR_SPEC);
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < hostile_growth_max_kb);
}

static void nothing_leads_out_of_the_sandbox(void **state)
{
    (void)state;
    ASSERT_REFUSED(escapes, CONVC_ERR_SPEC);
}

/* A text of nearly a megabyte: `head`, as many `piece` as fit, `tail`. */
static char *long_text(const char *head, const char *piece, const char *tail)
{
    const size_t size = (1 << 20) - 64;
    struct text t = { 0 };
    text_add(&t, "%s", head);
    for (size_t i = 0; t.size + strlen(piece) + strlen(tail) + 16 < size; i++) {
        text_append(&t, piece, strlen(piece));
        if (strchr(piece, '#')) /* a number of its own */
            t.size -= 1, text_add(&t, "%zu\n", i);
    }
    text_add(&t, "%s", tail);
    return text_take(&t);
}

static void texts_that_are_slow_to_parse_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head, *piece, *tail, *sentence;
    } texts[] = {
        { "return ", "(", "", ": C stack overflow" },
        { "return ", "{", "", ": C stack overflow" },
        { "return ", "- ", "1", ": C stack overflow" },
        { "x = ", "1 ..", "1", ": C stack overflow" },
        { "", "do ", "", ": C stack overflow" },
        { "", "f(function() ", "", ": C stack overflow" },
        { "if x then ", "elseif x then\n", "end", ":" },
        { "x = x", " and x", "", ":" },
        { "x = { ", "1,", "}", ": returns 0 values" },
        { "x = '", "xxxxxxxxxxxxxxxx", "'", ": makes a string of more than 65536 bytes" },
        { "--[[", "xxxxxxxxxxxxxxxx", "", ":1: " },
        { "", "x = y\n", "", ": returns 0 values" },
        { "", "local a\n", "", ":" },
        { "do ", "goto a ", "end ::a::", ":" },
        { "", "::a#", "::", ":" },
        { "::b:: ", "goto b ", "", ":" },
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = long_text(texts[i].head, texts[i].piece, texts[i].tail);
        assert_non_null(text);
        wrong += !hostile_refused(text, CONVC_ERR_SPEC, texts[i].sentence);
        free(text);
    }
    assert_int_equal(wrong, 0);
}

static void labels_and_gotos_are_refused_in_time(void **state)
{
    (void)state;
    /* Each goto searches all labels before it. */
    struct text t = { 0 };
    for (int i = 0; i < 32000; i++)
        text_add(&t, "::l%d::\n", i);
    while (t.size < (1 << 20) - 64)
        text_add(&t, "goto l31999\n");
    char *text = text_take(&t);
    assert_non_null(text);
    assert_true(hostile_refused(text, CONVC_ERR_SPEC, ":"));
    free(text);
}

static void a_module_that_requires_itself_is_refused(void **state)
{
    (void)state;
    struct test_dir dir;
    char path[600];
    test_dir_create(&dir);
    test_file_write(test_dir_path(&dir, "me.lua", path, sizeof path), "return require 'me'", 19);
    struct spec_source source = { .text = "require 'me'", .name = "evil.lua", .lib_dir = dir.path };
    struct spec spec;
    struct diag d = { 0 };
    assert_int_equal(spec_load(&source, &spec, &d), CONVC_ERR_SPEC);
    assert_string_equal(d.text, "evil.lua:1: require(\"me\"): the module requires itself");
    test_dir_remove(&dir);
}

static void every_run_is_the_same(void **state)
{
    (void)state;
    static const char *const text =
        "local list, t = {}, {}\n"
        "for i = 1, 20 do t['key' .. math.random(1000)] = i end\n"
        "for name in pairs(t) do list[#list + 1] = convc.conv { name = name .. '.' .. #list,\n"
        "  input = { 1, 1, 8, math.random(8, 99) }, out_channels = 1, kernel_size = 1 } end\n"
        "return list";
    struct spec_source source = { .text = text };
    struct spec first, second;
    struct diag d = { 0 };
    assert_int_equal(spec_load(&source, &first, &d), CONVC_OK);
    assert_int_equal(spec_load(&source, &second, &d), CONVC_OK);
    assert_int_equal(first.count, second.count);
    for (size_t i = 0; i < first.count; i++)
        assert_memory_equal(&first.convs[i].problem, &second.convs[i].problem,
                            sizeof first.convs[i].problem);
    spec_free(&first);
    spec_free(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(endless_specs_end),
        cmocka_unit_test(nothing_leads_out_of_the_sandbox),
        cmocka_unit_test(texts_that_are_slow_to_parse_are_refused),
        cmocka_unit_test(labels_and_gotos_are_refused_in_time),
        cmocka_unit_test(a_module_that_requires_itself_is_refused),
        cmocka_unit_test(every_run_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
