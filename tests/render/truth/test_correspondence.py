"""Flow, disparity and fates against closed forms, loops and the ray-cast room's exact truth."""

from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.camera import PinholeCamera, pixel_centres, rays_of
from merkwelt.render.rig import Rig
from merkwelt.render.rigid import apply, inverse, look_at, rotation_from_angles, transform
from merkwelt.render.stereo import disparity_px as formula
from merkwelt.render.truth.correspondence import correspondence, disparity_px
from merkwelt.render.truth.fates import fates
from merkwelt.render.truth.quantities import Fate, Target
from merkwelt.render.truth.reprojection import reproject
from merkwelt.render.volume import render_rays

CAMERA = PinholeCamera.from_hfov(1.1, (48, 36))
AHEAD = transform(rotation_from_angles(0.0), np.zeros(3))


def _moved(pose, offset_camera):
    return pose @ transform(np.eye(3), np.asarray(offset_camera, float))


def _flat(depth, views=1):
    return np.full((1, views, CAMERA.height, CAMERA.width), depth)


def test_flow_of_a_plane_by_hand():
    step = np.array([0.1, -0.05, 0.2])
    poses = np.stack([AHEAD, _moved(AHEAD, step)])[None]
    flow = correspondence(_flat(2.0, 2), CAMERA, poses, Target.NEXT).flow_px[0, 0]
    xy = pixel_centres(CAMERA) - [CAMERA.cx, CAMERA.cy]
    # Mildly moving forward spreads the picture, moving right shifts it left: f (X - Tx) / (Z - Tz).
    expected = (xy * 2.0 - CAMERA.fx * step[:2]) / (2.0 - 0.2) - xy
    np.testing.assert_allclose(flow, expected, atol=1e-9)


def test_sideways_flow_is_focal_length_times_step_over_depth():
    depth = np.random.default_rng(0).uniform(0.5, 9, (1, 2, 36, 48))
    poses = np.stack([AHEAD, _moved(AHEAD, [0.07, 0, 0])])[None]
    flow = correspondence(depth, CAMERA, poses, Target.NEXT).flow_px
    np.testing.assert_allclose(flow[0, 0, ..., 0], -CAMERA.fx * 0.07 / depth[0, 0], atol=1e-9)
    np.testing.assert_allclose(flow[0, 0, ..., 1], 0, atol=1e-9)
    back = correspondence(depth, CAMERA, poses, Target.PREVIOUS).flow_px
    np.testing.assert_allclose(back[0, 1, ..., 0], CAMERA.fx * 0.07 / depth[0, 1], atol=1e-9)


def test_ends_of_a_clip_and_single_eyes_have_no_target():
    poses = np.stack([AHEAD] * 3)[None]
    for target, end in ((Target.NEXT, 2), (Target.PREVIOUS, 0)):
        found = correspondence(_flat(2.0, 3), CAMERA, poses, target)
        assert np.isnan(found.flow_px[0, end]).all()
        assert (found.fate[0, end] == Fate.UNKNOWN).all()
        others = [frame for frame in range(3) if frame != end]
        np.testing.assert_allclose(found.flow_px[0, others], 0, atol=1e-9)
        assert (found.fate[0, others] == Fate.VISIBLE).all()
    alone = correspondence(_flat(2.0, 3), CAMERA, poses, Target.OTHER_EYE)
    assert np.isnan(alone.flow_px).all()
    assert (alone.fate == Fate.UNKNOWN).all()
    still = correspondence(_flat(2.0, 1), CAMERA, poses[:, :1], Target.NEXT)
    assert (still.fate == Fate.UNKNOWN).all()


