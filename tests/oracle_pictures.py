#!/usr/bin/python3
"""specs/filters on PNG files, against the NumPy and SciPy calls that their comments have.

    oracle_pictures.py CONVC [SPEC...]

A comment is as in oracle_examples.py: here `x` is the colours of the picture, [1 or 3][height]
[width], and `y` the colours that come out; alpha must pass as it is. Where the comment says that the
output is written as .npy, `x` is all channels. Pictures are grey or colours, with alpha and without,
of 8 and 16 bits (those of 8 where the spec has dtype u8), from one pixel to one line. Whole numbers
without rounding must be equal; pictures may be off by a half, or by what a line `within: PYTHON` of
the comment comes to. Ends with "N passed, N failed"; without SciPy it says
so and is skipped. CONVC_TEST_SCALE is the share of the pictures, in percent.
"""

import os
import re
import struct
import sys
import tempfile
import zlib

sys.dont_write_bytecode = True
from oracle_examples import (
    call_of, judge, np, run, setting_options, share, specs_of, value_of, NAMES)

# height, width, channels, bits
PICTURES = [(33, 45, 3, 8), (1, 1, 1, 8), (1, 1, 4, 8), (1, 1999, 3, 8), (1501, 1, 1, 8),
            (2, 3, 2, 8), (17, 23, 2, 16), (8, 64, 1, 16), (5, 7, 3, 16), (12, 9, 4, 16),
            (31, 16, 4, 8)]
COLOR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}


def write_png(path, pixels, bits):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    channels, height, width = pixels.shape
    rows = pixels.transpose(1, 2, 0).astype(">u2" if bits == 16 else "u1").reshape(height, -1)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(
            ">IIBBBBB", width, height, bits, COLOR_TYPE[channels], 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b""))


def unfilter(kind, line, above, step):
    """One row of bytes, by the PNG specification's five filters."""
    row = bytearray(line)
    for i in range(len(row)):
        a, b = row[i - step] if i >= step else 0, above[i]
        c = above[i - step] if i >= step else 0
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        row[i] = (row[i] + [0, a, b, (a + b) // 2, paeth][kind]) & 255
    return row


def read_png(path):
    data = open(path, "rb").read()
    width, height, bits, color = struct.unpack(">IIBB", data[16:26])
    at, body = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            body += data[at + 8:at + 8 + length]
        at += 12 + length
    channels = {v: k for k, v in COLOR_TYPE.items()}[color]
    step = channels * bits // 8
    raw, rows, above = zlib.decompress(body), b"", bytes(width * step)
    for y in range(height):
        kind, *line = raw[y * (width * step + 1):(y + 1) * (width * step + 1)]
        above = unfilter(kind, line, above, step)
        rows += above
    pixels = np.frombuffer(rows, ">u2" if bits == 16 else "u1").reshape(height, width, channels)
    return pixels.transpose(2, 0, 1).astype(float), bits


def expect(code, setting, x):
    names = dict(NAMES, x=x, **{name: value_of(value) for name, value in setting})
    exec(code, names)
    return names["y"]


def within(spec, setting, otherwise):
    """How far off a value of a picture may be."""
    stated = re.search(r"^-- within: (.*)$", open(spec).read(), re.M)
    names = {name: value_of(value) for name, value in setting}
    return eval(stated[1], names) if stated else otherwise


def check(convc, spec, code, setting, picture, directory):
    height, width, channels, bits = picture
    top = 2**bits - 1
    is_array = ".npy" in open(spec).read()
    pixels = np.random.default_rng(height * width).integers(0, top + 1, (channels, height, width))
    source = os.path.join(directory, "in.png")
    target = os.path.join(directory, "out.npy" if is_array else "out.png")
    write_png(source, pixels, bits)
    run(convc, spec, "--input", source, "--output", target, *setting_options(setting))
    if is_array:
        want = expect(code, setting, pixels.astype(float))
        got = np.load(target)[0]
        bound = 1e-5 * top * channels if got.dtype.kind == "f" else 0
    else:
        colours = channels if channels % 2 else channels - 1
        want = np.clip(expect(code, setting, pixels[:colours].astype(float)), 0, top)
        stride = max(-(-height // want.shape[1]), -(-width // want.shape[2]))
        want = np.concatenate([want, pixels[colours:, ::stride, ::stride]])
        got, got_bits = read_png(target)
        bound = within(spec, setting, 0.5 + 1e-5 * top)
        if got_bits != bits:
            return f"{got_bits} bits"
    if got.shape != want.shape:
        return f"shape {got.shape}, not {want.shape}"
    off = abs(got - want).max()
    return "" if off <= bound else f"off by {off}"


def verdict(convc, spec, code, setting, picture):
    with tempfile.TemporaryDirectory() as directory:
        try:
            error = check(convc, spec, code, setting, picture, directory)
        except Exception as e:
            error = f"{type(e).__name__}: {e}"
    where = f"{spec} {' '.join(setting_options(setting))} on %dx%d, %d channels of %d bits" % picture
    return error and f"{where}: {error}"


def main():
    convc, cases, errors = sys.argv[1], [], []
    for spec in specs_of("filters"):
        code, settings = call_of(spec)
        if not code:
            errors.append(f"{spec} has no call of NumPy or SciPy in its comment")
            continue
        pictures = [p for p in PICTURES if p[3] == 8 or '"u8"' not in open(spec).read()]
        cases += [(convc, spec, code, settings[0], picture) for picture in pictures]
        cases += [(convc, spec, code, setting, PICTURES[0]) for setting in settings[1:]]
    return judge(verdict, share(cases), errors)


if __name__ == "__main__":
    sys.exit(main())
