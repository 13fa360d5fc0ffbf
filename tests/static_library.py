#!/usr/bin/python3
"""Static kernels as other people use them: a header and a library, and nothing of convc's.

    static_library.py CONVC

Builds a C99 and a C++ program against what `convc compile` wrote, runs them on the tensors that
`convc run` ran on, and compares the results; looks at what the libraries need, at names, at errors,
and that the bytes depend on nothing but the spec. Last line: "N passed, N failed".
"""
import os
import sys

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, run, scratch

CONVC = os.path.realpath(sys.argv[1])
DRIVER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "support", "static_driver.c")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def compile_spec(*words, **options):
    return run(CONVC, "compile", *words, **options)


# Shapes of every kind: dense, depthwise, groups, Winograd, borders, strides, layouts, 1 to 3 axes.
SPECS = {
    "dense": "input = { 1, 20, 9, 11 }, out_channels = 33, kernel_size = 3, padding = 1, "
             "bias = true, activation = 'relu', tolerance = 0",
    "winograd": "input = { 1, 32, 16, 16 }, out_channels = 40, kernel_size = 3, padding = 1, "
                "residual = true",
    "depthwise": "input = { 1, 24, 14, 14 }, out_channels = 24, groups = 24, kernel_size = 5, "
                 "padding = 'same', stride = 2, bias = true, residual = true",
    "grouped": "input = { 1, 16, 8, 8 }, out_channels = 16, groups = 4, kernel_size = 3",
    "first": "input = { 1, 3, 17, 19 }, out_channels = 8, kernel_size = 3, layout = 'nchw', "
             "padding = 2, padding_mode = 'reflect', dilation = 2",
    "pointwise": "input = { 1, 64, 7, 7 }, out_channels = 130, kernel_size = 1",
    "line": "input = { 1, 5, 100 }, out_channels = 6, kernel_size = 9, flip = true",
    "volume": "input = { 1, 4, 5, 6, 7 }, out_channels = 8, kernel_size = { 2, 3, 3 }, "
              "activation = 'silu'",
    "wide": "input = { 1, 6, 12, 12 }, out_channels = 7, kernel_size = 7, padding = 3, "
            "padding_mode = 'circular'",
    "picture": "input = { 1, 1, 20, 23 }, out_channels = 1, kernel_size = 3, padding = 1, "
               "padding_mode = 'replicate', dtype = { src = 'u8', dst = 's16' }, residual = true, "
               "bias = true",
    "functions": "input = { 1, 6, 9, 11 }, out_channels = 7, kernel_size = 3, "
                 "epilogue = function(acc) return convc.floor(acc) + convc.ceil(acc * 3) + "
                 "convc.sqrt(convc.abs(acc)) + convc.exp(-convc.abs(acc)) + convc.tanh(acc) + "
                 "convc.log(1 + convc.abs(acc)) + convc.sigmoid(acc) + convc.min(acc, 1) / 3 + "
                 "convc.where(convc.lt(acc, 0), acc, convc.max(acc, 2)) end",
    "constant": "input = { 1, 2, 20, 23 }, weights = { { 1, 2, 0 }, { 0, -1, 3 }, { 5, 0, 1 } }, "
                "padding = 1, padding_mode = 'symmetric'",
}


def write_spec(name, fields):
    with open(f"{name}.lua", "w") as f:
        f.write(f'return convc.conv {{ name = "{name}", {fields} }}\n')


