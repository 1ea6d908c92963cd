"""Experiments by name: each recipe is a function that returns one."""

from collections.abc import Callable, Mapping

from .names import RecipeName
from .objectives.next_frame.prediction import PredictionConfig
from .objectives.slowness.deep import SlownessConfig
from .training.experiment import Experiment, OptimiserConfig


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


RECIPES: Mapping[RecipeName, Callable[[], Experiment]] = {
    "sfa": slow_features,
    "predict": predictive_coding,
}
"""The names that ``merkwelt train`` knows."""


def recipe(name: RecipeName) -> Experiment:
    """Return the experiment of a recipe by its name."""
    if name not in RECIPES:
        raise ValueError(f"expected a recipe out of {sorted(RECIPES)}, got {name!r}")
    return RECIPES[name]()
