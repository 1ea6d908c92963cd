"""Experiments by name: each recipe is a function that returns one."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from .names import RecipeName
from .objectives.contrast.prediction import ContrastivePredictionConfig
from .objectives.cross_eye.settings import CrossEyeConfig
from .objectives.latent.settings import LatentPredictionConfig
from .objectives.next_frame.prediction import PredictionConfig
from .objectives.prednet.errors import PredNetErrorsConfig
from .objectives.self_motion.settings import SelfMotionConfig
from .objectives.slowness.deep import SlownessConfig
from .objectives.temporal.classes import TemporalClassesConfig
from .objectives.temporal.contrast import TemporalContrastConfig
from .training.experiment import Experiment, OptimiserConfig
from .video_models.dorsalnet.dorsalnet import DorsalNetConfig
from .video_models.prednet.config import PredNetConfig
from .video_models.stereo_cnn import StereoCNNConfig


def slow_features() -> Experiment:
    """Return deep slow feature analysis on a small stereo 3D CNN."""
    return Experiment(name="sfa", objective=SlownessConfig())


def predictive_coding() -> Experiment:
    """Return next-frame prediction in both eyes by a small stereo 3D CNN."""
    return Experiment(
        name="predict",
        objective=PredictionConfig(),
        optimiser=OptimiserConfig(learning_rate=2e-3),
    )


def prednet() -> Experiment:
    """Return a small PredNet that learns from its errors at the pixels (the paper's ``L_0``)."""
    return Experiment(
        name="prednet",
        objective=PredNetErrorsConfig(),
        encoder=PredNetConfig(),
        # Plain Adam, as in the paper, but at five times its rate: these runs are short. Nothing is
        # cut off: sizes must stay divisible by 2 for each layer above the frame.
        optimiser=OptimiserConfig(learning_rate=5e-3, weight_decay=0.0),
        crop_share=1.0,
    )


def prednet_all() -> Experiment:
    """Return the same with a tenth of the errors of all deeper layers (the paper's ``L_all``)."""
    return replace(
        prednet(), name="prednet_all", objective=PredNetErrorsConfig(layer_weights=(1.0, 0.1))
    )


def contrastive_predictive_coding() -> Experiment:
    """Return dense predictive coding by a small stereo 3D CNN: eight blocks, three predicted."""
    return Experiment(
        name="cpc",
        objective=ContrastivePredictionConfig(),
        # Where the eyes jumped the future is harder to tell, but no less well defined.
        mask_saccades=False,
    )


def latent_prediction() -> Experiment:
    """Return prediction of the features of a slow copy of a small stereo 3D CNN."""
    # V-JEPA's copy would stand still for as long as this run takes.
    return Experiment(name="jepa", objective=LatentPredictionConfig(momentum=0.99))


def cross_eye_prediction() -> Experiment:
    """Return prediction of the right eye's features from the left's by a small 3D CNN of one eye.

    Its map has twice the columns of the other recipes', so that disparities make a difference.
    """
    return Experiment(
        name="cross_eye",
        objective=CrossEyeConfig(),
        encoder=StereoCNNConfig(eyes=1, strides=(2, 2, 1, 1)),
        mask_saccades=False,
    )


def self_motion() -> Experiment:
    """Return prediction of heading, turns and speed by DorsalNet, from the stream's own poses."""
    return Experiment(
        name="self_motion",
        objective=SelfMotionConfig(),
        encoder=DorsalNetConfig(),
        # The paper's rate. A cut off the middle would move the line of sight that headings are
        # told from; and a saccade is motion too.
        optimiser=OptimiserConfig(learning_rate=3e-3),
        crop_share=1.0,
        mask_saccades=False,
    )


def temporal_contrast() -> Experiment:
    """Return contrast between moments of one fixation and all others (SimCLR-TT)."""
    return Experiment(name="temporal_contrast", objective=TemporalContrastConfig())


def temporal_classes() -> Experiment:
    """Return classification of frames by the clip that they are out of."""
    return Experiment(
        name="temporal_classes", objective=TemporalClassesConfig(), mask_saccades=False
    )


RECIPES: Mapping[RecipeName, Callable[[], Experiment]] = {
    "sfa": slow_features,
    "predict": predictive_coding,
    "prednet": prednet,
    "prednet_all": prednet_all,
    "cpc": contrastive_predictive_coding,
    "jepa": latent_prediction,
    "cross_eye": cross_eye_prediction,
    "self_motion": self_motion,
    "temporal_contrast": temporal_contrast,
    "temporal_classes": temporal_classes,
}
"""The names that ``merkwelt train`` knows."""


def recipe(name: str) -> Experiment:
    """Return the experiment of a recipe by its name."""
    makers: Mapping[str, Callable[[], Experiment]] = {**RECIPES}
    if name not in makers:
        raise ValueError(f"expected a recipe out of {sorted(makers)}, got {name!r}")
    return makers[name]()
