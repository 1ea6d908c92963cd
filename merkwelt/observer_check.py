"""Checking an observer: statistics of generated motion beside the published ones."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .files import write_atomically
from .parts import part
from .render.acceptance import (
    BODY_STATISTICS,
    CAMERA_STATISTICS,
    EYE_STATISTICS,
    Finding,
    Samples,
    Statistic,
    Subject,
    finding_of,
    measure_clip,
)
from .render.key import ClipKey
from .render.motion import plan_motion
from .render.navigation import Navigation, NoPath
from .render.observer import Observer
from .render.volume import RenderOptions
from .results_folder import RESULTS_FILE, free_for
from .scenes.scene import Scene

FORMAT = "merkwelt observer check"
FRAME_RATE_HZ = 30.0
STATISTICS = (*BODY_STATISTICS, *EYE_STATISTICS, *CAMERA_STATISTICS)
PLANNED_SHARE = 0.9
"""Share of the time that clips take; statistics take the rest."""


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """How much of an observer is checked."""

    clips: int = 64
    seconds: float = 10.0
    """Length of each clip."""
    seed: int = 0
    views: int = 2
    """Moments of each clip at which depth is rendered for disparities; 0 for none."""

    def __post_init__(self) -> None:
        """Refuse checks of nothing."""
        if self.clips < 1 or not (self.seconds >= 1 and math.isfinite(self.seconds)):
            raise ValueError(
                f"expected at least one clip of at least one second, got {self.clips} clips of "
                f"{self.seconds} s"
            )
        if self.views < 0 or self.seed < 0:
            raise ValueError(f"expected views and a seed of at least 0, got {self}")


@dataclass(frozen=True, kw_only=True, eq=False)
class ObserverCheck:
    """What was measured of an observer in a scene."""

    observer: Observer
    scene: str
    settings: CheckSettings
    depth: str
    """Which path rendered the depth of disparities."""
    clips: tuple[Samples, ...]
    skipped: tuple[str, ...]
    """Why other clips could not be planned."""
    subject: Subject
    findings: tuple[tuple[Statistic, Finding], ...]

    def pooled(self, name: str) -> np.ndarray:
        """Return the samples of all clips under a name."""
        return np.concatenate([clip[name] for clip in self.clips])

    def count(self, verdict: str) -> int:
        """Return how many statistics have a verdict."""
        return sum(finding.verdict == verdict for _, finding in self.findings)


def check_observer(
    observer: Observer,
    scene: Scene,
    settings: CheckSettings,
    *,
    progress: Callable[[float, str], None] | None = None,
) -> ObserverCheck:
    """Return the check of an observer in a metric scene.

    Raises:
        ValueError: the scene has no metric scale.
        NoPath: the observer can be nowhere in the scene, or in none of the clips.
    """
    scene.card.require_metric("the check of an observer")
    navigation = Navigation.of(scene, observer)
    renderer = RenderOptions(path="fast" if scene.has_bricks else "exact")
    told = part(progress, 0.0, PLANNED_SHARE)
    measured, skipped = [], []
    for clip in range(settings.clips):
        try:
            measured.append(_clip(observer, scene, settings, clip, (navigation, renderer)))
        except NoPath as error:
            skipped.append(f"clip {clip}: {error}")
        if told:
            told((clip + 1) / settings.clips, f"clip {clip + 1} of {settings.clips}")
    if not measured:
        raise NoPath(f"none of {settings.clips} clips has a path; the first: {skipped[0]}")
    subject = Subject.of(observer.name, measured, observer.eyes)
    return ObserverCheck(
        observer=observer,
        scene=scene.card.name,
        settings=settings,
        depth=renderer.path,
        clips=tuple(measured),
        skipped=tuple(skipped),
        subject=subject,
        findings=_findings(measured, subject, part(progress, PLANNED_SHARE, 1.0)),
    )


def _clip(
    observer: Observer,
    scene: Scene,
    settings: CheckSettings,
    clip: int,
    tools: tuple[Navigation, RenderOptions],
) -> Samples:
    navigation, renderer = tools
    motion = plan_motion(
        scene,
        observer,
        ClipKey(dataset_seed=settings.seed, scene=scene.card.name, clip=clip),
        frames=round(settings.seconds * FRAME_RATE_HZ) + 1,
        frame_rate_hz=FRAME_RATE_HZ,
        navigation=navigation,
    )
    ground = navigation.ground
    floor = ground.floor_height_m if ground is not None else scene.card.floor_height
    return measure_clip(
        motion,
        scene,
        floor_height=scene.card.bounds[0][2] if floor is None else floor,
        views=settings.views,
        renderer=renderer,
    )


def _findings(
    clips: Sequence[Samples], subject: Subject, progress: Callable[[float, str], None] | None
) -> tuple[tuple[Statistic, Finding], ...]:
    found = []
    for number, statistic in enumerate(STATISTICS, start=1):
        found.append((statistic, finding_of(statistic, clips, subject)))
        if progress:
            progress(number / len(STATISTICS), statistic.title)
    return tuple(found)


def check_as_data(check: ObserverCheck) -> dict[str, Any]:
    """Return a check as plain data; what was not measured is null."""
    return {
        "format": FORMAT,
        "observer": check.observer.name,
        "card": check.observer.to_dict(),
        "scene": check.scene,
        "settings": asdict(check.settings),
        "clips": len(check.clips),
        "skipped": list(check.skipped),
        "depth": check.depth,
        "statistics": [_row(statistic, finding) for statistic, finding in check.findings],
    }


def _row(statistic: Statistic, finding: Finding) -> dict[str, Any]:
    published = statistic.published
    return {
        "key": statistic.key,
        "group": statistic.group,
        "title": statistic.title,
        "unit": statistic.unit,
        "published": asdict(published) if published else None,
        **{
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(finding).items()
        },
    }


def write_check(check: ObserverCheck, out: Path) -> Path:
    """Write ``report.html`` and ``results.json`` to a folder; return the report's path.

    Raises:
        FileExistsError: the folder holds something else.
    """
    from .report import write_report
    from .report.observer_page import observer_report

    free_for(out, FORMAT).mkdir(parents=True, exist_ok=True)
    text = json.dumps(check_as_data(check), indent=1, allow_nan=False) + "\n"
    write_atomically(out / RESULTS_FILE, text.encode())
    return write_report(observer_report(check), out / "report.html")
