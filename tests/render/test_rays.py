"""Rays on any device: what is checked where, and that those made elsewhere are the same."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render import camera as cameras
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.fisheye import FisheyeCamera
from merkwelt.render.rays import Rays, existing_device
from merkwelt.render.retina import FoveatedRetina
from merkwelt.render.rigid import look_at

META = torch.device("meta")
"""A device that has shapes and no values, so that nothing can be read back from it."""
EYES = np.array([[0.3, -2.0, 1.6], [1.0, 2.0, 1.2], [-4.0, 0.1, 0.9]])
POSES = look_at(EYES, np.array([0.1, 0.2, 1.0]))
PINHOLE = PinholeCamera(width=6, height=4, fx=5.0, fy=6.0, cx=2.7, cy=2.1)
CAMERAS = [
    PINHOLE,
    FisheyeCamera(width=5, height=5, hfov_rad=2.0),
    FoveatedRetina(rings=4, spokes=7),
]


@pytest.mark.parametrize("camera", CAMERAS, ids=["pinhole", "fisheye", "foveated"])
def test_rays_made_on_a_device_are_those_made_on_the_cpu(camera):
    expected = rays_of(camera, POSES)
    made = cameras._made_on(torch.device("cpu"), camera, POSES)
    given = expected.origins, expected.directions, expected.z_per_distance, expected.pixel
    for ours, theirs in zip(made, given, strict=True):
        assert ours.is_contiguous()
        # Sums of three products in double precision, rounded to single.
        torch.testing.assert_close(ours, theirs, atol=1e-7, rtol=0)
    for made_part, part in zip(made[2:], given[2:], strict=True):
        assert torch.equal(made_part, part)


def test_making_and_moving_rays_reads_nothing_back():
    made = rays_of(PINHOLE, POSES, device=META)
    moved = rays_of(PINHOLE, POSES).to(META)
    for rays in (made, moved, made[7:19].to(META)):
        assert rays.device == META
        assert {t.dtype for t in (rays.origins, rays.directions, rays.pixel)} == {torch.float32}
    assert made.origins.shape == moved.directions.shape == (3 * 24, 3)
    assert made.pinhole[0] is moved.pinhole[0] is PINHOLE
    assert len(made[7:19]) == 12


def test_rays_that_stay_where_they_are_stay_themselves():
    rays = rays_of(PINHOLE, POSES)
    assert rays.to("cpu") is rays


def test_no_cameras_have_no_rays_anywhere():
    assert len(rays_of(PINHOLE, np.zeros((0, 4, 4)))) == 0
    assert len(rays_of(PINHOLE, np.zeros((0, 4, 4)), device=META)) == 0


def test_the_pixels_of_a_camera_are_brought_to_a_device_once():
    cameras._pixels_on.cache_clear()
    for _ in range(3):
        rays_of(PINHOLE, POSES, device=META)
        rays_of(replace(PINHOLE), POSES, device=META)  # An equal camera is the same one.
    assert cameras._pixels_on.cache_info().misses == 1


def test_poses_of_rays_made_elsewhere_are_checked_before():
    lost = POSES.copy()
    lost[1, 2, 3] = math.nan
    with pytest.raises(ValueError, match="1 of 3 cameras are at NaN or infinity"):
        rays_of(PINHOLE, lost, device=META)
    stretched = POSES.copy()
    stretched[:, :3, :3] *= 2
    for device, message in ((META, "poses that stretch lengths by 2"), ("cpu", "lengths from 2")):
        with pytest.raises(ValueError, match=message):
            rays_of(PINHOLE, stretched, device=device)
    sheared = POSES.copy()
    sheared[0, :3, 0] += 0.1 * sheared[0, :3, 1]
    with pytest.raises(ValueError, match="poses that stretch lengths"):
        rays_of(PINHOLE, sheared, device=META)


def test_a_batch_is_on_one_device():
    with pytest.raises(ValueError, match="all of a batch on one device"):
        Rays(
            origins=torch.zeros(3, 3, device=META),
            directions=torch.zeros(3, 3, device=META),
            z_per_distance=torch.ones(3),
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_named():
    with pytest.raises(RuntimeError, match="expected a CUDA GPU for device 'cuda', and there is"):
        rays_of(PINHOLE, POSES, device="cuda")
    with pytest.raises(RuntimeError, match="use device 'cpu'"):
        rays_of(PINHOLE, POSES).to("cuda")


@pytest.mark.needs_cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_nothing_waits_for_a_gpu():
    on_cpu = rays_of(PINHOLE, POSES)
    torch.cuda.set_sync_debug_mode("error")
    try:
        made, moved = rays_of(PINHOLE, POSES, device="cuda"), on_cpu.to("cuda")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert made.device == moved.device == existing_device("cuda")
    for rays in (made.to("cpu"), moved.to("cpu")):
        torch.testing.assert_close(rays.origins, on_cpu.origins, atol=0, rtol=0)
        torch.testing.assert_close(rays.directions, on_cpu.directions, atol=1e-7, rtol=0)
