import json
from dataclasses import replace

import pytest
import torch
from merkwelt.objectives import SlownessConfig

from merkwelt.training import OptimiserConfig, load_experiment, load_run, train
from merkwelt.training.checkpoint import checkpoint_paths, read_checkpoint
from merkwelt.training.learner import Learner, learning_rate

from .drifting import drifting_clips, slow_and_fast_clips, small_experiment


class Killed(Exception):
    """Stands for a power cut."""


def kill_at(step):
    def progress(done, message):
        if message.startswith(f"step {step} "):
            raise Killed

    return progress


def lines_of(run, split="train"):
    whole = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    clock = ("seconds", "data_wait_s")
    return [
        {name: value for name, value in line.items() if name not in clock}
        for line in whole
        if line["split"] == split
    ]


def newest_bits(run):
    return read_checkpoint(checkpoint_paths(run)[-1]).tensors


def assert_same_bits(run, other):
    first, second = newest_bits(run), newest_bits(other)
    assert sorted(first) == sorted(second)
    for name, each in first.items():
        assert torch.equal(each, second[name]), name


@pytest.mark.parametrize("name", ["sfa", "predict"])
@pytest.mark.parametrize("killed_at", [1, 4, 5])
def test_a_killed_and_resumed_run_has_the_same_bits(tmp_path, name, killed_at):
    experiment, clips = small_experiment(name), drifting_clips()
    train(experiment, clips, tmp_path / "whole", device="cpu")
    with pytest.raises(Killed):
        train(experiment, clips, tmp_path / "cut", device="cpu", progress=kill_at(killed_at))
    summary = train(experiment, clips, tmp_path / "cut", device="cpu")
    assert summary.steps == 6
    assert_same_bits(tmp_path / "whole", tmp_path / "cut")
    for split in ("train", "held_out", "untrained"):
        assert lines_of(tmp_path / "cut", split) == lines_of(tmp_path / "whole", split)


def test_the_state_of_torch_changes_nothing_and_is_left_alone(tmp_path):
    experiment, clips = small_experiment("sfa", steps=2), drifting_clips()
    train(experiment, clips, tmp_path / "first", device="cpu")
    torch.manual_seed(123)
    before = torch.get_rng_state()
    train(experiment, clips, tmp_path / "second", device="cpu")
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_bits(tmp_path / "first", tmp_path / "second")


def test_a_truncated_last_checkpoint_is_passed_over_by_name(tmp_path):
    experiment, clips = small_experiment("sfa"), drifting_clips()
    train(experiment, clips, tmp_path / "whole", device="cpu")
    with pytest.raises(Killed):
        train(experiment, clips, tmp_path / "cut", device="cpu", progress=kill_at(5))
    newest = checkpoint_paths(tmp_path / "cut")[-1]
    assert newest.name == "step-00000004.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100])
    told = []
    summary = train(
        experiment,
        clips,
        tmp_path / "cut",
        device="cpu",
        progress=lambda done, message: told.append(message),
    )
    (reason,) = summary.skipped_checkpoints
    assert "step-00000004.safetensors is truncated" in reason
    assert told[0].startswith("passed over a checkpoint: ")
    assert told[1] == "going on from step 2"
    assert_same_bits(tmp_path / "whole", tmp_path / "cut")


def test_damaged_checkpoints_alone_are_an_error(tmp_path):
    experiment, clips = small_experiment("sfa", steps=2), drifting_clips()
    train(experiment, clips, tmp_path / "run", device="cpu")
    for path in checkpoint_paths(tmp_path / "run"):
        path.write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="none of the checkpoints .*step-00000002"):
        train(experiment, clips, tmp_path / "run", device="cpu")


def test_a_finished_run_is_not_trained_again(tmp_path):
    experiment, clips = small_experiment("predict", steps=2), drifting_clips()
    first = train(experiment, clips, tmp_path / "run", device="cpu")
    metrics = (tmp_path / "run" / "metrics.jsonl").read_text()
    second = train(experiment, clips, tmp_path / "run", device="cpu")
    assert second == first
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == metrics


def test_another_configuration_is_refused_by_field(tmp_path):
    experiment, clips = small_experiment("sfa", steps=1), drifting_clips()
    train(experiment, clips, tmp_path / "run", device="cpu")
    other = replace(experiment, objective=SlownessConfig(outputs=5))
    with pytest.raises(FileExistsError, match="objective.outputs: 8 there, 5 now"):
        train(other, clips, tmp_path / "run", device="cpu")
    with pytest.raises(FileExistsError, match="steps: 1 there, 9 now"):
        train(experiment, clips, tmp_path / "run", steps=9, device="cpu")
    with pytest.raises(FileExistsError, match="data.identity"):
        train(experiment, drifting_clips(clips=9), tmp_path / "run", device="cpu")


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match="found something else; choose another"):
        train(small_experiment("sfa"), drifting_clips(), tmp_path, device="cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_run_folder_holds_what_the_design_says(tmp_path):
    run = tmp_path / "run"
    summary = train(small_experiment("predict"), drifting_clips(), run, device="cpu")
    assert sorted(path.name for path in run.iterdir()) == [
        "checkpoints",
        "config.json",
        "metrics.jsonl",
        "results.json",
    ]
    steps = [2, 4, 6]
    assert [int(path.stem[5:]) for path in checkpoint_paths(run)] == steps
    whole = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in whole if line["split"] == "train"] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in whole if line["split"] == "held_out"] == [0, 3, 6]
    assert all(0 <= w["data_wait_s"] <= w["seconds"] for w in whole if w["split"] == "train")
    results = json.loads((run / "results.json").read_text())
    assert results["held_out"] == dict(summary.held_out)
    assert results["floors"]["untrained"]["skill"] == pytest.approx(0, abs=1e-4)
    assert results["clips"] == {"training": 8, "held_out": 2}
    assert {"copy_last_mse", "mean_image_mse", "mse", "skill"} <= set(results["held_out"])


