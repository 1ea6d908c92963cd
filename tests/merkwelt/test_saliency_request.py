from dataclasses import replace
from pathlib import Path

import pytest
import torch
from merkwelt.alignment import (
    ClassLogit,
    FeatureNorm,
    GradCam,
    Gradient,
    IntegratedGradients,
    ObjectiveLoss,
    PrototypeCosine,
    Readout,
    SaliencyGaussian,
    SmoothGrad,
    saliency_of_clips,
)
from merkwelt.alignment.models.scored import ScoredModel
from torch import nn

from merkwelt.evaluation import EvaluateRequest, requested_recipe
from merkwelt.recipes import recipe
from merkwelt.saliency_request import SaliencyRequest
from merkwelt.training import run_folder
from merkwelt.training.experiment import build
from merkwelt.training.run_folder import LoadedRun


@pytest.fixture
def classifier() -> ScoredModel:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
    return ScoredModel.from_module(network, name="tiny", size=8, classes=("cat", "dog"))


@pytest.fixture
def video(classifier) -> ScoredModel:
    return replace(classifier, is_classifier=False, clip_frames=8, name="video")


def test_a_clip_of_no_frames_is_refused_and_not_the_usual_one(video):
    with pytest.raises(ValueError, match="at least 1 frame in a clip, got 0"):
        SaliencyRequest(clip_frames=0).recipe_of(video)


def test_the_usual_recipe_is_that_of_the_model(classifier, video):
    found = SaliencyRequest().recipe_of(classifier)
    assert (found.target, found.method, found.blur) == (
        ClassLogit(),
        Gradient(),
        "disc blur twice",
    )
    found = SaliencyRequest().recipe_of(video)
    assert (found.target, found.clip_frames) == (FeatureNorm(centred=True), 8)


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (
            {"method": "smoothgrad", "samples": 4, "noise_sd": 0.1},
            SmoothGrad(samples=4, noise_sd=0.1),
        ),
        (
            {"method": "integrated", "steps": 5, "baseline": 0.0},
            IntegratedGradients(steps=5, baseline=0.0),
        ),
        ({"method": "gradcam", "layer": "deep"}, GradCam(layer="deep")),
    ],
)
def test_methods_by_name(video, words, method):
    assert SaliencyRequest(**words).recipe_of(video).method == method


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ({"target": "norm"}, "target", FeatureNorm()),
        ({"target": "prototype"}, "target", PrototypeCosine()),
        (
            {"read_layer": "deep"},
            "target",
            FeatureNorm(centred=True, readout=Readout(layer="deep")),
        ),
        ({"channels": "signed-mean"}, "channels", "signed-mean"),
        ({"frames": "still"}, "frames", "still image"),
        ({"frames": "last"}, "frames", "last frame"),
        ({"frames": 2}, "frames", 2),
        ({"clip_frames": 3}, "clip_frames", 3),
        ({"blur": "none"}, "blur", "no blur"),
        ({"blur": "fel2022"}, "blur", "Gaussian of Fel 2022"),
        ({"blur": "gaussian", "blur_sd_px": 5.0}, "blur", SaliencyGaussian(sd_px=5.0)),
    ],
)
def test_other_settings_by_name(video, words, field, value):
    assert getattr(SaliencyRequest(**words).recipe_of(video), field) == value


def test_classes_by_name(classifier, video):
    true = SaliencyRequest(target="true_class")
    assert true.recipe_of(classifier).target == ClassLogit(class_names=("cat", "dog"))
    assert SaliencyRequest(target="own_class").recipe_of(classifier).target == ClassLogit()
    with pytest.raises(ValueError, match="and video has no classes; use prototype"):
        true.recipe_of(video)
    with pytest.raises(ValueError, match="and tiny does not; use own_class"):
        true.recipe_of(replace(classifier, classes=None))


def test_what_was_asked_for_comes_before_the_protocol(classifier):
    def recipe_of(**words):
        request = EvaluateRequest(protocol="fel2022", saliency=SaliencyRequest(**words))
        return requested_recipe(classifier, request)

    assert recipe_of().blur == "no blur"
    assert recipe_of(blur="disc").blur == "disc blur twice"
    assert recipe_of().channels == "abs-max"
    assert recipe_of(channels="abs-mean").channels == "abs-mean"


def test_smooth_is_a_short_word_for_smoothgrad():
    assert SaliencyRequest().smoothed(0) == SaliencyRequest()
    assert SaliencyRequest().smoothed(4) == SaliencyRequest(method="smoothgrad", samples=4)
    with pytest.raises(ValueError, match="--smooth is SmoothGrad; leave it out for method gradcam"):
        SaliencyRequest(method="gradcam").smoothed(4)


def test_options_that_would_change_nothing_are_refused():
    with pytest.raises(ValueError, match="--saliency.noise-sd belongs to --saliency.method smooth"):
        SaliencyRequest(noise_sd=0.5)
    with pytest.raises(
        ValueError, match="blur-sd-px belongs to --saliency.blur gaussian, and blur"
    ):
        SaliencyRequest(blur_sd_px=3.0)


@pytest.fixture
def run_called_sfa(video, monkeypatch) -> ScoredModel:
    """A run of which nothing is on disk: it loads as the recipe's untrained network."""
    experiment = recipe("sfa")
    encoder, objective = build(experiment)
    loaded = LoadedRun(encoder=encoder, objective=objective, experiment=experiment, step=0)
    monkeypatch.setattr(run_folder, "load_run", lambda folder: loaded)
    return replace(video, encoder=encoder.eval(), folder=Path("runs/sfa"))


def test_a_runs_own_loss(run_called_sfa, classifier):
    with pytest.raises(ValueError, match="and tiny is none: it has no objective"):
        SaliencyRequest(target="loss").recipe_of(classifier)
    with pytest.raises(ValueError, match="says nothing to target loss"):
        SaliencyRequest(target="loss", read_layer="stage1").recipe_of(run_called_sfa)
    request = SaliencyRequest(target="loss", blur="none", clip_frames=3)
    found = request.recipe_of(run_called_sfa)
    assert isinstance(found.target, ObjectiveLoss)
    assert found.name.startswith("gradient of objective loss (sfa)")
    moving = torch.rand(2, 2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    saliency = saliency_of_clips(run_called_sfa.encoder, moving, ("a", "b"), found)
    assert saliency.undefined == {}
