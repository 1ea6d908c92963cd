"""What is computed, and in which order."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from merkwelt.scenes import Scene

from merkwelt.viewer.agenda import (
    ClipTask,
    CloudTask,
    Failure,
    NavigationTask,
    PictureTask,
    Wanted,
    next_task,
)
from merkwelt.viewer.cloud import STAGES, Cloud
from merkwelt.viewer.workshop import Workshop

WANTED = Wanted(observer="adult", clip=1, frame=2, frames=4, other_clips=2)


def _order(wanted, results):
    results, order = dict(results), []
    while (task := next_task(wanted, results)) is not None:
        order.append(task)
        results[task] = "done"
    return order


def test_what_is_looked_at_comes_first_and_everything_comes_once():
    order = _order(WANTED, {})
    assert order[:4] == [
        NavigationTask("adult"),
        ClipTask("adult", 1),
        CloudTask(0),
        PictureTask("adult", 1, 2),
    ]
    assert order[-3:] == [PictureTask("adult", 1, frame) for frame in (3, 0, 1)]
    assert len(order) == len(set(order)) == 3 + len(STAGES) + 4
    assert ClipTask("adult", 0) in order


def test_what_failed_is_not_tried_again_nor_built_on():
    assert _order(WANTED, {NavigationTask("adult"): Failure("no ground")}) == [
        CloudTask(stage) for stage in range(len(STAGES))
    ]
    done = {NavigationTask("adult"): "done", ClipTask("adult", 1): Failure("rejected")}
    assert not any(isinstance(task, PictureTask) for task in _order(WANTED, done))


@pytest.fixture
def open_workshop(settings):
    opened = []

    def open_(scene, wanted):
        results, all_done = {}, threading.Event()

        def keep(task, result):
            results[task] = result
            if workshop.upcoming() is None:
                all_done.set()

        workshop = Workshop(scene, settings, seed=0, wanted=wanted, on_result=keep)
        opened.append(workshop)
        workshop.start()
        return workshop, results, all_done

    yield open_
    for workshop in opened:
        workshop.close()


def test_a_workshop_does_all_and_then_what_is_newly_wanted(room, open_workshop):
    wanted = Wanted(observer="adult", frames=6, other_clips=1)
    workshop, results, all_done = open_workshop(room, wanted)
    assert all_done.wait(120)
    assert not [r for r in results.values() if isinstance(r, Failure)]
    sizes = [len(results[CloudTask(stage)]) for stage in range(len(STAGES))]
    assert isinstance(results[CloudTask(0)], Cloud)
    assert all(1000 < size <= 5000 for size in sizes)
    assert results[PictureTask("adult", 0, 5)].shape == (2, 24, 24, 3)
    all_done.clear()
    workshop.want(Wanted(observer="static", frames=6))
    assert all_done.wait(120)
    heads = workshop.get(ClipTask("static", 0)).trajectory.world_from_head
    np.testing.assert_array_equal(heads[0], heads[-1])


def test_a_failure_is_told_and_the_rest_goes_on(room, open_workshop):
    narrow = replace(room.card, bounds=((0.0, 0.0, 0.0), (0.3, 0.3, 2.5)))
    nowhere = Scene(narrow, room.field)
    _, results, all_done = open_workshop(nowhere, Wanted(observer="adult", frames=6))
    assert all_done.wait(60)
    assert "no free ground" in results[NavigationTask("adult")].message
    assert CloudTask(0) in results
