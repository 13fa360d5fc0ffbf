#!/usr/bin/python3
"""Static kernels need nothing: what their libraries leave open, and programs without a C library.

    freestanding.py CONVC

The libraries of specs/, for machines of every kind, leave at most memcpy and memset open. C and C++
programs of a header, a library and two system calls compute what `convc run` computes. Last line:
"N passed, N failed".
"""
import glob
import os
import shutil
import sys

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, run, scratch

CONVC = os.path.realpath(sys.argv[1])
SPECS = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "specs")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


# ---- what libraries leave open -------------------------------------------------------------------

NM = shutil.which("llvm-nm-19") or shutil.which("/usr/lib/llvm-19/bin/llvm-nm")
TARGETS = ["x86-64,x86-64-v3,x86-64-v4", "aarch64-unknown-linux-gnu:generic",
           "riscv64-unknown-none-elf:generic-rv64+m+a+f+d+c",
           "wasm32-unknown-unknown:generic+simd128"]

# What every wasm linker gives, beside the two functions that are allowed.
ALLOWED = {"memcpy", "memset", "__linear_memory", "__stack_pointer", "__memory_base"}

# Windows that no algorithm takes have no machine code.
NO_CODE = {"numpy_matched_filter", "windows"}


def stem(path):
    return os.path.basename(path)[:-len(".lua")]


def symbols(libraries):
    """Of each library the names that it defines, and those that it leaves open."""
    found = {library: (set(), set()) for library in libraries}
    for line in run(NM, "-A", "-P", *libraries).stdout.splitlines():
        place, name, kind = line.split()[:3]
        found[place.split("[")[0].rstrip(":")][kind == "U"].add(name)
    return found


def check_needs(group, target, step=1):
    specs = [s for s in sorted(glob.glob(os.path.join(SPECS, group, "*.lua")))[::step]
             if stem(s) not in NO_CODE]
    done = run(CONVC, "compile", "-o", "needs", "--target", target, "--emit", "lib", *specs,
               text=True)
    fact(f"{group} compile for {target}", done.returncode == 0, done.stderr)
    for library, (defined, needed) in symbols(done.stdout.split()).items():
        fact(f"{group}, {library} for {target}: defines something", defined)
        fact(f"{group}, {library} for {target}: needs no other code",
             needed - defined <= ALLOWED, str(needed - defined))


def check_all_needs():
    """Examples have all there is in functions; of the networks, which are alike, every fifth."""
    if not NM:
        print("llvm-nm of LLVM 19 is not here")
        return
    for target in TARGETS:
        check_needs("examples", target)
    check_needs("filters", "x86-64")
    check_needs("classes", "x86-64")
    check_needs("networks", "x86-64-v4", 5)
    for name in NO_CODE:
        done = run(CONVC, "compile", f"{SPECS}/examples/{name}.lua", "-o", "no")
        fact(f"{name} is told to have no code", done.returncode == 2 and "no algorithm takes" in
             done.stderr and not os.path.exists("no"), done.stderr)


# ---- programs ------------------------------------------------------------------------------------

