import itertools
import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from fake_clips import FakeClips, fake_plan
from merkwelt.streams import ClipDataset, collate, reader
from merkwelt.streams.engine import run_plan
from torch.utils.data import DataLoader


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    run_plan(fake_plan(23, scenes=("hall", "garden")), FakeClips(skip={3, 11}), folder)
    return folder


@pytest.fixture
def data(folder):
    return ClipDataset(folder)


def test_random_access_gives_the_clip_of_that_id(data):
    plan, make = fake_plan(23, scenes=("hall", "garden")), FakeClips()
    for clip in (22, 0, 12, 4):
        sample = data.sample(clip)
        assert torch.equal(sample.video, make(plan, clip).video)
        assert (sample.clip, sample.scene) == (clip, plan.scene_of(clip).name)
        assert sample.caption == f"clip {clip} in the {sample.scene}"


def test_items_are_the_clips_in_order(data):
    assert len(data) == 21
    assert [data[i].clip for i in range(len(data))] == data.clip_ids.tolist()
    assert data[-1].clip == 22
    with pytest.raises(IndexError):
        data[21]


def test_unknown_clips_are_refused(data):
    with pytest.raises(KeyError, match="expected one of the 21 clips that are there, got 99"):
        data.sample(99)
    with pytest.raises(KeyError, match="clip 11 was skipped: NoWay: a wall"):
        data.read(11)


def test_only_what_is_asked_for_is_decoded(folder, monkeypatch):
    asked = []
    decode = reader.decode_eyes
    monkeypatch.setattr(
        reader,
        "decode_eyes",
        lambda members, stream, *frames, **into: (
            asked.append(stream) or decode(members, stream, *frames, **into)
        ),
    )
    sample = ClipDataset(folder, streams=("depth",))[0]
    assert asked == ["depth"]
    assert (sample.video, sample.trajectory, sample.caption) == (None, None, None)
    assert repr(sample) == f"Sample(0, {sample.scene!r}, video=None, depth=(2, 3, 16, 16))"
    assert ClipDataset(folder, streams=("trajectory",))[0].trajectory.frames == 3
    assert asked == ["depth"]


def test_streams_that_are_not_held_are_refused(folder):
    with pytest.raises(ValueError, match=r"expected streams out of \['video', .* got \['smell'\]"):
        ClipDataset(folder, streams=("smell",))
    with pytest.raises(ValueError, match="expected streams out of"):
        ClipDataset(folder, streams=())


def test_order_covers_an_epoch_exactly_and_depends_on_seed_and_epoch(data):
    orders = {(s, e): data.order(s, e).tolist() for s in (0, 1) for e in (0, 1)}
    assert all(sorted(order) == data.clip_ids.tolist() for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) == 4
    assert data.order(0, 1).tolist() == orders[0, 1]


def test_batches_are_the_epochs_cut_into_pieces(data):
    seen = np.concatenate([data.batch_ids(4, seed=5, step=step) for step in range(16)])
    expected = np.concatenate([data.order(5, epoch) for epoch in range(4)])
    assert seen.tolist() == expected[: len(seen)].tolist()
    wide = np.concatenate([data.batch_ids(32, seed=5, step=step) for step in range(2)])
    assert wide.tolist() == seen.tolist()


def test_resuming_gives_the_same_tail(data):
    whole = [b.clips.tolist() for b in itertools.islice(data.batches(4, seed=1), 9)]
    tail = [b.clips.tolist() for b in itertools.islice(data.batches(4, seed=1, start_step=6), 3)]
    assert tail == whole[6:]


def test_resuming_far_away_costs_nothing(data):
    batch = next(data.batches(3, seed=0, start_step=10**12))
    assert batch.clips.tolist() == data.batch_ids(3, seed=0, step=10**12).tolist()


def test_batch_has_shapes_and_samples(data):
    batch = next(data.batches(4, seed=0))
    assert batch.video.shape == (4, 2, 3, 3, 16, 16)
    assert batch.video.dtype == torch.uint8
    assert batch.depth.shape == (4, 2, 3, 16, 16)
    assert [sample.clip for sample in batch.samples] == batch.clips.tolist()
    assert "video=(4, 2, 3, 3, 16, 16)" in repr(batch)
    assert repr(data).endswith("clips=21, streams=('video', 'depth', 'trajectory', 'meta'))")


@pytest.mark.parametrize(("size", "step"), [(0, 0), (3, -1)])
def test_batches_that_cannot_be_are_refused(data, size, step):
    with pytest.raises(ValueError, match="a batch size of at least 1, a step of at least 0"):
        data.batch_ids(size, seed=0, step=step)


