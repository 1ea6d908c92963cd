"""From photographs or a trained run to a scene in the library."""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from .parts import Progress, part
from .render.photographs import ViewScore, check_photographs
from .render.preview import render_preview
from .scenes.captures import Capture, Split, choose_split, read_capture
from .scenes.library import SceneLibrary
from .scenes.nerfstudio_run import ImportOptions, find_run, import_run
from .scenes.placement import describe_place
from .scenes.scene import Scene, save_scene
from .scenes.splats import SplatSettings, import_splats, is_splat_file
from .scenes.training.settings import TrainSettings

TRAINING_RECORD = "merkwelt_training.json"
CHECKED_VIEWS = 24


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
    splats: SplatSettings | None = None,
    progress: Progress | None = None,
) -> Scene:
    """Import a nerfstudio nerfacto run, without nerfstudio, and return the scene in the library.

    A ``.splat`` or ``.ply`` file of 3D Gaussians is imported as ``splats`` says.

    With its photographs (``capture_path``, or where the run says they were) the scene also gets its
    training cameras, the capture's objects and scale, and its held-out quality.
    """
    folder = keeping.folder(options.name)
    if is_splat_file(run):
        if capture_path is not None:
            raise ValueError(
                f"{run} holds Gaussians, which are imported without photographs; leave out the "
                "capture"
            )
        return _keep(import_splats(run, options, splats or SplatSettings()), folder, keeping)
    if splats is not None and splats != SplatSettings():
        raise ValueError(f"{run} is no .splat or .ply file, for which alone {splats} is meant")
    run = find_run(run)
    capture, split = _photographs_of(run, capture_path)
    if capture is not None and capture.extras is not None and options.metres_per_unit is None:
        options = replace(options, metres_per_unit=capture.extras.metres_per_unit)
    scene = import_run(run, options)
    if capture is not None and split is not None:
        scene = Scene(describe_place(scene.card, capture, split), scene.field)
        scores = check_scene(scene, capture, progress=progress)
        if scores:
            scene = Scene(replace(scene.card, quality=quality_of(scores)), scene.field)
    return _keep(scene, folder, keeping)


def _keep(scene: Scene, folder: Path, keeping: Keeping) -> Scene:
    preview = imageio.imwrite("<bytes>", render_preview(scene), extension=".png")
    return save_scene(scene, folder, replace=keeping.replace, preview_png=preview)


def check_scene(
    scene: Scene,
    capture: Capture,
    *,
    longest_px: int = 400,
    most: int = CHECKED_VIEWS,
    progress: Progress | None = None,
) -> list[ViewScore]:
    """Return how well held-out photographs are reproduced; at most ``most``, evenly chosen."""
    present = {view.name for view in capture.views}
    names = [name for name in scene.card.held_out if name in present]
    chosen = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, most).round().astype(int))]
    if not chosen:
        return []
    return check_photographs(
        scene, capture, tuple(chosen), longest_px=longest_px, progress=progress
    )


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