def reference(name, fields):
    """Tensors and the result of convc run, in the layout of memory."""
    rng = np.random.default_rng(len(name))
    told = run(CONVC, "explain", f"{name}.lua", "--show", "problem").stdout
    shape = {w[0]: [int(n) for n in w[1:] if n != "x"]
             for w in (line.split() for line in told.splitlines())
             if w and w[0] in ("src", "wei", "dst")}
    picture = "u8" in fields
    tensor = {"src": rng.integers(0, 256, shape["src"], dtype=np.uint8) if picture
              else rng.standard_normal(shape["src"], dtype=np.float32),
              "wei": rng.standard_normal(shape["wei"], dtype=np.float32),
              "bias": rng.standard_normal(shape["dst"][1], dtype=np.float32),
              "residual": rng.integers(-99, 99, shape["dst"], dtype=np.int16) if picture
              else rng.standard_normal(shape["dst"], dtype=np.float32)}
    words = []
    for what, option, used in (("src", "--input", True),
                               ("wei", "--weights", "weights" not in fields),
                               ("bias", "--bias", "bias" in fields),
                               ("residual", "--residual", "residual" in fields)):
        np.save(f"{what}.npy", tensor[what])
        words += [option, f"{what}.npy"] if used else []
    done = run(CONVC, "run", f"{name}.lua", "--no-timing", "--output", "dst.npy", *words)
    assert done.returncode == 0, done.stderr
    first = "nchw" in fields
    for what in ("src", "residual"):
        if not first:
            tensor[what] = np.moveaxis(tensor[what], 1, -1)
    for what, values in tensor.items():
        np.ascontiguousarray(values).tofile(f"{what}.bin")
    dst = np.load("dst.npy")
    return dst, first


def agree(name, dst, first, target):
    got = np.fromfile("dst.bin", dtype=dst.dtype)
    shape = dst.shape if first else (dst.shape[0], *dst.shape[2:], dst.shape[1])
    got = got.reshape(shape)
    if not first:
        got = np.moveaxis(got, -1, 1)
    worst = np.abs(got.astype(float) - dst).max() / np.abs(dst).max()
    fact(f"{name} for {target} computes what convc run computes", worst < 3e-5, f"off by {worst}")


def build_and_run(name, fields, dst, first, target):
    out = f"{name}.{target}"
    done = compile_spec(f"{name}.lua", "-o", out, "--target", target)
    fact(f"{name} compiles for {target}", done.returncode == 0, done.stderr)
    flags = [f'-DHEADER="{out}/{name}.h"', f"-DNAME={name}", "-I."]
    flags += ["-DSRC_TYPE=uint8_t", "-DDST_TYPE=int16_t"] if "u8" in fields else []
    flags += ["-DCONSTANT"] if "weights" in fields else []
    flags += ["-DBIAS"] if "bias" in fields else []
    flags += ["-DRESIDUAL"] if "residual" in fields else []
    for compiler in (["gcc", "-std=c99"], ["g++", "-std=c++11", "-x", "c++"]):
        built = run(*compiler, *WARNINGS, *flags, DRIVER, "-x", "none", f"{out}/lib{name}.a",
                    "-o", "driver")
        fact(f"{name} builds with {compiler[0]}", built.returncode == 0, built.stderr)
        if os.path.exists("dst.bin"):
            os.remove("dst.bin")
        ran = run("./driver", "src.bin", "wei.bin", "bias.bin", "residual.bin", "dst.bin")
        fact(f"{name} runs, built with {compiler[0]}", ran.returncode == 0, ran.stderr)
        if ran.returncode == 0:
            agree(name, dst, first, target)


def needs(library):
    """Symbols that the whole library leaves open."""
    run("ld", "-r", "-o", "whole.o", "--whole-archive", library)
    return set(run("nm", "-u", "--format=just-symbols", "whole.o").stdout.split())


def check_kernels():
    native = [t for t in ("x86-64", "x86-64-v3", "x86-64-v4")
              if run(CONVC, "run", "ic8ih9oc8kh3", "--no-timing", "--target", t).returncode == 0]
    for name, fields in SPECS.items():
        write_spec(name, fields)
        dst, first = reference(name, fields)
        for target in native:
            build_and_run(name, fields, dst, first, target)
            open_symbols = needs(f"{name}.{target}/lib{name}.a")
            fact(f"{name} for {target} needs no other code", open_symbols <= {"memcpy", "memset"},
                 str(open_symbols))


