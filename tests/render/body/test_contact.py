import math

import numpy as np
import pytest
from merkwelt.render.body.contact import CONTACTS, ground_contact
from merkwelt.render.motion.motion import ACTIVITIES

PHASE = np.linspace(0, 4 * math.pi, 2001)[:-1] % (2 * math.pi)


def _contact(activity, phase=PHASE):
    code = np.full(len(phase), ACTIVITIES.index(activity), np.int8)
    return dict(zip(CONTACTS, ground_contact(code, phase, 0.6).T, strict=True))


def test_walkers_feet_take_turns_by_the_phase_of_the_stride():
    feet = _contact("walking")
    np.testing.assert_array_equal(feet["left_foot"], np.less(PHASE, 0.6 * 2 * math.pi))
    lands = np.flatnonzero(np.diff(feet["right_foot"].astype(int)) == 1) + 1
    np.testing.assert_allclose(PHASE[lands], math.pi, atol=0.01)
    assert feet["left_foot"].mean() == feet["right_foot"].mean() == pytest.approx(0.6)
    both = feet["left_foot"] & feet["right_foot"]
    assert both.mean() == pytest.approx(0.2)
    assert np.all(feet["left_foot"] | feet["right_foot"])
    assert not feet["hands"].any()


@pytest.mark.parametrize(
    ("activity", "feet", "hands"),
    [
        ("standing", True, False),
        ("rising", True, True),
        ("crawling", False, True),
        ("down", False, True),
        ("sitting", False, False),
        ("falling", False, False),
        ("carried", False, False),
    ],
)
def test_what_else_touches_the_ground_does_not_depend_on_the_phase(activity, feet, hands):
    found = _contact(activity)
    assert all(np.all(found[foot] == feet) for foot in ("left_foot", "right_foot"))
    assert np.all(found["hands"] == hands)


def test_every_activity_is_known():
    for activity in ACTIVITIES:
        assert set(_contact(activity)) == set(CONTACTS)
