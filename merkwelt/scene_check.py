"""Checking a scene against photographs that it never saw, rendered exactly and fast."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imageio.v3 as imageio
import numpy as np

from .files import write_atomically
from .parts import part
from .render.photographs import ViewScore, psnr_db
from .render.volume import RenderOptions
from .scene_build import check_scene, quality_of
from .scenes.captures import read_capture
from .scenes.scene import Scene

GAP_PX = 6
HEADING_PX = 22
FONT = cv2.FONT_HERSHEY_SIMPLEX
COLUMNS = (
    "photograph",
    "exact",
    "exact - photograph, x 4",
    "fast",
    "fast - photograph, x 4",
    "fast - exact, x 4",
)
SHOWN_TIMES = 4
"""Differences are shown so many times as large."""
EXACT_SHARE = 0.8
"""Share of the time that the exact path takes, if there is a fast one."""


@dataclass(frozen=True, kw_only=True)
class CheckSize:
    """How much of a scene is checked."""

    longest_px: int = 400
    """Longer side of the pictures in pixels."""
    views: int | None = None
    """At most so many photographs; None is 24, or 4 of a field that renders slowly."""


@dataclass(frozen=True, kw_only=True)
class PathCheck:
    """Scores of all held-out views along one path."""

    scores: list[ViewScore]

    @property
    def psnr_db(self) -> float:
        """Mean PSNR."""
        return float(np.mean([score.psnr_db for score in self.scores]))

    @property
    def ssim(self) -> float:
        """Mean SSIM."""
        return float(np.mean([score.ssim for score in self.scores]))

    @property
    def rays_per_s(self) -> float:
        """Median speed; the first view is left out where there are others: it warms caches up."""
        speeds = [score.rays_per_s for score in self.scores]
        return float(np.median(speeds[1:] or speeds))


@dataclass(frozen=True, kw_only=True)
class SceneCheck:
    """A scene beside its photographs, and where the picture is."""

    exact: PathCheck
    fast: PathCheck | None
    """None of a scene that was not optimised."""
    picture: Path

    @property
    def fast_to_exact_db(self) -> float | None:
        """Mean PSNR of the fast pictures to the exact ones."""
        if self.fast is None:
            return None
        pairs = zip(self.fast.scores, self.exact.scores, strict=True)
        return float(np.mean([psnr_db(a.rendering, b.rendering) for a, b in pairs]))


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
    photographs = read_capture(folder)
    share = EXACT_SHARE if scene.has_bricks else 1.0
    paths = {"exact": part(progress, 0.0, share), "fast": part(progress, share, 1.0)}
    checked = {
        path: PathCheck(
            scores=check_scene(
                scene,
                photographs,
                longest_px=size.longest_px,
                most=size.views,
                options=RenderOptions(path=path),  # type: ignore[arg-type]
                progress=told,
            )
        )
        for path, told in paths.items()
        if path == "exact" or scene.has_bricks
    }
    if not checked["exact"].scores:
        raise ValueError(
            f"{folder} has none of the photographs held out from scene {name!r}: "
            f"{list(scene.card.held_out)[:4]}"
        )
    target = out or Path(f"check-{scene.card.name}")
    found = SceneCheck(
        exact=checked["exact"], fast=checked.get("fast"), picture=target / "check.png"
    )
    picture = imageio.imwrite("<bytes>", side_by_side(found), extension=".png")
    write_atomically(found.picture, picture)
    text = json.dumps(check_as_data(scene.card.name, found), indent=1) + "\n"
    write_atomically(target / "check.json", text.encode())
    return found


def check_as_data(name: str, check: SceneCheck) -> dict[str, Any]:
    """Return a check as plain data."""
    data: dict[str, Any] = {"scene": name, **_path_data(check.exact)}
    if check.fast is not None:
        data["fast"] = _path_data(check.fast)
        data["fast_to_exact_db"] = check.fast_to_exact_db
    return data


def _path_data(check: PathCheck) -> dict[str, Any]:
    views = [{"name": s.name, "psnr_db": s.psnr_db, "ssim": s.ssim} for s in check.scores]
    return {**quality_of(check.scores), "rays_per_s": round(check.rays_per_s), "views": views}


def side_by_side(check: SceneCheck, *, most: int = 8) -> np.ndarray:
    """Return one picture with a row for each view.

    Headed by what the columns are: photograph, exact rendering, and their difference; then, if
    there is a fast path, its rendering, its difference to the photograph, and that to the exact
    rendering; all differences x 4.
    """
    rows = []
    fast = check.fast.scores if check.fast else [None] * len(check.exact.scores)
    for exact, quick in list(zip(check.exact.scores, fast, strict=True))[:most]:
        photograph = exact.photograph
        tiles = [photograph, exact.rendering, _difference(exact.rendering, photograph)]
        if quick is not None:
            tiles += [quick.rendering, _difference(quick.rendering, photograph)]
            tiles += [_difference(quick.rendering, exact.rendering)]
        gap = np.full((photograph.shape[0], GAP_PX, 3), 255, dtype=np.uint8)
        spaced = [piece for tile in tiles for piece in (tile, gap)][:-1]
        rows.append(np.concatenate(spaced, axis=1))
    width = max(row.shape[1] for row in rows)
    columns = COLUMNS if check.fast else COLUMNS[:3]
    first = check.exact.scores[0].photograph.shape[1]
    rows.insert(0, _headings(columns, first + GAP_PX, width))
    padded = [
        np.pad(r, ((0, GAP_PX), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows
    ]
    return np.concatenate(padded, axis=0)


def _headings(columns: tuple[str, ...], step: int, width: int) -> np.ndarray:
    """Return a strip with a word over each column, as small as the columns need it."""
    strip = np.full((HEADING_PX, width, 3), 255, dtype=np.uint8)
    longest = max(cv2.getTextSize(word, FONT, 1.0, 1)[0][0] for word in columns)
    scale = min(0.5, (step - GAP_PX) / longest)
    for i, word in enumerate(columns):
        place = (i * step, HEADING_PX - GAP_PX)
        cv2.putText(strip, word, place, FONT, scale, (0, 0, 0), 1, cv2.LINE_AA)
    return strip


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    times = SHOWN_TIMES * np.abs(a.astype(int) - b.astype(int))
    return times.clip(0, 255).astype(np.uint8)
