import numpy as np
import pytest
from merkwelt.alignment.maps.making import MapRecipe, co3d2025, fel2022
from merkwelt.alignment.maps.trials import Trial, Trials
from merkwelt.alignment.views.people import people_across_views
from merkwelt.alignment.views.view_pairs import View, ViewPair

RECIPE = MapRecipe(name="small", grid_px=96, crop_px=80)
SPOT = np.array([0.3, 0.1, 0.9])
"""A point on the side of the box that both views see."""


def _trials(pair: ViewPair, *, people: int, on_the_thing: bool) -> Trials:
    """People click around a spot of the box; or around one and the same place of the picture."""
    rng = np.random.default_rng(0)
    trials = []
    for view in (pair.first, pair.second):
        middle, _ = view.camera.project(SPOT)
        middle = middle if on_the_thing else np.array([44.0, 15.0])
        trials += [
            Trial(image=view.name, subject=str(i), points_px=middle + rng.normal(0, 4, (12, 2)))
            for i in range(people)
        ]
    return Trials(trials=tuple(trials), image_sizes_px=dict.fromkeys(("left", "right"), (96, 80)))


@pytest.fixture
def pair(box_views: tuple[View, View]) -> ViewPair:
    return ViewPair(first=box_views[0], second=box_views[1])


def test_people_who_click_on_the_thing_agree_across_views(pair) -> None:
    found = people_across_views(
        [pair], _trials(pair, people=12, on_the_thing=True), RECIPE, draws=3
    )
    assert found.across[0] > 0.6
    assert found.within[0] > found.across[0]
    assert not found.undefined


def test_people_who_click_on_a_place_of_the_picture_do_not(pair) -> None:
    trials = _trials(pair, people=12, on_the_thing=False)
    found = people_across_views([pair], trials, RECIPE, draws=3)
    assert found.within[0] > 0.6
    assert found.across[0] < found.within[0] - 0.2


def test_says_who_is_missing(pair) -> None:
    trials = _trials(pair, people=1, on_the_thing=True)
    found = people_across_views([pair], trials, RECIPE, draws=1)
    assert found.undefined == {"left and right": "a view has fewer than two people"}
    assert np.isnan(found.across[0])
    with pytest.raises(ValueError, match="does not resize"):
        people_across_views([pair], trials, fel2022())
    with pytest.raises(ValueError, match="one draw"):
        people_across_views([pair], trials, co3d2025(), draws=0)
