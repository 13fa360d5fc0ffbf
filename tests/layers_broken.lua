-- What the self-test of layers.lua feeds to the laws: a small tree that keeps them all, and changes
-- to it, each of which breaks the law that it names.

local long_function = "int f(void)\n{\n" .. ("    g();\n"):rep(79) .. "}\n"

local good = {
    ["README.md"] = "See [the language](specs/README.md).\n",
    ["specs/README.md"] = "Back to ../README.md\n",
    ["runtime/include/convc/types.h"] = "#include <stdint.h>\n",
    ["runtime/include/convc/convc.h"] = "#include <convc/types.h>\n",
    ["gen/base/diag.h"] = "#include <convc/types.h>\n",
    ["gen/base/diag.c"] = '#include "gen/base/diag.h"\n\n#include <stdio.h>\n',
    ["gen/plan/plan.h"] = '#include "gen/base/diag.h"\n',
    ["gen/plan/plan_direct.h"] = '#include "gen/plan/plan.h"\n',
    ["gen/plan/plan_fft.h"] = '#include "gen/plan/plan.h"\n',
    ["gen/spec/spec.h"] = '#include "gen/base/diag.h"\n#include <lua.h>\n',
    ["gen/emit/em.h"] = '#include "gen/plan/plan.h"\n#include <llvm-c/Core.h>\n',
    ["runtime/context.h"] = '#include "gen/spec/spec.h"\n',
    ["runtime/api_spec.c"] = '#include "runtime/context.h"\n#include <convc/convc.h>\n',
    ["runtime/cli/args.h"] = "#include <stdbool.h>\n",
    ["runtime/cli/main.c"] = '#include "runtime/cli/args.h"\n#include <convc/convc.h>\n',
    ["tests/test_plan.c"] = '#include "gen/plan/plan.h"\n#include <cmocka.h>\n',
}

local bad = {
    { "includes_are_rooted", "gen/plan/plan.h", '#include "plan_fft.h"\n' },
    { "includes_are_rooted", "tests/test_plan.c", '#include "../gen/plan/plan.h"\n' },
    { "own_header_comes_first", "gen/base/diag.c",
        '#include <stdio.h>\n#include "gen/base/diag.h"\n' },
    { "every_module_has_a_place", "gen/misc/misc.h", "" },
    { "every_module_has_a_place", "runtime/misc.c", "" },
    { "includes_come_from_the_left", "gen/base/diag.h", '#include "gen/plan/plan.h"\n' },
    { "includes_come_from_the_left", "gen/plan/plan.h", '#include "gen/spec/spec.h"\n' },
    { "includes_come_from_the_left", "runtime/jit.h", '#include "runtime/context.h"\n' },
    { "includes_come_from_the_left", "runtime/context.h", '#include "tests/test_plan.c"\n' },
    { "includes_form_no_circle", "gen/plan/plan.h", '#include "gen/plan/plan_fft.h"\n' },
    { "siblings_do_not_know_each_other", "gen/plan/plan_fft.c",
        '#include "gen/plan/plan_fft.h"\n#include "gen/plan/plan_direct.h"\n' },
    { "foreign_headers_stay_with_their_owners", "gen/plan/plan.h", "#include <lua.h>\n" },
    { "foreign_headers_stay_with_their_owners", "gen/plan/plan.h", "#include <llvm-c/Core.h>\n" },
    { "foreign_headers_stay_with_their_owners", "runtime/context.h", "#include <sqlite3.h>\n" },
    { "foreign_headers_stay_with_their_owners", "runtime/tune.h", "#  include <zlib.h>\n" },
    { "foreign_headers_stay_with_their_owners", "runtime/kernel.c",
        '#include "gen/spec/spec.h"\n' },
    { "public_headers_need_only_libc", "runtime/include/convc/types.h", "#include <lua.h>\n" },
    { "public_headers_need_only_libc", "runtime/include/convc/types.h",
        '#include "gen/base/diag.h"\n' },
    { "the_command_line_sees_only_the_public_headers", "runtime/cli/main.c",
        '#include "gen/base/diag.h"\n' },
    { "the_compiler_does_not_know_the_runtime_interface", "gen/plan/plan.h",
        "#include <convc/convc.h>\n" },
    { "files_are_short", "gen/base/diag.c", ("\n"):rep(501) },
    { "functions_are_short", "gen/base/diag.c", long_function },
    { "lines_are_narrow", "gen/base/diag.c", ("ä"):rep(101) .. "\n" },
    { "text_points_at_nothing_outside", "README.md", "See PLANS.md\n" },
    { "text_points_at_nothing_outside", "gen/base/diag.h", "/* see ../elsewhere/notes */\n" },
    { "text_points_at_nothing_outside", "specs/README.md", "See ../../README.md\n" },
    { "the_top_level_holds_only_what_belongs_there", "notes.txt", "" },
}

return { good, bad }
