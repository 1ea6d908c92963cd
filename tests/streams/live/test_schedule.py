from collections import Counter, deque

import numpy as np
import pytest
from merkwelt.streams.live import WindowSchedule

SETTINGS = [
    {"reuse": 1, "window": 4, "batch_size": 4},
    {"reuse": 2, "window": 4, "batch_size": 3},
    {"reuse": 4, "window": 4, "batch_size": 4},
    {"reuse": 4, "window": 32, "batch_size": 8},
    {"reuse": 5, "window": 10, "batch_size": 7},
    {"reuse": 12, "window": 36, "batch_size": 1},
]


def _reference_passes(reuse, window):
    """Yield the windows of all passes: new clips enter, the oldest leave once it is full."""
    there, entered = deque(), 0
    while True:
        for _ in range(window // reuse):
            there.append(entered)
            entered += 1
        while len(there) > window:
            there.popleft()
        yield sorted(there)


@pytest.mark.parametrize("settings", SETTINGS)
def test_each_pass_is_a_shuffle_of_the_window(settings):
    schedule = WindowSchedule(seed=3, **settings)
    stream = [int(p) for step in range(400) for p in schedule.positions(step)]
    passes = _reference_passes(settings["reuse"], settings["window"])
    place, shuffled = 0, 0
    while place < len(stream) - settings["window"]:
        expected = next(passes)
        found = stream[place : place + len(expected)]
        assert sorted(found) == expected
        shuffled += found != expected
        place += len(expected)
    assert shuffled or settings["window"] == settings["reuse"] == 1


@pytest.mark.parametrize("settings", SETTINGS)
def test_each_clip_is_used_exactly_so_often(settings):
    schedule, steps = WindowSchedule(**settings), 400
    seen = Counter()
    for step in range(steps):
        positions, uses = schedule.positions(step), schedule.uses(step)
        assert len(positions) == settings["batch_size"]
        for position, use in zip(positions.tolist(), uses.tolist(), strict=True):
            seen[position] += 1
            assert seen[position] == use
    done = schedule.first_needed(steps)
    assert done > 2 * settings["window"] / settings["reuse"]
    assert all(seen[position] == settings["reuse"] for position in range(done))
    assert max(seen.values()) == settings["reuse"]


@pytest.mark.parametrize("settings", SETTINGS)
def test_what_is_needed_is_bounded_and_never_comes_back(settings):
    schedule = WindowSchedule(**settings)
    first_steps = {}
    gone, newest = 0, 0
    for step in range(300):
        positions = schedule.positions(step)
        first, stop = schedule.first_needed(step), schedule.stop_needed(step)
        assert gone <= first
        assert newest <= stop
        gone, newest = first, stop
        assert first <= positions.min()
        assert positions.max() < stop
        assert stop - first <= schedule.fewest_slots
        for position in range(first, stop):
            first_steps.setdefault(position, step)
    assert {p: schedule.first_step(p) for p in first_steps} == first_steps


def test_the_first_batch_needs_only_the_first_new_clips():
    schedule = WindowSchedule(reuse=4, window=32, batch_size=8)
    assert sorted(schedule.positions(0).tolist()) == list(range(8))
    assert schedule.stop_needed(0) == 8


def test_batches_depend_on_seed_and_step_alone():
    schedule = WindowSchedule(reuse=4, window=32, batch_size=8, seed=1)
    again = WindowSchedule(reuse=4, window=32, batch_size=8, seed=1)
    other = WindowSchedule(reuse=4, window=32, batch_size=8, seed=2)
    assert np.array_equal(schedule.positions(10**9), again.positions(10**9))
    assert not np.array_equal(schedule.positions(50), other.positions(50))


def test_windows_that_do_not_come_out_even_are_refused():
    with pytest.raises(ValueError, match="a multiple of the reuse 3, got 32"):
        WindowSchedule(reuse=3, window=32, batch_size=8)
    with pytest.raises(ValueError, match="at least the 8 clips of a batch"):
        WindowSchedule(reuse=2, window=4, batch_size=8)
    with pytest.raises(ValueError, match="a reuse and a batch size of at least 1"):
        WindowSchedule(reuse=0, window=4, batch_size=2)
