"""Checking a scene against photographs that it never saw."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from .files import write_atomically
from .render.photographs import ViewScore
from .scene_build import check_scene, quality_of
from .scenes.captures import read_capture
from .scenes.scene import Scene

GAP_PX = 6


@dataclass(frozen=True, kw_only=True)
class CheckSize:
    """How much of a scene is checked."""

    longest_px: int = 400
    """Longer side of the pictures in pixels."""
    views: int | None = None
    """At most so many photographs; None is 24, or 4 of a field that renders slowly."""


@dataclass(frozen=True, kw_only=True)
class SceneCheck:
    """Scores of all held-out views and where the picture is."""

    scores: list[ViewScore]
    picture: Path

    @property
    def psnr_db(self) -> float:
        """Mean PSNR."""
        return float(np.mean([score.psnr_db for score in self.scores]))

    @property
    def ssim(self) -> float:
        """Mean SSIM."""
        return float(np.mean([score.ssim for score in self.scores]))


def check_and_write(
    name: str,
    capture: Path | None,
    out: Path | None,
    size: CheckSize,
    *,
    library: Path | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> SceneCheck:
    """Return the check of a scene; writes ``check.png`` and ``check.json`` to ``out``.

    Raises:
        ValueError: the scene has no photographs to be checked against.
    """
    scene = Scene.load(name, library=library)
    folder = capture or (Path(scene.card.capture_path) if scene.card.capture_path else None)
    if folder is None:
        raise ValueError(
            f"scene {name!r} does not know its photographs; name their folder with --capture"
        )
    scores = check_scene(
        scene,
        read_capture(folder),
        longest_px=size.longest_px,
        most=size.views,
        progress=progress,
    )
    if not scores:
        raise ValueError(
            f"{folder} has none of the photographs held out from scene {name!r}: "
            f"{list(scene.card.held_out)[:4]}"
        )
    target = out or Path(f"check-{scene.card.name}")
    picture = target / "check.png"
    write_atomically(picture, imageio.imwrite("<bytes>", side_by_side(scores), extension=".png"))
    views = [{"name": s.name, "psnr_db": s.psnr_db, "ssim": s.ssim} for s in scores]
    found = {"scene": scene.card.name, **quality_of(scores), "views": views}
    write_atomically(target / "check.json", (json.dumps(found, indent=1) + "\n").encode())
    return SceneCheck(scores=scores, picture=picture)


def side_by_side(scores: list[ViewScore], *, most: int = 8) -> np.ndarray:
    """Return one picture: a row per view with photograph, rendering and their difference x 4."""
    rows = []
    for score in scores[:most]:
        difference = np.abs(score.photograph.astype(int) - score.rendering.astype(int))
        shown = (4 * difference).clip(0, 255).astype(np.uint8)
        gap = np.full((score.photograph.shape[0], GAP_PX, 3), 255, dtype=np.uint8)
        rows.append(np.concatenate([score.photograph, gap, score.rendering, gap, shown], axis=1))
    width = max(row.shape[1] for row in rows)
    padded = [
        np.pad(r, ((0, GAP_PX), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows
    ]
    return np.concatenate(padded, axis=0)
