"""A run with the clips that it is probed on, and all features of them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from ..parts import Progress, part
from ..training.experiment import Experiment, build
from ..training.run_folder import LoadedRun, load_run
from .features import FeatureSet, Sees, Where, encode, floors_of, where_to_read
from .request import ProbeRequest
from .seen_clips import SeenClips
from .splitting import Split, split_clips, within_scenes

UNTRAINED = "the same network untrained"


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A run with the clips that it is probed on."""

    run: LoadedRun
    name: str
    clips: SeenClips
    split: Split
    within: Split | None
    where: Where


def subject_of(
    loaded: LoadedRun,
    name: str,
    clips: SeenClips,
    request: ProbeRequest,
    unseen: list[int] | None,
) -> Subject:
    """Return a run with its clips, split and seen at the size that it was trained at.

    Args:
        loaded: the run.
        name: what to call it.
        clips: as they were rendered.
        request: how it is probed.
        unseen: ids of clips that it held out of its training, if it trained on the others.

    Raises:
        ValueError: clips that it cannot see, or a split that cannot be made.
    """
    encoder = cast(Sees, loaded.encoder)
    eyes = clips.video.shape[1]
    if encoder.eyes > eyes:
        raise ValueError(
            f"expected clips of {encoder.eyes} eyes, as {name} was trained on, got {eyes}; render "
            "stereo clips, or probe a run with one eye"
        )
    split = split_clips(
        clips.ids,
        clips.scenes,
        held_out_scenes=request.held_out_scenes,
        unseen=unseen,
        seed=request.seed,
    )
    shown = replace(clips, video=_resized(clips, loaded.experiment))
    within = within_scenes(clips.scenes, split, clips.ids, seed=request.seed)
    where = where_to_read(encoder, shown.video, map_name=request.map_name, grid=request.grid)
    return Subject(run=loaded, name=name, clips=shown, split=split, within=within, where=where)


def feature_sets(
    subject: Subject, request: ProbeRequest, progress: Progress | None
) -> list[FeatureSet]:
    """Return the run's features first, then another run's, and the floors."""
    video, where = subject.clips.video, subject.where
    encoder = cast(Sees, subject.run.encoder)
    random = cast(Sees, build(subject.run.experiment)[0].eval())
    trained = encode(subject.name, encoder, video, where, progress=part(progress, 0.0, 0.4))
    found = [trained]
    if request.against is not None:
        found.append(
            _other_run(subject, request.against, request.map_name, part(progress, 0.4, 0.6))
        )
    found.append(
        encode(UNTRAINED, random, video, where, is_floor=True, progress=part(progress, 0.6, 0.95))
    )
    pooled = trained.pooled.shape[-1]
    return found + floors_of(video, where, eyes=encoder.eyes, pooled_channels=pooled)


def facts_of(subject: Subject, request: ProbeRequest) -> dict[str, Any]:
    """Return how a run was probed, as plain data."""
    clips, where = subject.clips, subject.where
    return {
        "clips": len(clips),
        "clips_in_data_set": clips.of_all,
        "clips_tested": len(subject.split.tested),
        "scenes": sorted(set(clips.scenes.tolist())),
        "frames": clips.frames,
        "frame_rate_hz": clips.frame_rate_hz,
        "eyes": cast(Sees, subject.run.encoder).eyes,
        "map": where.map_name,
        "map_places": [where.rows, where.columns],
        "frames_per_step": where.frames_per_step,
        "grid": where.grid,
        "weights": request.weights,
        "seed": request.seed,
        "intervals": "95 %, bootstrap over clips",
    }


def _resized(clips: SeenClips, experiment: Experiment) -> torch.Tensor:
    """Return clips at the size that the run was trained at, if it shrinks them."""
    height, width = clips.video.shape[-2:]
    wanted = experiment.image_size_px
    if wanted is None or wanted == height:
        return clips.video
    if wanted > height:
        raise ValueError(
            f"expected clips of at least {wanted} px, at which the run was trained, got {height} px"
        )
    size = (wanted, round(width * wanted / height))
    small = nn.functional.interpolate(clips.video.flatten(0, 2).float(), size=size, mode="area")
    return small.round().to(torch.uint8).unflatten(0, clips.video.shape[:3])


def _other_run(
    subject: Subject, run: Path, map_name: str | None, progress: Progress | None
) -> FeatureSet:
    loaded = load_run(run)
    encoder = cast(Sees, loaded.encoder)
    video = subject.clips.video
    if encoder.eyes > video.shape[1]:
        raise ValueError(
            f"expected clips of {encoder.eyes} eyes, as {run} was trained on, got {video.shape[1]}"
        )
    where = where_to_read(encoder, video, map_name=map_name, grid=subject.where.grid)
    same = (where.rows, where.columns) == (subject.where.rows, subject.where.columns)
    if where.frames_per_step != subject.where.frames_per_step or not same:
        raise ValueError(
            f"expected the map of {run} to have {subject.where.rows} by "
            f"{subject.where.columns} places and {subject.where.frames_per_step} frames a step, as "
            f"{subject.name} has, got {where.rows} by {where.columns} and {where.frames_per_step}; "
            "compare runs whose maps are alike, or choose another with --map"
        )
    name = run.name if run.name != subject.name else f"{run.name} (other)"
    return encode(name, encoder, video, where, progress=progress)
