import math

import numpy as np
import pytest
import torch
from merkwelt.render.camera import PinholeCamera
from merkwelt.render.rig import Rig
from merkwelt.render.rigid import apply, inverse, rotation_from_angles, transform
from merkwelt.render.stereo import disparity_px, vergence_rad

# The reference page's table 3.4: depth in m, vergence in degrees, disparity in pixels at 256 px
# and 90, 60 and 120 degrees (63 mm), vergence in degrees at 43.5 mm; with the printed digits.
TABLE = [
    (0.3, "12.0", "26.9", "46.6", "15.5", "8.3"),
    (0.5, "7.2", "16.1", "27.9", "9.3", "5.0"),
    (1.0, "3.6", "8.1", "14.0", "4.7", "2.5"),
    (2.0, "1.8", "4.0", "7.0", "2.3", "1.25"),
    (4.0, "0.90", "2.0", "3.5", "1.2", "0.62"),
    (10.0, "0.36", "0.81", "1.4", "0.47", "0.25"),
]


def _as_printed(value, like):
    return f"{value:.{len(like.split('.')[1])}f}"


@pytest.mark.parametrize(("depth", "vergence", "d90", "d60", "d120", "vergence_small"), TABLE)
def test_the_disparity_budget(depth, vergence, d90, d60, d120, vergence_small):
    for hfov_deg, printed in ((90, d90), (60, d60), (120, d120)):
        focal = PinholeCamera.from_hfov(math.radians(hfov_deg), (256, 256)).fx
        disparity = float(disparity_px(np.array([depth]), focal, 0.063)[0])
        assert _as_printed(disparity, printed) == printed
    for baseline, printed in ((0.063, vergence), (0.0435, vergence_small)):
        degrees = math.degrees(float(vergence_rad(depth, baseline)))
        assert _as_printed(degrees, printed) == printed


def _heads(n=3):
    rng = np.random.default_rng(0)
    axes = rotation_from_angles(*rng.uniform(-1, 1, (3, n)))
    return transform(axes, rng.normal(size=(n, 3)))


def test_projection_through_parallel_eyes_has_the_disparity_of_the_formula():
    heads, camera = _heads(), PinholeCamera.from_hfov(1.1, (128, 128))
    eyes = Rig(interocular_m=0.063).world_from_eye(heads, heads[:, :3, :3], heads[:, :3, 3])
    points_head = np.random.default_rng(1).uniform([-0.4, -0.4, 1], [0.4, 0.4, 5], (50, 3))
    for i, head in enumerate(heads):
        world = apply(head, points_head)
        left, right = (camera.project(apply(inverse(eyes[e, i]), world)) for e in (0, 1))
        expected = disparity_px(points_head[:, 2], camera.fx, 0.063)
        np.testing.assert_allclose(left[:, 0] - right[:, 0], expected, rtol=1e-9)
        np.testing.assert_allclose(left[:, 1], right[:, 1], atol=1e-9)


def test_eyes_are_an_interocular_distance_apart_left_first():
    heads = _heads()
    eyes = Rig(interocular_m=0.06).world_from_eye(heads, heads[:, :3, :3], heads[:, :3, 3])
    offset_head = np.einsum("nji,nj->ni", heads[:, :3, :3], eyes[1, :, :3, 3] - eyes[0, :, :3, 3])
    np.testing.assert_allclose(offset_head, [[0.06, 0, 0]] * 3, atol=1e-12)


def test_converged_eyes_have_the_target_at_the_centre_of_both_pictures():
    heads = _heads()
    target = apply(heads, np.array([0.1, 0.05, 0.8]))
    eyes = Rig(interocular_m=0.06, mode="converged").world_from_eye(heads, heads[:, :3, :3], target)
    seen = apply(inverse(eyes), target)
    np.testing.assert_allclose(seen[..., :2], 0, atol=1e-12)
    product = eyes[..., :3, :3] @ np.swapaxes(eyes[..., :3, :3], -1, -2)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-12)


def test_a_single_eye_sits_at_the_head():
    heads = _heads()
    eyes = Rig(eyes=1).world_from_eye(heads, heads[:, :3, :3], heads[:, :3, 3])
    np.testing.assert_array_equal(eyes[0], heads)


def test_disparity_of_tensors_and_of_depth_zero():
    depth = torch.tensor([[2.0, 0.0]])
    disparity = disparity_px(depth, 100.0, 0.06)
    assert disparity[0, 0] == pytest.approx(3.0)
    assert torch.isinf(disparity[0, 1])


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="depths of at least 0, got -1"):
        disparity_px(np.array([-1.0]), 100.0, 0.06)
    with pytest.raises(ValueError, match="positive focal length and baseline"):
        disparity_px(np.array([1.0]), 100.0, 0.0)
    with pytest.raises(ValueError, match="positive distance between two eyes"):
        Rig(interocular_m=0.0)
    with pytest.raises(ValueError, match="expected the rig mode"):
        Rig(interocular_m=0.06, mode="crossed")
