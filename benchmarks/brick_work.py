"""What rays through bricks have to look up, counted on the CPU: the work of the fast path."""

# ruff: noqa: ANN001, ANN202
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

import numpy as np
import torch
from merkwelt.render.bricks import march_loops, seek_loops
from merkwelt.render.bricks.kernel import render_bricks, transmittances
from merkwelt.scenes.bricks import Bricks
from numba import njit, prange

WARP = 32


def work_of(bricks: Bricks, origins: torch.Tensor, directions: torch.Tensor) -> dict[str, float]:
    """Return what a ray does on average.

    ``looks`` places in the index, ``words`` cells read of bricks, ``coloured`` samples whose eight
    colours are read, and ``busy``, the share of the turns of 32 neighbouring rays, which take them
    together, in which a ray is not over yet.
    """
    space = bricks.space.cells, bricks.space.levels, bricks.index, bricks.hops
    look = (
        transmittances(bricks.look),
        *(np.float32(getattr(bricks.look, name)) for name in ("step_cells", "dark", "faint")),
    )
    out = np.zeros((len(origins), 5), dtype=np.float32)
    _count(origins.numpy(), directions.numpy(), space, bricks.density, look, out)
    opacity = render_bricks(bricks, origins, directions)[:, 5].numpy()
    assert (np.abs(out[:, 4] - opacity) < 1e-4).mean() > 0.999, "the count is not of that march"
    turns = out[: len(out) // WARP * WARP, 0].reshape(-1, WARP)
    looks, words, coloured = out[:, 1:4].mean(axis=0)
    busy = turns.mean() / turns.max(axis=1).mean()
    found = {"looks": looks, "words": words, "coloured": coloured, "busy": busy}
    return {name: float(value) for name, value in found.items()}


@njit(parallel=True, error_model="numpy")
def _count(origins, directions, space, density, look, out):
    """Write turns, looks, words, coloured samples and opacity of each ray, as ``seek`` goes."""
    cells, levels, index, hops = space
    passing, step_cells, dark, faint = look
    along, half = cells // 8, np.float32(cells) * np.float32(0.5)
    for ray in prange(origins.shape[0]):
        o = (origins[ray, 0], origins[ray, 1], origins[ray, 2])
        d = (directions[ray, 0], directions[ray, 1], directions[ray, 2])
        pace = seek_loops.pace_of(d, step_cells, cells)
        t, last = seek_loops.enter(o, d, np.float32(1 << (levels - 1)))
        light = np.float32(1)
        while t < last and light > dark:
            out[ray, 0] += 1
            m = max(abs(o[0] + t * d[0]), max(abs(o[1] + t * d[1]), abs(o[2] + t * d[2])))
            level, size = 0, np.float32(1)
            while m >= size and level < levels - 1:
                level, size = level + 1, size * np.float32(2)
            step = pace[0] * size
            at = (np.ceil(t / step - seek_loops.EARLY) + np.float32(0.5)) * step
            x, y, z = o[0] + at * d[0], o[1] + at * d[1], o[2] + at * d[2]
            m = max(abs(x), max(abs(y), abs(z)))
            if m >= size or (level > 0 and m < size * np.float32(0.5)):
                t = at if at > t else at + step * np.float32(0.5)
                continue
            x, y, z = (x / size + 1) * half, (y / size + 1) * half, (z / size + 1) * half
            cx, cy, cz = min(int(x), cells - 1), min(int(y), cells - 1), min(int(z), cells - 1)
            place = ((level * along + (cz >> 3)) * along + (cy >> 3)) * along + (cx >> 3)
            found = index[place]
            out[ray, 1] += 1
            if found < 0:
                t = _over(o, d, (cx >> 3, cy >> 3, cz >> 3), found, (step, size, 8 / half), at)
                continue
            out[ray, 2] += 1
            cell = ((cz & 7) << 6) | ((cy & 7) << 3) | (cx & 7)
            hop = max(hops[found, cell], 1)
            if hops[found, cell] == 0:
                corner = ((cz & 7) * 9 + (cy & 7)) * 9 + (cx & 7)
                value = march_loops.blend(
                    density[found],
                    corner,
                    np.float32(x - cx),
                    np.float32(y - cy),
                    np.float32(z - cz),
                )
                passed = light * passing[int(value * 4)]
                if light - passed > faint:
                    out[ray, 3] += 1
                    light = passed
            t = at + (np.floor((hop - 1) * pace[2]) + np.float32(0.5)) * step
        out[ray, 4] = 1 - light if light > dark else 1


@njit(error_model="numpy")
def _over(o, d, brick, found, sizes, at):
    """Return the end of the last step over empty bricks."""
    step, size, edge = sizes
    leave = np.float32(1e30)
    for axis in range(3):
        inverse = np.float32(1) / seek_loops.steep(d[axis])
        bound = brick[axis] - found if inverse > 0 else brick[axis] + found + 1
        leave = min(leave, (bound * edge * size - size - o[axis]) * inverse)
    return max(at + step / 2, np.ceil(leave / step - seek_loops.EARLY) * step)