def test_parallel_eyes_have_the_disparity_of_the_formula_from_both_sides():
    depth = np.random.default_rng(1).uniform(0.4, 8, (2, 1, 36, 48))
    head = look_at(np.array([1.0, 2.0, 1.5]), np.array([3.0, -1.0, 0.7]))[None]
    rig = Rig(interocular_m=0.063)
    poses = rig.world_from_eye(head, head[:, :3, :3], head[:, :3, 3])
    disparity = disparity_px(correspondence(depth, CAMERA, poses, Target.OTHER_EYE))
    np.testing.assert_allclose(disparity, formula(depth, CAMERA.fx, 0.063), atol=1e-9)


def test_disparity_of_converging_eyes_changes_sign_where_they_converge():
    head = AHEAD[None]
    rig = Rig(interocular_m=0.063, mode="converged")
    poses = rig.world_from_eye(head, head[:, :3, :3], apply(head, np.array([0.0, 0.0, 1.0])))
    for metres, sign in ((0.7, 1), (1.0, 0), (3.0, -1)):
        # The middle of the picture, where z-depth and the distance from the head nearly agree.
        depth = np.full((2, 1, 36, 48), metres * np.hypot(1, 0.063 / 2))
        found = correspondence(depth, CAMERA, poses, Target.OTHER_EYE)
        middle = disparity_px(found)[:, 0, 17:19, 23:25].mean(axis=(1, 2))
        assert (np.sign(np.round(middle, 1)) == sign).all(), (metres, middle)
    vertical = found.flow_px[0, 0, [0, -1]][:, [0, -1], 1]
    assert (np.abs(vertical) > 0.01).all()  # Keystone: corners move up or down as well.


def test_a_slanted_floor_does_not_hide_itself():
    """A floor 1 m below an eye that looks over it: 10 % deeper from one row to the next."""
    y = (np.arange(36) + 0.5 - CAMERA.cy) / CAMERA.fy
    depth = np.where(y > 0, 1.0 / np.where(y > 0, y, 1), np.inf)[:, None] * np.ones(48)
    poses = np.stack([AHEAD, _moved(AHEAD, [0.11, 0, 0.13])])[None]
    nearer = depth  # The floor is the same seen from any place on it.
    found = correspondence(np.stack([depth, nearer])[None], CAMERA, poses, Target.NEXT)
    floor = np.isfinite(depth)
    fate = found.fate[0, 0]
    assert (fate[~floor] == Fate.UNKNOWN).all()
    assert not (fate[floor] == Fate.HIDDEN).any()
    assert (fate == Fate.VISIBLE).sum() > 0.35 * fate.size


def test_fates_by_hand():
    """One row: a near wall on the left half of the other view, a far one on the right half."""
    camera = PinholeCamera.from_hfov(1.0, (8, 1))
    seen = np.array([[1.0] * 4 + [3.0] * 4])
    points = reproject(np.array([[3.0] * 8]), camera, np.eye(4), np.eye(4))
    fate = fates(points, seen, camera)[0]
    assert fate.tolist() == [Fate.HIDDEN] * 4 + [Fate.VISIBLE] * 4
    x = np.array([[-0.1, 0.0, 3.9, 4.1, 8.0, 8.1, np.nan, 6.0]])
    shifted = replace(points, xy_px=np.stack([x, np.full_like(x, 0.5)], axis=-1))
    fate = fates(shifted, seen, camera)[0]
    outside, hidden, visible = Fate.OUTSIDE, Fate.HIDDEN, Fate.VISIBLE
    assert fate.tolist() == [
        outside, hidden, hidden, visible, visible, outside, outside, visible,
    ]  # fmt: skip
    near = replace(points, depth=np.full((1, 8), 1.01))  # Within the tolerance of the near wall.
    assert (fates(near, seen, camera) == Fate.VISIBLE).all()
    assert fates(near, seen, camera, tolerance=0.005)[0].tolist() == [hidden] * 4 + [visible] * 4


