"""Rendering on a GPU: which kernel draws what; interpreted where there is none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render import RenderOptions, volume
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.key import ClipKey
from merkwelt.render.nerfacto import triton_path
from merkwelt.render.observer.presets import adult
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.rigid import look_at
from merkwelt.render.volume import render_rays
from merkwelt.scenes.scene import Scene

pytest.importorskip("triton", reason="triton is not installed (extra 'gpu')")

HAS_GPU = torch.cuda.is_available()
CAMERA = PinholeCamera.from_hfov(1.2, (6, 5))
POSES = look_at(np.array([[2.2, 0.5, 1.6], [1.0, -1.5, 1.2]]), np.array([0.0, 0.0, 1.0]))


@pytest.fixture(scope="module")
def living_room():
    return Scene.load("living_room")


@pytest.fixture
def gpu(monkeypatch):
    """The device on which Triton's kernels run here."""
    if HAS_GPU:
        return torch.device("cuda")
    monkeypatch.setattr(volume, "_is_on_gpu", lambda rays: True)
    return torch.device("cpu")


def assert_same(ours, expected):
    # Half-precision weights: 60 dB, see the kernels' own tests.
    assert float(((ours.rgb.cpu() - expected.rgb) ** 2).mean()) < 1e-6
    torch.testing.assert_close(ours.opacity.cpu(), expected.opacity, atol=2e-3, rtol=0)
    torch.testing.assert_close(ours.depth.cpu(), expected.depth, atol=1e-2, rtol=1e-2)


def test_a_path_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="expected the path exact or fast, got 'quick'"):
        RenderOptions(path="quick")


def test_nerfacto_is_rendered_by_its_triton_kernels(living_room, gpu, monkeypatch):
    called = []
    render = triton_path.render_nerfacto_triton
    monkeypatch.setattr(
        triton_path, "render_nerfacto_triton", lambda *given: called.append(1) or render(*given)
    )
    ours = render_rays(living_room, rays_of(CAMERA, POSES).to(gpu))
    assert called == [1]
    assert ours.rgb.device.type == gpu.type
    monkeypatch.undo()
    assert_same(ours, render_rays(living_room, rays_of(CAMERA, POSES)))


def test_other_fields_are_rendered_where_they_are(room, gpu):
    if HAS_GPU:
        with pytest.raises(ValueError, match="expected a AnalyticField on the rays' device cuda"):
            render_rays(room, rays_of(CAMERA, POSES).to(gpu))
    elsewhere = rays_of(CAMERA, POSES, device="meta")
    with pytest.raises(ValueError, match="AnalyticField on the rays' device meta, it is on cpu"):
        render_rays(room, elsewhere)


def test_a_backend_that_is_no_renderer_of_the_fast_path_is_named_first(living_room):
    with pytest.raises(ValueError, match="the fast path has no backend 'torch'"):
        render_rays(
            living_room, rays_of(CAMERA, POSES), RenderOptions(path="fast", backend="torch")
        )


def test_a_device_must_be_one_that_is_rendered_on():
    with pytest.raises(ValueError, match="expected the device cpu or cuda, got 'tpu'"):
        RenderOptions(device="tpu")  # type: ignore[arg-type]


@pytest.mark.skipif(HAS_GPU, reason="there is a CUDA device")
def test_a_gpu_that_is_not_there_is_named(room, room_navigation):
    options = RenderOptions(device="cuda")
    with pytest.raises(RuntimeError, match="expected a CUDA GPU for device 'cuda'"):
        render_rays(room, rays_of(CAMERA, POSES), options)
    with pytest.raises(RuntimeError, match="expected a CUDA GPU for device 'cuda'"):
        render_clip(
            room,
            adult(),
            ClipSettings(frames=2, size=8, renderer=options),
            ClipKey(dataset_seed=0, scene="room", clip=0),
            navigation=room_navigation,
        )


def test_a_path_and_a_device_are_part_of_a_plan_only_if_they_are_not_the_usual():
    usual = ClipSettings()
    assert usual.to_dict()["renderer"] == {"backend": "auto", "rays_per_chunk": 4096}
    other = replace(usual, renderer=RenderOptions(path="fast", device="cuda"))
    found = other.to_dict()["renderer"]
    assert (found["path"], found["device"]) == ("fast", "cuda")


@pytest.mark.needs_cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_nothing_waits_for_a_gpu_within_a_batch(living_room):
    rays = rays_of(CAMERA, POSES, device="cuda")
    render_rays(living_room, rays)
    torch.cuda.set_sync_debug_mode("error")
    try:
        render_rays(living_room, rays_of(CAMERA, POSES, device="cuda"))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.needs_cuda
def test_a_clip_is_nearly_the_same_on_a_gpu(living_room):
    key = ClipKey(dataset_seed=0, scene="living_room", clip=0)
    settings = ClipSettings(frames=2, size=32, truth=("opacity",))
    ours = render_clip(
        living_room, adult(), replace(settings, renderer=RenderOptions(device="cuda")), key
    )
    expected = render_clip(living_room, adult(), settings, key)
    assert ours.video.device.type == "cpu"
    assert (ours.video.float() - expected.video.float()).abs().mean() < 1
