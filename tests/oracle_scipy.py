#!/usr/bin/python3
"""An oracle that is not ours: random problems through `convc run`, against NumPy and SciPy.

    oracle_scipy.py CONVC [COUNT [SEED]]

NumPy pads (numpy.pad, numpy.take), scipy.signal correlates or convolves, scipy.special activates.
Half of the problems hold small whole numbers and must come out exactly where nothing is rounded;
the others must lie within gamma * sum |src*wei|. The last line says how many passed; without SciPy it
says so and is skipped.
"""

import itertools
import os
import random
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from oracle import judge, np, run, signal, special

MODES = ["zeros", "constant", "reflect", "symmetric", "replicate", "circular", "identity"]
ACTIVATIONS = [None, None, None, "relu", "clamp", "leaky_relu", "sigmoid", "tanh", "silu", "gelu",
               "hardswish"]


class Problem:
    """A problem in the words of the spec language."""

    def __init__(self, r):
        axes = r.choice([1, 2, 2, 2, 3])
        self.n = r.choice([1, 1, 2, 3])
        self.groups, icg, ocg = r.choice(
            [(1, r.randint(1, 18), r.randint(1, 35)), (1, r.choice([3, 16, 17]), 33),
             (r.choice([2, 3, 5]), r.randint(1, 4), r.randint(1, 17)),
             (r.choice([3, 16, 19]), 1, 1), (r.choice([2, 7]), 1, 3)])
        self.ic, self.oc = self.groups * icg, self.groups * ocg
        self.size = [r.choice([1, 2, 3, 5, 7, 9, 12]) for _ in range(axes)]
        self.size[-1] = r.choice([1, 4, 7, 13, 16, 29, 40])
        self.kernel = [r.choice([1, 2, 3, 3, 4, 5]) for _ in range(axes)]
        self.stride = [r.choice([1, 1, 2, 3]) for _ in range(axes)]
        self.dilation = [r.choice([1, 1, 1, 2, 3]) for _ in range(axes)]
        self.padding = [(r.randint(0, 6), r.randint(0, 6)) if r.random() < 0.7 else (0, 0)
                        for _ in range(axes)]
        self.mode = r.choice(MODES)
        self.value = r.choice([-1.5, 0.5, 2]) if self.mode == "constant" else 0
        self.flip = r.random() < 0.2
        self.bias = r.random() < 0.5
        self.residual = r.random() < 0.3
        self.activation = r.choice(ACTIVATIONS)
        self.layout = r.choice(["nhwc", "nchw"])
        self.dtype = r.choice(["f32", "f32", "f64"])
        self.whole = r.random() < 0.5

    def reach(self, a):
        return self.dilation[a] * (self.kernel[a] - 1) + 1

    def valid(self):
        """There is an output, and SciPy, which knows neither strides nor dilation, is done soon."""
        work = self.n * self.oc * self.ic // self.groups
        for a, (s, p) in enumerate(zip(self.size, self.padding)):
            positions = s + sum(p) - self.reach(a) + 1
            if positions < 1:
                return False
            work *= positions * self.reach(a)
        return work <= 2e6

    def output_shape(self):
        return [self.n, self.oc] + [
            (s + sum(p) - self.reach(a)) // self.stride[a] + 1
            for a, (s, p) in enumerate(zip(self.size, self.padding))]

    def lua(self):
        def table(values):
            return "{ " + ", ".join(str(v) for v in values) + " }"

        activation = {None: "nil", "clamp": '{ "clamp", -2, 6 }',
                      "leaky_relu": '{ "leaky_relu", 0.125 }'}
        return f"""return convc.conv {{
    name = "oracle", input = {table([self.n, self.ic] + self.size)},
    out_channels = {self.oc}, groups = {self.groups},
    kernel_size = {table(self.kernel)}, stride = {table(self.stride)},
    dilation = {table(self.dilation)}, padding = {table(table(p) for p in self.padding)},
    padding_mode = "{self.mode}", {f"padding_value = {self.value}," if self.value else ""}
    flip = {str(self.flip).lower()}, bias = {str(self.bias).lower()},
    residual = {str(self.residual).lower()},
    activation = {activation.get(self.activation, f'"{self.activation}"')},
    layout = "{self.layout}", dtype = "{self.dtype}",
}}
"""

    # ---- what SciPy says ---------------------------------------------------------------------

    def pad(self, x):
        for axis, (begin, end) in enumerate(self.padding):
            axis += 2
            width = [(0, 0)] * x.ndim
            width[axis] = (begin, end)
            if self.mode == "circular":  # numpy.pad's own "wrap" was wrong for long pads up to 1.24
                x = np.take(x, range(-begin, x.shape[axis] + end), axis=axis, mode="wrap")
            elif self.mode in ("zeros", "constant", "identity"):
                x = np.pad(x, width, constant_values=self.value)
            else:
                x = np.pad(x, width, mode="edge" if self.mode == "replicate" else self.mode)
        return x

    def sums(self, x, w):
        """The convolution alone; x is padded."""
        spread = np.zeros(w.shape[:2] + tuple(self.reach(a) for a in range(len(self.size))))
        spread[(slice(None),) * 2 + tuple(slice(None, None, d) for d in self.dilation)] = w
        step = tuple(slice(None, None, s) for s in self.stride)
        y = np.empty(self.output_shape())
        icg, ocg = self.ic // self.groups, self.oc // self.groups
        for n, o in itertools.product(range(self.n), range(self.oc)):
            first = o // ocg * icg
            part = x[n, first:first + icg]
            if self.flip:  # convolve turns every axis round, channels too
                full = signal.convolve(part, spread[o][::-1], mode="valid", method="direct")
            else:
                full = signal.correlate(part, spread[o], mode="valid", method="direct")
            y[n, o] = full[(0,) + step]
        return y

    def activate(self, y):
        return {
            None: lambda: y,
            "relu": lambda: np.maximum(y, 0),
            "clamp": lambda: np.clip(y, -2, 6),
            "leaky_relu": lambda: np.where(y > 0, y, 0.125 * y),
            "sigmoid": lambda: special.expit(y),
            "tanh": lambda: np.tanh(y),
            "silu": lambda: y * special.expit(y),
            "gelu": lambda: y * special.ndtr(y),
            "hardswish": lambda: y * np.clip(y + 3, 0, 6) / 6,
        }[self.activation]()

    def expect(self, data):
        x, w = self.pad(data["input"].astype(float)), data["weights"].astype(float)
        y, scale = self.sums(x, w), self.sums(abs(x), abs(w))
        if self.bias:
            bias = data["bias"].astype(float).reshape((1, -1) + (1,) * len(self.size))
            y, scale = y + bias, scale + abs(bias)
        if self.residual:
            y, scale = y + data["residual"], scale + abs(data["residual"])
        return self.activate(y), scale

    # ---- data --------------------------------------------------------------------------------

    def data(self, rng):
        shapes = {"input": [self.n, self.ic] + self.size,
                  "weights": [self.oc, self.ic // self.groups] + self.kernel}
        if self.bias:
            shapes["bias"] = [self.oc]
        if self.residual:
            shapes["residual"] = self.output_shape()
        kind = "f8" if self.dtype == "f64" else "f4"
        if self.whole:
            return {k: rng.integers(-3, 4, s).astype(rng.choice(["i1", "<i2", ">i4", "f2", kind]))
                    for k, s in shapes.items()}
        return {k: rng.uniform(-1, 1, s).astype(rng.choice(["<", ">"]) + kind)
                for k, s in shapes.items()}

    def exact(self):
        return self.whole and self.activation in (None, "relu", "clamp", "leaky_relu")


def save(path, array, rng):
    """C or Fortran order, of any version of the format."""
    if rng.random() < 0.5:
        array = np.asfortranarray(array)
    with open(path, "wb") as f:
        np.lib.format.write_array(f, array, version=[(1, 0), (2, 0), (3, 0)][rng.integers(3)])


def run_convc(convc, problem, data, directory, rng):
    spec, output = os.path.join(directory, "spec.lua"), os.path.join(directory, "output.npy")
    with open(spec, "w") as f:
        f.write(problem.lua())
    options = ["--threads", "1", "--output", output]
    for name, array in data.items():
        path = os.path.join(directory, name + ".npy")
        save(path, array, rng)
        options += ["--" + name, path]
    run(convc, spec, *options)
    return np.load(output)


def compare(problem, got, want, scale):
    """What is wrong, or nothing."""
    if got.shape != want.shape:
        return f"shape {got.shape}, not {want.shape}"
    if got.dtype != (np.float64 if problem.dtype == "f64" else np.float32):
        return f"type {got.dtype}"
    eps = np.finfo(got.dtype).eps
    taps = np.prod(problem.kernel) * problem.ic // problem.groups
    bound = 0 if problem.exact() else eps * ((taps + 8) * scale + 8 * abs(want) + 8)
    wrong = ~(abs(got - want) <= bound)
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{wrong.sum()} of {wrong.size} outputs, first {at}: {got[at]}, not {want[at]}"


def check(convc, seed, index):
    r = random.Random(seed * 1000003 + index)
    problem = Problem(r)
    while not problem.valid():
        problem = Problem(r)
    rng = np.random.default_rng([seed, index])
    data = problem.data(rng)
    with tempfile.TemporaryDirectory() as directory:
        try:
            error = compare(problem, run_convc(convc, problem, data, directory, rng),
                            *problem.expect(data))
        except ValueError as e:
            error = str(e)
    return f"problem {index} of seed {seed}: {error}\n{problem.lua()}" if error else ""


def main():
    convc = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    return judge(check, [(convc, seed, index) for index in range(count)])


if __name__ == "__main__":
    sys.exit(main())
