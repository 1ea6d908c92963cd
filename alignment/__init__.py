"""Human maps, saliency, and how far one agrees with the other."""

from .maps.human_maps import HumanMaps
from .maps.read_maps import read_maps
from .models.image_encoder import ImageEncoder
from .object_evidence import object_maps, score_objects
from .results import Results, write_results
from .saliency.gradients import saliency_maps
from .saliency.recipe import Gradient, IntegratedGradients, SaliencyRecipe, SmoothGrad
from .saliency.targets import ClassLogit, FeatureNorm, PrototypeCosine, Readout
from .score import ScoreSettings, score
from .scores.bootstrap import Interval

__all__ = [
    "ClassLogit",
    "FeatureNorm",
    "Gradient",
    "HumanMaps",
    "ImageEncoder",
    "IntegratedGradients",
    "Interval",
    "PrototypeCosine",
    "Readout",
    "Results",
    "SaliencyRecipe",
    "ScoreSettings",
    "SmoothGrad",
    "object_maps",
    "read_maps",
    "saliency_maps",
    "score",
    "score_objects",
    "write_results",
]
