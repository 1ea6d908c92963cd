"""Human maps beside clips, in words: what ``merkwelt train --maps`` learns from them, and how."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .names import HarmonizerName

if TYPE_CHECKING:
    from .alignment.maps.human_maps import HumanMaps
    from .training.clips import StoredClips
    from .training.experiment import Experiment
    from .training.stills import HumanMapStills
    from .training.stream_clips import StreamClips


@dataclass(frozen=True, kw_only=True)
class HarmonizerRequest:
    """How images with human maps are learned from beside clips."""

    preset: HarmonizerName = "fel2022"
    """Which published form of the neural harmonizer."""
    map_weight: float | None = None
    """Weight of the harmonizer's loss beside the cross-entropy (lambda); 0 learns labels alone. The
    preset's own by default."""
    weight: float = 1.0
    """Weight of all that is learned from images beside what is learned from clips."""
    stills: int = 8
    """Images in each step."""
    size: int | None = None
    """Height and width of images in pixels; that of the clips by default."""
    frames: int = 4
    """For how many frames each image is looked at."""
    held_out_share: float = 0.2
    """Share of the images that is held out."""
    least_area: float = 0.35
    """Smallest share of an image that a random cut keeps; 1 cuts nothing."""
    mirror: bool = True
    """Mirror every second image."""


@dataclass(frozen=True, kw_only=True)
class WithMaps:
    """An experiment that learns from human maps, and those."""

    maps: "HumanMaps"
    experiment: "Experiment"


def open_maps(path: Path, experiment: "Experiment", request: HarmonizerRequest) -> "WithMaps":
    """Return human maps, and the same experiment learning from them as well.

    An experiment that is harmonised already, such as that of an earlier run, stays as it is.

    Args:
        path: what ``read_maps`` reads.
        experiment: any recipe.
        request: what is learned from them and how.

    Raises:
        FileNotFoundError: there are no maps.
        ValueError: they cannot be read, or the experiment tells other labels apart.
    """
    from .alignment.maps.read_maps import read_maps

    maps = read_maps(path)
    joined = harmonised(experiment, request, classes=len(set(maps.labels)))
    return WithMaps(maps=maps, experiment=joined)


def stills_of(
    maps: "HumanMaps",
    request: HarmonizerRequest,
    experiment: "Experiment",
    clips: "StoredClips | StreamClips",
) -> "HumanMapStills":
    """Return the stills that an experiment learns from beside clips, as large as those are.

    Raises:
        ValueError: maps that cannot be learned from, or settings outside their range.
    """
    from .training.stills import HumanMapStills, StillSettings

    size_px = clip_height_px(experiment, clips) if request.size is None else request.size
    settings = StillSettings(
        size_px=size_px,
        per_step=request.stills,
        held_out_share=request.held_out_share,
        least_area=request.least_area,
        mirror=request.mirror,
    )
    return HumanMapStills(maps, settings, seed=experiment.seed)


def harmonised(
    experiment: "Experiment", request: HarmonizerRequest, *, classes: int
) -> "Experiment":
    """Return an experiment whose objective on clips is joined by the neural harmonizer."""
    from .objectives.harmonizer.harmonised import HarmonisedConfig
    from .objectives.harmonizer.presets import PRESETS

    if isinstance(experiment.objective, HarmonisedConfig):
        if experiment.objective.classes != classes:
            raise ValueError(
                f"expected human maps with {experiment.objective.classes} labels, which the "
                f"experiment tells apart, got {classes}; name the maps that it was made with"
            )
        return experiment
    rules = PRESETS[request.preset]()
    if request.map_weight is not None:
        rules = replace(rules, map_weight=request.map_weight)
    objective = HarmonisedConfig(
        classes=classes,
        objective=experiment.objective,
        harmonizer=rules,
        weight=request.weight,
        still_frames=request.frames,
    )
    return replace(experiment, objective=objective)


def clip_height_px(experiment: "Experiment", clips: "StoredClips | StreamClips") -> int:
    """Return the height of the frames that an experiment sees."""
    from .training.clips import StoredClips

    if experiment.image_size_px is not None:
        return experiment.image_size_px
    if isinstance(clips, StoredClips):
        return int(clips.read(clips.clip_ids[0]).video.shape[-2])
    return int(clips.plan.settings["size"])
