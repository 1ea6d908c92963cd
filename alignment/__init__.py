"""Human maps, saliency, and how far one agrees with the other."""

from .maps.filters import TrialFilter, filter_trials
from .maps.from_trials import maps_of_trials
from .maps.human_maps import HumanMaps
from .maps.making import MapRecipe
from .maps.read_maps import ReadOptions, read_maps
from .maps.read_trials import read_trials
from .maps.trials import Trial, Trials
from .models.image_encoder import ImageEncoder
from .models.scored import ScoredModel
from .models.scoring import recipe_for, score_model, settings_for
from .object_evidence import object_maps, score_objects
from .prepare import Preparation
from .probes.image_probe import ImageProbeSettings, probe_images
from .probes.labelled_images import LabelledImages, image_folder, images_of_maps
from .probes.linear_probe import LinearProbe
from .results import Results, write_results
from .saliency.blurs import SaliencyGaussian
from .saliency.gradients import saliency_maps, saliency_of_clips
from .saliency.methods import GradCam, Gradient, IntegratedGradients, SmoothGrad
from .saliency.objective_loss import LossOfEachClip, ObjectiveLoss
from .saliency.probe_logit import ProbeLogit
from .saliency.recipe import SaliencyRecipe
from .saliency.targets import ClassLogit, FeatureNorm, PrototypeCosine, Readout
from .score import ScoreSettings, score
from .scores.bootstrap import Interval
from .scores.ceilings import Ceilings, CeilingSettings, ceilings
from .scores.over_time import ceilings_over_time
from .views.carry import fetch_map, throw_clicks
from .views.constancy import constancy
from .views.people import people_across_views
from .views.view_camera import ViewCamera
from .views.view_pairs import View, ViewPair

__all__ = [
    "CeilingSettings",
    "Ceilings",
    "ClassLogit",
    "FeatureNorm",
    "GradCam",
    "Gradient",
    "HumanMaps",
    "ImageEncoder",
    "ImageProbeSettings",
    "IntegratedGradients",
    "Interval",
    "LabelledImages",
    "LinearProbe",
    "LossOfEachClip",
    "MapRecipe",
    "ObjectiveLoss",
    "Preparation",
    "ProbeLogit",
    "PrototypeCosine",
    "ReadOptions",
    "Readout",
    "Results",
    "SaliencyGaussian",
    "SaliencyRecipe",
    "ScoreSettings",
    "ScoredModel",
    "SmoothGrad",
    "View",
    "ViewCamera",
    "ViewPair",
    "ceilings_over_time",
    "constancy",
    "fetch_map",
    "Trial",
    "TrialFilter",
    "Trials",
    "ceilings",
    "filter_trials",
    "image_folder",
    "images_of_maps",
    "maps_of_trials",
    "object_maps",
    "people_across_views",
    "probe_images",
    "read_maps",
    "read_trials",
    "recipe_for",
    "saliency_maps",
    "saliency_of_clips",
    "score",
    "score_model",
    "score_objects",
    "settings_for",
    "throw_clicks",
    "write_results",
]
