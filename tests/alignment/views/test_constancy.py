import json
from dataclasses import replace

import numpy as np
import pytest
from merkwelt.alignment.views.constancy import (
    CENTRED_GAUSSIAN,
    NOT_CARRIED,
    OTHER_THINGS,
    ConstancySettings,
    constancy,
)
from merkwelt.alignment.views.view_pairs import ViewPair, pairs_of
from scipy.stats import spearmanr

from .box_room import camera_at, cast, paint


@pytest.fixture
def pair(box_views) -> ViewPair:
    return ViewPair(first=box_views[0], second=box_views[1], lags={"rotation": 1})


@pytest.fixture
def painted(box_views) -> dict[str, np.ndarray]:
    return {view.name: paint(cast(view.camera)[1]) for view in box_views}


def test_a_map_that_sticks_to_the_world_is_constant(pair, painted) -> None:
    found = constancy([pair], painted, name="texture")
    floors = {floor.name: floor.interval.mean for floor in found.floors}
    assert found.interval.mean > 0.99
    assert floors[NOT_CARRIED] < 0.7
    assert np.isnan(floors[OTHER_THINGS])
    assert found.by_lag["rotation 1"].mean == found.interval.mean
    assert not found.undefined


def test_a_map_that_sticks_to_the_picture_is_not(pair) -> None:
    rows, columns = np.indices(pair.first.depth.shape)
    fixed = {view.name: np.sin(columns / 9) + rows / 50 for view in (pair.first, pair.second)}
    found = constancy([pair], fixed, name="picture")
    floors = {floor.name: floor.interval.mean for floor in found.floors}
    assert floors[NOT_CARRIED] == pytest.approx(1)
    assert found.interval.mean < 0.9
    assert {f.name: f.difference.mean for f in found.floors}[NOT_CARRIED] < -0.1


def test_floors_are_correlations_over_the_pixels_both_see(pair, painted) -> None:
    """The numbers again, by scipy and a mask of its own."""
    other = replace(pair.first, name="lamp", thing="lamp")
    pairs = [pair, ViewPair(first=other, second=replace(other, name="lamp again"))]
    rng = np.random.default_rng(0)
    maps = dict(painted, **{"lamp": rng.random(pair.first.depth.shape)})
    maps["lamp again"] = rng.random(pair.first.depth.shape)
    found = constancy(pairs, maps, name="with others")
    expected = []
    for source, target in pair.ways():
        points = target.camera.points_world(target.depth)
        xy, deep = source.camera.project(points)
        column, row = np.floor(xy).astype(int).transpose(2, 0, 1)
        inside = (column >= 0) & (column < 96) & (row >= 0) & (row < 80)
        seen = source.depth[np.where(inside, row, 0), np.where(inside, column, 0)]
        ratio = deep / seen
        mask = inside & (ratio <= 1.1) & (ratio >= 1 / 1.1)
        own = maps[target.name][mask]
        others = [spearmanr(maps[name][mask], own)[0] for name in ("lamp", "lamp again")]
        expected.append((spearmanr(maps[source.name][mask], own)[0], np.mean(others)))
    values = {floor.name: floor.values[0] for floor in found.floors}
    np.testing.assert_allclose(
        (values[NOT_CARRIED], values[OTHER_THINGS]), np.mean(expected, axis=0), atol=1e-9
    )


def test_people_are_compared_with_a_model(pair, painted) -> None:
    inverted = {name: 1 - values for name, values in painted.items()}
    found = constancy([pair], painted, inverted, name="people carried, model")
    assert found.interval.mean < -0.99


def test_what_is_undefined_is_named(pair, painted) -> None:
    flat = dict(painted, right=np.ones(painted["right"].shape))
    found = constancy([pair], flat, name="flat")
    assert "constant or not finite" in found.undefined[pair.name]
    assert np.isnan(found.interval.mean)
    assert found.interval.count == 0
    nothing = dict(painted, right=np.full(painted["right"].shape, np.nan))
    assert constancy([pair], nothing, name="none").undefined
    strict = ConstancySettings(least_share=0.99)
    away = constancy([pair], painted, name="strict", settings=strict)
    assert "both views see" in away.undefined[pair.name]
    assert all(floor.interval.count == 0 for floor in away.floors)
    plain = json.loads(json.dumps(away.to_dict(), allow_nan=False))
    assert plain["pairs"][0]["spearman"] is None
    assert plain["pairs"][0]["turn_deg"] == pytest.approx(np.degrees(pair.turn_rad))


def test_refuses_what_cannot_be_compared(pair, painted) -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        constancy([], painted, name="none")
    with pytest.raises(ValueError, match="missing right"):
        constancy([pair], {"left": painted["left"]}, name="one")
    with pytest.raises(ValueError, match="views' size"):
        constancy([pair], dict(painted, right=np.ones((3, 3))), name="small")
    with pytest.raises(ValueError, match="share in"):
        ConstancySettings(least_share=0.0)


def test_pairs_are_of_one_thing(box_views) -> None:
    views = [*box_views, replace(box_views[0], name="other", thing="lamp")]
    (only,) = pairs_of(views)
    assert only.name == "left and right"


def test_a_centred_map_equals_its_floor(pair) -> None:
    """The centred Gaussian as everyone's map: nothing above the floor that has it."""
    rows, columns = np.indices(pair.first.depth.shape)
    middle = np.exp(-((rows - 39.5) ** 2 + (columns - 47.5) ** 2) / (2 * 32**2))
    found = constancy([pair], {"left": middle, "right": middle}, name="centre")
    floors = {floor.name: floor.interval.mean for floor in found.floors}
    assert floors[CENTRED_GAUSSIAN] == pytest.approx(1)
    assert floors[NOT_CARRIED] == pytest.approx(1)


def test_the_angle_between_views(pair) -> None:
    axes = [camera_at(eye, (0, 0, 0)).axis_world for eye in ((1, 0, 0), (1, 1, 0))]
    assert np.degrees(np.arccos(axes[0] @ axes[1])) == pytest.approx(45)
    assert 20 < np.degrees(pair.turn_rad) < 60