def test_a_loaded_run_sees_what_the_trained_network_saw(tmp_path):
    experiment, clips = small_experiment("sfa", steps=4), drifting_clips()
    train(experiment, clips, tmp_path / "run", device="cpu")
    loaded = load_run(tmp_path / "run")
    assert (loaded.step, loaded.experiment) == (4, experiment)
    assert not loaded.encoder.training
    learner = Learner(experiment, torch.device("cpu"))
    learner.restore(read_checkpoint(checkpoint_paths(tmp_path / "run")[-1]))
    video = clips.read(0).video[None].float() / 255
    with torch.no_grad():
        assert torch.equal(loaded.encoder(video).pooled, learner.encoder(video).pooled)
    assert load_run(tmp_path / "run", step=2).step == 2
    with pytest.raises(FileNotFoundError, match="step-00000003 .* found .*step-00000002"):
        load_run(tmp_path / "run", step=3)
    newest = checkpoint_paths(tmp_path / "run")[-1]
    newest.write_bytes(newest.read_bytes()[:50])
    with pytest.raises(RuntimeError, match="step-00000004.safetensors is truncated"):
        load_run(tmp_path / "run")


def test_an_experiment_reloads_with_overrides(tmp_path):
    experiment = small_experiment("predict", steps=1)
    train(experiment, drifting_clips(), tmp_path / "run", device="cpu")
    assert load_experiment(tmp_path / "run") == experiment
    changed = load_experiment(
        tmp_path / "run", {"optimiser.learning_rate": 5e-4, "objective.width": 8, "seed": 3}
    )
    assert changed.optimiser.learning_rate == 5e-4
    assert (changed.objective.width, changed.seed) == (8, 3)
    with pytest.raises(ValueError, match="cannot override 'optimiser.rate'|cannot override 'rate'"):
        load_experiment(tmp_path / "run", {"optimiser.rate": 1})
    with pytest.raises(FileNotFoundError, match=r"config.json in .* found none"):
        load_experiment(tmp_path)


def test_slow_features_get_slower_than_untrained_ones(tmp_path):
    experiment = small_experiment(
        "sfa",
        steps=60,
        validate_every=60,
        objective=SlownessConfig(outputs=2),
        optimiser=OptimiserConfig(learning_rate=6e-3),
    )
    summary = train(experiment, slow_and_fast_clips(), tmp_path / "run", device="cpu")
    assert summary.held_out["delta"] < 0.35 * summary.untrained["delta"]
    assert summary.held_out["delta"] < 0.25 * summary.held_out["delta_pixels"]
    assert summary.held_out["eta_hz"] < 0.6 * summary.untrained["eta_hz"]
    assert summary.held_out["effective_rank"] > 2


def test_predictions_get_better_than_the_copy(tmp_path):
    experiment = small_experiment(
        "predict",
        steps=100,
        validate_every=100,
        checkpoint_every=100,
        optimiser=OptimiserConfig(learning_rate=1e-2),
    )
    summary = train(experiment, drifting_clips(clips=32), tmp_path / "run", device="cpu")
    assert summary.held_out["skill"] > 0.2
    assert summary.untrained["skill"] == pytest.approx(0, abs=1e-4)


def test_a_frozen_encoder_does_not_learn(tmp_path):
    experiment = small_experiment("predict", steps=2, freeze_encoder=True)
    train(experiment, drifting_clips(), tmp_path / "run", device="cpu")
    trained = newest_bits(tmp_path / "run")
    untrained = Learner(experiment, torch.device("cpu"))
    for name, each in untrained.encoder.state_dict().items():
        assert torch.equal(each, trained[f"encoder.{name}"])
    before = untrained.objective.state_dict()["decoder.to_change.weight"]
    assert not torch.equal(before, trained["objective.decoder.to_change.weight"])


@pytest.mark.parametrize("name", ["sfa", "predict"])
def test_a_diverging_run_says_so(name):
    experiment, clips = small_experiment(name), drifting_clips()
    learner = Learner(experiment, torch.device("cpu"))
    video = clips.read(0).video[None].float() / 255
    with pytest.raises(RuntimeError, match="the loss is nan at step 7; lower"):
        learner.step((video * float("nan"), {}), 7)


def test_learning_rate_rises_and_falls_to_zero():
    experiment = small_experiment("sfa", steps=100)
    rates = [learning_rate(experiment, step) for step in range(100)]
    top = experiment.optimiser.learning_rate
    assert max(rates) == rates[10] == top
    assert rates[0] == pytest.approx(top / 11)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(top / 2)
    assert 0 < rates[-1] < 1e-3 * top


@pytest.mark.needs_cuda
def test_cuda_trains(tmp_path):
    summary = train(small_experiment("sfa"), drifting_clips(), tmp_path / "run", device="cuda")
    assert summary.steps == 6
    assert load_run(tmp_path / "run").step == 6


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_a_device_that_is_not_here_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no CUDA"):
        train(small_experiment("sfa"), drifting_clips(), tmp_path / "run", device="cuda")


def test_a_batch_of_saccades_only_teaches_nothing_and_says_so():
    learner = Learner(small_experiment("sfa"), torch.device("cpu"))
    before = {name: value.clone() for name, value in learner.encoder.state_dict().items()}
    clips = torch.rand(2, 2, 4, 3, 32, 32)
    truth = {"valid_pairs": torch.zeros(2, 3, dtype=torch.bool)}
    assert learner.step((clips, truth), 0) == {"skipped": 1.0}
    after = learner.encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
