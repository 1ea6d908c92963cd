"""Real processes, killed without warning while they write, or racing for one data set."""

import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from fake_clips import FakeClips, fake_plan, shards_of, tree
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import save_scene
from merkwelt.streams import ClipDataset, verify_dataset
from merkwelt.streams.engine import run_plan
from merkwelt.streams.workers import worker_context

from merkwelt.cli import main


def _start(folder, *, clips=None, **options):
    process = worker_context().Process(
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


@pytest.fixture
def small_disk(tmp_path, undisturbed):
    size = sum(len(data) for data in undisturbed.values()) // 2
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_disk_that_is_full_for_real(small_disk, workers, undisturbed):
    with pytest.raises(OSError, match="could not write shard .*: No space left on device"):
        run_plan(fake_plan(40), FakeClips(), small_disk, workers=workers)
    kept = shards_of(small_disk)
    assert 0 < len(kept) < 10
    assert not [name for name in tree(small_disk) if ".partial" in name]
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    done = run_plan(fake_plan(40), FakeClips(), small_disk)
    assert done.is_complete
    assert not done.mended
    assert verify_dataset(small_disk).ok
    assert shards_of(small_disk) == undisturbed


def test_flipped_bit_is_named_and_mended_by_the_same_command(tmp_path, capsys):
    save_scene(analytic_room(), tmp_path / "room")
    words = f"render --scene {tmp_path}/room --frames 2 --size 8 --clips 6 --shard-clips 2"
    words = [*words.split(), "--out", str(tmp_path / "data"), "--workers", "1"]
    assert main(words) == 0
    before = shards_of(tmp_path / "data")
    for number, name in enumerate(before):
        path = tmp_path / "data" / name
        data = bytearray(path.read_bytes())
        data[len(data) * (number + 1) // 5] ^= 1 << number
        path.write_bytes(data)
        others = {n: (tmp_path / "data" / n).stat().st_mtime_ns for n in before if n != name}
        capsys.readouterr()
        assert main(["verify", str(tmp_path / "data")]) == 1
        said = capsys.readouterr().err
        assert f"{name}: its bytes changed since it was written" in said
        assert not any(other in said for other in others)
        assert main(words) == 0
        assert f"rendered again: {name}: its bytes changed" in capsys.readouterr().err
        assert shards_of(tmp_path / "data") == before
        assert {n: (tmp_path / "data" / n).stat().st_mtime_ns for n in others} == others
        assert main(["verify", str(tmp_path / "data")]) == 0


def test_jobs_of_an_array_that_race_make_the_whole(tmp_path, undisturbed):
    jobs = [_start(tmp_path, shard=(i, 3), workers=2 if i == 1 else 1) for i in (2, 0, 1)]
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0, 0, 0]
    assert verify_dataset(tmp_path).ok
    assert shards_of(tmp_path) == undisturbed
