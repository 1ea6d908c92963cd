"""Making a scene render-ready: from its name to the fast form in its folder."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .parts import Progress, part
from .render.distill import DistillSettings, distill, walk_quality
from .render.photographs import ViewScore
from .render.volume import RenderOptions
from .scene_build import check_scene, quality_of
from .scenes.captures import Capture, read_capture
from .scenes.library import SceneLibrary, bundled_folder
from .scenes.scene import Scene, keep_bricks

FAST = "fast_"
LEARNING = 0.95
"""Share of the time that learning takes; the rest is measuring."""


@dataclass(frozen=True, kw_only=True)
class Optimised:
    """A scene with its fast form, and whether that was there before."""

    scene: Scene
    was_there: bool


def optimise(
    name: str,
    settings: DistillSettings,
    *,
    capture: Path | None = None,
    again: bool = False,
    library: Path | None = None,
    progress: Progress | None = None,
) -> Optimised:
    """Make a scene's fast form, measure it, and keep both in the scene's folder.

    A scene that comes with the package stays as it is; a copy in the library gets the fast form.

    Args:
        name: a scene's name, or its folder.
        settings: how it is made.
        capture: folder of its photographs, if not where training found them; without any, the
            exact renderer is the only teacher.
        again: make it again although there is one.
        library: folder of scenes.
        progress: told the share done and a message.

    Raises:
        FileNotFoundError: there is no such scene, or the folder of photographs is not there.
        ValueError: the scene cannot be looked at, or the capture is not the scene's.
    """
    scene = Scene.load(name, library=library)
    assert scene.folder is not None
    if scene.has_bricks and not again:
        return Optimised(scene=scene, was_there=True)
    folder = scene.folder
    if folder.parent.resolve() == bundled_folder().resolve():
        folder = SceneLibrary(library).target(scene.card.name)
    photographs = _photographs(scene, capture)
    started = time.monotonic()
    made = distill(scene, settings, capture=photographs, progress=part(progress, 0.0, LEARNING))
    minutes = (time.monotonic() - started) / 60
    fast = scene.with_bricks(made.bricks)
    if progress:
        progress(LEARNING, "measuring what was lost")
    told = {
        f"{FAST}megabytes": round(made.bricks.megabytes, 1),
        f"{FAST}minutes": round(minutes, 1),
        **_walked(fast),
        **_photographed(fast, photographs),
    }
    others = {k: v for k, v in scene.card.quality.items() if not k.startswith(FAST)}
    card = replace(scene.card, quality={**others, **told})
    return Optimised(scene=keep_bricks(scene, made.bricks, card, folder), was_there=False)


def _photographs(scene: Scene, named: Path | None) -> Capture | None:
    """Return the capture that is named, or else the one the scene was trained from, if any."""
    known = Path(scene.card.capture_path) if scene.card.capture_path else None
    if named is None and (known is None or not known.is_dir()):
        return None
    capture = read_capture(named or known or Path())
    if not scene.card.world_from_training_camera:
        raise ValueError(
            f"scene {scene.card.name!r} was imported without its photographs, so nobody knows "
            f"which of {capture.root} it was trained from; leave the capture out, or import the "
            "scene again with --capture"
        )
    return capture


def _walked(scene: Scene) -> dict[str, float]:
    found = walk_quality(scene)
    if found is None:
        return {}
    return {
        f"{FAST}walk_psnr_db": round(found.psnr_db, 2),
        f"{FAST}walk_worst_psnr_db": round(found.worst_psnr_db, 2),
        f"{FAST}walk_depth_error": round(found.depth_error, 4),
    }


def _photographed(scene: Scene, capture: Capture | None) -> dict[str, float]:
    if capture is None:
        return {}
    exact, fast = (
        check_scene(scene, capture, options=RenderOptions(path=path)) for path in ("exact", "fast")
    )
    if not exact:
        return {}
    told = quality_of(fast)
    lost = mean_psnr_db(exact) - mean_psnr_db(fast)
    return {
        f"{FAST}held_out_psnr_db": told["held_out_psnr_db"],
        f"{FAST}held_out_ssim": told["held_out_ssim"],
        f"{FAST}held_out_lost_db": round(lost, 2),
    }


def mean_psnr_db(scores: list[ViewScore]) -> float:
    """Return the mean PSNR of views."""
    return float(np.mean([score.psnr_db for score in scores]))
