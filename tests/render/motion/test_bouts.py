from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.key import ClipKey
from merkwelt.render.motion import ACTIVITIES, plan_motion
from merkwelt.render.motion.bouts import move_in_bouts, step_rate_hz
from merkwelt.render.navigation import Navigation
from merkwelt.render.observer import load_observer

STEP_S = 0.02
HOURS = 3


@pytest.fixture(scope="module")
def hours():
    toddler = load_observer("toddler")
    return move_in_bouts(
        toddler.bouts,
        toddler.gait,
        speed_m_s=0.6,
        moving="walking",
        time_s=STEP_S * np.arange(int(HOURS * 3600 / STEP_S)),
        rng=np.random.default_rng(3),
    )


def _onsets(course, activity):
    doing = course.activity == ACTIVITIES.index(activity)
    return int(np.sum(doing[1:] & ~doing[:-1]))


def test_toddlers_take_as_many_steps_an_hour_as_infants_did(hours):
    rate = step_rate_hz(load_observer("toddler").gait, 0.6)
    steps = np.mean(hours.activity == ACTIVITIES.index("walking")) * 3600 * rate
    # About 1400 bouts of log-normal length in three hours: 6 % are two standard errors.
    assert steps == pytest.approx(2368, rel=0.06)


def test_toddlers_fall_as_often_as_infants_did(hours):
    falls = _onsets(hours, "falling")
    # 51 expected; Poisson, three standard deviations.
    assert abs(falls - 17 * HOURS) < 3 * np.sqrt(17 * HOURS)
    assert falls == _onsets(hours, "down") == _onsets(hours, "rising")


def test_nobody_moves_on_while_lying_on_the_floor(hours):
    down = hours.activity == ACTIVITIES.index("down")
    assert np.all(hours.pace[down] < 0.5)
    assert np.mean(hours.pace[down] == 0) > 0.8
    assert hours.height[down].min() == pytest.approx(0.5, abs=0.01)
    assert hours.height.max() <= 1 + 1e-12


def test_starting_and_stopping_take_their_time(hours):
    change = np.abs(np.diff(hours.pace)) / STEP_S
    assert change.max() < 1 / 0.1


def test_a_fall_is_seen_in_the_heads_height(room):
    toddler = load_observer("toddler")
    clumsy = replace(
        toddler,
        bouts=replace(
            toddler.bouts, falls_per_hour=replace(toddler.bouts.falls_per_hour, value=300.0)
        ),
    )
    key = ClipKey(dataset_seed=0, scene="room", clip=0)
    navigation = Navigation.of(room, clumsy)
    motion = plan_motion(room, clumsy, key, frames=300, frame_rate_hz=10.0, navigation=navigation)
    height = motion.course.world_from_head[:, 2, 3]
    down = motion.activity == ACTIVITIES.index("down")
    assert down.any()
    assert height[down].min() < 0.40
    assert height[motion.activity == ACTIVITIES.index("walking")].max() > 0.6


def test_crawlers_look_at_the_floor_while_moving_and_up_while_sitting(room):
    crawler = load_observer("crawler")
    navigation = Navigation.of(room, crawler)
    pitch, sitting = [], []
    for clip in range(3):
        key = ClipKey(dataset_seed=0, scene="room", clip=clip)
        motion = plan_motion(
            room, crawler, key, frames=200, frame_rate_hz=10.0, navigation=navigation
        )
        pitch.append(np.degrees(np.arcsin(motion.course.world_from_head[:, 2, 2])))
        sitting.append(motion.activity == ACTIVITIES.index("sitting"))
    pitch, sitting = np.concatenate(pitch), np.concatenate(sitting)
    assert pitch[~sitting].mean() < pitch[sitting].mean() - 10
