"""Batches for any number of ranks and workers: every clip once an epoch, the same everywhere."""

import itertools

import numpy as np
import pytest
import torch
from fake_clips import FakeClips, fake_plan
from merkwelt.streams import BatchPlaces, ClipDataset, Share
from merkwelt.streams.collection import ClipCollection
from merkwelt.streams.engine import run_plan
from merkwelt.streams.samples import Sample


class Numbers(ClipCollection):
    """Clips of one pixel that shows their id."""

    def __init__(self, size):
        self._ids = 3 * np.arange(size) + 1

    @property
    def clip_ids(self):
        return self._ids

    def sample(self, clip):
        video = torch.full((1, 1, 3, 1, 1), clip % 256, dtype=torch.uint8)
        return Sample(
            clip=clip, scene="none", video=video, depth=None, trajectory=None, caption=None
        )


def _read(loader, batches=None):
    return [batch.clips.tolist() for batch in itertools.islice(loader, batches)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    run_plan(fake_plan(11), FakeClips(), folder)
    return folder


@pytest.mark.parametrize("ranks", [1, 2, 3, 6])
@pytest.mark.parametrize("size", [1, 5, 12, 23])
@pytest.mark.parametrize("epochs", [1, 3])
def test_the_ranks_of_an_epoch_read_every_clip_once(size, ranks, epochs):
    clips = Numbers(size)
    shares = [
        _read(clips.loader(6, seed=2, epochs=epochs, share=Share(rank=rank, ranks=ranks)))
        for rank in range(ranks)
    ]
    read = sorted(itertools.chain.from_iterable(itertools.chain.from_iterable(shares)))
    assert read == sorted(clips.clip_ids.tolist() * epochs)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_ranks_read_the_rows_of_the_same_batches(ranks):
    clips = Numbers(10)
    shares = [
        _read(clips.loader(6, seed=7, share=Share(rank=rank, ranks=ranks)), 8)
        for rank in range(ranks)
    ]
    together = [list(itertools.chain.from_iterable(rows)) for rows in zip(*shares, strict=True)]
    assert together == [clips.batch_ids(6, seed=7, step=step).tolist() for step in range(8)]
    assert {len(rows) for rows in shares[0]} == {6 // ranks}


@pytest.mark.parametrize("epochs", [1, 2, None])
@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_resuming_equals_never_having_stopped(epochs, start):
    """An epoch of 10 clips is two batches and a half: steps 1 to 3 lie in the middle of one."""
    clips = Numbers(10)
    whole = _read(clips.loader(4, seed=0, epochs=epochs), 9)
    start = min(start, len(whole))
    assert (
        _read(clips.loader(4, seed=0, epochs=epochs, start_step=start), 9 - start)
        == (whole[start:])
    )


def test_workers_change_nothing_about_the_sequence(folder):
    clips = ClipDataset(folder, streams=("video",))
    for share in (Share(), Share(rank=1, ranks=2)):
        read = [
            list(clips.loader(4, seed=3, epochs=2, start_step=1, share=share, workers=workers))
            for workers in (0, 1, 2)
        ]
        assert _read(read[0]) == _read(read[1]) == _read(read[2])
        for batches in zip(*read, strict=True):
            assert all(torch.equal(batch.video, batches[0].video) for batch in batches)


def test_endless_workers_can_be_left(folder):
    clips = ClipDataset(folder, streams=("video",))
    read = _read(clips.loader(4, seed=3, workers=2), 7)
    assert read == [clips.batch_ids(4, seed=3, step=step).tolist() for step in range(7)]
    far = _read(clips.loader(4, seed=3, start_step=10**12), 1)
    assert far == [clips.batch_ids(4, seed=3, step=10**12).tolist()]


def test_batches_from_workers_hold_their_samples(folder):
    """Tensors cross once; samples are views into them on both sides."""
    clips = ClipDataset(folder)
    for workers in (0, 1):
        (batch,) = clips.loader(3, seed=0, epochs=1, start_step=3, workers=workers)
        for place, sample in enumerate(batch.samples):
            there = clips.sample(sample.clip)
            assert torch.equal(sample.video, there.video)
            assert torch.equal(sample.depth, there.depth)
            assert sample.caption == there.caption
            assert sample.video.data_ptr() == batch.video[place].data_ptr()
        assert batch.first_frames.tolist() == [0] * len(batch.samples)


def test_the_order_of_the_clips_without_a_seed():
    clips = Numbers(5)
    assert _read(clips.loader(2, seed=None, epochs=2)) == [
        [1, 4],
        [7, 10],
        [13, 1],
        [4, 7],
        [10, 13],
    ]


def test_the_global_generator_is_left_alone(folder):
    state = torch.random.get_rng_state()
    _read(ClipDataset(folder).loader(4, seed=0, epochs=1))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_lengths_are_what_comes():
    clips = Numbers(13)
    for start, ranks, rank in itertools.product((0, 2, 3), (1, 2), (0, 1)):
        if rank < ranks:
            share = Share(rank=rank, ranks=ranks)
            loader = clips.loader(6, seed=0, epochs=1, start_step=start, share=share)
            assert len(loader) == len(_read(loader))
    with pytest.raises(TypeError, match="without end has no number of batches"):
        len(clips.loader(6, seed=0))


def test_shares_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert Share.of_environment() == Share()
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert Share.of_environment() == Share(rank=2, ranks=4)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"batch_size": 0}, "expected a batch size of at least 1"),
        ({"start_step": -1}, "a step of at least 0"),
        ({"epochs": 0}, "expected clips and epochs, got 7 clips and 0 epochs"),
        ({"share": Share(ranks=3)}, "a batch size that 3 ranks can share evenly, got 4"),
        ({"epochs": 1, "start_step": 3}, "expected a step of at most 2, where 1 epochs of 7"),
    ],
)
def test_batches_that_cannot_be_are_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        BatchPlaces(7, **{"batch_size": 4, "seed": 0, **asked})


@pytest.mark.parametrize(("rank", "ranks"), [(2, 2), (-1, 2), (0, 0)])
def test_ranks_that_cannot_be_are_refused(rank, ranks):
    with pytest.raises(ValueError, match="expected a rank from 0 to ranks - 1"):
        Share(rank=rank, ranks=ranks)
