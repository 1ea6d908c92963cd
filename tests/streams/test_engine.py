import errno
import json
import os
import resource
import tarfile

import pytest
import torch
from fake_clips import FakeClips, fake_plan, shards_of, tree
from merkwelt.streams import ClipDataset, verify_dataset
from merkwelt.streams import commit as commit_module
from merkwelt.streams import shard as shard_module
from merkwelt.streams.clip_members import USUAL_MEMBERS
from merkwelt.streams.engine import run_plan
from merkwelt.streams.manifest import finalize, read_manifest
from merkwelt.streams.receipts import read_receipt


def _partials(folder):
    return [name for name in tree(folder) if ".partial" in name]


def test_data_set_is_whole_and_holds_what_was_made(tmp_path):
    plan = fake_plan(10)
    heard = []
    done = run_plan(plan, FakeClips(), tmp_path, progress=lambda *told: heard.append(told))
    assert done.is_complete
    assert done.shards == tuple(shard.name for shard in plan.shards())
    assert verify_dataset(tmp_path).ok
    assert heard[0] == (0.1, "clip 1 of 10")
    assert heard[-1] == (1.0, "clip 10 of 10")
    assert not _partials(tmp_path)
    data, make = ClipDataset(tmp_path), FakeClips()
    for clip in range(10):
        made, read = make(plan, clip), data.read(clip)
        assert torch.equal(read.video, made.video)
        assert (read.depth - made.depth).abs().div(made.depth).max() < 1.5e-4
        for name, array in made.trajectory.to_arrays().items():
            assert (read.trajectory.to_arrays()[name] == array).all()
        assert (read.key, read.caption, read.attempts) == (made.key, made.caption, made.attempts)


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_change_nothing_but_time(tmp_path, workers):
    plan = fake_plan(17, scenes=("hall", "garden"))
    run_plan(plan, FakeClips(skip={3}), tmp_path / "one")
    heard = []
    done = run_plan(
        plan,
        FakeClips(skip={3}),
        tmp_path / "many",
        workers=workers,
        progress=lambda *told: heard.append(told),
    )
    assert done.is_complete
    assert heard[-1][0] == 1.0
    assert shards_of(tmp_path / "many") == shards_of(tmp_path / "one")
    assert verify_dataset(tmp_path / "many").ok


def test_parts_of_a_slurm_array_make_the_whole(tmp_path):
    plan = fake_plan(17)
    run_plan(plan, FakeClips(), tmp_path / "whole")
    parts = [run_plan(plan, FakeClips(), tmp_path / "parts", shard=(i, 3)) for i in (2, 0, 1)]
    assert [part.is_complete for part in parts] == [False, False, True]
    assert parts[0].waiting == tuple(s.name for i, s in enumerate(plan.shards()) if i % 3 != 2)
    assert shards_of(tmp_path / "parts") == shards_of(tmp_path / "whole")
    with pytest.raises(ValueError, match="i from 0 to n - 1, got 3/3; parts count from 0"):
        run_plan(plan, FakeClips(), tmp_path / "parts", shard=(3, 3))
    with pytest.raises(ValueError, match="expected at least 1 worker, got 0"):
        run_plan(plan, FakeClips(), tmp_path / "parts", workers=0)


def test_parts_may_have_workers_of_their_own_or_as_many_as_help(tmp_path):
    plan = fake_plan(17)
    run_plan(plan, FakeClips(), tmp_path / "whole")
    parts = [
        run_plan(plan, FakeClips(), tmp_path / "parts", shard=(i, 2), workers=workers)
        for i, workers in ((1, 2), (0, None))
    ]
    assert [part.is_complete for part in parts] == [False, True]
    assert shards_of(tmp_path / "parts") == shards_of(tmp_path / "whole")