def check_links_without_a_c_library():
    with open("bare.c", "w") as f:
        f.write('#include "dense.x86-64/dense.h"\n'
                "static float src[dense_SRC_ELEMENTS], dst[dense_DST_ELEMENTS];\n"
                "static float wei[dense_WEIGHTS], bias[dense_CHANNELS];\n"
                "static unsigned char packed[dense_PACKED_BYTES] __attribute__((aligned(64)));\n"
                "__attribute__((force_align_arg_pointer)) void _start(void)\n{\n"
                "    for (int i = 0; i < dense_SRC_ELEMENTS; i++) src[i] = 1;\n"
                "    for (int i = 0; i < dense_WEIGHTS; i++) wei[i] = 2;\n"
                "    dense_pack(wei, packed);\n"
                "    dense(src, packed, bias, dst, 0, 1);\n"
                "    long code = dst[dense_CHANNELS * 15] == 2 * 20 * 9 ? 0 : 1;\n"
                '    __asm__ volatile("syscall" : : "a"(60L), "D"(code));\n}\n')
    built = run("gcc", "-O1", "-ffreestanding", "-nostdlib", "-static", "-fno-stack-protector",
                "-fno-pie", "-no-pie", "-I.", "bare.c", "dense.x86-64/libdense.a", "-o", "bare")
    fact("links without a C library", built.returncode == 0, built.stderr)
    fact("runs without a C library", run("./bare").returncode == 0)


def check_many_link_together():
    with open("both.c", "w") as f:
        f.write('#include "a/dense.h"\n#include "b/dense.h"\n#include "c/pointwise.h"\n'
                "int main(void) { return a_dense_items(0, 1) != b_dense_items(0, 1); }\n")
    for prefix, spec in (("a", "dense"), ("b", "dense"), ("c", "pointwise")):
        compile_spec(f"{spec}.lua", "-o", prefix, "--prefix", f"{prefix}_", "--emit", "header,lib")
    built = run("gcc", *WARNINGS, "-I.", "both.c", "a/libdense.a", "b/libdense.a",
                "c/libpointwise.a", "-o", "both")
    fact("libraries link together", built.returncode == 0, built.stderr)


def check_hidden():
    compile_spec("dense.lua", "-o", "hidden", "--hidden", "--target", "x86-64")
    run("gcc", "-shared", "-o", "hidden.so", "-nostdlib", "-Wl,--whole-archive", "hidden/libdense.a")
    fact("hidden names are not exported", "dense" not in run("nm", "-D", "hidden.so").stdout)
    run("gcc", "-shared", "-o", "shown.so", "-nostdlib", "-Wl,--whole-archive",
        "dense.x86-64/libdense.a")
    shown = run("nm", "-D", "--defined-only", "--format=just-symbols", "shown.so").stdout.split()
    fact("the others are, but for the kernel itself",
         sorted(shown) == ["dense", "dense_items", "dense_pack", "dense_range"], str(shown))


def contents(directory):
    return {f: open(os.path.join(directory, f), "rb").read() for f in os.listdir(directory)}


