"""The parts of the Triton kernels, interpreted without a CUDA device, against the reference."""

import numpy as np
import pytest
import torch
from merkwelt.render.composite import composite
from merkwelt.render.nerfacto.triton_pack import rows_in_halves
from merkwelt.scenes.hash_grid import hash_encode
from merkwelt.scenes.proposal_sampling import (
    contract,
    distance_from_spacing,
    resample,
    weights_from_density,
)
from merkwelt.scenes.spherical_harmonics import spherical_harmonics

triton = pytest.importorskip("triton", reason="triton is not installed (extra 'gpu')")

import triton.language as tl  # noqa: E402
from merkwelt.render.nerfacto import (  # noqa: E402
    triton_hash,
    triton_sampling,
    triton_shading,
)

DEVICE = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


@triton.jit
def _encode(table, resolutions, size, unit, out, COUNT: tl.constexpr, LEVELS: tl.constexpr):
    number = tl.arange(0, COUNT)
    x, y = tl.load(unit + number * 3), tl.load(unit + number * 3 + 1)
    z = tl.load(unit + number * 3 + 2)
    for first in tl.static_range(0, LEVELS, 8):
        found = triton_hash.hash_features(
            table, resolutions, size, x, y, z, number != 1, first, LEVELS, COUNT
        )
        column = 2 * first + tl.arange(0, 16)[None, :]
        to = out + number[:, None] * (2 * LEVELS) + column
        tl.store(to, found, mask=column < 2 * LEVELS)


@pytest.mark.parametrize("levels", [1, 8, 11])
def test_look_ups_equal_the_torch_reference(levels):
    generator = torch.Generator().manual_seed(3)
    resolutions = torch.tensor([16, 37, 90, 512, 2048, 4, 5, 6, 7, 8, 9.0])[:levels]
    table = torch.randn(levels * 1024, 2, generator=generator).half().float()
    unit = torch.rand(64, 3, generator=generator)
    unit[2:7] = torch.tensor([[0], [0.5], [0.25], [0.75], [0.125]])  # On faces of some levels.
    out = torch.full((64, 2 * levels), torch.nan, device=DEVICE)
    given = (rows_in_halves(table), resolutions, 1024, unit, out)
    given = [part.to(DEVICE) if isinstance(part, torch.Tensor) else part for part in given]
    _encode[(1,)](*given, 64, levels)
    expected = hash_encode(unit, table, resolutions)
    expected[1] = 0  # Was not asked for.
    # Cell shares of 1/2048 carry round-off of 2048 * 6e-8 into values of order one.
    torch.testing.assert_close(out.cpu(), expected, atol=5e-4, rtol=0)


@triton.jit
def _unit_cube(positions, out, COUNT: tl.constexpr):
    number = tl.arange(0, COUNT)
    x, y = tl.load(positions + number * 3), tl.load(positions + number * 3 + 1)
    z = tl.load(positions + number * 3 + 2)
    x, y, z, inside = triton_hash.unit_cube(x, y, z)
    tl.store(out + number * 4, x)
    tl.store(out + number * 4 + 1, y)
    tl.store(out + number * 4 + 2, z)
    tl.store(out + number * 4 + 3, inside.to(tl.float32))


def test_places_are_contracted_and_those_out_of_reach_are_told():
    generator = torch.Generator().manual_seed(4)
    positions = torch.randn(32, 3, generator=generator) * torch.logspace(-2, 3, 32)[:, None]
    positions[5] = torch.tensor([1e12, 0.5, 0])  # Contraction rounds to the cube's very face.
    out = torch.empty(32, 4, device=DEVICE)
    _unit_cube[(1,)](positions.to(DEVICE), out, 32)
    expected = (contract(positions) + 2) / 4
    expected[5] = 0
    torch.testing.assert_close(out[:, :3].cpu(), expected, atol=1e-6, rtol=0)
    assert out[:, 3].tolist() == [float(i != 5) for i in range(32)]


@triton.jit
def _quantiles(
    edges, cdf, out, COUNT: tl.constexpr, BEFORE: tl.constexpr, STEPS: tl.constexpr,
    SAMPLES: tl.constexpr, ROOM: tl.constexpr,
):  # fmt: skip
    flat = tl.arange(0, COUNT * ROOM)
    ray, sample = flat // ROOM, flat % ROOM
    wanted = sample < SAMPLES
    low, high = triton_sampling.interval(edges, cdf, ray, sample, wanted, BEFORE, STEPS, SAMPLES)
    to = out + ray * (2 * SAMPLES) + 2 * sample
    tl.store(to, low, mask=wanted)
    tl.store(to + 1, high, mask=wanted)


