"""Procedural pictures for walls, floors and frames: band-limited, moderate in contrast.

Every function returns sRGB values ``[row, column, 3]`` uint8 and depends on its seed only.
"""

import numpy as np
from scipy.ndimage import gaussian_filter


def _generator(seed: int, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, purpose))))


def _to_uint8(colour: np.ndarray) -> np.ndarray:
    return np.round(np.clip(colour, 0, 1) * 255).astype(np.uint8)


def _noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float | tuple) -> np.ndarray:
    """Return smooth noise of unit variance."""
    import cv2

    sigmas = np.broadcast_to(np.asarray(sigma, float), 2)
    # Broad noise is drawn on a coarser grid; a fixed kernel of 500 texels would take seconds.
    coarse = np.maximum(sigmas // 3, 1).astype(int)
    rows, columns = (-(-size // step) for size, step in zip(shape, coarse, strict=True))
    field = gaussian_filter(rng.standard_normal((rows, columns)), sigmas / coarse, mode="wrap")
    field = cv2.resize(field, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return field / field.std()


def wood_floor(seed: int, *, size_m: tuple[float, float] = (6.0, 5.0)) -> np.ndarray:
    """Return planks 0.16 m wide along the picture's rows, each with its own tint and grain."""
    rng = _generator(seed, 1)
    texel_m = 0.004
    columns, rows = (int(round(size / texel_m)) for size in size_m)
    row, column = np.mgrid[:rows, :columns]
    plank = (row * texel_m // 0.16).astype(int)
    offset = rng.uniform(0, 1.4, plank.max() + 1)[plank]
    along = column * texel_m + offset
    piece = plank * 16 + (along // 1.4).astype(int)
    tint = rng.normal(0, 0.055, piece.max() + 1)[piece]
    grain = _noise(rng, (rows, columns), (2.5, 40)) * 0.015
    streak = _noise(rng, (rows, columns), (5.0, 80)) * 0.03
    edge_m = np.minimum((row * texel_m) % 0.16, along % 1.4)
    seam = np.where(edge_m < 0.009, 0.80, 1.0)
    shade = (1 + tint + grain + streak) * gaussian_filter(seam, 1.2)
    return _to_uint8(shade[..., None] * np.array([0.70, 0.52, 0.36]))


def wall_paper(seed: int, *, size_m: tuple[float, float], base: tuple[float, ...]) -> np.ndarray:
    """Return painted wall with faint stripes, a leaf motif and clouds of tone."""
    rng = _generator(seed, 2)
    texel_m = 0.006
    columns, rows = (int(round(size / texel_m)) for size in size_m)
    row, column = np.mgrid[:rows, :columns]
    across, up = column * texel_m, (rows - 1 - row) * texel_m
    stripe = 0.02 * np.sign(np.sin(2 * np.pi * across / 0.80))
    cell_u = (across / 0.40) % 1 - 0.5
    cell_v = (up / 0.48 + 0.5 * ((across // 0.40) % 2)) % 1 - 0.5
    stem, rise = np.abs(cell_u), cell_v
    leaves = [
        (stem * 5 - 0.5) ** 2 * 3 + ((rise - 0.22 * k) * 9 - stem * 5) ** 2 for k in (-1, 0, 1)
    ]
    motif = np.clip(1.4 - np.min(leaves, axis=0), 0, 0.6) / 0.6
    motif = np.maximum(motif, (stem < 0.015) & (np.abs(rise) < 0.38))
    cloud = _noise(rng, (rows, columns), 22) * 0.018
    tone = 1 + gaussian_filter(stripe - 0.12 * motif, 2.5) + cloud
    return _to_uint8(tone[..., None] * np.asarray(base))


def ceiling(seed: int) -> np.ndarray:
    """Return white plaster with soft blotches."""
    rng = _generator(seed, 3)
    tone = 0.90 + _noise(rng, (300, 360), 9) * 0.018 + _noise(rng, (300, 360), 2) * 0.008
    return _to_uint8(tone[..., None] * np.array([1.0, 0.985, 0.96]))


def rug(seed: int) -> np.ndarray:
    """Return a woven rug with borders and diamonds."""
    rng = _generator(seed, 4)
    rows, columns = 400, 560
    v, u = np.mgrid[:rows, :columns]
    edge = np.minimum(np.minimum(u, columns - 1 - u), np.minimum(v, rows - 1 - v))
    palette = np.array([[0.55, 0.16, 0.15], [0.84, 0.74, 0.56], [0.17, 0.25, 0.38]])
    diamonds = np.abs((u / 140) % 1 - 0.5) + np.abs((v / 100) % 1 - 0.5)
    kind = np.where(diamonds < 0.2, 2, np.where(diamonds < 0.30, 1, 0))
    kind = np.where(edge < 60, np.where((edge // 20) % 2 == 0, 2, 0), kind)
    kind = np.where(np.abs(edge - 64) < 6, 1, kind)
    colour = gaussian_filter(palette[kind], (1.5, 1.5, 0))
    weave = 1 + _noise(rng, (rows, columns), 2.5) * 0.03 + _noise(rng, (rows, columns), 12) * 0.03
    return _to_uint8(colour * weave[..., None])


def painting(seed: int, which: int) -> np.ndarray:
    """Return one of several abstract landscapes."""
    rng = _generator(seed, 100 + which)
    rows, columns = 240, 320
    v, u = np.mgrid[:rows, :columns] / np.array([rows, columns]).reshape(2, 1, 1)
    warm = rng.uniform(0, 1, (5, 1))
    hue = warm * np.array([0.80, 0.52, 0.32]) + (1 - warm) * np.array([0.22, 0.42, 0.55])
    hue = np.clip(hue * rng.uniform(0.6, 1.25, (5, 1)) + rng.normal(0, 0.05, (5, 3)), 0.05, 0.95)
    picture = hue[0] * (1 - v[..., None]) + np.array([0.95, 0.85, 0.7]) * v[..., None]
    for layer in range(1, 5):
        ridge = (
            0.25
            + 0.15 * layer
            + 0.08
            * np.interp(u[0], np.linspace(0, 1, 9), gaussian_filter(rng.standard_normal(9), 0.7))
        )
        picture = np.where((v > ridge[None])[..., None], hue[layer], picture)
    x, y = rng.uniform(0.2, 0.8), rng.uniform(0.12, 0.3)
    disc = (u - x) ** 2 * (columns / rows) ** 2 + (v - y) ** 2 < 0.007
    picture = np.where(disc[..., None], np.array([0.98, 0.90, 0.55]), picture)
    strokes = 1 + _noise(rng, (rows, columns), (4, 8)) * 0.04
    return _to_uint8(gaussian_filter(picture, (1.2, 1.2, 0)) * strokes[..., None])


def outdoors(seed: int, which: int) -> np.ndarray:
    """Return the blurred view from a window: sky, clouds, trees, grass."""
    rng = _generator(seed, 200 + which)
    rows, columns = 200, 260
    v, u = np.mgrid[:rows, :columns] / np.array([rows, columns]).reshape(2, 1, 1)
    sky = (1 - v)[..., None] * np.array([0.55, 0.75, 0.98]) + v[..., None] * np.array([0.92] * 3)
    cloud = np.clip(_noise(rng, (rows, columns), (9, 20)), 0, 1.5)[..., None] / 1.5
    picture = sky * (1 - cloud * 0.7) + cloud * 0.7
    crowns = 0.62 + 0.09 * _noise(rng, (rows, columns), (1, 12))[0]
    leaves = 1 + 0.25 * _noise(rng, (rows, columns), 4)
    picture = np.where(
        (v > crowns[None])[..., None], leaves[..., None] * np.array([0.40, 0.55, 0.34]), picture
    )
    picture = np.where((v > 0.86)[..., None], np.array([0.60, 0.70, 0.45]), picture)
    return _to_uint8(gaussian_filter(picture, (2.0, 2.0, 0)))


def cloth(seed: int, which: int, *, base: tuple[float, ...]) -> np.ndarray:
    """Return woven cloth with soft stripes."""
    rng = _generator(seed, 300 + which)
    v, u = np.mgrid[:128, :128]
    stripes = 0.10 * np.sin(2 * np.pi * u / 32) + 0.06 * np.sin(2 * np.pi * v / 16)
    tone = 1 + stripes + _noise(rng, (128, 128), 1.5) * 0.05
    return _to_uint8(tone[..., None] * np.asarray(base))


def book_spines(seed: int, which: int) -> np.ndarray:
    """Return a row of book spines of different colours and widths."""
    rng = _generator(seed, 400 + which)
    rows, columns = 96, 256
    picture = np.empty((rows, columns, 3))
    start = 0
    while start < columns:
        stop = start + int(rng.integers(14, 28))
        colour = rng.uniform(0.3, 0.7) * rng.uniform(0.5, 1.0, 3) + 0.08
        picture[:, start:stop] = colour
        band = int(rng.integers(10, 30))
        picture[band : band + 8, start:stop] = np.clip(colour * 1.4 + 0.05, 0, 1)
        picture[:, min(stop, columns) - 1] *= 0.6
        start = stop
    return _to_uint8(gaussian_filter(picture, (0.7, 0.6, 0)))


def clock_face() -> np.ndarray:
    """Return a clock's face with marks at the hours, showing ten past ten."""
    side = 256
    v, u = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    radius, angle = np.hypot(u, v), np.arctan2(u, -v)
    face = np.ones((side, side, 3)) * np.array([0.96, 0.95, 0.90])
    hour = np.abs((angle / (np.pi / 6) + 0.5) % 1 - 0.5) * np.pi / 6 * radius
    face[(hour < 0.012) & (radius > 0.36) & (radius < 0.45)] = 0.08
    for turn, length, width in ((np.deg2rad(305), 0.24, 0.016), (np.deg2rad(60), 0.36, 0.011)):
        along = u * np.sin(turn) - v * np.cos(turn)
        across = u * np.cos(turn) + v * np.sin(turn)
        face[(along > -0.03) & (along < length) & (np.abs(across) < width)] = 0.06
    face[radius > 0.465] = np.array([0.35, 0.2, 0.1])
    return _to_uint8(gaussian_filter(face, (0.8, 0.8, 0)))
