#!/usr/bin/python3
"""convc.filters against SciPy and NumPy: every kernel, read back through `convc run`.

    oracle_filters.py CONVC

A single 1 through a flipped kernel with padding "full" gives the kernel itself, in f64. What SciPy
has as a filter becomes a kernel in the same way. Ends with "N passed, N failed"; without SciPy it
says so and is skipped.
"""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from oracle import judge, ndimage, np, run, signal

KIRSCH = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]  # clockwise


def kernel_of(n, scipy_filter):
    """What a linear filter of SciPy's correlates with, n x n."""
    one = np.zeros((n, n))
    one[n // 2, n // 2] = 1
    return scipy_filter(one)[::-1, ::-1]


def gaussian(n, sigma, order=0):
    return kernel_of(n, lambda x: ndimage.gaussian_filter(
        x, sigma, order, mode="constant", radius=n // 2))


def gaussian_1d(n, sigma, order=0):
    one = np.zeros(n)
    one[n // 2] = 1
    return ndimage.gaussian_filter1d(
        one, sigma, order=order, mode="constant", radius=n // 2)[::-1]


def even_gaussian(n, sigma):
    w = signal.windows.gaussian(n, sigma)
    return w / w.sum()


def log(n, sigma):
    k = gaussian(n, sigma, (0, 2)) + gaussian(n, sigma, (2, 0))
    return k - k.mean()


def unsharp(n, sigma, amount):
    return kernel_of(n, lambda x: x + amount * (x - ndimage.gaussian_filter(
        x, sigma, mode="constant", radius=n // 2)))


def middle(n):
    return np.mgrid[:n, :n] - (n - 1) / 2


def gabor(n, sigma, theta, lam, gamma=1, psi=0):
    y, x = middle(n)
    wave = (x + 1j * y) * np.exp(-1j * theta)
    return np.exp(-(wave.real**2 + (gamma * wave.imag)**2) / (2 * sigma**2)) \
        * np.cos(2 * np.pi * wave.real / lam + psi)


def motion(n, theta):
    """Distances from a segment, by the nearest of its points."""
    y, x = middle(n)
    along = np.array([np.cos(theta), np.sin(theta)])
    t = np.clip(x * along[0] + y * along[1], -(n - 1) / 2, (n - 1) / 2)
    k = np.maximum(1 - np.hypot(x - t * along[0], y - t * along[1]), 0)
    return k / k.sum()


def kirsch(turn):
    k = np.full((3, 3), -3)
    k[1, 1] = 0
    for i in range(3):
        k[KIRSCH[(turn + i) % 8]] = 5
    return k


def sobel(axis):
    return kernel_of(3, lambda x: ndimage.sobel(x, axis, mode="constant"))


def prewitt(axis):
    return kernel_of(3, lambda x: ndimage.prewitt(x, axis, mode="constant"))


# Whole numbers must come out exactly; None: the same within rounding.
EXACT, ROUNDED = 0, None

CASES = [
    ("identity", kernel_of(3, lambda x: x), EXACT),
    ("sobel_x", sobel(1), EXACT),
    ("sobel_y", sobel(0), EXACT),
    ("prewitt_x", prewitt(1), EXACT),
    ("prewitt_y", prewitt(0), EXACT),
    ("scharr_x", np.outer([3, 10, 3], [-1, 0, 1]), EXACT),
    ("scharr_y", np.outer([-1, 0, 1], [3, 10, 3]), EXACT),
    ("roberts_x", [[1, 0], [0, -1]], EXACT),
    ("roberts_y", [[0, 1], [-1, 0]], EXACT),
    ("laplacian", kernel_of(3, lambda x: ndimage.laplace(x, mode="constant")), EXACT),
    ("laplacian_8", np.ones((3, 3)) - 9 * np.eye(3)[1] * np.eye(3)[1][:, None], EXACT),
    ("edge_detect", 9 * np.eye(3)[1] * np.eye(3)[1][:, None] - np.ones((3, 3)), EXACT),
    ("sharpen", kernel_of(3, lambda x: x - ndimage.laplace(x, mode="constant")), EXACT),
    ("emboss", [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], EXACT),
    ("outer({ 1, 2, 1 }, { -1, 0, 1 })", np.outer([1, 2, 1], [-1, 0, 1]), EXACT),
    ("outer({ 1, 2 }, { 3, 4 }, { 5, 6, 7 })",
     np.einsum("i,j,k", [1, 2], [3, 4], [5, 6, 7]), EXACT),
    ("box(4)", np.full((4, 4), 1 / 16), EXACT),
    ("box(5)", kernel_of(5, lambda x: ndimage.uniform_filter(x, 5, mode="constant")), ROUNDED),
    ("box_1d(3)", np.full(3, 1 / 3), EXACT),
    ("gaussian(7, 1.3)", gaussian(7, 1.3), ROUNDED),
    ("gaussian(1, 2)", [[1]], EXACT),
    ("gaussian(6, 0.8)", np.outer(even_gaussian(6, 0.8), even_gaussian(6, 0.8)), ROUNDED),
    ("gaussian(4, 1e-300)", np.pad(np.full((2, 2), 0.25), 1), EXACT),
    ("gaussian_x(7, 1.3)", gaussian(7, 1.3, (0, 1)), ROUNDED),
    ("gaussian_y(9, 1.1)", gaussian(9, 1.1, (1, 0)), ROUNDED),
    ("gaussian_xx(7, 1.3)", gaussian(7, 1.3, (0, 2)), ROUNDED),
    ("gaussian_yy(7, 0.9)", gaussian(7, 0.9, (2, 0)), ROUNDED),
    ("gaussian_xy(7, 1.3)", gaussian(7, 1.3, (1, 1)), ROUNDED),
    ("gaussian_1d(9, 1.7)", gaussian_1d(9, 1.7), ROUNDED),
    ("gaussian_1d(8, 1.7)", even_gaussian(8, 1.7), ROUNDED),
    ("gaussian_1d(9, 1.7, 3)", gaussian_1d(9, 1.7, 3), ROUNDED),
    ("gaussian_1d(9, 1.7, 4)", gaussian_1d(9, 1.7, 4), ROUNDED),
    ("log(9, 1.4)", log(9, 1.4), ROUNDED),
    ("dog(11, 1, 1.6)", gaussian(11, 1) - gaussian(11, 1.6), ROUNDED),
    ("unsharp(5, 1, 0.7)", unsharp(5, 1, 0.7), ROUNDED),
    ("unsharp(5, 1)", unsharp(5, 1, 1), ROUNDED),
    ("motion(9, 0)", np.pad(np.full((1, 9), 1 / 9), ((4, 4), (0, 0))), ROUNDED),
    ("motion(7, math.pi / 2)", np.pad(np.full((7, 1), 1 / 7), ((0, 0), (3, 3))), ROUNDED),
    ("motion(9, 0.5)", motion(9, 0.5), ROUNDED),
    ("motion(6, -2)", motion(6, -2), ROUNDED),
    ("gabor(9, 2, 0.7, 4)", gabor(9, 2, 0.7, 4), ROUNDED),
    ("gabor(8, 2, -1, 3, 0.5, 1.2)", gabor(8, 2, -1, 3, 0.5, 1.2), ROUNDED),
    ("savgol(7, 2)", signal.savgol_coeffs(7, 2, use="dot"), ROUNDED),
    ("savgol(7, 3, 1)", signal.savgol_coeffs(7, 3, 1, use="dot"), ROUNDED),
    ("savgol(6, 3, 2)", signal.savgol_coeffs(6, 3, 2, use="dot"), ROUNDED),
    ("savgol(15, 4, 2)", signal.savgol_coeffs(15, 4, 2, use="dot"), ROUNDED),
    ("savgol(5, 4)", [0, 0, 1, 0, 0], ROUNDED),
] + [(f'kirsch("{d}")', kirsch(i), EXACT)
     for i, d in enumerate(["n", "ne", "e", "se", "s", "sw", "w", "nw"])]


def kernel_from(convc, expression, axes):
    with tempfile.TemporaryDirectory() as directory:
        spec, one, out = (os.path.join(directory, f) for f in ("f.lua", "one.npy", "out.npy"))
        np.save(one, np.ones([1] * (axes + 2)))
        with open(spec, "w") as f:
            f.write(f"""return convc.conv {{
                input = {{ 1, 1{", 1" * axes} }}, weights = convc.filters.{expression},
                flip = true, padding = "full", dtype = "f64" }}""")
        run(convc, spec, "--input", one, "--output", out)
        return np.load(out)[0, 0]


def check(convc, expression, want, bound):
    want = np.asarray(want, float)
    try:
        got = kernel_from(convc, expression, want.ndim)
    except ValueError as error:
        return f"{expression}: {error}"
    if got.shape != want.shape:
        return f"{expression}: shape {got.shape}, not {want.shape}"
    off = abs(got - want).max()
    limit = 1e-12 * abs(want).max() if bound is ROUNDED else 0
    return "" if off <= limit else f"{expression}: off by {off}\n{got}\nnot\n{want}"


if __name__ == "__main__":
    sys.exit(judge(check, [(sys.argv[1], *case) for case in CASES]))
