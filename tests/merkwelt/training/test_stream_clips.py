import json

import pytest
import torch
from merkwelt.objectives import SlownessConfig
from merkwelt.streams.live import LiveOptions, WindowSchedule, is_held_out
from streaming_clips import SKIPPED, DriftingClips, streaming_plan

from merkwelt.training import StreamClips, train
from merkwelt.training.checkpoint import checkpoint_paths, read_checkpoint
from merkwelt.training.feed import EpochFeed

from .drifting import small_experiment
from .test_loop import Killed, assert_same_bits, kill_at

OPTIONS = LiveOptions(
    reuse=2,
    window=8,
    held_out_clips=3,
    ahead=2,
    render_threads=1,
    train_threads=1,
)
CLOCKS = ("seconds", "data_wait_s", "staleness_clips", "rendered_clips_per_s")


def _source(**changes):
    return StreamClips(streaming_plan(), DriftingClips(**changes), OPTIONS)


def _lines(run):
    whole = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in CLOCKS} for line in whole]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "whole"
    summary = train(small_experiment("predict"), _source(), run, device="cpu")
    return run, summary


@pytest.mark.parametrize("killed_at", [1, 4, 5])
def test_a_killed_and_resumed_run_has_the_same_bits(whole, tmp_path, killed_at):
    experiment, run = small_experiment("predict"), tmp_path / "cut"
    with pytest.raises(Killed):
        train(experiment, _source(), run, device="cpu", progress=kill_at(killed_at))
    summary = train(experiment, _source(), run, device="cpu")
    assert_same_bits(whole[0], run)
    assert dict(summary.held_out) == dict(whole[1].held_out)
    assert _lines(run) == _lines(whole[0])


def test_it_learns_what_the_same_clips_in_memory_teach(whole, tmp_path):
    """An independent schedule: batches worked out here, from clips made here."""
    experiment = small_experiment("predict")
    make_clip, plan = DriftingClips(), streaming_plan()
    split = {"share": experiment.held_out_share, "seed": experiment.seed}
    training = [c for c in range(100) if c not in SKIPPED and not is_held_out(c, **split)]
    held_out = [c for c in range(100) if c not in SKIPPED and is_held_out(c, **split)]
    schedule = WindowSchedule(reuse=2, window=8, batch_size=4, seed=experiment.seed)

    class InMemory:
        identity = "memory"
        frame_rate_hz = 10.0
        clip_ids = tuple(range(100))
        description = {"identity": "memory"}

        def read(self, clip):
            from merkwelt.training.clips import TrainingClip, pairs_within_fixations

            made = make_clip(plan, clip)
            return TrainingClip(
                video=made.video, valid_pairs=pairs_within_fixations(made.trajectory)
            )

        def feed(self, experiment):
            feed = EpochFeed(self, experiment)
            feed.held_out_ids, feed.fit_ids = held_out[:3], training[:8]
            feed.batch_ids = lambda step: [training[p] for p in schedule.positions(step)]
            return feed

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        summary = train(experiment, InMemory(), tmp_path / "memory", device="cpu")
    finally:
        torch.set_num_threads(before)
    assert dict(summary.held_out) == dict(whole[1].held_out)
    assert_same_bits(whole[0], tmp_path / "memory")


def test_the_log_tells_reuse_staleness_and_waiting(whole):
    run, _ = whole
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["split"] == "train"]
    assert [line["reuse"] for line in steps][:1] == [1.0]
    assert all(1 <= line["reuse"] <= OPTIONS.reuse for line in steps)
    slots = 8 + 4 + OPTIONS.ahead
    assert all(0 <= line["staleness_clips"] < slots for line in steps)
    # Two passes of at most 8 clips, 4 of them in a batch, and one that is cut by a batch.
    assert all(0 <= line["staleness_steps"] <= 5 for line in steps)
    events = [line for line in lines if line["split"] == "event"]
    assert [line["clip"].split(" could")[0] for line in events] == ["clip 1", "clip 7"]
    results = json.loads((run / "results.json").read_text())
    stream = results["stream"]
    assert stream["passed_over"] == [line["clip"] for line in events]
    assert stream["most_staleness_clips"] < slots
    assert stream["rendered_clips_per_s"] > 0
    assert ("kept up" in stream["verdict"]) == stream["keeps_up"]
    assert results["clips"] == {"training": 16, "held_out": 3}
    state = read_checkpoint(checkpoint_paths(run)[-1]).state
    assert state["anchor"]["position"] > 0


def test_a_finished_run_is_not_trained_again(whole):
    run, summary = whole
    results = (run / "results.json").read_text()
    again = train(small_experiment("predict"), _source(), run, device="cpu")
    assert again == summary
    assert (run / "results.json").read_text() == results


def test_another_reuse_or_plan_is_refused_by_field(whole):
    run, _ = whole
    other = StreamClips(streaming_plan(), DriftingClips(), LiveOptions(reuse=4, window=8))
    with pytest.raises(FileExistsError, match="data.stream.reuse: 2 there, 4 now"):
        train(small_experiment("predict"), other, run, device="cpu")
    other = StreamClips(streaming_plan(seed=1), DriftingClips(), OPTIONS)
    with pytest.raises(FileExistsError, match="data.stream.seed: 0 there, 1 now"):
        train(small_experiment("predict"), other, run, device="cpu")


def test_trouble_while_rendering_leaves_no_run_and_the_threads_as_they_were(tmp_path):
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="could not be made: ZeroDivisionError: the lens fell"):
        train(small_experiment("sfa"), _source(fail=True), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()
    assert torch.get_num_threads() == before


def test_slow_features_train_on_pairs_within_fixations(tmp_path):
    experiment = small_experiment("sfa", steps=1, objective=SlownessConfig(outputs=2))
    summary = train(experiment, _source(), tmp_path / "run", device="cpu")
    assert summary.steps == 1
