#!/usr/bin/python3
"""What `convc compile --depfile` writes, read by the build systems that it is for.

    depfile.py CONVC

Make and Ninja compile again when a spec, or a module that it requires, has changed, and else not,
whatever stands in the paths; and what fails leaves nothing behind. Last line: "N passed, N failed".
"""
import os
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, run, scratch, write

CONVC = os.path.realpath(sys.argv[1])

SPEC = 'local channels = require("common")\n' \
       'return convc.conv { input = { 1, channels, 4, 5 }, out_channels = 4, kernel_size = 1 }\n'


def make_rules(command):
    """One rule for Make, which shells out; $ is doubled for Make, quotes are the shell's."""
    write("Makefile", "out/both.h: ; @echo compiled; " + command.replace("$", "$$") +
          "\n-include both.d\n")
    return ["make", "--no-print-directory", "out/both.h"]


def ninja_rules(command):
    write("build.ninja", f"rule convc\n  command = {command.replace('$', '$$')} && echo compiled\n"
          "  depfile = both.d\n  restat = 1\nbuild out/both.h out/libboth.a: convc\n")
    return ["ninja", "-v"]


def ninja_log_rules(command):
    rules = ninja_rules(command)
    write("build.ninja", open("build.ninja").read().replace("restat = 1", "deps = gcc"))
    return rules


def compiles(command):
    done = run(*command)
    return done.returncode == 0 and "compiled\n" in done.stdout, done.stdout + done.stderr


def touch_later(path):
    """As an editor would, but for the wait: file systems count less finely than programs run."""
    now = os.stat("out/both.h").st_mtime_ns
    os.utime(path, ns=(now + 10**9, now + 10**9))


def settle(command, files):
    """Brings it up to date, with everything in the past."""
    run(*command)
    past = os.stat("out/both.h").st_mtime_ns - 10**9
    for path in files:
        os.utime(path, ns=(past, past))
    run(*command)


def check_builds(name, rules, directory):
    one, two = f"{directory}/one.lua", f"{directory}/two.lua"
    module = f"{directory}/lib/common.lua"
    for spec in (one, two):
        write(spec, SPEC)
    write(module, "return 3\n")
    shutil.rmtree("out", ignore_errors=True)
    for old in ("both.d", ".ninja_log", ".ninja_deps"):
        if os.path.exists(old):
            os.remove(old)
    what = f"{name}, {directory}"
    command = rules(f"{CONVC} compile '{one}' '{two}' -o out --library both --target x86-64 "
                    "--depfile both.d")
    fact(f"{what}: compiles", *compiles(command))
    settle(command, (one, two, module))
    done, said = compiles(command)
    fact(f"{what}: is up to date", not done, said)
    for path in (one, two, module):
        touch_later(path)
        fact(f"{what}: compiles after a change of {path}", *compiles(command))
        settle(command, (one, two, module))
    os.remove(module)
    write(one, SPEC.replace('require("common")', "3"))
    write(two, SPEC.replace('require("common")', "3"))
    fact(f"{what}: compiles after the module is gone", *compiles(command))


# What has a meaning in rules. Ninja reads no quotes, stars and semicolons in depfiles.
DIRECTORIES = ["plain", "a blank", "two  blanks ", "a#hash", "a$dollar", "$(brackets)", "a:colon",
               "back\\slash", "back\\ blank", "per%cent", "ti~lde", "ünicode", "[square]", "a,b=c"]


def check_paths():
    systems = [("make", make_rules), ("ninja", ninja_rules), ("ninja", ninja_log_rules)]
    for program, rules in systems:
        if not shutil.which(program):
            print(f"{program} is not here")
            continue
        for directory in DIRECTORIES:
            # Make takes a(b) for a member of an archive, % for a pattern, = for an assignment.
            if program != "make" or not set(directory) & set("(%="):
                check_builds(rules.__name__, rules, directory)