def test_growing_renders_new_clips_only(tmp_path):
    run_plan(fake_plan(6), FakeClips(), tmp_path)
    before = shards_of(tmp_path)
    reader = ClipDataset(tmp_path)
    done = run_plan(fake_plan(11), FakeClips(fail=range(6)), tmp_path)
    assert done.shards == ("000000006-000000008", "000000008-000000011")
    after = shards_of(tmp_path)
    assert {name: after[name] for name in before} == before
    assert ClipDataset(tmp_path).clip_ids.tolist() == list(range(11))
    assert len(reader) == 6
    assert verify_dataset(tmp_path).ok
    again = run_plan(fake_plan(11), FakeClips(fail=range(11)), tmp_path)
    assert again.shards == ()
    assert again.is_complete


def test_skipped_clips_are_recorded_with_their_reason(tmp_path):
    done = run_plan(fake_plan(9), FakeClips(skip={0, 4, 5, 6, 7}), tmp_path)
    assert done.is_complete
    assert [clip.clip for clip in done.skipped] == [0, 4, 5, 6, 7]
    data = ClipDataset(tmp_path)
    assert data.clip_ids.tolist() == [1, 2, 3, 8]
    assert data.skipped[4] == "NoWay: a wall in front and a wall behind"
    with pytest.raises(KeyError, match="clip 4 was skipped: NoWay"):
        data.sample(4)
    assert (data.manifest.clips, data.manifest.skipped) == (4, 5)
    assert verify_dataset(tmp_path).ok


@pytest.mark.parametrize("workers", [1, 2])
def test_failure_names_the_clip_and_keeps_what_was_committed(tmp_path, workers):
    plan = fake_plan(12)
    message = "clip 6 of scene 'hall' could not be made: ZeroDivisionError: the lens fell off"
    with pytest.raises(RuntimeError, match=message):
        run_plan(plan, FakeClips(fail={6}), tmp_path, workers=workers)
    assert not _partials(tmp_path)
    with pytest.raises(FileNotFoundError, match="is not finished: it has no manifest.json"):
        ClipDataset(tmp_path)
    done = run_plan(plan, FakeClips(), tmp_path)
    assert "000000004-000000008" in done.shards
    assert verify_dataset(tmp_path).ok


def test_bad_input_of_a_clip_stays_bad_input(tmp_path):
    class Wrong(FakeClips):
        def __call__(self, plan, clip):
            raise ValueError("the scene is another one")

    with pytest.raises(ValueError, match="clip 0 of scene 'hall': the scene is another one"):
        run_plan(fake_plan(), Wrong(), tmp_path)


def test_unfinished_data_set_can_be_read_on_request(tmp_path):
    with pytest.raises(RuntimeError, match="clip 9"):
        run_plan(fake_plan(12), FakeClips(fail={9}), tmp_path)
    with pytest.raises(RuntimeError, match="shard 000000008-000000012 is not committed"):
        finalize(tmp_path)
    manifest = finalize(tmp_path, allow_partial=True)
    assert (manifest.complete, manifest.clips, manifest.planned_clips) == (False, 8, 12)
    assert ClipDataset(tmp_path).clip_ids.tolist() == list(range(8))
    assert run_plan(fake_plan(12), FakeClips(), tmp_path).is_complete
    assert len(ClipDataset(tmp_path)) == 12


def test_full_disk_is_one_clear_error_and_leaves_nothing_half_written(tmp_path):
    plan = fake_plan(12, frames=8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="could not write shard 000000000-000000004") as caught:
            run_plan(plan, FakeClips(), tmp_path / "data")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert "run the same command again" in str(caught.value)
    assert set(tree(tmp_path / "data")) == {"plan.json"}
    assert run_plan(plan, FakeClips(), tmp_path / "data").is_complete
    assert verify_dataset(tmp_path / "data").ok