@pytest.mark.parametrize(("before", "samples"), [(64, 24), (21, 32), (1, 3)])
@pytest.mark.parametrize("kind", ["random", "one_peak", "empty"])
def test_resampling_equals_the_torch_reference(kind, before, samples):
    rng = np.random.default_rng(2)
    weights = torch.zeros(8, before)
    if kind == "random":
        weights = torch.from_numpy(rng.dirichlet(np.full(before, 0.3), 8).astype("f"))
    elif kind == "one_peak":
        weights[range(8), [0, 0, 1 % before, 2 % before, before // 2, -1, -1, -1]] = 1
    edges = torch.from_numpy(np.sort(rng.random((8, before + 1)), axis=1).astype("f"))
    padded = weights + 0.01
    cdf = (padded / padded.sum(dim=1, keepdim=True)).cumsum(dim=1)
    out = torch.empty(8, samples, 2, device=DEVICE)
    room, steps = triton.next_power_of_2(samples), (before - 1).bit_length()
    _quantiles[(1,)](edges.to(DEVICE), cdf.to(DEVICE), out, 8, before, steps, samples, room)
    expected = resample(edges, weights, samples)
    # Round-off of the cumulated weights, over the smallest share 0.01 / 1.64 of an interval.
    torch.testing.assert_close(out[..., 0].cpu(), expected[:, :-1], atol=2e-5, rtol=0)
    torch.testing.assert_close(out[..., 1].cpu(), expected[:, 1:], atol=2e-5, rtol=0)
    assert torch.equal(out[:, 1:, 0], out[:, :-1, 1])  # Intervals have no gaps.


@triton.jit
def _distances(spacing, out, COUNT: tl.constexpr):
    number = tl.arange(0, COUNT)
    tl.store(out + number, triton_sampling.distance_from_spacing(tl.load(spacing + number)))


def test_distances_equal_the_torch_reference():
    spacing = torch.linspace(0, 0.9995, 64)
    out = torch.empty(64, device=DEVICE)
    _distances[(1,)](spacing.to(DEVICE), out, 64)
    torch.testing.assert_close(out.cpu(), distance_from_spacing(spacing), atol=0, rtol=1e-6)


@triton.jit
def _composite(
    raw, edges, rgb, out, BACKGROUND: tl.constexpr, SAMPLES: tl.constexpr, ROOM: tl.constexpr,
    RAYS: tl.constexpr,
):  # fmt: skip
    ray, sample = tl.arange(0, RAYS)[:, None], tl.arange(0, ROOM)[None, :]
    wanted = sample < SAMPLES
    near = tl.load(edges + ray * (SAMPLES + 1) + sample, mask=wanted, other=0.0)
    far = tl.load(edges + ray * (SAMPLES + 1) + sample + 1, mask=wanted, other=0.0)
    values = tl.load(raw + ray * SAMPLES + sample, mask=wanted, other=0.0)
    optical = triton_sampling.optical_depth(values, 0.5, far - near, wanted)
    number = (ray * SAMPLES + sample)[:, :, None] * 3 + tl.arange(0, 16)[None, None, :]
    exists = wanted[:, :, None] & (tl.arange(0, 16)[None, None, :] < 3)
    colours = tl.reshape(tl.load(rgb + number, mask=exists, other=0.0), (RAYS * ROOM, 16))
    seen = triton_shading.composite(
        optical, colours, (near + far) * 0.5, BACKGROUND, SAMPLES, ROOM, RAYS
    )
    column = tl.arange(0, 16)[None, :]
    tl.store(out + ray * 6 + column, seen, mask=column < 6)


@pytest.mark.parametrize(("background", "number"), [("black", 0), ("last_sample", 1), ("white", 2)])
def test_compositing_equals_the_torch_reference(background, number):
    generator = torch.Generator().manual_seed(5)
    shift = torch.linspace(-12, 12, 16)[:, None]  # From nothing at all to the first sample only.
    raw = torch.randn(16, 9, generator=generator) * 3 + shift
    edges = torch.rand(16, 10, generator=generator).sort(dim=1).values * 4
    rgb = torch.rand(16, 9, 3, generator=generator)
    out = torch.empty(16, 6, device=DEVICE)
    given = [part.to(DEVICE) for part in (raw, edges, rgb)]
    _composite[(1,)](*given, out, number, 9, 16, 16)
    weights = weights_from_density(0.5 * raw.exp(), edges)
    expected = composite(weights, rgb, edges, background)
    # Opaque rays: the reference takes a small sum from a large one.
    rest = [0, 1, 2, 4, 5]
    torch.testing.assert_close(out[:, rest].cpu(), expected[:, rest], atol=1e-4, rtol=0)
    # Faint rays: weights of 1e-4 carry round-off of 6e-8.
    torch.testing.assert_close(out[:, 3].cpu(), expected[:, 3], atol=0, rtol=1e-3)


def test_light_is_spent_without_overflow():
    raw = torch.full((16, 9), 500.0)
    raw[0] = -500.0
    edges = torch.linspace(0, 1, 10).repeat(16, 1)
    out = torch.empty(16, 6, device=DEVICE)
    given = [part.to(DEVICE) for part in (raw, edges, torch.ones(16, 9, 3))]
    _composite[(1,)](*given, out, 0, 9, 16, 16)
    middle = 1 / 18
    torch.testing.assert_close(out[1:].cpu(), torch.tensor([[1, 1, 1, middle, middle, 1]] * 15))
    nothing = torch.tensor([0, 0, 0, middle, 17 * middle, 0])
    torch.testing.assert_close(out[0].cpu(), nothing)


@triton.jit
def _harmonics(directions, out, COUNT: tl.constexpr):
    number = tl.arange(0, COUNT)[:, None]
    x, y = tl.load(directions + number * 3), tl.load(directions + number * 3 + 1)
    z = tl.load(directions + number * 3 + 2)
    tl.store(out + number * 16 + tl.arange(0, 16)[None, :], triton_shading.harmonics(x, y, z))


def test_harmonics_equal_the_torch_reference():
    directions = torch.randn(32, 3, generator=torch.Generator().manual_seed(6))
    out = torch.empty(32, 16, device=DEVICE)
    _harmonics[(1,)](directions.to(DEVICE), out, 32)
    torch.testing.assert_close(out.cpu(), spherical_harmonics(directions), atol=1e-5, rtol=2e-5)
