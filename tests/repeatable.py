#!/usr/bin/python3
"""The same specs give the same static kernels, whatever surrounds the compiler.

    repeatable.py CONVC [SPECS]

Writes SPECS random specs (200), compiles all of them in one call under one circumstance after the
other, and compares every object, library and header byte by byte. Last line: "N passed, N failed".
"""
import filecmp
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, scratch

CONVC = os.path.realpath(sys.argv[1])
SPECS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
TARGET = "x86-64-v3"
FILTERS = ["sobel_x", "scharr_y", "edge_detect", "sharpen", "emboss", "gaussian(5, 1.1)", "box(3)",
           "laplacian", "log(7, 1.4)", "gabor(5, 1.5, 0.7, 4)"]


def fields_of(r):
    """Of a random convolution: dense, grouped, depthwise, in one to three axes, or a filter."""
    axes = r.choice([1, 2, 2, 2, 3])
    extent = [r.randint(5, 9 if axes == 3 else 24) for _ in range(axes)]
    channels, groups = r.randint(1, 24), 1
    mode = r.choice(["zeros", "reflect", "symmetric", "replicate", "circular"])
    words = [f"padding = {r.randint(0, 2)}", f"padding_mode = '{mode}'",
             f"stride = {r.randint(1, 2)}", f"layout = '{r.choice(['nhwc', 'nchw'])}'"]
    kind = r.randrange(6)
    if kind == 0 and axes == 2:
        words.append(f"weights = convc.filters.{r.choice(FILTERS)}")
    elif kind == 1 and axes == 2:
        words[-1] = "layout = 'nchw'" # what stencils take
        words.append("kernel_size = 3, window = function(x) return convc.max(x(0, 1), x(2, 1)) "
                     "- convc.exp(x(1, 1)) end")
        words.append(f"groups = {channels}, out_channels = {channels}")
    else:
        if kind == 2:
            groups = channels
        elif kind == 3:
            groups, channels = 4, 4 * r.randint(1, 8)
        out = groups * r.randint(1, 3) if groups > 1 else r.randint(1, 40)
        words.append(f"out_channels = {out}, kernel_size = {r.randint(1, 4)}, groups = {groups}")
        words.append(f"activation = '{r.choice(['relu', 'tanh', 'gelu', 'hardswish'])}'")
        words.append(f"bias = {r.choice(['true', 'false'])}")
        if kind == 4:
            words.append("dtype = 'f64'")
    return f"input = {{ 1, {channels}, {', '.join(map(str, extent))} }}, " + ", ".join(words)


def write_specs():
    r = random.Random(1)
    names = []
    for i in range(SPECS):
        path = os.path.abspath(f"spec_{i}.lua")
        with open(path, "w") as f:
            f.write(f'return convc.conv {{ name = "k{i}", {fields_of(r)} }}\n')
        names.append(path)
    return names


def compile_all(specs, out, words=(), env=None, cwd=None, umask=-1, before=()):
    return subprocess.run(
        [*before, CONVC, "compile", *specs, "-o", out, "--emit", "obj,lib,header",
         "--target", TARGET, *words], capture_output=True, text=True, cwd=cwd,
        umask=umask, env={**os.environ, **(env or {})})


def fill_cache(specs):
    for spec in specs[:5]:
        subprocess.run([CONVC, "run", spec, "--no-timing"], capture_output=True)


def differing(one, other):
    names = sorted(os.listdir(one))
    if names != sorted(os.listdir(other)):
        return ["the names"]
    return filecmp.cmpfiles(one, other, names, shallow=False)[1]


def check_circumstances(specs):
    os.makedirs("elsewhere")
    circumstances = {
        "elsewhere, in another time zone": {"cwd": "elsewhere", "env": {"TZ": "Pacific/Auckland"}},
        "other words and rights, kernels in the cache": {
            "env": {"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}, "umask": 0o077},
        "no cache, one thread": {
            "env": {"XDG_CACHE_HOME": "/nonexistent", "HOME": "/nonexistent"},
            "words": ["--threads", "1"]},
        "other addresses, seven threads": {"words": ["--threads", "7"]},
    }
    if subprocess.run(["setarch", "-R", "true"], capture_output=True).returncode == 0:
        circumstances["other addresses, seven threads"]["before"] = ["setarch", "-R"]
    plain = os.path.abspath("plain")
    done = compile_all(specs, plain)
    fact("compiles", done.returncode == 0, done.stderr)
    fact("all is written", len(os.listdir(plain)) == 3 * SPECS)
    fill_cache(specs)
    for name, options in circumstances.items():
        out = os.path.abspath(name)
        done = compile_all(specs, out, **options)
        fact(f"compiles, {name}", done.returncode == 0, done.stderr)
        wrong = differing(plain, out) if done.returncode == 0 else []
        fact(f"the same bytes, {name}", not wrong, " ".join(wrong))


with scratch():
    check_circumstances(write_specs())
report()
