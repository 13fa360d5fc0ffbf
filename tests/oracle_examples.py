#!/usr/bin/python3
"""specs/examples against the NumPy and SciPy calls that their comments have.

    oracle_examples.py CONVC [SPEC...]

Of a spec's comment, the lines that begin with >>> are Python, continued by ... They make `y` out of
`x` (the input; without its batch where that is 1, then without its channels where that is 1), `w`
(the weights), `b` (the bias) and `residual`. A line `MODE: full | same` is a parameter of the spec
and what it may be; the call sees it too, and all combinations are run. A spec of one convolution
must have a call. Whole numbers that come out must be equal, reals to 5 digits. Ends with "N passed,
N failed"; without SciPy it says so and is skipped. CONVC_TEST_SCALE is the share of all these
to run, in percent.
"""

import ast
import glob
import itertools
import json
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from oracle import judge, linalg, ndimage, np, run, signal
from numpy.lib.stride_tricks import sliding_window_view

NAMES = {"np": np, "linalg": linalg, "ndimage": ndimage, "signal": signal,
         "sliding_window_view": sliding_window_view}


def call_of(spec):
    """The call, and all settings of the parameters that the comment lists."""
    code, choices = [], []
    for line in open(spec):
        if not line.startswith("--"):
            break
        call = re.match(r"-- (?:>>>|\.\.\.) (.*)", line)
        parameter = re.match(r"-- ([A-Z]+): (\S+(?: \| \S+)+)$", line)
        if call:
            code.append(call[1])
        if parameter:
            choices.append([(parameter[1], value) for value in parameter[2].split(" | ")])
    return "\n".join(code), list(itertools.product(*choices))


def setting_options(setting):
    return [word for name, value in setting for word in ("-D", f"{name}={value}")]


def specs_of(directory):
    """Those of the command line, else all of the directory."""
    here = os.path.dirname(os.path.abspath(__file__))
    return sys.argv[2:] or sorted(glob.glob(os.path.join(here, "../specs", directory, "*.lua")))


def share(cases):
    return cases[::max(100 // int(os.environ.get("CONVC_TEST_SCALE", "100")), 1)]


def problems(convc, spec, setting, *options):
    """Runs them; their texts."""
    lines = run(convc, spec, "--json", *options, *setting_options(setting)).splitlines()
    return [json.loads(line)["problem"] for line in lines]


def shapes(problem, constant):
    """What goes into it, from its text."""
    fields = problem.split(";")
    size = {k: int(v) for k, v in re.findall(r"([a-z]+)(\d+)", fields[0])}
    axes = [a for a in "dhw" if "i" + a in size]
    shape = {"input": [size["mb"], size["ic"]] + [size["i" + a] for a in axes]}
    window = re.search(r";window=[^;]*", problem)
    if not constant and not (window and not re.search(r"\bw\(", window[0])):
        shape["weights"] = [size["oc"], size["ic"] // size["g"]] + [size["k" + a] for a in axes]
    if "bias" in fields:
        shape["bias"] = [size["oc"]]
    if "residual" in fields:
        shape["residual"] = [size["mb"], size["oc"]] + [size["o" + a] for a in axes]
    return shape


def plain(array):
    """Without a batch of 1, and then without channels of 1."""
    for _ in range(2):
        if array.shape[0] != 1:
            break
        array = array[0]
    return array


def value_of(text):
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


def expect(code, setting, data):
    names = dict(NAMES, **{name: value_of(value) for name, value in setting})
    plainly = {"input": ("x", plain), "residual": ("residual", plain),
               "weights": ("w", lambda a: a), "bias": ("b", lambda a: a)}
    for key, array in data.items():
        name, form = plainly[key]
        names[name] = form(array.astype(float))
    exec(code, names)
    return names["y"]


def compare(got, want):
    if got.shape != want.shape:
        return f"shape {got.shape}, not {want.shape}"
    off = abs(got.astype(float) - want).max()
    bound = 1e-5 * abs(want).max() if got.dtype.kind == "f" else 0
    return "" if off <= bound else f"off by {off} of {abs(want).max()}"


def draw(rng, problem, name, shape):
    """An operand: whole numbers over all of their type, reals within 1."""
    types = re.search(r";dtype=(\w+):(\w+):(\w+)", problem)
    of = {"input": 1, "residual": 3}.get(name, 2)
    whole = {"u8": np.uint8, "s16": np.int16, "u16": np.uint16}.get(types and types[of])
    if not whole:
        return rng.uniform(-1, 1, shape).astype(np.float32)
    ends = np.iinfo(whole)
    return rng.integers(ends.min, ends.max + 1, shape).astype(whole)


def check(convc, spec, code, setting, seed):
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as directory:
        problem, = problems(convc, spec, setting)
        shape = shapes(problem, re.search(r"\bweights *=", open(spec).read()))
        data = {k: draw(rng, problem, k, s) for k, s in shape.items()}
        options = ["--output", os.path.join(directory, "y.npy")]
        for name, array in data.items():
            options += ["--" + name, os.path.join(directory, name + ".npy")]
            np.save(options[-1], array)
        problems(convc, spec, setting, *options)
        return compare(plain(np.load(options[1])), expect(code, setting, data))


def verdict(convc, spec, code, setting, seed):
    try:
        error = check(convc, spec, code, setting, seed)
    except Exception as e:
        error = f"{type(e).__name__}: {e}"
    return error and f"{spec} {' '.join(setting_options(setting))}: {error}"


def main():
    convc, cases, errors = sys.argv[1], [], []
    for spec in specs_of("examples"):
        code, settings = call_of(spec)
        if code:
            cases += [(convc, spec, code, setting) for setting in settings]
        elif len(problems(convc, spec, [])) == 1:
            errors.append(f"{spec} has no call of NumPy or SciPy in its comment")
    return judge(verdict, [(*case, seed) for seed, case in enumerate(share(cases))], errors)


if __name__ == "__main__":
    sys.exit(main())