def test_a_pole_one_pixel_wide_hides_what_is_behind_it_and_not_itself():
    camera = PinholeCamera.from_hfov(1.0, (9, 1))
    seen = np.full((1, 9), 4.0)
    seen[0, 4] = 1.0
    for offset in (-0.4, 0.0, 0.4):
        for depth, expected in ((4.0, Fate.HIDDEN), (1.0, Fate.VISIBLE)):
            there = reproject(np.full((1, 9), depth), camera, np.eye(4), np.eye(4))
            moved = replace(there, xy_px=there.xy_px + [offset, 0.0])
            assert fates(moved, seen, camera)[0, 4] == expected


def test_what_shows_no_surface_is_unknown_and_hides_nothing():
    depth = _flat(2.0, 2)
    depth[0, 0, :, :10] = 0.0
    depth[0, 0, :, 10:20] = np.inf
    depth[0, 1] = np.inf
    found = correspondence(depth, CAMERA, np.stack([AHEAD, AHEAD])[None], Target.NEXT)
    assert np.isnan(found.flow_px[0, 0, :, :20]).all()
    assert (found.fate[0, 0, :, :20] == Fate.UNKNOWN).all()
    assert (found.fate[0, 0, :, 20:] == Fate.VISIBLE).all()


def test_points_behind_the_other_camera_have_no_flow():
    poses = np.stack([AHEAD, _moved(AHEAD, [0, 0, 5.0])])[None]
    found = correspondence(_flat(2.0, 2), CAMERA, poses, Target.NEXT)
    assert np.isnan(found.flow_px[0, 0]).all()
    assert (found.fate[0, 0] == Fate.OUTSIDE).all()


def _reference_flow(depth, camera, source, target):
    """One pixel at a time."""
    flow = np.empty((*depth.shape, 2))
    for row in range(camera.height):
        for column in range(camera.width):
            x, y = column + 0.5, row + 0.5
            ray = np.array([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, 1.0])
            world = source @ np.append(ray * depth[row, column], 1.0)
            local = np.linalg.inv(target) @ world
            flow[row, column] = (
                camera.fx * local[0] / local[2] + camera.cx - x,
                (camera.fy * local[1] / local[2] + camera.cy - y),
            )
    return flow


@pytest.fixture(scope="module")
def room_views(room):
    """Three frames of two eyes that walk through the analytic room and turn."""
    heads = np.stack(
        [
            look_at(np.array([-1.2 + 0.15 * i, 1.2, 1.4]), np.array([1.0 + 0.1 * i, -1.0, 0.7]))
            for i in range(3)
        ]
    )
    eyes = Rig(interocular_m=0.063).world_from_eye(heads, heads[:, :3, :3], heads[:, :3, 3])
    camera = PinholeCamera.from_hfov(1.2, (96, 72))
    rendered = render_rays(room, rays_of(camera, eyes.reshape(-1, 4, 4)))
    depth = rendered.depth_median.reshape(2, 3, 72, 96).double().numpy()
    return camera, eyes, depth, rendered.rgb.reshape(2, 3, 72, 96, 3).double().numpy()


def test_flow_in_the_analytic_room_is_the_reference_loop(room_views):
    camera, eyes, depth, _ = room_views
    found = correspondence(depth, camera, eyes, Target.NEXT)
    expected = _reference_flow(depth[1, 0], camera, eyes[1, 0], eyes[1, 1])
    np.testing.assert_allclose(found.flow_px[1, 0], expected, atol=1e-9)


def sampled(image, xy_px):
    """Return an image ``[h, w, ...]`` read bilinearly at ``xy_px`` ``[h, w, 2]``, inside only."""
    height, width = image.shape[:2]
    at = np.clip(np.nan_to_num(xy_px) - 0.5, 0, np.array([width, height]) - 1.001)
    first = np.floor(at).astype(int)
    share = (at - first).reshape(*at.shape[:2], 2, *[1] * (image.ndim - 2))
    x, y = first[..., 0], first[..., 1]
    top = (1 - share[:, :, 0]) * image[y, x] + share[:, :, 0] * image[y, x + 1]
    low = (1 - share[:, :, 0]) * image[y + 1, x] + share[:, :, 0] * image[y + 1, x + 1]
    return (1 - share[:, :, 1]) * top + share[:, :, 1] * low


