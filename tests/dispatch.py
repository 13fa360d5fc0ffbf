#!/usr/bin/python3
"""Static kernels for several CPUs in one library: each CPU gets the best that it runs.

    dispatch.py CONVC

Natively and under qemu-user, for x86-64 and for AArch64; what is not here is left out. Last line:
"N passed, N failed".
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, run, scratch, write

CONVC = os.path.realpath(sys.argv[1])
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]

DENSE = """return convc.conv { name = "dense", input = { 1, 20, 9, 11 }, out_channels = 33,
    kernel_size = 3, padding = 1, bias = true, activation = "relu", tolerance = 0 }
"""
POINTWISE = """return convc.conv { name = "pointwise", input = { 1, 64, 7, 7 }, out_channels = 130,
    kernel_size = 1 }
"""

# Tells which target is in use, and what each computes that can be forced.
PROGRAM = """#include "dense.h"
#include "pointwise.h"
#include <stdio.h>
static float src[dense_SRC_ELEMENTS], dst[dense_DST_ELEMENTS];
static float wei[dense_WEIGHTS], bias[dense_CHANNELS];
static unsigned char packed[dense_PACKED_BYTES] __attribute__((aligned(64)));
int main(void)
{
    for (int i = 0; i < dense_SRC_ELEMENTS; i++) src[i] = 1;
    for (int i = 0; i < dense_WEIGHTS; i++) wei[i] = 2;
    printf("%d", (int)dense_target());
    for (int t = -1; t < 6; t++) {
        if (!dense_use(t)) continue;
        if (t >= 0 && dense_target() != t) return 1;
        dst[dense_CHANNELS * 15] = 0;
        dense_pack(wei, packed);
        dense(src, packed, bias, dst, 0, 1);
        printf(" %d:%g", t, (double)dst[dense_CHANNELS * 15]);
    }
    return pointwise_target() < 0;
}
"""


def is_here(program):
    return run("which", program).returncode == 0


def said(best, runs):
    """By the program, where the best of the targets is so and these can be forced."""
    return " ".join([str(best)] + [f"{t}:360" for t in [-1] + sorted(runs)])


def build(directory, targets, compiler):
    done = run(CONVC, "compile", "dense.lua", "pointwise.lua", "-o", directory, "--target",
               ",".join(targets), "--emit", "header,lib,obj")
    fact(f"{directory}: compiles for {len(targets)} CPUs", done.returncode == 0, done.stderr)
    built = run(*compiler, *WARNINGS, f"-I{directory}", "program.c", f"{directory}/libdense.a",
                f"{directory}/libpointwise.a", "-o", f"{directory}/program")
    fact(f"{directory}: all CPUs and two libraries link", built.returncode == 0, built.stderr)
    members = sorted(run("ar", "t", f"{directory}/libdense.a").stdout.split())
    fact(f"{directory}: the library's members are the objects", members == sorted(
        f for f in os.listdir(directory) if f.endswith(".o") and f.startswith("dense")),
        str(members))


def check_emulated(directory, emulator, machines):
    """Machines: of each CPU, what it has to be given of the targets, and what it runs."""
    if not is_here(emulator):
        print(f"{emulator} is not here")
        return
    for cpu, (best, runs) in machines.items():
        got = run(emulator, "-cpu", cpu, f"{directory}/program")
        fact(f"{directory} on a {cpu}", got.stdout == said(best, runs), got.stdout + got.stderr)


# ---- x86-64 --------------------------------------------------------------------------------------

X86 = ["x86-64-v4", "x86-64", "x86-64-v3"]
X86_MACHINES = {"Nehalem": (1, [1]), "Haswell": (2, [1, 2]), "max": (2, [1, 2])}


def check_x86():
    build("x86", X86, ["gcc"])
    native = [t for t, name in enumerate(X86)
              if run(CONVC, "run", "ic8ih9oc8kh3", "--no-timing", "--target", name).returncode == 0]
    best = next(t for t in (0, 2, 1) if t in native)
    got = run("x86/program")
    fact("natively", got.stdout == said(best, native), got.stdout + got.stderr)
    check_emulated("x86", "qemu-x86_64", X86_MACHINES)


# ---- AArch64 -------------------------------------------------------------------------------------

ARM = [f"aarch64-unknown-linux-gnu:{cpu}" for cpu in (
    "generic+sve+sve256", "generic", "generic+sve+sve512", "generic+lse+dotprod",
    "generic+sve+sve2")]
ARM_MACHINES = {
    "cortex-a57": (1, [1]),
    "max,sve=off": (3, [1, 3]),
    "max,sve-max-vq=1": (4, [1, 3, 4]),
    "max,sve-max-vq=2": (0, [0, 1, 3, 4]),
    "max,sve-max-vq=4": (2, [1, 2, 3, 4]),
    "max,sve-default-vector-length=32": (0, [0, 1, 3, 4]),
    "a64fx": (2, [1, 2]),
}


def check_arm():
    if not is_here("aarch64-linux-gnu-gcc"):
        print("aarch64-linux-gnu-gcc is not here")
        return
    build("arm", ARM, ["aarch64-linux-gnu-gcc", "-static"])
    check_emulated("arm", "qemu-aarch64", ARM_MACHINES)


with scratch():
    write("dense.lua", DENSE)
    write("pointwise.lua", POINTWISE)
    write("program.c", PROGRAM)
    if os.uname().machine == "x86_64":
        check_x86()
    check_arm()
report()
