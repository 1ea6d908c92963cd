"""Ground truth of the bundled scene: what a trained field's depth is good for, and how good."""

import math

import numpy as np
import pytest
from merkwelt.render.camera import PinholeCamera, pixel_centres, rays_of
from merkwelt.render.rigid import transform
from merkwelt.render.truth.correspondence import correspondence
from merkwelt.render.truth.object_ids import object_ids, surface_points
from merkwelt.render.truth.quantities import Fate, Target
from merkwelt.render.volume import render_rays
from merkwelt.scenes import Scene
from scipy.ndimage import map_coordinates

CAMERA = PinholeCamera.from_hfov(math.radians(70), (96, 72))
PLACES = (8, 60, 120)
"""Training cameras from which the room is looked at."""


@pytest.fixture(scope="module")
def living_room():
    return Scene.load("living_room")


@pytest.fixture(scope="module")
def seen(living_room):
    """Two eyes and two frames, 8 cm ahead, at three places: poses, depth and pictures."""
    cameras = np.asarray(living_room.card.world_from_training_camera)[list(PLACES)]
    steps = [[[x, 0, z] for z in (0.0, 0.08)] for x in (-0.0315, 0.0315)]
    poses = cameras[:, None, None] @ transform(np.eye(3), np.array(steps))
    rendered = render_rays(living_room, rays_of(CAMERA, poses.reshape(-1, 4, 4)))
    shape = (len(PLACES), 2, 2, CAMERA.height, CAMERA.width)
    depth = rendered.depth_median.double().reshape(shape).numpy()
    return poses, depth, rendered.rgb.double().reshape(*shape, 3).numpy()


def _read(image, xy_px):
    """Return ``[h, w, c]`` read bilinearly at ``[h, w, 2]``."""
    places = np.moveaxis(np.nan_to_num(xy_px)[..., ::-1] - 0.5, -1, 0)
    channels = np.moveaxis(image, -1, 0)
    return np.stack([map_coordinates(c, places, order=1, mode="nearest") for c in channels], -1)


@pytest.mark.parametrize("target", [Target.OTHER_EYE, Target.NEXT])
def test_warped_pictures_agree_where_the_masks_say_so(seen, target):
    other = {Target.OTHER_EYE: (1, 0), Target.NEXT: (0, 1)}[target]
    warped, still, reversed_, back, fates = [], [], [], [], []
    for poses, depth, rgb in zip(*seen, strict=True):
        there = correspondence(depth, CAMERA, poses, target)
        flow, centres = there.flow_px[0, 0], pixel_centres(CAMERA)
        warped.append(np.abs(_read(rgb[other], centres + flow) - rgb[0, 0]).mean(-1))
        reversed_.append(np.abs(_read(rgb[other], centres - flow) - rgb[0, 0]).mean(-1))
        still.append(np.abs(rgb[other] - rgb[0, 0]).mean(-1))
        home_target = Target.PREVIOUS if target is Target.NEXT else target
        home = correspondence(depth, CAMERA, poses, home_target).flow_px[other]
        back.append(np.linalg.norm(flow + _read(home, centres + flow), axis=-1))
        fates.append(there.fate[0, 0])
    warped, still, reversed_, back, fates = map(np.stack, (warped, still, reversed_, back, fates))
    seen_there = fates == Fate.VISIBLE
    assert seen_there.mean() > 0.7
    assert warped[seen_there].mean() < 0.5 * still[seen_there].mean()
    assert warped[seen_there].mean() < 0.4 * reversed_[seen_there].mean()
    assert np.median(back[seen_there]) < 0.05
    assert (back[seen_there] > 1).mean() < 0.05
    hidden = fates == Fate.HIDDEN
    assert back[hidden].mean() > 5 * back[seen_there].mean()
    assert warped[hidden].mean() > 1.5 * warped[seen_there].mean()


@pytest.mark.slow
def test_object_ids_are_those_of_the_room_that_was_photographed(living_room, seen, shared_data):
    from merkwelt.scenes.raycast.furniture import open_furniture
    from merkwelt.scenes.raycast.paint import pack_paint
    from merkwelt.scenes.raycast.room import living_room as furnished
    from merkwelt.scenes.raycast.views import CaptureCamera, RoomCamera

    archive = shared_data / "furniture_cc0.tar.xz"
    if not archive.is_file():
        pytest.skip("the furniture archive is not here")
    with open_furniture(archive) as models:
        room = furnished(models, seed=0)
        paint = pack_paint(room.mesh)
    names = [thing.name for thing in living_room.card.objects]
    assert [thing.name for thing in room.objects] == names
    exact = RoomCamera(room.mesh, room.face_object, paint)
    camera = CaptureCamera(width=96, height=72, hfov_rad=math.radians(70))
    both, either = np.zeros(len(names)), np.zeros(len(names))
    agree = []
    for poses, depth, _ in zip(*seen, strict=True):
        points = surface_points(depth[0, 0], CAMERA, poses[0, 0])
        rendered = object_ids(points, living_room.card.objects, floor_height=0.0)
        true = exact.truth(camera, poses[0, 0]).ids.astype(int) - 1
        agree.append((rendered == true).mean())
        for index in range(len(names)):
            both[index] += ((rendered == index) & (true == index)).sum()
            either[index] += ((rendered == index) | (true == index)).sum()
    large = either >= 60
    overlap = both[large] / either[large]
    assert large.sum() >= 5
    assert np.mean(agree) > 0.85
    assert overlap.mean() > 0.5