def check_what_is_listed():
    write("listed/spec.lua", SPEC)
    write("listed/lib/common.lua", 'return require("deep/er")\n')
    write("listed/lib/deep/er.lua", "return 3\n")
    done = run(CONVC, "compile", "listed/spec.lua", "ic8ih9oc8kh3", "-o", "o ut", "--emit",
               "obj,lib", "--target", "x86-64", "--depfile", "listed.d")
    fact("compiles", done.returncode == 0, done.stderr)
    rule = open("listed.d").read().split("\n\n")
    fact("the depfile lists what was made and what was read", rule[0].split() == [
        "o\\", "ut/libspec.a", "\\", "o\\", "ut/spec.o", "\\", "o\\", "ut/libic8ih9oc8kh3.a", "\\",
        "o\\", "ut/ic8ih9oc8kh3.o:", "\\", "listed/spec.lua", "\\", "listed/lib/common.lua", "\\",
        "listed/lib/deep/er.lua"], rule[0])
    fact("rules without recipes follow", [r.strip() for r in rule[1:]] == [
        "listed/spec.lua:", "listed/lib/common.lua:", "listed/lib/deep/er.lua:"], str(rule[1:]))
    fact("standard output lists what was made", done.stdout.split("\n")[0] == "o ut/libspec.a")
    done = run(CONVC, "compile", "listed/spec.lua", "-o", "o//", "--emit", "header")
    fact("a slash behind the directory is none more in the paths", done.stdout == "o/spec.h\n",
         done.stdout)
    done = run(CONVC, "compile", "-", "-o", "o", "--depfile", "listed.d", input=SPEC.replace(
        'require("common")', "3"))
    fact("standard input is no file", open("listed.d").read() == "o/stdin.h \\\no/libstdin.a:\n",
         open("listed.d").read())


def refuses(code, words, *command):
    before = sorted(os.listdir("."))
    done = run(CONVC, "compile", *command)
    what = " ".join(command)
    fact(f"{what}: ends with {code}", done.returncode == code, done.stderr)
    fact(f"{what}: one sentence with {words}",
         words in done.stderr and done.stderr.count("\n") == 1 and not done.stdout, done.stderr)
    fact(f"{what}: leaves nothing behind", sorted(os.listdir(".")) == before)


def check_errors():
    write("spec.lua", SPEC.replace('require("common")', "3"))
    write("bad.lua", "return 3\n")
    write("broken\nline.lua", SPEC.replace('require("common")', "3"))
    os.makedirs("made", exist_ok=True)
    for spec, code, words, depfile in (
            ("spec.lua", 3, "cannot be written", "nowhere/x.d"),
            ("spec.lua", 2, "is a directory", "made"),
            ("spec.lua", 2, "--depfile needs the name of a file", ""),
            ("spec.lua", 2, "--depfile=made/spec.h is one of the files", "made/spec.h"),
            ("spec.lua", 2, "--depfile=./made//spec.h is one of the files", "./made//spec.h"),
            ("spec.lua", 2, "--depfile=./spec.lua is one of the files that are read", "./spec.lua"),
            ("broken\nline.lua", 2, "a line break", "x.d"),
            ("bad.lua", 2, "bad.lua", "x.d")):
        refuses(code, words, spec, "-o", "made", "--depfile", depfile)
        fact("nothing was made", not os.listdir("made"), str(os.listdir("made")))
    text = open("spec.lua").read()
    write("k.s", text.replace("input", 'name = "k", input'))
    refuses(2, "./k.s would replace a file that is read", "k.s", "-o", ".", "--emit", "asm")
    fact("specs are as they were", open("spec.lua").read() == text and "name" in open("k.s").read())
    # One file that cannot be written keeps the others from being replaced.
    run(CONVC, "compile", "spec.lua", "-o", "kept", "--target", "x86-64")
    before = open("kept/spec.h").read()
    os.remove("kept/libspec.a")
    os.makedirs("kept/libspec.a")
    refuses(2, "kept/libspec.a is a directory", "spec.lua", "-o", "kept", "--target", "x86-64-v3")
    fact("the header is as it was", open("kept/spec.h").read() == before)
    fact("no temporary file is left", sorted(os.listdir("kept")) == ["libspec.a", "spec.h"])
    for name in ("", ".hidden", "-o", "a/b", "a b", "x" * 65):
        refuses(2, "--library=", "spec.lua", "-o", "refused", f"--library={name}")


def check_one_library():
    write("a.lua", 'return convc.conv { name = "a", input = { 1, 3, 4, 5 }, out_channels = 4, '
          "kernel_size = 1 }\n")
    write("b.lua", open("a.lua").read().replace('"a"', '"b"'))
    write("deeper/a.lua", open("a.lua").read().replace('"a"', '"deeper"'))
    done = run(CONVC, "compile", "a.lua", "b.lua", "deeper/a.lua", "-o", "one", "--library",
               "all-3", "--target", "x86-64,x86-64-v3")
    fact("one library of three specs", sorted(os.listdir("one")) == ["all-3.h", "liball-3.a"],
         done.stderr)
    names = run("nm", "-g", "--defined-only", "--format=just-symbols", "one/liball-3.a").stdout
    fact("has all convolutions, and one selector", {"a", "b", "deeper", "all_3_use"} <= set(
        names.split()) and names.split().count("all_3_target") == 1, names)
    refuses(2, "both make a", "a.lua", "./a.lua", "-o", "refused", "--library", "twice")


with scratch():
    check_paths()
    check_what_is_listed()
    check_errors()
    check_one_library()
report()
