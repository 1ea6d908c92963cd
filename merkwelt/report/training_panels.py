"""Which measures of a training run are plotted together, and beside which floors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class PanelSpec:
    """Which measures of a run belong into one plot."""

    title: str
    caption: str
    curves: Mapping[str, str]
    """Measure to the name it is shown by."""
    floors: Mapping[str, str] = field(default_factory=dict)
    """Measure to the name it is shown by."""
    fixed_floors: Mapping[str, float] = field(default_factory=dict)
    """Floors that no one has to measure, by the name they are shown by."""
    lowest: float = -math.inf
    """Lower values are drawn as this one: how much worse than a floor is of no interest."""


PANELS = (
    PanelSpec(
        title="Error of the predicted next frame",
        caption="Mean square over the pixels of both eyes; lower is better.",
        curves={"mse": "prediction"},
        floors={"copy_last_mse": "copy last frame", "mean_image_mse": "mean image"},
    ),
    PanelSpec(
        title="Skill against copying the last frame",
        caption="1 - error / error of the copy; 1 is perfect. Below -1 the curve stays at -1.",
        curves={"skill": "prediction"},
        fixed_floors={"copy last frame": 0.0},
        lowest=-1.0,
    ),
    PanelSpec(
        title="Skill of predicted features",
        caption="1 - error / error of predicting no change. Below -1 the curve stays at -1.",
        curves={"feature_skill": "deepest map", "latent_skill": "slow copy's features"},
        fixed_floors={"no change": 0.0},
        lowest=-1.0,
    ),
    PanelSpec(
        title="Skill from eye to eye",
        caption="1 - error / error of the other eye's features. Below -1 the curve stays at -1.",
        curves={"cross_eye_skill": "right from left"},
        fixed_floors={"the left eye's features": 0.0},
        lowest=-1.0,
    ),
    PanelSpec(
        title="Which future is the true one",
        caption="Share of predictions that are nearest to their own future among all candidates.",
        curves={"top1": "prediction"},
        floors={"chance_top1": "chance", "copy_last_top1": "copy last", "copy_left_top1": "copy"},
    ),
    PanelSpec(
        title="Which view belongs to which",
        caption="Share of views whose nearest neighbour is their own partner, or their own clip.",
        curves={"top_1": "features", "halves_top_1": "halves of clips"},
        floors={
            "top_1_chance": "chance",
            "top_1_pixels": "pixels",
            "halves_top_1_chance": "chance",
            "halves_top_1_pixels": "pixels",
        },
    ),
    PanelSpec(
        title="Error of the heading in degrees",
        caption="Angle between the true and the predicted direction of motion; lower is better.",
        curves={"heading_error_deg": "prediction"},
        floors={
            "heading_error_deg_of_random_direction": "random direction",
            "heading_error_deg_of_mean_direction": "mean direction",
        },
    ),
    PanelSpec(
        title="Error of the predicted next features",
        caption="Mean square at the deepest map; lower is better.",
        curves={"feature_mse": "prediction"},
        floors={"feature_persistence_mse": "no change"},
    ),
    PanelSpec(
        title="Slowness of the features",
        caption="Mean squared change from frame to frame over variance; lower is slower.",
        curves={"delta": "outputs", "delta_linear": "best linear readout"},
        floors={"delta_pixels": "raw pixels", "delta_untrained": "untrained network"},
    ),
    PanelSpec(
        title="Slowness while training",
        caption="Squared change from frame to frame at unit variance, summed over features.",
        curves={"slowness": "training batches"},
    ),
    PanelSpec(
        title="Saliency and human maps",
        caption=(
            "Spearman's rho of the network's saliency, blurred as ClickMe 2.0 blurs clicks, with "
            "where people looked, on images held out."
        ),
        curves={"stills_alignment": "held out"},
        floors={
            "stills_alignment_centre": "centred Gaussian",
            "stills_alignment_other_map": "another image's map",
        },
    ),
    PanelSpec(
        title="Effective rank",
        caption="How many directions the features fill; 1 means that they collapsed.",
        curves={"effective_rank": "features"},
    ),
)
SPREAD = (
    PanelSpec(
        title="Spread of single features",
        caption="Standard deviation over the frames of held-out clips.",
        curves={"feature_std_median": "median feature", "feature_std_min": "least feature"},
    ),
    PanelSpec(
        title="Signs of collapse",
        caption=(
            "Of the features of held-out clips: share that hardly varies, mean absolute "
            "correlation of two of them, share of variance that is which clip it is, and how well "
            "they tell a frame's mean luminance (R2; 0 also where it is below)."
        ),
        curves={
            "dead_share": "dead",
            "mean_abs_correlation": "correlation",
            "clip_identity": "clip identity",
            "luminance_r2": "luminance R2",
        },
        lowest=0.0,
    ),
)
"""Measured by the look at features that every run takes now and then, whatever it learns."""
LOSS = PanelSpec(
    title="Loss",
    caption="What training descends; lower is better.",
    curves={"loss": "training batches"},
    floors={},
)
