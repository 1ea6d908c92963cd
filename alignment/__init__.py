"""Human maps, saliency, and how far one agrees with the other."""

from .bootstrap import Interval
from .human_maps import HumanMaps
from .image_encoder import ImageEncoder
from .object_evidence import object_maps, score_objects
from .read_maps import read_maps
from .recipe import Gradient, IntegratedGradients, SaliencyRecipe, SmoothGrad
from .results import Results, write_results
from .saliency import saliency_maps
from .score import ScoreSettings, score
from .targets import ClassLogit, FeatureNorm, PrototypeCosine, Readout

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
