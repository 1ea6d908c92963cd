import pytest
from merkwelt.render import ClipKey


def _draw(purpose="path", **changes):
    values = {"dataset_seed": 0, "scene": "room", "clip": 3, **changes}
    return ClipKey(**values).generator(purpose).integers(0, 2**63, 4).tolist()


def test_a_key_gives_the_same_numbers_for_ever():
    # Written down once: a change of these numbers changes every clip of every data set.
    assert _draw() == _draw()
    assert _draw() == [
        2771822153526975103,
        7279270023880525279,
        5211726614673779838,
        8166637439769540333,
    ]


@pytest.mark.parametrize(
    "change", [{"dataset_seed": 1}, {"scene": "roo"}, {"clip": 4}, {"purpose": "gaze"}]
)
def test_everything_in_a_key_matters(change):
    assert _draw(**change) != _draw()


def test_neighbours_in_text_do_not_collide():
    assert _draw(scene="a", clip=11) != _draw(scene="a/1", clip=1)


def test_negative_ids_are_refused():
    with pytest.raises(ValueError, match="at least 0"):
        ClipKey(dataset_seed=0, scene="room", clip=-1)
