"""A finished data set as a LeRobotDataset v3.0: each clip is an episode, its caption the task."""

import json
import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from ..plan import Plan
from ..reader import ClipDataset
from .body import length_unit
from .episodes import episode_of
from .features import dataset_info, number_features, plain_stats, video_feature
from .layout import INFO, PROVENANCE, STATS, LeRobotSettings
from .writer import EpisodeWriter

Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class LeRobotExport:
    """What was exported."""

    episodes: int
    frames: int
    bytes: int


def export_lerobot(
    folder: Path | str,
    out: Path,
    settings: LeRobotSettings | None = None,
    *,
    progress: Progress | None = None,
) -> LeRobotExport:
    """Write a finished data set as a LeRobotDataset v3.0, whole or not at all.

    Args:
        folder: the data set.
        out: folder of the export; it must not exist.
        settings: what is exported, and how large its files get.
        progress: told the share done and a short message.

    Raises:
        FileExistsError: ``out`` exists.
        FileNotFoundError: there is no data set, or it is not finished.
        ValueError: the data set cannot be said in LeRobot's terms, or does not hold what was asked
            for; says which.
    """
    settings = settings or LeRobotSettings()
    if out.exists():
        raise FileExistsError(f"{out} exists; choose another folder, or remove it")
    clips = ClipDataset(folder)
    rate_hz = _whole_rate_hz(clips.plan)
    _require_depth(clips, settings)
    partial = out.with_name(f".{out.name}.{uuid.uuid4().hex}.partial")
    partial.mkdir(parents=True)
    try:
        done = _export(clips, partial, settings, rate_hz, progress or (lambda _share, _note: None))
        for path in partial.rglob("*"):
            _sync(path)
        # Nobody's folder is replaced: renaming onto one that holds anything is an error.
        partial.rename(out)
        _sync(out.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return done


def _export(
    clips: ClipDataset, root: Path, settings: LeRobotSettings, rate_hz: int, progress: Progress
) -> LeRobotExport:
    writer = EpisodeWriter(root, settings, rate_hz)
    wanted, plan = (*settings.streams, "trajectory", "meta"), clips.plan
    eyes = 0
    with closing(writer):
        for done, clip in enumerate(clips.clip_ids.tolist(), start=1):
            members = clips.members(clip, wanted)
            episode = episode_of(members, rate_hz=rate_hz, settings=settings)
            writer.add(episode, clip=clip)
            eyes = episode.eyes
            progress(done / len(clips), f"clip {done} of {len(clips)}")
    stats = writer.sum_up()
    features = {
        **{key: video_feature(video, rate_hz, settings) for key, video in writer.cameras.items()},
        **number_features(eyes, length_unit(metric=_is_metric(plan))),
    }
    totals = {
        "total_episodes": writer.episodes,
        "total_frames": writer.frames,
        "total_tasks": writer.tasks,
    }
    info = dataset_info(
        features,
        rate_hz=rate_hz,
        of={"robot_type": str(plan.observer["name"]), "split": _split(plan)},
        totals=totals,
        settings=settings,
    )
    _write_json(root / INFO, info)
    _write_json(root / STATS, plain_stats(stats))
    _write_json(root / PROVENANCE, _provenance(clips, settings))
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    return LeRobotExport(episodes=writer.episodes, frames=writer.frames, bytes=size)


def _sync(path: Path) -> None:
    """Bring a file or a folder's entries to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _whole_rate_hz(plan: Plan) -> int:
    rate_hz = plan.frame_rate_hz
    if rate_hz != round(rate_hz):
        raise ValueError(
            f"LeRobot counts whole frames in a second, and this data set has {rate_hz:g} of them; "
            "render it at a whole frame rate"
        )
    return round(rate_hz)


def _split(plan: Plan) -> str:
    """Return which split a data set is; one that was not chosen by splits is for training."""
    return "train" if plan.split is None else plan.split.name


def _is_metric(plan: Plan) -> bool:
    """Return whether lengths are known to be metres: stereo and signals are refused otherwise."""
    settings = plan.settings
    return bool(settings.get("stereo", True)) or bool(settings.get("signals", False))


def _require_depth(clips: ClipDataset, settings: LeRobotSettings) -> None:
    if "depth" not in settings.streams:
        return
    if "depth" not in clips.streams:
        raise ValueError(
            f"{clips.location} holds no depth; export it without, or render with depth"
        )
    if not _is_metric(clips.plan):
        raise ValueError(
            "LeRobot's depth is in metres, and the scale of these one-eyed clips is not known; "
            "export them without depth"
        )


def _provenance(clips: ClipDataset, settings: LeRobotSettings) -> dict[str, Any]:
    return {
        "plan": clips.plan.id,
        "licences": clips.manifest.licences,
        "merkwelt": installed_version("merkwelt"),
        "pictures": settings.pictures,
        "skipped_clips": {str(clip): reason for clip, reason in clips.skipped.items()},
    }


def _write_json(path: Path, data: Any) -> None:  # noqa: ANN401 - any JSON value
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=4, ensure_ascii=False, allow_nan=False) + "\n")