@pytest.mark.parametrize("context", ["fork", "forkserver"])
def test_data_loader_workers_read_the_same(folder, context):
    data = ClipDataset(folder, streams=("video",))
    data[0]
    loader = DataLoader(
        data,
        batch_size=5,
        num_workers=2,
        collate_fn=collate,
        multiprocessing_context=context,
    )
    batches = list(loader)
    assert torch.cat([batch.clips for batch in batches]).tolist() == data.clip_ids.tolist()
    here = torch.stack([data[i].video for i in range(len(data))])
    assert torch.equal(torch.cat([batch.video for batch in batches]), here)


@pytest.mark.parametrize("profile", ["lossless", "compact"])
@pytest.mark.parametrize("eyes", [1, 2])
def test_video_of_a_batch_is_that_of_its_clips(tmp_path, profile, eyes):
    """It is decoded into the batch; clips alone are not."""
    run_plan(fake_plan(6, profile=profile), FakeClips(eyes=eyes), tmp_path)
    clips = ClipDataset(tmp_path)
    batch = clips.batch([4, 0, 4, 3])
    alone = [clips.sample(clip) for clip in (4, 0, 4, 3)]
    assert torch.equal(batch.video, torch.stack([sample.video for sample in alone]))
    assert torch.equal(batch.depth, torch.stack([sample.depth for sample in alone]))
    assert [sample.clip for sample in batch.samples] == [4, 0, 4, 3]
    place = batch.video[2].data_ptr()
    assert batch.samples[2].video.data_ptr() == place


def test_batches_of_several_shapes_are_refused(tmp_path):
    class Growing(FakeClips):
        def __call__(self, plan, clip):
            made = super().__call__(plan, clip)
            return replace(made, video=made.video[..., : 8 * (1 + clip // 2), :], depth=None)

    run_plan(fake_plan(4, depth=False), Growing(), tmp_path)
    clips = ClipDataset(tmp_path, streams=("video",))
    with pytest.raises(ValueError, match="clips of one shape in a batch, got clip 1 .*; clip 3"):
        clips.batch([0, 1, 3])


def test_threads_read_the_same(data):
    expected = [data[i].video for i in range(8)]
    wrong = []

    def read():
        wrong.extend(i for i in range(8) if not torch.equal(data[i].video, expected[i]))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_pickling_keeps_the_data_set(data):
    assert torch.equal(pickle.loads(pickle.dumps(data))[2].video, data[2].video)


def test_damaged_bytes_are_an_error_on_reading(tmp_path):
    run_plan(fake_plan(4), FakeClips(), tmp_path)
    data = ClipDataset(tmp_path)
    path = next((tmp_path / "shards").glob("*.tar"))
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"left.mkv at byte 512 is damaged; run 'merkwelt ver"):
        data.sample(0)
    assert data.sample(3).clip == 3
    path.write_bytes(content[:2000])
    with pytest.raises(RuntimeError, match="is damaged"):
        data.sample(3)
    path.unlink()
    with pytest.raises(RuntimeError, match="clip 3: .*tar is missing"):
        data.sample(3)


def test_index_with_fewer_clips_than_the_manifest_is_refused(tmp_path):
    run_plan(fake_plan(4), FakeClips(), tmp_path)
    small = (tmp_path / "index.parquet").read_bytes()
    run_plan(fake_plan(8), FakeClips(), tmp_path)
    (tmp_path / "index.parquet").write_bytes(small)
    with pytest.raises(RuntimeError, match="lists 4 clips, its manifest 8"):
        ClipDataset(tmp_path)


def test_old_manifest_reads_beside_an_index_that_has_grown(tmp_path):
    """A writer that died between writing the index and the manifest."""
    run_plan(fake_plan(4), FakeClips(), tmp_path)
    old = (tmp_path / "manifest.json").read_bytes()
    run_plan(fake_plan(8), FakeClips(), tmp_path)
    (tmp_path / "manifest.json").write_bytes(old)
    data = ClipDataset(tmp_path)
    assert data.clip_ids.tolist() == [0, 1, 2, 3]
    assert data[3].clip == 3


def test_missing_index_is_refused(tmp_path):
    run_plan(fake_plan(4), FakeClips(), tmp_path)
    (tmp_path / "index.parquet").unlink()
    with pytest.raises(RuntimeError, match="cannot read .*index.parquet"):
        ClipDataset(tmp_path)
