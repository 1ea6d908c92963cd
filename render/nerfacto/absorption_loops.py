"""Where along a ray nerfacto's light is absorbed, without asking for colours."""

# ruff: noqa: PLR0913, ANN001, ANN201
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

from numba import njit, prange

from .proposal_loops import propose, weigh
from .tile_loops import FAST


@njit(cache=True, parallel=True, fastmath=FAST)
def absorb(
    origins, directions, networks, samples, first_edges, field, scale, chunk, edges, weights
):
    """Write the last pass' ``edges [ray, k + 1]`` and ``weights [ray, k]``.

    ``field`` is the density of the field itself, in the shape of one proposal network.
    """
    rays = origins.shape[0]
    for part in prange((rays + chunk - 1) // chunk):
        first, last = part * chunk, min((part + 1) * chunk, rays)
        o, d = origins[first:last], directions[first:last]
        at = edges[first:last]
        propose(o, d, networks, samples, first_edges, scale, at)
        weigh(o, d, field, 0, at, samples[-1], scale, weights[first:last])