def check_repeatable():
    everything = "obj,asm,ir,bc,header,lib"
    specs = [os.path.abspath(f"{name}.lua") for name in SPECS]
    os.makedirs("elsewhere", exist_ok=True)
    circumstances = {
        "plain": {},
        "elsewhere": {"cwd": "elsewhere"},
        "time zone": {"env": {**os.environ, "TZ": "Pacific/Auckland"}},
        "locale": {"env": {**os.environ, "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}},
        "no home": {"env": {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}},
        "umask": {"umask": 0o077},
    }
    seen = {}
    for name, options in circumstances.items():
        out = os.path.abspath("repeat." + name.replace(" ", "_"))
        done = compile_spec(*specs, "-o", out, "--emit", everything, "--target", "x86-64-v3",
                            **options)
        fact(f"compiles, {name}", done.returncode == 0, done.stderr)
        seen[name] = contents(out)
    fact("all is written", len(seen["plain"]) == len(SPECS) * 6, str(sorted(seen["plain"])))
    for name, files in seen.items():
        fact(f"the same bytes, {name}", files == seen["plain"])


def check_archive():
    members = run("ar", "t", "repeat.plain/libdense.a").stdout.split()
    fact("ar reads the library", members == ["dense.o"], str(members))
    long_name = "a_name_that_is_longer_than_fifteen_letters"
    write_spec("long", "input = { 1, 3, 4, 5 }, out_channels = 4, kernel_size = 1")
    text = open("long.lua").read().replace('"long"', f'"{long_name}"')
    text = text.replace("return", "local a =") + text.replace(long_name, "little") \
        .replace("return", "local b =") + "return { a, b }\n"
    open("long.lua", "w").write(text)
    compile_spec("long.lua", "-o", "long", "--emit", "lib,obj")
    members = run("ar", "t", "long/liblong.a").stdout.split()
    fact("long names", members == [f"{long_name}.o", "little.o"], str(members))
    os.makedirs("taken", exist_ok=True)
    run("ar", "x", os.path.abspath("long/liblong.a"), cwd="taken")
    fact("members are the objects", contents("taken") == {
        f: b for f, b in contents("long").items() if f.endswith(".o")})


def refuses(code, words, *command):
    done = compile_spec(*command)
    fact(f"{' '.join(command)}: ends with {code}", done.returncode == code, done.stderr)
    fact(f"{' '.join(command)}: one sentence with {words}",
         words in done.stderr and done.stderr.count("\n") == 1 and not done.stdout, done.stderr)


def check_errors():
    with open("clash.lua", "w") as f:
        f.write('local function one(n) return convc.conv { name = n, input = { 1, 3, 4, 5 },\n'
                "    out_channels = 4, kernel_size = 1 } end\n"
                'return { one("a.b"), one("a:b") }\n')
    with open("suffix.lua", "w") as f:
        f.write(open("clash.lua").read().replace("a.b", "a").replace("a:b", "a_pack"))
    refuses(2, "needs a spec", "-o", "refused")
    refuses(2, "needs a directory", "dense.lua")
    refuses(2, "--emit=obj,elf", "dense.lua", "-o", "refused", "--emit", "obj,elf")
    refuses(2, "both make a_b", "clash.lua", "-o", "refused")
    refuses(2, "both make a_pack", "suffix.lua", "-o", "refused")
    refuses(2, "two specs or convolutions make", "dense.lua", "./dense.lua", "-o", "refused")
    refuses(2, "vax-dec-ultrix", "dense.lua", "-o", "refused", "--target", "vax-dec-ultrix:vax")
    refuses(2, "none that convc knows", "dense.lua", "-o", "refused", "--target", "pentium9")
    refuses(2, "lacks +m", "dense.lua", "-o", "refused", "--target",
            "riscv64-unknown-elf:generic-rv64")
    refuses(2, "lacks +neon", "dense.lua", "-o", "refused", "--target",
            "aarch64-unknown-none-elf:generic-neon")
    refuses(2, "tile=99x99x99", "dense.lua", "-o", "refused", "--plan", "direct tile=99x99x99")
    refuses(2, "--optimize=fast", "dense.lua", "-o", "refused", "--optimize", "fast")
    refuses(2, "tuned.db: No such file", "dense.lua", "-o", "refused", "--db", "tuned.db")
    refuses(2, "listed twice", "dense.lua", "-o", "refused", "--target", "x86-64,x86-64")
    refuses(2, "of two kinds", "dense.lua", "-o", "refused", "--target",
            "x86_64-pc-linux-gnu:x86-64,aarch64-unknown-linux-gnu:generic")
    for triple, cpus in (("riscv64-unknown-linux-gnu", ("sifive-u74", "sifive-x280")),
                         ("wasm32-unknown-unknown", ("generic", "bleeding-edge")),
                         ("arm64-apple-darwin", ("generic", "apple-m1")),
                         ("aarch64-pc-windows-elf", ("generic", "neoverse-n1"))):
        refuses(2, "several CPUs in one library must be of", "dense.lua", "-o", "refused",
                "--target", ",".join(f"{triple}:{cpu}" for cpu in cpus))
    with open("window.lua", "w") as f:
        f.write(open("clash.lua").read().replace("a.b", "one").replace('one("a:b")',
                'convc.conv { name = "two", input = { 1, 1, 8, 8 }, kernel_size = 3,\n'
                "    window = function(x, w) return x(0, 0) * w(1, 1) end }"))
    for words in [], ["--library", "all"]:
        refuses(2, "convc: window.lua: two: no algorithm takes this window: stencil needs constant "
                "weights", "dense.lua", "window.lua", "-o", "refused", *words)
    fact("nothing was written", not os.path.exists("refused"))
    open("file", "w").close()
    refuses(3, "cannot be made", "dense.lua", "-o", "file/below")
    refuses(3, "cannot be written", "dense.lua", "-o", "/proc/self")


with scratch():
    check_kernels()
    check_links_without_a_c_library()
    check_many_link_together()
    check_hidden()
    check_repeatable()
    check_archive()
    check_errors()
report()
