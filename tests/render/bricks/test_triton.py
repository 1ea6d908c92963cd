"""The Triton kernel against the CPU's, interpreted where there is no CUDA device."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render import RenderOptions, volume
from merkwelt.render.bricks.kernel import render_bricks
from merkwelt.render.bricks.reference import render_ray
from merkwelt.render.bricks.triton_pack import cell_words
from merkwelt.render.bricks.triton_path import MarchOptions, render_bricks_triton
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.rigid import look_at
from merkwelt.render.volume import render_rays
from merkwelt.scenes.bricks import BrickLook
from merkwelt.scenes.bricks.bricks import corner_of
from random_bricks import KINDS, random_bricks, random_rays, with_tilts

pytest.importorskip("triton", reason="triton is not installed (extra 'gpu')")

HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda:0" if HAS_GPU else "cpu")
# The interpreter takes as long for a large program as for a small one.
LARGE = MarchOptions() if HAS_GPU else MarchOptions(rays_per_program=1024)
COLOURS = [0, 1, 2, 5]
SPACES = [
    {"levels": 1, "share": 0.5},
    {"levels": 3, "share": 0.4},
    {"levels": 4, "share": 0.15, "cells": 64, "matter": 0.05},
    {"levels": 2, "share": 0.3, "cells": 96},
]


def render(bricks, origins, directions, options=LARGE):
    given = origins.to(DEVICE), directions.to(DEVICE)
    return render_bricks_triton(bricks, *given, options=options).cpu()


def assert_same_picture(ours, expected):
    # The same places on every ray, and the same rounded densities: only the order of sums
    # differs. Where a cell is 1/8 of a stored step from being rounded otherwise, a sample's
    # optical depth differs by a quarter of one, which is less than 0.005 of the light.
    error = (ours - expected).abs()
    assert (error[:, COLOURS] < 2e-5).float().mean() > 0.99
    assert error[:, COLOURS].max() < 5e-3
    assert (error[:, 3] < 1e-4 * (1 + expected[:, 3])).float().mean() > 0.99
    # The CPU takes the logarithm of what is left of the light, which opaque cells round to 0.
    assert (error[:, 4] < 3e-3).float().mean() > 0.99


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("step_cells", [1.0, 0.7])
def test_every_ray_is_that_of_the_cpu(space, step_cells):
    look = BrickLook(step_cells=step_cells, behind=(0.2, 0.4, 0.9))
    bricks = random_bricks(1, look=look, **space)
    rays = random_rays(2, 700, bricks)
    ours = render(bricks, *rays)
    assert_same_picture(ours, render_bricks(bricks, *rays))
    assert ours[3 :: len(KINDS), 5].abs().max() == 0  # Those go past.
    assert (ours[:, 5] == 1).float().mean() > 0.02  # Those end early.


@pytest.mark.parametrize("space", SPACES)
def test_every_ray_is_that_of_the_cpu_where_brightness_changes_with_the_direction(space):
    flat = random_bricks(1, look=BrickLook(behind=(0.2, 0.4, 0.9)), **space)
    bricks, rays = with_tilts(flat, 5), random_rays(2, 700, flat)
    ours = render(bricks, *rays)
    assert_same_picture(ours, render_bricks(bricks, *rays))
    changed = (ours - render(flat, *rays)).abs()
    assert changed[:, :3].mean() > 0.005
    assert changed[:, 3:].max() == 0


@pytest.mark.parametrize("tilted", [False, True])
def test_every_ray_is_that_of_the_reference(tilted):
    look = BrickLook(dark=0.0, faint=0.0, density_range=(-3.0, 2.0))
    bricks = random_bricks(3, look=look)
    bricks = with_tilts(bricks, 4) if tilted else bricks
    origins, directions = random_rays(4, 300, bricks)
    rays = zip(origins.double().numpy(), directions.double().numpy(), strict=True)
    expected = torch.from_numpy(np.stack([render_ray(bricks, o, d) for o, d in rays])).float()
    ours = render(bricks, origins, directions)
    # Densities are rounded as the CPU's table rounds them, see there.
    torch.testing.assert_close(ours[:, COLOURS], expected[:, COLOURS], atol=2e-3, rtol=0)
    torch.testing.assert_close(ours[:, 3], expected[:, 3], atol=1e-3, rtol=3e-3)
    assert ((ours[:, 4] - expected[:, 4]).abs() < 1e-2).float().mean() > 0.99


def test_what_is_faint_or_behind_the_dark_is_passed_over():
    bricks = random_bricks(5, look=BrickLook(dark=0.05, faint=0.02))
    rays = random_rays(6, 700, bricks)
    ours, expected = render(bricks, *rays), render_bricks(bricks, *rays)
    error = (ours - expected)[:, COLOURS].abs().amax(dim=1)
    assert (error < 2e-5).float().mean() > 0.99
    assert error.max() < 0.05  # A sample's weight may be ``faint`` but for round-off.


@pytest.mark.parametrize("count", [1, 31, 33, 70])
@pytest.mark.parametrize("options", [MarchOptions(), MarchOptions(rays_per_program=64, warps=2)])
def test_a_ray_depends_neither_on_its_company_nor_on_its_program(count, options):
    bricks = random_bricks(7)
    origins, directions = random_rays(8, 200, bricks)
    whole = render(bricks, origins, directions)
    part = slice(11, 11 + count)
    found = render(bricks, origins[part], directions[part], options)
    torch.testing.assert_close(found, whole[part], atol=1e-6, rtol=1e-6)


def test_skipping_changes_nothing():
    bricks = random_bricks(9, share=0.2, matter=0.05)
    slow = replace(bricks)
    slow.__dict__["hops"] = np.minimum(bricks.hops, 1)
    slow.__dict__["index"] = np.maximum(bricks.index, -1)
    rays = random_rays(10, 500, bricks)
    assert torch.equal(render(bricks, *rays), render(slow, *rays))


def test_no_rays_give_no_picture_and_no_bricks_are_nothing():
    bricks = random_bricks(0)
    assert render(bricks, torch.zeros(0, 3), torch.zeros(0, 3)).shape == (0, 6)
    nothing = random_bricks(0, share=0.0)
    rays = random_rays(0, 60, nothing)
    torch.testing.assert_close(render(nothing, *rays), render_bricks(nothing, *rays))


def test_a_word_holds_a_cells_corners_or_how_far_it_is_to_matter():
    bricks = random_bricks(11, levels=1)
    bricks.density[0] = 255  # All opaque, which must not read as a distance.
    bricks.density[1] = 255
    bricks.density[1, corner_of(64, 0)] = 3  # And what would.
    bricks.occupied[:2, 64] = True
    words = cell_words(bricks)
    read = words.view(np.uint8).reshape(*words.shape, 8)
    for brick, cell in np.ndindex(*words.shape):
        distance = int(words[brick, cell]) + 256
        if bricks.occupied[brick, cell]:
            corners = [bricks.density[brick, corner_of(cell, which)] for which in range(8)]
            assert not 1 <= distance <= 8
            if (brick, cell) == (1, 64):
                corners[7] = 254
            np.testing.assert_array_equal(read[brick, cell], corners)
        else:
            assert distance == bricks.hops[brick, cell]


def test_opaque_matter_is_seen_at_no_distance():
    bricks = random_bricks(12, levels=2, share=1.0, matter=1.1)
    bricks.density[:] = 255
    origins, directions = random_rays(13, 60, bricks)
    ours = render(bricks, origins, directions)
    assert_same_picture(ours, render_bricks(bricks, origins, directions))
    assert ours[:: len(KINDS), 5].min() == 1


def test_tensors_that_the_kernel_cannot_take_are_refused():
    bricks = random_bricks(0)
    origins, directions = (part.to(DEVICE) for part in random_rays(0, 40, bricks))
    with pytest.raises(ValueError, match=r"expected directions as contiguous float32 \[40, 3\]"):
        render_bricks_triton(bricks, origins, directions[:39])
    with pytest.raises(ValueError, match=r"expected out as contiguous float32 \[40, 6\]"):
        render_bricks_triton(bricks, origins, directions, out=torch.empty(40, 5, device=DEVICE))
    with pytest.raises(ValueError, match=r"expected origins as contiguous .* got torch.float64"):
        render_bricks_triton(bricks, origins.double(), directions)


def test_a_missing_triton_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)
    bricks = random_bricks(0)
    with pytest.raises(ImportError, match=r"install the extra 'merkwelt\[gpu\]'"):
        render_bricks_triton(bricks, *random_rays(0, 1, bricks))


@pytest.mark.needs_cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_a_call_is_captured_in_a_cuda_graph_and_says_nothing_to_the_host():
    bricks = random_bricks(14)
    origins, directions = (part.to(DEVICE) for part in random_rays(15, 300, bricks))
    out = torch.empty(300, 6, device=DEVICE)
    expected = render_bricks_triton(bricks, origins, directions, out=out).clone()
    torch.cuda.set_sync_debug_mode("error")
    try:
        render_bricks_triton(bricks, origins, directions)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        render_bricks_triton(bricks, origins, directions, out=out)
    out.fill_(torch.nan)
    graph.replay()
    assert torch.equal(out, expected)


@pytest.mark.parametrize(
    ("name", "registers", "warps", "loads"),
    [("bricks", 64, 32, 16), ("tilted bricks", 72, 28, 24)],
)
def test_the_kernel_compiles_for_an_h100_within_its_registers(
    compiled_resources, name, registers, warps, loads
):
    (row,) = compiled_resources(name)
    assert row["spilled_bytes"] == 0
    assert row["shared_bytes"] == 0  # Rays of a warp need no memory to wait for each other.
    # With 64, as many warps fit as programs do, 32; tilts cost four of them.
    assert row["registers"] <= registers
    assert row["warps_per_multiprocessor"] >= warps
    # Six of the ray, place, word, eight colours, and eight tilts if there are any.
    assert row["loads"] == loads


def test_a_scene_is_rendered_fast_on_a_gpu_as_on_the_cpu(room, monkeypatch):
    bricks = random_bricks(16)
    scene = room.with_bricks(bricks)
    eyes = np.array([[0.5, -0.2, 1.0], [3.0, 2.0, 1.7]])
    rays = rays_of(PinholeCamera.from_hfov(1.2, (9, 7)), look_at(eyes, np.array([0.0, 0.0, 1.2])))
    fast = RenderOptions(path="fast")
    expected = render_rays(scene, rays, fast)
    if not HAS_GPU:
        monkeypatch.setattr(volume, "_is_on_gpu", lambda rays: True)
    ours = render_rays(scene, rays.to(DEVICE), fast)
    assert ours.rgb.device == DEVICE
    for name, tolerance in (("rgb", 2e-5), ("opacity", 2e-5), ("depth", 1e-3)):
        found, wanted = getattr(ours, name).cpu(), getattr(expected, name)
        assert ((found - wanted).abs() < tolerance).float().mean() > 0.98
