"""Pictures of objects and their masks, against the analytic room's own geometry."""

import numpy as np
import pytest
from merkwelt.render.camera import PinholeCamera
from merkwelt.render.rigid import look_at
from merkwelt.render.truth.object_ids import object_ids, surface_points
from merkwelt.scenes.analytic import analytic_room

from merkwelt.object_views import ObjectViewSettings, object_views


def test_surface_points_invert_projection():
    rng = np.random.default_rng(0)
    camera = PinholeCamera.from_hfov(1.0, (6, 5))
    pose = look_at(np.array([1.0, 2.0, 1.5]), np.array([0.0, 0.0, 1.0]))
    depth = rng.uniform(0.5, 4, (5, 6))
    points = surface_points(depth, camera, pose)
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    np.testing.assert_allclose(local[..., 2], depth, rtol=1e-12)
    xy = camera.project(local)
    np.testing.assert_allclose(xy[..., 0], np.tile(np.arange(6) + 0.5, (5, 1)), atol=1e-9)


def test_the_smallest_box_wins():
    objects = analytic_room().card.objects
    centres = np.array([o.box.centre_m for o in objects])
    np.testing.assert_array_equal(object_ids(centres, objects), np.arange(len(objects)))
    assert object_ids(np.array([[0.0, 2.0, 2.5]]), objects)[0] == -1


def test_masks_lie_where_the_object_is(room):
    settings = ObjectViewSettings(size=40, per_object=1)
    views = object_views(room, seed=0, settings=settings)
    assert not views.are_human
    assert "not human maps" in views.kind
    shares = views.maps.mean(axis=(1, 2))
    assert ((shares >= settings.least_share) & (shares <= settings.most_share)).all()
    again = object_views(room, seed=0, settings=settings)
    np.testing.assert_array_equal(views.images, again.images)


def test_a_scene_without_cameras_is_refused():
    with pytest.raises(ValueError, match="0 training cameras"):
        object_views(analytic_room(), seed=0)
