#!/usr/bin/env python3
"""Renders specs/filters/picture.png: a small ray-traced scene with edges of every kind.

    python3 specs/filters/make_picture.py specs/filters/picture.png

Needs numpy alone. The same file comes out every time.
"""

import struct
import sys
import zlib

import numpy as np

WIDTH, HEIGHT, SAMPLES = 768, 512, 3
SUN = np.array([-0.62, 0.60, -0.42]) / np.linalg.norm([-0.62, 0.60, -0.42])
FAR = 1e9

# centre, radius, colour, pattern, mirror
SPHERES = [
    ((-1.55, 1.00, 0.20), 1.00, (0.86, 0.24, 0.16), "plain", 0.25),
    ((0.55, 0.70, -1.15), 0.70, (0.95, 0.95, 0.98), "plain", 0.75),
    ((2.15, 0.85, 0.55), 0.85, (0.16, 0.42, 0.72), "bands", 0.10),
    ((-0.35, 0.38, -1.95), 0.38, (0.97, 0.74, 0.18), "plain", 0.15),
    ((-2.75, 0.50, -1.20), 0.50, (0.18, 0.55, 0.36), "squares", 0.05),
    ((3.05, 0.42, -1.25), 0.42, (0.62, 0.25, 0.60), "bands", 0.20),
    ((1.55, 0.28, -2.25), 0.28, (0.92, 0.45, 0.20), "squares", 0.10),
]

# x, z, radius, height: columns, in two rows that run away from the viewer
COLUMNS = [(x, 2.5 + 2.2 * i, 0.34, 3.1) for i in range(6) for x in (-3.6, 3.6)]


def dot(a, b):
    return (a * b).sum(axis=-1)


def hit_sphere(origin, ray, centre, radius):
    oc = origin - centre
    b = dot(oc, ray)
    root = b * b - dot(oc, oc) + radius * radius
    t = -b - np.sqrt(np.maximum(root, 0))
    return np.where((root > 0) & (t > 1e-3), t, FAR)


def hit_column(origin, ray, x, z, radius, height):
    """The mantle of a round column; its top is never seen."""
    ox, oz = origin[:, 0] - x, origin[:, 2] - z
    a = ray[:, 0] ** 2 + ray[:, 2] ** 2 + 1e-12
    b = ox * ray[:, 0] + oz * ray[:, 2]
    root = b * b - a * (ox * ox + oz * oz - radius * radius)
    t = (-b - np.sqrt(np.maximum(root, 0))) / a
    y = origin[:, 1] + t * ray[:, 1]
    return np.where((root > 0) & (t > 1e-3) & (y > 0) & (y < height), t, FAR)


def hit_floor(origin, ray):
    t = -origin[:, 1] / np.where(np.abs(ray[:, 1]) < 1e-9, 1e-9, ray[:, 1])
    return np.where((t > 1e-3) & (t < 400), t, FAR)


def nearest(origin, ray):
    """Distance and number of the first thing hit: spheres, then columns, then the floor."""
    hits = [hit_sphere(origin, ray, np.array(s[0]), s[1]) for s in SPHERES]
    hits += [hit_column(origin, ray, *c) for c in COLUMNS]
    hits.append(hit_floor(origin, ray))
    hits = np.stack(hits)
    which = hits.argmin(axis=0)
    return hits[which, np.arange(len(ray))], which


def ridge(azimuth, seed, octaves=7):
    """The skyline of a range of mountains: sums of folded waves."""
    random = np.random.RandomState(seed)
    line = np.zeros_like(azimuth)
    for o in range(octaves):
        phase = azimuth * 2.3 * 1.9**o + random.uniform(0, 10)
        line += (1 - 2 * np.abs(phase % 2 - 1)) * 0.55**o
    return line


def sky(ray):
    height = np.clip(ray[:, 1], 0, 1)[:, None]
    colour = (1 - height**0.55) * (0.99, 0.80, 0.58) + height**0.55 * (0.20, 0.38, 0.68)
    azimuth = np.arctan2(ray[:, 0], ray[:, 2])

    clouds = np.zeros(len(ray))
    for o, (a, b) in enumerate([(5, 31), (11, 47), (23, 90), (41, 170)]):
        clouds += np.sin(azimuth * a + 1.7 * o + 2 * np.sin(ray[:, 1] * b)) / (o + 1.5)
    clouds = np.clip(clouds * 1.4 - 0.55, 0, 1)[:, None]
    clouds = clouds * np.clip(height * 4 - 0.25, 0, 1) * np.clip(2.6 - 4 * height, 0, 1)
    colour = colour * (1 - clouds) + np.array((1.0, 0.95, 0.88)) * clouds

    moon = dot(ray, np.array([0.21, 0.20, 0.96]) / np.linalg.norm([0.21, 0.20, 0.96]))
    colour = np.where((moon > 0.9965)[:, None], (1.0, 0.97, 0.80), colour)

    for base, size, seed, shade in [
        (0.105, 0.045, 3, (0.60, 0.55, 0.66)),
        (0.060, 0.034, 8, (0.40, 0.40, 0.54)),
        (0.028, 0.018, 5, (0.22, 0.27, 0.36)),
    ]:
        line = base + size * ridge(azimuth, seed)
        snow = (ray[:, 1] > base + size * (0.55 + 0.3 * ridge(azimuth * 3, seed + 1)))[:, None]
        rock = np.where(snow & (seed == 3), (0.93, 0.92, 0.95), shade)
        colour = np.where((ray[:, 1] < line)[:, None], rock, colour)
    return colour


