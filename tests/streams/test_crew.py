import os

import numba
import pytest
import torch
from fake_clips import FakeClips, fake_plan
from merkwelt.streams import crew
from merkwelt.streams.crew import Crew, helpful_workers, limit_threads, threads_of_each
from merkwelt.streams.engine import run_plan


def test_one_worker_a_core_as_far_as_there_are_shards_and_memory(monkeypatch):
    plan = fake_plan()
    monkeypatch.setattr(crew, "usable_cores", lambda: 8)
    monkeypatch.setattr(crew, "_available_gib", lambda: 100.0)
    assert [helpful_workers(plan, shards) for shards in (0, 1, 3, 8, 99)] == [1, 1, 3, 8, 8]
    monkeypatch.setattr(crew, "_available_gib", lambda: 3.9)
    assert helpful_workers(plan, 99) == 3
    monkeypatch.setattr(crew, "_available_gib", lambda: 0.2)
    assert helpful_workers(plan, 99) == 1


def test_one_worker_a_gpu(monkeypatch):
    plan = fake_plan()
    plan.settings["renderer"] = {"device": "cuda"}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert [helpful_workers(plan, shards) for shards in (2, 99)] == [2, 4]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert helpful_workers(plan, 99) == 1


def test_cores_are_those_that_this_process_may_use():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert crew.usable_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert crew.usable_cores() == len(allowed)


def test_threads_are_shared_and_limited(monkeypatch):
    monkeypatch.setattr(crew, "usable_cores", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert [threads_of_each(workers) for workers in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert threads_of_each(2) == 1
    monkeypatch.undo()
    before = torch.get_num_threads(), numba.get_num_threads()
    try:
        limit_threads(1)
        assert (torch.get_num_threads(), numba.get_num_threads()) == (1, 1)
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


def test_senseless_crews_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected at least 1 worker, got 0"):
        Crew(workers=0).require_sense()
    with pytest.raises(ValueError, match=r"engine out of \['local', 'ray'\], got 'dask'"):
        run_plan(fake_plan(), FakeClips(), tmp_path, engine="dask")
    with pytest.raises(ValueError, match="an address is that of a Ray cluster, got 'auto' with"):
        run_plan(fake_plan(), FakeClips(), tmp_path, address="auto")
    assert not list(tmp_path.iterdir())
