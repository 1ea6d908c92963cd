"""Flow, disparity and masks against ray casting, which looks along a ray for every point."""

import numpy as np
import pytest
from merkwelt.render.camera import PinholeCamera
from merkwelt.render.rig import Rig
from merkwelt.render.rigid import look_at
from merkwelt.render.truth.correspondence import correspondence, disparity_px
from merkwelt.render.truth.quantities import Fate, Target
from merkwelt.scenes.raycast.furniture import open_furniture
from merkwelt.scenes.raycast.paint import pack_paint
from merkwelt.scenes.raycast.room import living_room
from merkwelt.scenes.raycast.shapes import box, rectangle
from merkwelt.scenes.raycast.surfaces import Material, joined
from merkwelt.scenes.raycast.views import CaptureCamera, RoomCamera
from scipy.ndimage import binary_dilation, map_coordinates

HFOV_RAD, WIDTH, HEIGHT = np.deg2rad(78), 160, 120
CAMERA = PinholeCamera.from_hfov(HFOV_RAD, (WIDTH, HEIGHT))
EXACT = CaptureCamera(width=WIDTH, height=HEIGHT, hfov_rad=HFOV_RAD)
GREY = Material(colour=(0.5, 0.5, 0.5))


def _walk():
    """Poses ``[eye, time, 4, 4]`` of two eyes that walk three steps of 8 cm and turn."""
    places = np.array([[-1.0 + 0.08 * i, -0.9 + 0.03 * i, 1.5] for i in range(3)])
    targets = np.array([[1.2, 1.0 + 0.1 * i, 0.8] for i in range(3)])
    heads = look_at(places, targets)
    return Rig(interocular_m=0.063).world_from_eye(heads, heads[:, :3, :3], heads[:, :3, 3])


def _boxes() -> RoomCamera:
    parts = [
        rectangle((-3, -3, 0), (6, 0, 0), (0, 6, 0), GREY),
        rectangle((3, 3, 0), (0, -6, 0), (0, 0, 3), GREY),
        rectangle((-3, 3, 0), (6, 0, 0), (0, 0, 3), GREY),
        box((0.2, 0.0, 0.0), (0.7, 0.4, 0.9), GREY),
        box((1.4, 0.9, 0.0), (1.9, 2.2, 0.6), GREY),
        box((0.6, 1.2, 0.0), (0.65, 1.25, 2.0), GREY),
    ]
    mesh = joined(parts)
    owners = np.repeat(np.arange(len(parts)), [len(part.corners_m) for part in parts])
    return RoomCamera(mesh, np.maximum(owners - 2, 0).astype(np.uint8), pack_paint(mesh))


def _furnished(archive) -> RoomCamera:
    with open_furniture(archive) as models:
        room = living_room(models, seed=0)
        paint = pack_paint(room.mesh)
    return RoomCamera(room.mesh, room.face_object, paint)


@pytest.fixture(
    scope="module", params=["boxes", pytest.param("living room", marks=pytest.mark.slow)]
)
def exact(request) -> RoomCamera:
    if request.param == "boxes":
        return _boxes()
    archive = request.getfixturevalue("shared_data") / "furniture_cc0.tar.xz"
    if not archive.is_file():
        pytest.skip("the furniture archive is not here")
    return _furnished(archive)


@pytest.fixture(scope="module")
def views(exact):
    eyes = _walk()
    seen = [[exact.truth(EXACT, pose) for pose in eye] for eye in eyes]
    return eyes, seen, np.stack([[view.depth_m for view in eye] for eye in seen])


def _steps(depth: np.ndarray) -> np.ndarray:
    """Return where inverse depth bends by more than half a per cent, and the pixels around."""
    inverse = 1 / depth
    bent = np.zeros(depth.shape, bool)
    for axis in (0, 1):
        bend = np.abs(np.diff(inverse, 2, axis=axis))
        middle = np.take(inverse, range(1, inverse.shape[axis] - 1), axis=axis)
        bent |= np.pad(bend > 0.005 * middle, [(int(a == axis),) * 2 for a in (0, 1)])
    return binary_dilation(bent, iterations=1)


@pytest.mark.parametrize("target", list(Target))
def test_flow_and_masks_are_those_of_ray_casting(exact, views, target, request):
    eyes, seen, depth = views
    found = correspondence(depth, CAMERA, eyes, target)
    eye, frame = 1, 1
    other = {Target.OTHER_EYE: (0, 1), Target.NEXT: (1, 2), Target.PREVIOUS: (1, 0)}[target]
    truth = exact.flow_between(seen[eye][frame], seen[other[0]][other[1]])
    flow, fate = found.flow_px[eye, frame], found.fate[eye, frame]
    assert np.abs(flow - truth.flow_px)[truth.visible].max() < 1e-3
    if target is Target.OTHER_EYE:
        disparity = disparity_px(found)[eye, frame]
        assert np.abs(disparity - truth.flow_px[..., 0])[truth.visible].max() < 1e-3
        assert (disparity[truth.visible] > 0).all()
    disagree = (fate == Fate.VISIBLE) != truth.visible
    assert (fate == Fate.HIDDEN).sum() > 50
    # The living room is full of chair legs that are thinner than a pixel of these small pictures.
    cluttered = "living room" in request.node.name
    assert disagree.mean() < (0.015 if cluttered else 0.005)
    # And where they disagree, the other view has a depth edge within two pixels.
    there = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), -1) + flow
    column, row = np.floor(there[disagree]).astype(int).T
    edges = binary_dilation(_steps(depth[other]), iterations=1)
    at_edge = edges[np.clip(row, 0, HEIGHT - 1), np.clip(column, 0, WIDTH - 1)]
    assert at_edge.mean() > 0.95


def test_averaging_depth_across_edges_would_hide_more_that_is_in_plain_sight(exact, views):
    """Why the nearest pixel decides: bilinear depth is the trap that `fates` avoids."""
    eyes, seen, depth = views
    truth = exact.flow_between(seen[0][1], seen[1][1])
    found = correspondence(depth, CAMERA, eyes, Target.OTHER_EYE)
    flow, fate = found.flow_px[0, 1], found.fate[0, 1]
    there = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), -1) + flow
    places = np.nan_to_num(there[..., ::-1] - 0.5).transpose(2, 0, 1)
    blurred = map_coordinates(depth[1, 1].astype(float), places, order=1, mode="nearest")
    # Parallel eyes: the depth of a point is the same in both.
    bilinear = (blurred > 0.98 * depth[0, 1]) & (fate != Fate.OUTSIDE)
    wrongly_hidden = truth.visible & (fate == Fate.HIDDEN)
    hidden_by_averages = truth.visible & ~bilinear
    assert hidden_by_averages.sum() > 1.2 * wrongly_hidden.sum()
