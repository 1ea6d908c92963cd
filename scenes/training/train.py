"""From a capture to a trained nerfstudio run."""

import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..captures import Capture, Split, choose_split
from .normalise import automatic_downscale, write_normalised
from .run_folder import new_folder, write_checkpoint, write_json, write_text
from .settings import TrainSettings

RECORD_FILE = "merkwelt_training.json"
RECORD_VERSION = 1
CAPTURE_FOLDER = "capture"
Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """A finished training."""

    folder: Path
    """The nerfstudio run: ``config.yml``, ``dataparser_transforms.json``, ``nerfstudio_models``,
    and our ``merkwelt_training.json``."""
    held_out_psnr_db: float
    """Over a fixed choice of pixels of the held-out photographs."""
    losses: tuple[float, ...]
    """Colour loss of each step's batch."""
    seconds: float
    """Time spent in the training loop."""


def train_scene(
    capture: Capture,
    run_folder: str | Path,
    settings: TrainSettings | None = None,
    progress: Progress | None = None,
) -> TrainedRun:
    """Train nerfacto on a capture with nerfstudio and return the finished run.

    The folder appears under its name only when everything in it is complete. Training with one
    seed on one machine's CPU and one number of threads gives one result.

    Args:
        capture: what ``read_capture`` returned.
        run_folder: where the run shall be; must not hold anything yet.
        settings: how to train; None for the defaults.
        progress: told the share done in [0, 1] and a short message.

    Raises:
        ImportError: nerfstudio is not installed.
        ValueError: the capture cannot be trained on, such as when a photograph is damaged.
        FileExistsError: the folder holds something.
        RuntimeError: the loss stopped being a number, or a missing GPU was asked for.
        OSError: the disk is full.
    """
    settings = settings or TrainSettings()
    report = progress or _silent
    final = Path(run_folder).absolute()
    split = choose_split(capture, every=settings.held_out_every)
    downscale = settings.downscale or automatic_downscale(capture.views)
    with new_folder(final) as working:
        report(0.0, capture.missing_message() or f"reading {len(capture.views)} photographs")
        normalised = working / CAPTURE_FOLDER
        has_alpha = write_normalised(capture, split, normalised, downscale=downscale)
        plan = _Plan(
            keep=keeps_capture_axes(capture, settings),
            background=background_color(settings, has_alpha=has_alpha),
        )
        report(0.0, "starting nerfstudio")
        trained = _train(settings, plan, working, final, report)
        record = _record(capture, split, settings, plan, downscale)
        results = {
            "seconds": trained.seconds,
            "held_out_psnr_db": trained.held_out_psnr_db,
        }
        write_json(working / RECORD_FILE, {**record, **results})
    report(1.0, f"trained, held out {trained.held_out_psnr_db:.1f} dB")
    return TrainedRun(
        folder=final,
        held_out_psnr_db=trained.held_out_psnr_db,
        losses=trained.losses,
        seconds=trained.seconds,
    )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What the capture decides about the training."""

    keep: bool
    background: str


def keeps_capture_axes(capture: Capture, settings: TrainSettings) -> bool:
    """Return whether the field keeps the capture's axes and origin, because +z is known as up."""
    if settings.placement == "auto":
        return capture.extras is not None or capture.kind == "blender"
    return settings.placement == "keep"


def background_color(settings: TrainSettings, *, has_alpha: bool) -> str:
    """Return nerfstudio's ``background_color`` for photographs with or without alpha."""
    if settings.background == "auto":
        return "white" if has_alpha else "last_sample"
    return settings.background


def _train(
    settings: TrainSettings, plan: _Plan, working: Path, final: Path, report: Progress
) -> Any:  # noqa: ANN401 - Trained, imported lazily
    """Train in ``working`` and leave a run there whose paths are those of ``final``."""
    from .environment import nerfstudio_mended, seeded

    with nerfstudio_mended(), seeded(settings.seed), _compiled_on_cpu(settings):
        import yaml

        from .config import trainer_config
        from .loop import train_pipeline

        choices: dict[str, Any] = {"keep": plan.keep, "background": plan.background}
        stored = trainer_config(settings, run=final, capture=final / CAPTURE_FOLDER, **choices)
        write_text(working / "config.yml", yaml.dump(stored))
        config = trainer_config(settings, run=working, capture=working / CAPTURE_FOLDER, **choices)
        trained = train_pipeline(config, settings, report)
        outputs = trained.pipeline.datamanager.train_dataparser_outputs
        outputs.save_dataparser_transform(working / "dataparser_transforms.json")
        write_checkpoint(working, trained.pipeline, trained.optimizers, settings.steps - 1)
    return trained


def _compiled_on_cpu(settings: TrainSettings) -> contextlib.AbstractContextManager[None]:
    from .config import training_device
    from .hash_encoding import compiled_hash_encoding

    is_cpu = training_device(settings) == "cpu"
    return compiled_hash_encoding() if is_cpu else contextlib.nullcontext()


def _record(
    capture: Capture, split: Split, settings: TrainSettings, plan: _Plan, downscale: int
) -> dict[str, Any]:
    extras = capture.extras
    scale = settings.metres_per_unit or (extras.metres_per_unit if extras else None)
    return {
        "version": RECORD_VERSION,
        "capture": str(capture.root.resolve()),
        "kind": capture.kind,
        "train": list(split.train),
        "held_out": list(split.held_out),
        "missing": list(capture.missing),
        "downscale": downscale,
        "metres_per_unit": scale,
        "orientation_method": "none" if plan.keep else "up",
        "center_method": "none" if plan.keep else "poses",
        "background_color": plan.background,
        "steps": settings.steps,
        "settings": asdict(settings),
    }


def _silent(share: float, message: str) -> None:
    """Take progress and do nothing."""
