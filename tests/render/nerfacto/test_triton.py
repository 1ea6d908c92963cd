"""The Triton kernels against the torch reference, interpreted where there is no CUDA device."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.nerfacto.triton_launch import TritonOptions
from merkwelt.render.nerfacto.triton_pack import pack_field
from merkwelt.render.nerfacto.triton_path import render_nerfacto_triton, workspace_floats
from merkwelt.render.volume import render_field
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfacto import NerfactoField
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.scene import Scene
from random_nerfacto import random_field, rays

triton = pytest.importorskip("triton", reason="triton is not installed (extra 'gpu')")


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


def test_kernels_compile_for_an_h100_and_use_its_tensor_cores(compiled_resources):
    kernels = compiled_resources("living_room")
    assert [row["samples"] for row in kernels] == [64, 32, 24]
    for row in kernels:
        assert row["tensor_core_instructions"] > 0
        assert row["spilled_bytes"] == 0
        # Enough warps to wait for memory together.
        assert row["warps_per_multiprocessor"] >= 12