@pytest.mark.parametrize("target", list(Target))
def test_there_and_back_again_is_nowhere_where_the_point_is_visible(room_views, target):
    camera, eyes, depth, _ = room_views
    back = {Target.NEXT: Target.PREVIOUS, Target.PREVIOUS: Target.NEXT}.get(target, target)
    there = correspondence(depth, camera, eyes, target)
    home = correspondence(depth, camera, eyes, back)
    eye, frame = 0, 1
    other = {Target.NEXT: (0, 2), Target.PREVIOUS: (0, 0), Target.OTHER_EYE: (1, 1)}[target]
    flow = there.flow_px[eye, frame]
    seen = there.fate[eye, frame] == Fate.VISIBLE
    returned = flow + sampled(home.flow_px[other], pixel_centres(camera) + flow)
    distance = np.linalg.norm(returned, axis=-1)
    assert seen.mean() > 0.8
    # Bilinear reading mixes two surfaces within a pixel of an edge; nowhere else.
    assert np.quantile(distance[seen], 0.9) < 0.02
    assert (distance[seen] > 0.5).mean() < 0.03
    hidden = there.fate[eye, frame] == Fate.HIDDEN
    assert hidden.sum() > 10
    assert np.median(distance[hidden]) > 10 * np.median(distance[seen])


@pytest.mark.parametrize("target", list(Target))
def test_pictures_warped_by_flow_agree_where_visible(room_views, target):
    camera, eyes, depth, rgb = room_views
    found = correspondence(depth, camera, eyes, target)
    eye, frame = 0, 1
    other = {Target.NEXT: (0, 2), Target.PREVIOUS: (0, 0), Target.OTHER_EYE: (1, 1)}[target]
    flow, seen = found.flow_px[eye, frame], found.fate[eye, frame] == Fate.VISIBLE
    warped = np.abs(sampled(rgb[other], pixel_centres(camera) + flow) - rgb[eye, frame]).mean(-1)
    wrong = np.abs(sampled(rgb[other], pixel_centres(camera) - flow) - rgb[eye, frame]).mean(-1)
    still = np.abs(rgb[other] - rgb[eye, frame]).mean(-1)
    # The finest waves of the textures are three pixels long, which no interpolation follows.
    assert warped[seen].mean() < min(still[seen].mean(), wrong[seen].mean()) / 3
    hidden = found.fate[eye, frame] == Fate.HIDDEN
    assert warped[hidden].mean() > 3 * warped[seen].mean()


def test_fates_agree_with_the_definition_by_exact_rays(room, room_views):
    """A point is hidden where a ray from the other eye ends before it; but for a half pixel."""
    from merkwelt.render.rays import Rays

    camera, eyes, depth, _ = room_views
    found = correspondence(depth, camera, eyes, Target.NEXT)
    import torch
    from merkwelt.render.truth.object_ids import surface_points

    points = surface_points(depth[0, 0], camera, eyes[0, 0]).reshape(-1, 3)
    offset = points - eyes[0, 1, :3, 3]
    length = np.linalg.norm(offset, axis=1)
    rays = Rays(
        origins=torch.from_numpy(np.broadcast_to(eyes[0, 1, :3, 3], offset.shape).copy()).float(),
        directions=torch.from_numpy(offset / length[:, None]).float(),
        z_per_distance=torch.ones(len(points)),
    )
    reached = render_rays(room, rays).depth_median.double().numpy()
    z = apply(inverse(eyes[0, 1]), points)[:, 2]
    seen = (reached > length * 0.99).reshape(72, 96)
    fate = found.fate[0, 0]
    inside = (fate != Fate.OUTSIDE) & (z.reshape(72, 96) > 0)
    disagree = inside & ((fate == Fate.VISIBLE) != seen)
    assert (inside & ~seen).sum() > 30
    assert disagree.mean() < 0.01
