"""The Triton kernels against the torch reference, interpreted where there is no CUDA device."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.composite import composite
from merkwelt.render.nerfacto.triton_launch import TritonOptions
from merkwelt.render.nerfacto.triton_pack import pack_field, rows_in_halves
from merkwelt.render.nerfacto.triton_path import render_nerfacto_triton, workspace_floats
from merkwelt.render.volume import render_field
from merkwelt.scenes.hash_grid import hash_encode
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfacto import NerfactoField
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.proposal_sampling import (
    contract,
    distance_from_spacing,
    resample,
    weights_from_density,
)
from merkwelt.scenes.scene import Scene
from merkwelt.scenes.spherical_harmonics import spherical_harmonics
from random_nerfacto import random_field, rays

triton = pytest.importorskip("triton", reason="triton is not installed (extra 'gpu')")

import triton.language as tl  # noqa: E402
from merkwelt.render.nerfacto import (  # noqa: E402
    triton_hash,
    triton_sampling,
    triton_shading,
)

HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda:0" if HAS_GPU else "cpu")
# The interpreter takes as long for a large program as for a small one.
LARGE = TritonOptions() if HAS_GPU else TritonOptions(samples_per_program=4096)
EXACT = TritonOptions(samples_per_program=LARGE.samples_per_program, factors="float32")


def render(field, origins, directions, options=LARGE):
    out = render_nerfacto_triton(field, origins.to(DEVICE), directions.to(DEVICE), options=options)
    return out.cpu()


def reference(field, origins, directions):
    with torch.no_grad():
        return render_field(field, origins, directions)


def in_halves(field):
    """Return the field whose numbers are those that the kernels read."""

    def read(name, value):
        last_proposal = name.startswith("proposal") and name.endswith(".1.weight")
        return value if name.endswith("bias") or last_proposal else value.half().float()

    return NerfactoField(field.config, {k: read(k, v) for k, v in field.weights.items()})


def psnr(found, expected):
    return -10 * float(((found - expected)[:, :3] ** 2).mean().log10())


@pytest.mark.parametrize("background", ["last_sample", "white", "black"])
@pytest.mark.parametrize("opaque", [-3.0, 0.0, 5.0])
def test_any_sizes_and_backgrounds_equal_the_reference(background, opaque):
    field = random_field(background, opaque=opaque)
    ours, expected = render(field, *rays(300)), reference(field, *rays(300))
    # Halves are rounded to 5e-4 of their value, in tables and in five layers of numbers of order
    # one; a pixel averages over samples.
    torch.testing.assert_close(ours[:, [0, 1, 2, 5]], expected[:, [0, 1, 2, 5]], atol=1e-3, rtol=0)
    torch.testing.assert_close(ours[:, 3], expected[:, 3], atol=0, rtol=2e-3)
    # The median jumps where half of the light is reached at an interval's very end.
    assert ((ours[:, 4] - expected[:, 4]).abs() < 1e-2 * expected[:, 4]).float().mean() > 0.98
    # Without the rounding, the order of sums is all that is left.
    ours, expected = render(field, *rays(300), EXACT), reference(in_halves(field), *rays(300))
    torch.testing.assert_close(ours[:, [0, 1, 2, 5]], expected[:, [0, 1, 2, 5]], atol=5e-5, rtol=0)
    torch.testing.assert_close(ours[:, 3], expected[:, 3], atol=0, rtol=1e-4)
    assert ((ours[:, 4] - expected[:, 4]).abs() < 1e-4 * expected[:, 4]).float().mean() > 0.99


@pytest.mark.parametrize("options", [TritonOptions(), TritonOptions(samples_per_program=16)])
@pytest.mark.parametrize("count", [1, 5, 10])
def test_a_ray_depends_neither_on_its_company_nor_on_its_program(options, count):
    # 1 to 10 rays leave programs of 4, 8 and more rays partly empty.
    field = random_field()
    origins, directions = rays(40)
    whole = render(field, origins, directions)
    part = render(field, origins[7 : 7 + count], directions[7 : 7 + count], options)
    # Matrix products of different shapes may add in another order.
    torch.testing.assert_close(part, whole[7 : 7 + count], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("background", ["last_sample", "white"])
def test_rays_out_of_the_tables_reach_see_the_background(background):
    field = random_field(background)
    origins, directions = rays(20)
    origins[::2] *= 1e9  # Contraction rounds to the cube's very faces.
    ours, expected = render(field, origins, directions), reference(field, origins, directions)
    assert expected[::2, 5].abs().max() == ours[::2, 5].abs().max() == 0
    torch.testing.assert_close(ours[:, [0, 1, 2, 5]], expected[:, [0, 1, 2, 5]], atol=1e-3, rtol=0)
    torch.testing.assert_close(ours[:, 3:5], expected[:, 3:5], atol=0, rtol=2e-3)


@pytest.mark.parametrize("networks", [1, 3])
def test_any_number_of_proposal_networks_equals_the_reference(networks):
    field = random_field()
    picks = [0, 1, 0][:networks]
    config = replace(
        field.config,
        proposal_grids=tuple(field.config.proposal_grids[i] for i in picks),
        proposal_samples=(21, 10, 12)[:networks],
    )
    weights = {k: v for k, v in field.weights.items() if not k.startswith("proposal")}
    for number, i in enumerate(picks):
        for part in ("table", "0.weight", "0.bias", "1.weight", "1.bias"):
            weights[f"proposal.{number}.{part}"] = field.weights[f"proposal.{i}.{part}"]
    field = NerfactoField(config, weights)
    ours, expected = render(field, *rays(40), EXACT), reference(in_halves(field), *rays(40))
    torch.testing.assert_close(ours[:, [0, 1, 2, 5]], expected[:, [0, 1, 2, 5]], atol=5e-5, rtol=0)
    torch.testing.assert_close(ours[:, 3], expected[:, 3], atol=0, rtol=1e-4)


def test_no_rays_give_no_picture():
    assert render(random_field(), torch.zeros(0, 3), torch.zeros(0, 3)).shape == (0, 6)


def test_batches_larger_than_the_workspace_come_in_chunks():
    field = random_field()
    origins, directions = (part.to(DEVICE) for part in rays(100))
    whole = render_nerfacto_triton(field, origins, directions, options=LARGE)
    floats = workspace_floats(field.config, 40, LARGE)
    assert floats == 64 * (2 * 21 + 1 + 2 * 10 + 1)  # 40 rays in whole warps.
    small = TritonOptions(workspace_bytes=1)
    assert workspace_floats(field.config, 10**6, small) == floats // 2
    out = torch.full((100, 6), torch.nan, device=DEVICE)
    workspace = torch.full((floats,), torch.nan, device=DEVICE)
    given = {"out": out, "workspace": workspace, "options": LARGE}
    assert render_nerfacto_triton(field, origins, directions, **given) is out
    torch.testing.assert_close(out, whole, atol=1e-4, rtol=1e-4)


def test_what_the_kernels_cannot_take_is_refused():
    field = random_field()
    origins, directions = (part.to(DEVICE) for part in rays(40))
    with pytest.raises(ValueError, match=r"expected directions as contiguous float32 \[40, 3\]"):
        render_nerfacto_triton(field, origins, directions[:39])
    with pytest.raises(ValueError, match=r"expected origins as contiguous .* got torch.float64"):
        render_nerfacto_triton(field, origins.double(), directions)
    workspace = torch.empty(2047, device=DEVICE)
    with pytest.raises(ValueError, match=r"at least 2048 numbers, for 32 rays, got 2047"):
        render_nerfacto_triton(field, origins, directions, workspace=workspace)
    field.weights["head.1.weight"][0, 0] = 1e6
    with pytest.raises(ValueError, match=r"weights below 65504 .* got 1e\+06"):
        pack_field(field, DEVICE)


def test_a_missing_triton_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(ImportError, match=r"install the extra 'merkwelt\[gpu\]'"):
        render(random_field(), *rays(1))


def test_the_bundled_scene_is_the_same_picture():
    scene = Scene.load("living_room")
    origins, directions = rays(48)
    origins = 0.5 * origins
    ours, expected = (
        render(scene.field, origins, directions),
        reference(scene.field, origins, directions),
    )
    # 70.9 dB over 2,000 rays of its photographs, of which 71.1 are the rounding of its weights.
    assert psnr(ours, expected) > 60
    assert (ours[:, 5] - expected[:, 5]).abs().max() < 2e-3
    exact = render(scene.field, origins, directions, EXACT)
    assert psnr(exact, reference(in_halves(scene.field), origins, directions)) > 95


def test_a_field_that_nerfstudio_trained_is_the_same_picture(shared_data):
    run = shared_data / "trained" / "fox_nerfacto"
    field = import_run(run, ImportOptions(name="fox")).field
    with np.load(run / "nerfstudio_renders_128.npz") as archive:
        origins, directions = (
            torch.from_numpy(archive[f"ray_{part}"][2].reshape(-1, 3)[::400].copy())
            for part in ("origins", "directions")
        )
    ours, expected = render(field, origins, directions), reference(field, origins, directions)
    # A soft scene, in which small shifts of samples show: 64.3 dB over 2,000 rays.
    assert psnr(ours, expected) > 55
    exact = render(field, origins, directions, EXACT)
    assert psnr(exact, reference(in_halves(field), origins, directions)) > 90


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


@pytest.mark.needs_cuda
def test_a_call_can_be_captured_in_a_cuda_graph():
    field = random_field()
    origins, directions = (part.to(DEVICE) for part in rays(300))
    out = torch.empty(300, 6, device=DEVICE)
    workspace = torch.empty(workspace_floats(field.config, 300), device=DEVICE)
    given = {"out": out, "workspace": workspace}
    expected = render_nerfacto_triton(field, origins, directions, **given).clone()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        render_nerfacto_triton(field, origins, directions, **given)
    out.fill_(torch.nan)
    graph.replay()
    assert torch.equal(out, expected)
    origins.copy_(origins.flip(0))
    directions.copy_(directions.flip(0))
    graph.replay()
    torch.testing.assert_close(out, expected.flip(0), atol=1e-4, rtol=1e-4)


@pytest.mark.needs_cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_nothing_is_said_to_the_host():
    field = random_field()
    origins, directions = (part.to(DEVICE) for part in rays(300))
    render_nerfacto_triton(field, origins, directions)
    torch.cuda.set_sync_debug_mode("error")
    try:
        render_nerfacto_triton(field, origins, directions)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_kernels_compile_for_an_h100_and_use_its_tensor_cores(repository, tmp_path):
    # In a process of its own: this one's kernels may be interpreted.
    script, found = repository / "benchmarks" / "triton_resources.py", tmp_path / "found.json"
    command = [sys.executable, script, "--field", "living_room", "--json", found]
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path / "cache")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kernels = json.loads(found.read_text())["living_room"]
    assert [row["samples"] for row in kernels] == [64, 32, 24]
    for row in kernels:
        assert row["tensor_core_instructions"] > 0
        assert row["spilled_bytes"] == 0
        # Enough warps to wait for memory together.
        assert row["warps_per_multiprocessor"] >= 12
