from dataclasses import replace

import pytest
import torch
from merkwelt.objectives import SlownessConfig, TemporalClassesConfig
from merkwelt.objectives.harmonizer.harmonised import HarmonisedConfig
from streaming_clips import DriftingClips, streaming_plan

from merkwelt.training import StreamClips, train
from merkwelt.training.clip_classes import ClipClasses
from merkwelt.training.feed import EpochFeed

from .drifting import drifting_clips, small_experiment


class _Videos:
    """Clip ids whose hundreds are videos, and whose units are seconds in them."""

    def chunk(self, clip, seconds):
        return clip if seconds is None else (clip // 100, int(clip % 100 // seconds))


def _experiment(**settings):
    return small_experiment("temporal_classes", objective=TemporalClassesConfig(**settings))


def test_classes_number_the_training_clips():
    feed = EpochFeed(drifting_clips(), _experiment())
    again = EpochFeed(drifting_clips(), _experiment())
    training = sorted(set(range(10)) - set(feed.held_out_ids))
    assert [feed.read(clip).clip_class for clip in training] == list(range(8))
    assert [again.read(clip).clip_class for clip in training] == list(range(8))
    assert [feed.read(clip).clip_class for clip in feed.held_out_ids] == [-1, -1]
    assert torch.equal(feed.read(3).video, drifting_clips().read(3).video)


def test_chunks_of_videos_are_classes():
    training = [100, 105, 112, 203, 204]
    classes = ClipClasses.of(_Videos(), training, _experiment(chunk_s=10.0))
    assert [classes.of_clip(clip) for clip in training] == [0, 0, 1, 2, 2]
    # Held out, from a chunk that is trained on, and from one that is not.
    assert classes.of_clip(207) == 2
    assert classes.of_clip(299) == -1
    every = ClipClasses.of(_Videos(), training, _experiment())
    assert [every.of_clip(clip) for clip in training] == [0, 1, 2, 3, 4]


def test_too_many_clips_are_refused_before_a_run_begins():
    with pytest.raises(ValueError, match="at most 3 .* got 8; set objective.classes to 8"):
        EpochFeed(drifting_clips(), _experiment(classes=3))
    # Also beneath the harmonizer; other objectives do not care.
    harmonised = HarmonisedConfig(classes=2, objective=TemporalClassesConfig(classes=3))
    with pytest.raises(ValueError, match="set objective.classes to 8"):
        EpochFeed(drifting_clips(), replace(_experiment(), objective=harmonised))
    EpochFeed(drifting_clips(), replace(_experiment(), objective=SlownessConfig()))


def test_streams_without_end_have_no_classes(tmp_path):
    stream = StreamClips(streaming_plan(), DriftingClips())
    with pytest.raises(ValueError, match="got a stream without end; render its clips to a folder"):
        train(_experiment(), stream, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()