# Channels first, so that arrays in files lie as the kernel's tensors do.
KINDS = {
    "dense": "input = { 1, 20, 9, 11 }, out_channels = 33, kernel_size = 3, padding = 1, "
             "bias = true, activation = 'sigmoid'",
    "winograd": "input = { 1, 32, 16, 16 }, out_channels = 40, kernel_size = 3, padding = 1, "
                "residual = true",
    "depthwise": "input = { 1, 24, 14, 14 }, out_channels = 24, groups = 24, kernel_size = 5",
    "line": "input = { 1, 3, 90 }, out_channels = 6, kernel_size = 9, flip = true",
    "constant": "input = { 1, 2, 20, 23 }, weights = convc.filters.sobel_x, padding = 'same', "
                "padding_mode = 'reflect'",
    "distance": "input = { 1, 5, 9, 9 }, out_channels = 4, kernel_size = 2, "
                "combine = function(x, w) return convc.abs(x - w) end, "
                "epilogue = function(a) return convc.floor(convc.exp(-a)) + convc.tanh(a) end",
    "median": "input = { 1, 3, 12, 17 }, out_channels = 3, groups = 3, kernel_size = 3, "
              "window = function(x) return convc.median(convc.taps(x)) end",
}
PROGRAM = """#include "out/%(name)s.h"
#define STEP(i, by, of) ((float)((i) * (by) %% (of)) - (of) / 2)
static float src[%(name)s_SRC_ELEMENTS], dst[%(name)s_DST_ELEMENTS];
#ifdef %(name)s_WEIGHTS
static float wei[%(name)s_WEIGHTS];
static unsigned char packed[%(name)s_PACKED_BYTES] __attribute__((aligned(64)));
#endif
#ifdef BIAS
static float bias[%(name)s_CHANNELS];
#endif
#ifdef RESIDUAL
static float residual[%(name)s_DST_ELEMENTS];
#endif
static unsigned char workspace[%(name)s_WORKSPACE_BYTES + 64] __attribute__((aligned(64)));
#ifdef __cplusplus
extern "C"
#endif
__attribute__((force_align_arg_pointer, noreturn)) void _start(void)
{
    long code = 60, written = 1;
    for (int i = 0; i < %(name)s_SRC_ELEMENTS; i++)
        src[i] = STEP(i, 7, 11) / 4;
#ifdef %(name)s_WEIGHTS
    for (int i = 0; i < %(name)s_WEIGHTS; i++)
        wei[i] = STEP(i, 5, 13) / 8;
    %(name)s_pack(wei, packed);
#endif
#ifdef BIAS
    for (int i = 0; i < %(name)s_CHANNELS; i++)
        bias[i] = STEP(i, 3, 7);
#endif
#ifdef RESIDUAL
    for (int i = 0; i < %(name)s_DST_ELEMENTS; i++)
        residual[i] = STEP(i, 3, 17);
#endif
    %(name)s(src,
#ifdef %(name)s_WEIGHTS
        packed,
#endif
#ifdef BIAS
        bias,
#endif
#ifdef RESIDUAL
        residual,
#endif
        dst, workspace, 1);
    __asm__ volatile("syscall" : "+a"(written) : "D"(1L), "S"(dst), "d"(sizeof dst)
                     : "rcx", "r11", "memory");
    for (;;)
        __asm__ volatile("syscall" : "+a"(code) : "D"(written != (long)sizeof dst)
                         : "rcx", "r11", "memory");
}
"""


def step(count, by, of):
    return (np.arange(count) * by % of - of // 2).astype(np.float32)


def expected(name, fields):
    """What convc run makes of the program's values."""
    told = run(CONVC, "explain", f"{name}.lua", "--show", "problem").stdout
    shape = {w[0]: [int(n) for n in w[1:] if n != "x"]
             for w in (line.split() for line in told.splitlines())
             if w and w[0] in ("src", "wei", "dst")}
    tensors = [("src", "--input", True, shape["src"], (7, 11), 4),
               ("wei", "--weights", "weights" not in fields and "window" not in fields,
                shape.get("wei", [1]), (5, 13), 8),
               ("bias", "--bias", "bias" in fields, shape["dst"][1:2], (3, 7), 1),
               ("residual", "--residual", "residual" in fields, shape["dst"], (3, 17), 1)]
    words = []
    for what, option, used, size, (by, of), divisor in tensors:
        np.save(f"{what}.npy", (step(int(np.prod(size)), by, of) / divisor).astype(np.float32)
                .reshape(size))
        words += [option, f"{what}.npy"] if used else []
    done = run(CONVC, "run", f"{name}.lua", "--no-timing", "--output", "dst.npy", *words)
    assert done.returncode == 0, done.stderr
    return np.load("dst.npy").ravel()


def check_program(name, fields):
    with open(f"{name}.lua", "w") as f:
        f.write(f'return convc.conv {{ name = "{name}", layout = "nchw", {fields} }}\n')
    done = run(CONVC, "compile", f"{name}.lua", "-o", "out", "--target",
               "x86-64,x86-64-v3,x86-64-v4")
    fact(f"{name} compiles", done.returncode == 0, done.stderr)
    flags = [f"-D{field.upper()}" for field in ("bias", "residual") if f"{field} = true" in fields]
    want = expected(name, fields)
    for compiler, end in (["gcc", "-std=gnu99"], ".c"), (["g++", "-std=gnu++11"], ".cc"):
        with open(f"{name}{end}", "w") as f:
            f.write(PROGRAM % {"name": name})
        built = run(*compiler, *WARNINGS, *flags, "-O1", "-I.", "-ffreestanding", "-nostdlib",
                    "-nostartfiles", "-static", "-fno-stack-protector", "-fno-exceptions",
                    f"{name}{end}", f"out/lib{name}.a", "-o", "program")
        fact(f"{name} links with {compiler[0]} and no C library", built.returncode == 0,
             built.stderr)
        ran = run("./program", text=False)
        got = np.frombuffer(ran.stdout, np.float32)
        fits = ran.returncode == 0 and got.shape == want.shape
        fact(f"{name}, built with {compiler[0]}, computes what convc run computes",
             fits and np.abs(got - want).max() <= 3e-5 * np.abs(want).max(), str(ran))
        os.remove("program")


with scratch():
    if os.uname().machine == "x86_64":
        for kind, its_fields in KINDS.items():
            check_program(kind, its_fields)
    check_all_needs()
report()
