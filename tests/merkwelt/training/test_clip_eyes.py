import json

import pytest
from merkwelt.video_models import StereoCNNConfig

from merkwelt.recipes import RECIPES, recipe
from merkwelt.training import train
from merkwelt.training.experiment import clip_eyes_of

from .drifting import drifting_clips, small_experiment

ONE_EYE = StereoCNNConfig(eyes=1, widths=(4, 8, 8, 12))


def test_clips_have_the_encoders_eyes_unless_the_objective_says():
    assert clip_eyes_of(recipe("cross_eye")) == 2
    assert recipe("cross_eye").encoder.eyes == 1
    for name in set(RECIPES) - {"cross_eye"}:
        assert clip_eyes_of(recipe(name)) == recipe(name).encoder.eyes


def test_an_encoder_of_one_eye_learns_from_two(tmp_path):
    experiment = small_experiment("cross_eye", encoder=ONE_EYE, steps=2)
    summary = train(experiment, drifting_clips(), tmp_path / "run", device="cpu")
    # Its right eye sees everything one pixel further left: the eyes differ.
    assert summary.held_out["copy_left_error"] > 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["held_out"]["cross_eye_skill"] == summary.held_out["cross_eye_skill"]


def test_clips_of_one_eye_are_refused_before_a_run_is_there(tmp_path):
    experiment = small_experiment("cross_eye", encoder=ONE_EYE)
    with pytest.raises(ValueError, match="clips of 2 eyes, got 1; .* or render stereo clips"):
        train(experiment, drifting_clips(eyes=1), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_an_encoder_of_two_eyes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="an encoder of one eye, .*--eyes 1"):
        train(small_experiment("cross_eye"), drifting_clips(), tmp_path / "run", device="cpu")
