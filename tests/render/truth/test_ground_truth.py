"""What a clip carries besides colour: by choice, in agreement with the scene, or refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.camera import PinholeCamera
from merkwelt.render.key import ClipKey
from merkwelt.render.observer.presets import adult
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.rigid import look_at
from merkwelt.render.stereo import disparity_px
from merkwelt.render.truth.coverage import ENOUGH, HALF_FIELD_RAD, SIZE, WIDEST_ANGLE_RAD, Coverage
from merkwelt.render.truth.ground_truth import Geometry, ground_truth
from merkwelt.render.truth.object_ids import object_ids, surface_points
from merkwelt.render.truth.quantities import QUANTITIES, Fate, Target, in_order
from merkwelt.scenes.card import OrientedBox, SceneObject
from merkwelt.scenes.scene import Scene

KEY = ClipKey(dataset_seed=0, scene="room", clip=0)
ALL = ClipSettings(frames=3, size=48, truth=QUANTITIES)
STANDS = np.array([[-1.5, -1.2, 1.4], [-1.2, -1.4, 1.5], [1.0, 1.0, 1.4], [1.8, -1.9, 1.3]])


def _as_matrices(poses):
    return tuple(tuple(map(tuple, pose)) for pose in poses.tolist())


@pytest.fixture(scope="module")
def photographed(room):
    poses = look_at(STANDS, np.array([0.4, -0.6, 0.7]))
    card = replace(room.card, world_from_training_camera=_as_matrices(poses))
    return Scene(card, room.field)


@pytest.fixture(scope="module")
def clip(photographed):
    return render_clip(photographed, adult(), ALL, KEY)


def test_a_clip_carries_what_is_asked_for_and_nothing_else(room, room_navigation, clip):
    shapes = {name: tuple(tensor.shape) for name, tensor in clip.truth.held().items()}
    plain = (2, 3, 48, 48)
    assert shapes == {
        "expected_depth": plain,
        "opacity": plain,
        "confidence": plain,
        "flow_forward": (2, 3, 2, 48, 48),
        "flow_backward": (2, 3, 2, 48, 48),
        "disparity": plain,
        "masks": (2, 3, 3, 48, 48),
        "ids": plain,
    }
    assert "masks=(2, 3, 3, 48, 48)" in repr(clip)
    usual = ClipSettings(frames=2, size=8)
    assert render_clip(room, adult(), usual, KEY, navigation=room_navigation).truth.held() == {}
    some = replace(usual, truth=("opacity", "ids"))
    found = render_clip(room, adult(), some, KEY, navigation=room_navigation).truth
    assert set(found.held()) == {"opacity", "ids"}


def test_truth_does_not_change_the_picture(photographed, clip):
    bare = render_clip(photographed, adult(), replace(ALL, truth=()), KEY)
    assert torch.equal(bare.video, clip.video)
    assert torch.equal(bare.depth, clip.depth)


def test_opaque_walls_have_one_depth_and_full_opacity(clip):
    assert clip.truth.opacity.min() > 0.999
    torch.testing.assert_close(clip.truth.expected_depth, clip.depth, atol=0.02, rtol=0)


def test_disparity_of_a_clip_is_the_formula_for_both_eyes(clip):
    eyes = clip.trajectory.world_from_eye[:, 0, :3, 3]
    baseline = float(np.linalg.norm(eyes[1] - eyes[0]))
    expected = disparity_px(clip.depth, ALL.camera.fx, baseline)
    torch.testing.assert_close(clip.truth.disparity, expected, atol=1e-3, rtol=1e-4)


def test_masks_belong_to_flow_and_to_the_ends_of_the_clip(clip):
    masks, flow = clip.truth.masks, clip.truth.flow_forward
    assert (masks[:, -1, Target.NEXT] == Fate.UNKNOWN).all()
    assert (masks[:, 0, Target.PREVIOUS] == Fate.UNKNOWN).all()
    assert flow[:, -1].isnan().all()
    assert clip.truth.flow_backward[:, 0].isnan().all()
    to_next = masks[:, :-1, Target.NEXT]
    y, x = torch.meshgrid(torch.arange(48) + 0.5, torch.arange(48) + 0.5, indexing="ij")
    there = flow[:, :-1] + torch.stack([x, y])
    inside = ((there >= 0) & (there <= 48)).all(dim=2)
    known = (to_next == Fate.VISIBLE) | (to_next == Fate.HIDDEN)
    assert torch.equal(known, inside)
    assert (masks[:, :, Target.OTHER_EYE] == Fate.VISIBLE).float().mean() > 0.8


def test_ids_are_those_of_the_points_and_name_the_objects(photographed, clip):
    points = surface_points(clip.depth.double().numpy(), ALL.camera, clip.trajectory.world_from_eye)
    expected = object_ids(points, photographed.card.objects, floor_height=0.0)
    assert (clip.truth.ids.numpy() == expected).all()
    assert clip.truth.objects[4] == "table"
    assert len(np.unique(expected)) >= 2


def test_the_floor_under_a_chair_is_floor_and_a_rug_is_a_rug():
    chair = SceneObject(
        name="chair", box=OrientedBox(centre_m=(0.0, 0.0, 0.5), size_m=(0.5, 0.5, 1.0))
    )
    rug = SceneObject(
        name="rug", box=OrientedBox(centre_m=(2.0, 0.0, 0.01), size_m=(1.0, 1.0, 0.02))
    )
    points = np.array([[0, 0, 0.0], [0, 0, 0.5], [2, 0, 0.02], [2, 0, 0.4], [5, 0, 1]])
    assert object_ids(points, (chair, rug)).tolist() == [0, 0, 1, -1, -1]
    assert object_ids(points, (chair, rug), floor_height=0.0).tolist() == [-1, 0, 1, -1, -1]


def test_rays_that_meet_nothing_have_no_truth(room):
    depth = torch.full((2, 2, 4, 4), 3.0)
    opacity = torch.ones(2, 2, 4, 4)
    opacity[:, :, :2] = 0.49
    geometry = Geometry(depth=depth, expected_depth=depth, opacity=opacity)
    camera = PinholeCamera.from_hfov(1.0, (4, 4))
    poses = np.broadcast_to(np.eye(4), (2, 2, 4, 4))
    wanted = in_order(["flow", "ids"])
    inside = replace(
        room.card.objects[0], box=replace(room.card.objects[0].box, size_m=(99.0, 99.0, 99.0))
    )
    card = replace(room.card, objects=(inside,))
    truth = ground_truth(wanted, geometry, camera, poses, card)
    assert (truth.ids[:, :, :2] == -1).all()
    assert (truth.ids[:, :, 2:] == 0).all()
    assert (truth.masks[:, :, :, :2] == Fate.UNKNOWN).all()
    assert truth.flow_forward[:, 0, :, :2].isnan().all()
    assert (truth.flow_forward[:, 0, :, 2:] == 0).all()


def _reference_confidence(coverage, point, eye):
    """One photograph at a time."""
    evidence = 0.0
    for camera_from_world, inverse_depth in zip(
        coverage.camera_from_world, coverage.inverse_depth, strict=True
    ):
        local = camera_from_world[:3, :3] @ point + camera_from_world[:3, 3]
        if local[2] <= 0 or np.arctan2(np.hypot(*local[:2]), local[2]) > HALF_FIELD_RAD:
            continue
        xy = SIZE / 2 / math.tan(HALF_FIELD_RAD) * local[:2] / local[2] + SIZE / 2
        column, row = np.clip(np.floor(xy - 0.5).astype(int), 0, SIZE - 2)
        if inverse_depth[row : row + 2, column : column + 2].min() * 0.95 > 1 / local[2]:
            continue
        stand = -camera_from_world[:3, :3].T @ camera_from_world[:3, 3]
        to_eye, to_stand = eye - point, stand - point
        near, far = np.linalg.norm(to_eye), np.linalg.norm(to_stand)
        angle = math.acos(np.clip(to_eye @ to_stand / near / far, -1, 1))
        evidence += max(0.0, 1 - angle / WIDEST_ANGLE_RAD) * min(1.0, near / far)
    return 1 - math.exp(-evidence / ENOUGH)


@pytest.fixture(scope="module")
def coverage(photographed):
    return Coverage.of(photographed)


def test_confidence_is_the_reference_loop(coverage):
    rng = np.random.default_rng(0)
    points = rng.uniform([-2, -2, 0], [2, 2, 2], (300, 3))
    eyes = rng.uniform([-2, -2, 1], [2, 2, 2], (300, 3))
    expected = [_reference_confidence(coverage, p, e) for p, e in zip(points, eyes, strict=True)]
    np.testing.assert_allclose(coverage.confidence(points, eyes), expected, atol=1e-9)
    assert np.ptp(expected) > 0.2


def test_confidence_by_hand(coverage):
    """A point of the table's top, from a photograph's own place, from aside, near and far."""
    top = np.array([0.4, -0.6, 0.72])
    alone = Coverage(
        camera_from_world=coverage.camera_from_world[:1],
        inverse_depth=coverage.inverse_depth[:1],
    )
    stand = STANDS[0]
    offset = stand - top
    assert alone.confidence(top, stand) == pytest.approx(1 - math.exp(-1 / ENOUGH))
    near = alone.confidence(top, top + offset / 2)
    assert near == pytest.approx(1 - math.exp(-0.5 / ENOUGH))
    assert alone.confidence(top, top + 1.5 * offset) == pytest.approx(1 - math.exp(-1 / ENOUGH))
    behind = top + offset * [-1, -1, 1]
    assert alone.confidence(top, behind) == 0
    # What is under the table, behind the camera, or beyond the wall was photographed by nobody.
    hidden = [[0.4, -0.6, 0.05], stand - 0.5 * (top - stand), [5.0, -0.6, 0.7]]
    assert (alone.confidence(np.array(hidden), stand) == 0).all()
    assert coverage.confidence(top, stand) > alone.confidence(top, stand)


def test_more_photographs_than_needed_are_thinned_out(room):
    poses = np.repeat(look_at(STANDS, np.zeros(3)), 100, axis=0)
    many = replace(room.card, world_from_training_camera=_as_matrices(poses))
    assert Coverage.of(Scene(many, room.field)).inverse_depth.shape == (256, SIZE, SIZE)


def test_confidence_of_a_clip_is_that_of_its_points(photographed, coverage, clip):
    poses = clip.trajectory.world_from_eye
    points = surface_points(clip.depth.double().numpy(), ALL.camera, poses)
    pixel = points[1, 2, 20, 30]
    expected = _reference_confidence(coverage, pixel, poses[1, 2, :3, 3])
    assert float(clip.truth.confidence[1, 2, 20, 30]) == pytest.approx(expected, abs=1e-6)
    given = render_clip(photographed, adult(), ALL, KEY, coverage=coverage)
    assert torch.equal(given.truth.confidence, clip.truth.confidence)


def test_quantities_are_put_in_order_and_flow_brings_masks():
    assert in_order(["ids", "flow", "ids"]) == ("flow", "masks", "ids")
    assert in_order([]) == ()
    with pytest.raises(ValueError, match=r"expected ground truth out of .* got \['smell'\]"):
        ClipSettings(truth=("smell",))


def test_truth_without_a_second_view_is_refused(room):
    with pytest.raises(ValueError, match="frames=1; ask for two or more frames"):
        ClipSettings(frames=1, truth=("flow",))
    with pytest.raises(ValueError, match="stereo=False; render stereo, or leave disparity out"):
        ClipSettings(stereo=False, truth=("disparity",))
    with pytest.raises(ValueError, match="one eye and one frame"):
        ClipSettings(frames=1, stereo=False, truth=("masks",))
    settings = ClipSettings(frames=2, size=8, truth=("disparity",))
    with pytest.raises(ValueError, match="this observer looks with one"):
        render_clip(room, replace(adult(), eyes=1), settings, KEY)


def test_one_eye_has_flow_and_unknown_fates_in_the_other(room, room_navigation):
    settings = ClipSettings(frames=2, size=8, stereo=False, truth=("flow",))
    truth = render_clip(room, adult(), settings, KEY, navigation=room_navigation).truth
    assert truth.flow_forward.shape == (1, 2, 2, 8, 8)
    assert (truth.masks[:, :, Target.OTHER_EYE] == Fate.UNKNOWN).all()
    assert (truth.masks[:, 0, Target.NEXT] != Fate.UNKNOWN).all()


def test_what_a_scene_cannot_tell_is_refused(room):
    bare = Scene(replace(room.card, objects=()), room.field)
    with pytest.raises(ValueError, match="has no objects on its card"):
        render_clip(bare, adult(), ClipSettings(frames=2, size=8, truth=("ids",)), KEY)
    with pytest.raises(ValueError, match="has no training views on its card"):
        render_clip(room, adult(), ClipSettings(frames=2, size=8, truth=("confidence",)), KEY)
