"""From photographs or a trained run to a scene in the library."""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from .parts import Progress, part
from .render.photographs import ViewScore, check_photographs
from .render.preview import PREVIEW_SIZE, render_preview
from .render.volume import RenderOptions, has_kernel
from .scenes.captures import Capture, Split, choose_split, read_capture
from .scenes.import_options import ImportOptions, SplatSettings
from .scenes.library import SceneLibrary
from .scenes.placement import describe_place
from .scenes.scene import Scene, save_scene
from .scenes.splats import import_splats, is_splat_file
from .scenes.trained_run import find_trained, import_trained
from .scenes.training.settings import TrainSettings

TRAINING_RECORD = "merkwelt_training.json"
CHECKED_VIEWS = 24
SLOWLY_CHECKED_VIEWS = 4
"""Photographs checked of a field without a compiled renderer: each takes a minute on one core."""


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Where a new scene is kept."""

    library: Path | None = None
    """Library folder; None is the default one."""
    replace: bool = False
    """Whether a scene of that name may be replaced."""

    def folder(self, name: str) -> Path:
        """Return the new scene's folder, after making sure that it may be written."""
        folder = SceneLibrary(self.library).target(name)
        if folder.exists() and not self.replace:
            raise FileExistsError(
                f"the library already has a scene {name!r} ({folder}); choose another --name or "
                "say --replace"
            )
        return folder


def train_scene(
    capture_path: Path,
    options: ImportOptions,
    settings: TrainSettings,
    keeping: Keeping,
    *,
    run_folder: Path | None = None,
    progress: Progress | None = None,
) -> Scene:
    """Train nerfacto on a capture with nerfstudio and return the scene, kept in the library.

    Args:
        capture_path: folder of photographs with poses.
        options: name and rights of the scene.
        settings: how to train.
        keeping: where to keep it.
        run_folder: where to keep nerfstudio's run; None throws it away after import.
        progress: told the share done and a message.

    Raises:
        ImportError: nerfstudio is not installed; says how to.
        ValueError: the capture or a setting cannot be used.
        FileExistsError: the library has a scene of that name.
    """
    from .scenes.training import train_scene as train_run

    keeping.folder(options.name)
    capture = read_capture(capture_path)
    settings = replace(
        settings, metres_per_unit=options.metres_per_unit or settings.metres_per_unit
    )
    with tempfile.TemporaryDirectory(prefix="merkwelt-run-") as scratch:
        folder = run_folder or Path(scratch) / options.name
        train_run(capture, folder, settings, part(progress, 0.0, 0.93))
        return import_scene(
            folder, options, keeping, capture_path=capture_path, progress=part(progress, 0.93, 1.0)
        )


def import_scene(
    run: Path,
    options: ImportOptions,
    keeping: Keeping,
    *,
    capture_path: Path | None = None,
    views: int | None = None,
    progress: Progress | None = None,
) -> Scene:
    """Import a trained NeRF or Gaussian splats and return the scene in the library.

    Needs none of the programs that trained them, and runs nothing that their files contain. With
    its photographs (``capture_path``, or where the run says they were) the scene also gets its
    training cameras, the capture's objects and scale, and its held-out quality over at most
    ``views`` photographs. A ``.splat`` or ``.ply`` file has no photographs.
    """
    folder = keeping.folder(options.name)
    if is_splat_file(run):
        if capture_path is not None:
            raise ValueError(
                f"{run} holds Gaussians, which are imported without photographs; leave out the "
                "capture"
            )
        return _keep(import_splats(run, options), folder, keeping)
    if options.splats != SplatSettings():
        raise ValueError(
            f"{run} is no .splat or .ply file, for which alone {options.splats} is meant"
        )
    found = find_trained(run)
    capture, split = _photographs_of(found.folder, capture_path)
    if capture is not None and capture.extras is not None and options.metres_per_unit is None:
        options = replace(options, metres_per_unit=capture.extras.metres_per_unit)
    scene = import_trained(found, options)
    if capture is not None and split is not None:
        scene = Scene(describe_place(scene.card, capture, split), scene.field)
        scores = check_scene(scene, capture, most=views, progress=progress)
        if scores:
            scene = Scene(replace(scene.card, quality=quality_of(scores)), scene.field)
    return _keep(scene, folder, keeping)


def _keep(scene: Scene, folder: Path, keeping: Keeping) -> Scene:
    width, height = PREVIEW_SIZE
    size = PREVIEW_SIZE if has_kernel(scene.field) else (width // 2, height // 2)
    preview = imageio.imwrite("<bytes>", render_preview(scene, size), extension=".png")
    return save_scene(scene, folder, replace=keeping.replace, preview_png=preview)


def check_scene(
    scene: Scene,
    capture: Capture,
    *,
    longest_px: int = 400,
    most: int | None = None,
    options: RenderOptions | None = None,
    progress: Progress | None = None,
) -> list[ViewScore]:
    """Return how well held-out photographs are reproduced; at most ``most``, evenly chosen.

    By default 24 views, or 4 of a field without a compiled renderer.
    """
    if most is None:
        most = CHECKED_VIEWS if has_kernel(scene.field) else SLOWLY_CHECKED_VIEWS
    if most < 1:
        raise ValueError(f"expected at least one photograph to check, got {most}")
    names = held_out_photographs(scene, capture)
    chosen = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, most).round().astype(int))]
    if not chosen:
        return []
    return check_photographs(
        scene, capture, tuple(chosen), longest_px=longest_px, options=options, progress=progress
    )


def held_out_photographs(scene: Scene, capture: Capture) -> list[str]:
    """Return the names of a capture's photographs that the scene has not seen.

    A scene whose card knows neither held-out photographs nor training cameras was imported without
    its photographs. Then the capture's own split decides (Blender's val and test, nerfstudio's
    lists), or, where it makes none, every eighth photograph: what a trainer would have held out.
    """
    card = scene.card
    held_out = card.held_out
    if not held_out and not card.world_from_training_camera:
        held_out = choose_split(capture).held_out
    present = {view.name for view in capture.views}
    return [name for name in held_out if name in present]


def export_scene(name: str, out: Path, *, library: Path | None = None) -> Scene:
    """Write a copy of a scene that says nothing about the machine it was trained on.

    Raises:
        FileNotFoundError: there is no such scene.
        FileExistsError: ``out`` exists.
    """
    scene = Scene.load(name, library=library)
    card = replace(scene.card, capture_path=None)
    return save_scene(Scene(card, scene.field, scene.folder), out)


def quality_of(scores: list[ViewScore]) -> dict[str, float]:
    """Return mean figures over views, for a scene's card."""
    return {
        "held_out_psnr_db": round(float(np.mean([s.psnr_db for s in scores])), 2),
        "held_out_ssim": round(float(np.mean([s.ssim for s in scores])), 4),
        "held_out_views": len(scores),
    }


def _photographs_of(
    run: Path, capture_path: Path | None
) -> tuple[Capture, Split] | tuple[None, None]:
    record = run / TRAINING_RECORD
    split = None
    if record.is_file():
        data = json.loads(record.read_text())
        split = Split(train=tuple(data["train"]), held_out=tuple(data["held_out"]))
        if capture_path is None and Path(data["capture"]).is_dir():
            capture_path = Path(data["capture"])
    if capture_path is None:
        return None, None
    capture = read_capture(capture_path)
    return capture, split or choose_split(capture)
