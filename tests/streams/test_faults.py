"""Real processes, killed without warning while they write, or racing for one data set."""

import random
import signal
import time
from pathlib import Path

import pytest
from fake_clips import FakeClips, fake_plan, shards_of, tree
from merkwelt.streams import ClipDataset, verify_dataset
from merkwelt.streams.engine import run_plan
from merkwelt.streams.workers import _context


def _start(folder, *, clips=None, **options):
    process = _context().Process(
        target=run_plan,
        args=(fake_plan(40), FakeClips(delay_s=0.01, **(clips or {})), folder),
        kwargs=options,
    )
    process.start()
    return process


def _wait_for(condition, what):
    end_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end_s, f"waited a minute for {what}"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run_plan(fake_plan(40), FakeClips(), folder)
    return shards_of(folder)


def test_killed_at_random_moments_and_resumed(tmp_path, undisturbed):
    rng = random.Random(0)
    committed = {}
    kills = 0
    for _ in range(4):
        process = _start(tmp_path)
        _wait_for((tmp_path / "plan.json").exists, "the plan")
        time.sleep(rng.uniform(0.05, 0.4))
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        process.close()
        kept = {
            name: data
            for name, data in shards_of(tmp_path).items()
            if (tmp_path / "receipts" / f"{Path(name).stem}.json").exists()
        }
        assert committed.items() <= kept.items()
        committed = kept
    assert kills >= 2
    done = run_plan(fake_plan(40), FakeClips(), tmp_path)
    assert done.is_complete
    assert not done.mended
    assert verify_dataset(tmp_path).ok
    assert shards_of(tmp_path) == undisturbed
    assert not [name for name in tree(tmp_path) if ".partial" in name]
    assert ClipDataset(tmp_path).clip_ids.tolist() == list(range(40))


def test_two_writers_racing_do_no_harm(tmp_path, undisturbed):
    writers = [_start(tmp_path) for _ in range(2)]
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert verify_dataset(tmp_path).ok
    assert shards_of(tmp_path) == undisturbed
    assert not [name for name in tree(tmp_path) if ".partial" in name]


def test_slower_writer_of_a_shard_discards_its_own(tmp_path):
    """The other process commits the shard, with other bytes, while this one still renders it."""
    plan = fake_plan(4)

    class Overtaken(FakeClips):
        def __call__(self, plan, clip):
            if clip == 2:
                run_plan(plan, FakeClips(skip={0}), tmp_path)
            return super().__call__(plan, clip)

    done = run_plan(plan, Overtaken(), tmp_path)
    assert [clip.clip for clip in done.skipped] == [0]
    assert ClipDataset(tmp_path).clip_ids.tolist() == [1, 2, 3]
    assert verify_dataset(tmp_path).ok
    assert not [name for name in tree(tmp_path) if ".partial" in name]


def test_workers_end_with_the_process_that_started_them(tmp_path):
    pids = tmp_path / "pids"
    pids.mkdir()
    process = _start(tmp_path / "data", workers=2, clips={"pids": pids})
    _wait_for(lambda: len(list(pids.iterdir())) == 2, "two workers")
    process.kill()
    process.join()
    for pid in pids.iterdir():
        _wait_for(lambda pid=pid: not Path(f"/proc/{pid.name}").exists(), f"the end of {pid.name}")
    assert run_plan(fake_plan(40), FakeClips(), tmp_path / "data").is_complete
    assert verify_dataset(tmp_path / "data").ok


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt_ends_all_work_and_resumes(tmp_path, workers):
    def interrupt(share, _message):
        if share > 0:
            raise KeyboardInterrupt

    make_clip = FakeClips(delay_s=0.02)
    with pytest.raises(KeyboardInterrupt):
        run_plan(fake_plan(40), make_clip, tmp_path, workers=workers, progress=interrupt)
    assert not [name for name in tree(tmp_path) if ".partial" in name]
    assert len(shards_of(tmp_path)) < 10
    assert run_plan(fake_plan(40), FakeClips(), tmp_path).is_complete
    assert verify_dataset(tmp_path).ok


def test_killed_worker_is_one_clear_error(tmp_path):
    with pytest.raises(RuntimeError, match="a worker process was killed"):
        run_plan(fake_plan(8), FakeClips(kill={5}), tmp_path, workers=2)
    assert run_plan(fake_plan(8), FakeClips(), tmp_path).is_complete
    assert verify_dataset(tmp_path).ok


def test_clock_that_jumps_changes_nothing(tmp_path, monkeypatch, undisturbed):
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: next(hours) * 3600.0)
    run_plan(fake_plan(40), FakeClips(), tmp_path)
    assert shards_of(tmp_path) == undisturbed