@pytest.mark.parametrize("step", ["shard", "sync", "receipt"])
def test_disk_that_fills_at_any_step_leaves_nothing_half_written(tmp_path, monkeypatch, step):
    plan = fake_plan(8)
    run_plan(plan, FakeClips(), tmp_path, shard=(0, 2))

    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target, name = {
        "shard": (shard_module._HashedFile, "write"),
        "sync": (shard_module._HashedFile, "sync"),
        "receipt": (commit_module, "write_whole"),
    }[step]
    before = tree(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(target, name, full)
        with pytest.raises(OSError, match="No space left on device") as caught:
            run_plan(plan, FakeClips(), tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert tree(tmp_path) == before
    assert run_plan(plan, FakeClips(), tmp_path).is_complete
    assert verify_dataset(tmp_path).ok


def test_shard_without_receipt_is_not_committed(tmp_path, monkeypatch):
    """A process that dies between the rename and the receipt."""
    plan = fake_plan(8)

    class Died(BaseException):
        pass

    def die(*_arguments):
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(commit_module, "write_whole", die)
        patched.setattr(commit_module.Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Died):
            run_plan(plan, FakeClips(), tmp_path)
    assert list(shards_of(tmp_path)) == ["shards/000000000-000000004.tar"]
    assert run_plan(plan, FakeClips(), tmp_path).is_complete
    assert verify_dataset(tmp_path).ok


def test_manifest_and_receipts_say_what_they_describe(tmp_path):
    plan = fake_plan(8)
    run_plan(plan, FakeClips(skip={2}), tmp_path)
    manifest = read_manifest(tmp_path)
    assert manifest.licences == {"hall": "unknown"}
    assert (manifest.planned_clips, manifest.clips, manifest.skipped) == (8, 7, 1)
    assert manifest.bytes == sum(len(data) for data in shards_of(tmp_path).values())
    receipt = read_receipt(tmp_path, plan.shards()[0])
    assert (receipt.device, receipt.code_version, receipt.plan) == ("none", "0.1.0", plan.id)
    assert os.uname().nodename not in (tmp_path / "receipts/000000000-000000004.json").read_text()


def test_shards_are_plain_tar_files_whose_offsets_are_the_index(tmp_path):
    plan = fake_plan(6)
    run_plan(plan, FakeClips(), tmp_path)
    for shard in plan.shards():
        receipt = read_receipt(tmp_path, shard)
        listed = {
            f"{clip.clip:09d}.{name}": tuple(extent[:2])
            for clip in receipt.clips
            for name, extent in clip.members.items()
        }
        with tarfile.open(tmp_path / "shards" / f"{shard.name}.tar") as tar:
            infos = tar.getmembers()
            assert {i.name: (i.offset_data, i.size) for i in infos} == listed
            assert {(i.mtime, i.uid, i.gid, i.uname, i.gname) for i in infos} == {(0, 0, 0, "", "")}
            meta = json.load(tar.extractfile(f"{shard.first:09d}.meta.json"))
        assert [i.name.split(".", 1)[1] for i in infos[: len(USUAL_MEMBERS)]] == list(USUAL_MEMBERS)
        assert meta["key"] == f"{shard.first:09d}"
        assert meta["scene_sha256"] == "hash of hall"
        assert meta["settings"] == plan.settings
        assert meta["caption"] == f"clip {shard.first} in the hall"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # webdataset leaves files open.
def test_webdataset_opens_the_shards(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    plan = fake_plan(6)
    run_plan(plan, FakeClips(skip={1}), tmp_path)
    urls = sorted(str(path) for path in (tmp_path / "shards").glob("*.tar"))
    samples = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == [f"{i:09d}" for i in (0, 2, 3, 4, 5)]
    assert set(USUAL_MEMBERS) <= set(samples[0])
    assert json.loads(samples[1]["meta.json"])["clip"] == 2


def test_mono_clips_without_depth_hold_one_video(tmp_path):
    plan = fake_plan(2, depth=False)
    run_plan(plan, FakeClips(eyes=1), tmp_path)
    data = ClipDataset(tmp_path)
    assert data.streams == ("video", "trajectory", "meta")
    assert data.read(1).depth is None
    assert tuple(data[0].video.shape) == (1, 3, 3, 16, 16)
