"""Every encoder that the command line knows learns."""

import importlib.util
from dataclasses import replace

import pytest
import torch
from merkwelt.objectives import PredictionConfig, SlownessConfig

from merkwelt.encoders import ENCODER_PRESETS, encoder_preset
from merkwelt.training.experiment import Experiment
from merkwelt.training.learner import Learner

EXTRAS = {"torchvision_": "torchvision", "videomae": "transformers", "vjepa2": "transformers"}
SLOW = ("torchvision_mvit_v2_s",)
"""It resizes all frames to 224 pixels."""


def _presets():
    for name in ENCODER_PRESETS:
        needed = next((module for start, module in EXTRAS.items() if name.startswith(start)), None)
        missing = needed is not None and importlib.util.find_spec(needed) is None
        marks = [pytest.mark.skipif(missing, reason=f"{needed} is not installed")]
        yield pytest.param(name, marks=[*marks, *[pytest.mark.slow] * (name in SLOW)])


def _learner(name, objective):
    experiment = Experiment(
        name="matrix", objective=objective, encoder=encoder_preset(name), batch_size=2, steps=1
    )
    return Learner(replace(experiment, crop_share=1.0), torch.device("cpu"))


def _predicts(name):
    others = ("torchvision_", "videomae", "vjepa2", "dorsalnet", "transformer_small")
    return not name.startswith(others)


def _batch(learner, steps):
    encoder = learner.encoder
    step = getattr(encoder, "frames_per_step", 1)
    frames = max(steps * step, getattr(encoder, "least_frames", 1))
    shape = (2, encoder.eyes, frames, 3, 32, 32)
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)), {}


@pytest.mark.parametrize("name", list(_presets()))
def test_every_encoder_takes_a_step_of_slowness(name):
    learner = _learner(name, SlownessConfig(outputs=2))
    before = [each.detach().clone() for each in learner.encoder.parameters()]
    measures = learner.step(_batch(learner, 2), 0)
    assert measures["gradient_norm"] > 0
    moved = [
        not torch.equal(*pair) for pair in zip(before, learner.encoder.parameters(), strict=True)
    ]
    assert sum(moved) > 0.5 * len(moved)


@pytest.mark.parametrize("name", list(_presets()))
def test_every_causal_encoder_of_frames_takes_a_step_of_prediction(name):
    if not _predicts(name):
        with pytest.raises(ValueError, match="causal encoder|features of each frame"):
            _learner(name, PredictionConfig())
        return
    learner = _learner(name, PredictionConfig())
    measures = learner.step(_batch(learner, 2), 0)
    # The decoder starts at the copy of the last frame.
    assert measures["skill"] == pytest.approx(0, abs=1e-5)