def surface(point, which):
    """Colour, normal and mirror share of what was hit."""
    colour = np.zeros_like(point)
    normal = np.zeros_like(point)
    mirror = np.zeros(len(point))

    for i, (centre, radius, base, pattern, shine) in enumerate(SPHERES):
        here = which == i
        n = (point[here] - centre) / radius
        c = np.tile(np.array(base), (len(n), 1))
        if pattern == "bands":
            odd = np.floor((n[:, 1] + 0.35 * n[:, 0]) * 5.5) % 2 == 1
            c[odd] = (0.95, 0.93, 0.88)
        if pattern == "squares":
            turn = np.floor(np.arctan2(n[:, 0], n[:, 2]) * 12 / np.pi)
            odd = (turn + np.floor(np.arccos(np.clip(n[:, 1], -1, 1)) * 9 / np.pi)) % 2 == 1
            c[odd] = (0.96, 0.93, 0.85)
        colour[here], normal[here], mirror[here] = c, n, shine

    for i, (x, z, radius, height) in enumerate(COLUMNS):
        here = which == len(SPHERES) + i
        p = point[here]
        n = np.stack([p[:, 0] - x, 0 * p[:, 0], p[:, 2] - z], axis=-1) / radius
        flutes = np.cos(np.arctan2(n[:, 0], n[:, 2]) * 16)
        ring = (p[:, 1] < 0.22) | (p[:, 1] > height - 0.22) | (np.abs(p[:, 1] - 0.4) < 0.04)
        shade = np.where(ring, 1.0, 0.86 + 0.12 * flutes)
        colour[here] = shade[:, None] * (0.88, 0.82, 0.72)
        normal[here] = n

    here = which == len(SPHERES) + len(COLUMNS)
    p = point[here]
    tile = (np.floor(p[:, 0]) + np.floor(p[:, 2])) % 2
    inner = (np.abs(p[:, 0] % 1 - 0.5) + np.abs(p[:, 2] % 1 - 0.5)) < 0.26
    light = np.where(inner, 1 - tile, tile)[:, None]
    colour[here] = light * (0.87, 0.83, 0.76) + (1 - light) * (0.27, 0.25, 0.29)
    normal[here] = (0, 1, 0)
    mirror[here] = 0.12
    return colour, normal, mirror


def trace(origin, ray, depth):
    t, which = nearest(origin, ray)
    colour = sky(ray)
    hit = t < FAR
    if not hit.any():
        return colour
    o, d = origin[hit], ray[hit]
    point = o + d * t[hit][:, None]
    base, normal, mirror = surface(point, which[hit])

    shadow, _ = nearest(point + normal * 1e-3, np.broadcast_to(SUN, point.shape))
    sun = np.clip(dot(normal, SUN), 0, 1) * (shadow >= FAR)
    ambient = 0.34 + 0.16 * normal[:, 1]
    half = SUN - d
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    gleam = (np.clip(dot(normal, half), 0, 1) ** 70) * (shadow >= FAR) * (mirror > 0.12)
    lit = base * (ambient + 0.85 * sun)[:, None] + 0.6 * gleam[:, None]

    if depth > 0:
        bounce = d - 2 * dot(d, normal)[:, None] * normal
        seen = trace(point + normal * 1e-3, bounce, depth - 1)
        lit = lit * (1 - mirror)[:, None] + seen * mirror[:, None]
    haze = (1 - np.exp(-np.maximum(t[hit] - 10, 0) / 30))[:, None]
    colour[hit] = lit * (1 - haze) + haze * (0.86, 0.76, 0.66)
    return colour


def render():
    eye = np.array([0.0, 1.75, -7.2])
    picture = np.zeros((HEIGHT, WIDTH, 3))
    for s in range(SAMPLES * SAMPLES):
        dy, dx = (np.array(divmod(s, SAMPLES)) + 0.5) / SAMPLES
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        u = (x + dx - WIDTH / 2) / HEIGHT
        v = (HEIGHT * 0.44 - y - dy) / HEIGHT
        ray = np.stack([u, v, np.full(u.shape, 1.12)], axis=-1).reshape(-1, 3)
        ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
        origin = np.broadcast_to(eye, ray.shape)
        picture += trace(origin, ray, 2).reshape(HEIGHT, WIDTH, 3)
    picture = np.clip(picture / SAMPLES**2, 0, 1) ** 0.9
    return np.rint(picture * 255).astype(np.uint8)


def write_png(path, pixels):
    """8-bit RGB; every row filtered against the one above it (filter 2)."""

    def chunk(kind, body):
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    rows = np.concatenate([rows[:1], rows[1:] - rows[:-1]])
    rows = np.concatenate([np.full((height, 1), 2, np.uint8), rows], axis=1)
    rows[0, 0] = 0
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)))
        file.write(chunk(b"IEND", b""))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_picture.py FILE.png")
    write_png(sys.argv[1], render())
