import numpy as np
import pytest
from merkwelt.render.motion.orbit import move_between_views
from merkwelt.render.navigation import Navigation
from merkwelt.render.observer import load_observer
from scipy.spatial import ConvexHull

TIME_S = 0.005 * np.arange(6000)


@pytest.fixture(scope="module")
def orbits(statue):
    observer = load_observer("adult")
    views = Navigation.of(statue, observer).views
    paths = [
        move_between_views(views, observer, np.random.default_rng(seed), TIME_S)
        for seed in range(4)
    ]
    return views, paths


def test_the_head_stays_among_the_cameras_but_for_reaching_in(orbits):
    views, paths = orbits
    hull = ConvexHull(views.position)
    for path in paths:
        # The statue is inside the hull of the cameras, so reaching towards it stays inside too.
        outside = path.position @ hull.equations[:, :3].T + hull.equations[:, 3]
        assert outside.max() < 1e-9


def test_the_head_reaches_towards_the_object_and_comes_back_without_jerks(orbits):
    views, paths = orbits
    nearest = [np.linalg.norm(path.position - views.focus, axis=1).min() for path in paths]
    assert min(nearest) < 0.85 * views.distance
    assert min(nearest) > 0.60 * views.distance
    for path in paths:
        acceleration = np.diff(path.position, 2, axis=0) / 0.005**2
        assert np.linalg.norm(acceleration, axis=1).max() < 3 * views.distance
        towards = views.focus - path.position
        forward = np.stack(
            [
                np.cos(path.head_yaw_rad) * np.cos(path.head_pitch_rad),
                np.sin(path.head_yaw_rad) * np.cos(path.head_pitch_rad),
                np.sin(path.head_pitch_rad),
            ],
            axis=1,
        )
        cosine = np.sum(forward * towards, axis=1) / np.linalg.norm(towards, axis=1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 25
