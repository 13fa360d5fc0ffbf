#!/usr/bin/python3
"""Renders specs/filters/gallery.png: the picture, and what seven filters make of it.

    specs/filters/gallery.py CONVC FILE.png

convc computes every tile, the small picture too, and writes the file; NumPy lays the tiles side by
side. Two rows of four: the picture, gaussian, motion, unsharp; edge_detect, emboss, false_colours,
sepia.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
GAP = 4  # white pixels between tiles
COLUMNS = 4
RESULTS = [("gaussian", "N=9", "SIGMA=1.5"), ("motion", "THETA=20"), ("unsharp", "AMOUNT=1.5"),
           ("edge_detect",), ("emboss",), ("false_colours",), ("sepia",)]


def run(convc, name, source, target, *settings):
    command = [convc, "run", os.path.join(HERE, name + ".lua"), "--no-timing", "--no-cache",
               "--input", source, "--output", target]
    for setting in settings:
        command += ["-D", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def tile_of(path):
    return np.load(path)[0].clip(0, 255)


def tiles(convc, directory):
    """3 x height x width each, a quarter of the picture's size: half of a half."""
    half, small, tile = (os.path.join(directory, f) for f in ("half.png", "small.png", "tile.npy"))
    run(convc, "pyramid_down", os.path.join(HERE, "picture.png"), half)
    run(convc, "pyramid_down", half, small)
    run(convc, "pyramid_down", half, tile)
    yield tile_of(tile)
    for name, *settings in RESULTS:
        run(convc, name, small, tile, *settings)
        yield tile_of(tile)


def montage(tiles):
    _, height, width = tiles[0].shape
    rows = -(-len(tiles) // COLUMNS)
    shape = (1, 3, rows * (height + GAP) - GAP, COLUMNS * (width + GAP) - GAP)
    sheet = np.full(shape, 255, np.float32)
    for i, tile in enumerate(tiles):
        y, x = i // COLUMNS * (height + GAP), i % COLUMNS * (width + GAP)
        sheet[0, :, y:y + height, x:x + width] = tile
    return sheet


def main(convc, target):
    with tempfile.TemporaryDirectory() as directory:
        sheet = montage(list(tiles(convc, directory)))
        source = os.path.join(directory, "sheet.npy")
        np.save(source, sheet)
        height, width = sheet.shape[2:]
        run(convc, "box", source, target, "N=1", "C=3", f"H={height}", f"W={width}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: gallery.py CONVC FILE.png")
    main(*sys.argv[1:])
