"""The living room's capture: posed photographs with exact depth, object ids and flow.

The folder is a nerfstudio capture (``transforms.json``, ``images/``) with ``capture.json``, which
carries scale, licence and objects, and with ground truth that a trained scene can be held against.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from .bake import Lookouts, light_room, workshop
from .capture_files import (
    CaptureIndex,
    save_view,
    save_walk,
    write_capture_json,
    write_transforms,
)
from .furniture import open_furniture
from .light_cache import LightCache, LightQuality, cut_surface
from .paint import Paint, pack_paint
from .photographer import Photographer, walkable_floor
from .room import FurnishedRoom, living_room
from .tracer import RayTracer
from .views import CaptureCamera, Exposure, RoomCamera, View

Progress = Callable[[float, str], None]
PURPOSES = {"train": 1, "held_out": 2, "jitter": 3}
EYE_DISTANCE_M = 0.063


@dataclass(frozen=True, kw_only=True)
class CaptureSettings:
    """What to photograph, and how well."""

    width: int = 384
    height: int = 288
    hfov_deg: float = 78.0
    train_views: int = 400
    held_out_views: int = 20
    walk_frames: int = 12
    """Stereo frames of the short walk in ``ground_truth/walk``; 0 leaves it out."""
    supersampling: int = 3
    """Rays per pixel along each axis."""
    light: LightQuality = field(default_factory=LightQuality)
    exposure: Exposure = field(default_factory=Exposure)
    seed: int = 0
    workers: int = 1
    """Processes. More than one need a script that is guarded by ``if __name__ == "__main__"``."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        for name in ("width", "height", "train_views", "held_out_views", "supersampling"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")
        if self.walk_frames < 0 or self.workers < 1 or not 10 <= self.hfov_deg <= 150:
            raise ValueError(
                f"expected walk_frames >= 0, workers >= 1 and 10 <= hfov_deg <= 150, got {self}"
            )

    @property
    def camera(self) -> CaptureCamera:
        """The camera of all views."""
        hfov_rad = float(np.deg2rad(self.hfov_deg))
        return CaptureCamera(width=self.width, height=self.height, hfov_rad=hfov_rad)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """All poses of a capture."""

    train: list[np.ndarray]
    held_out: list[np.ndarray]
    walk: list[tuple[np.ndarray, np.ndarray]]
    """Left and right eye."""

    def all_poses(self) -> list[np.ndarray]:
        return [*self.train, *self.held_out, *(pose for pair in self.walk for pose in pair)]


@dataclass(frozen=True, kw_only=True)
class _Shot:
    number: int
    """Of the pose in the plan; the rays' jitter depends on it."""
    pose: np.ndarray
    folder: Path | None
    """Where to save, or None to hand the view back."""
    name: str


def capture_living_room(
    furniture: Path,
    out: Path,
    *,
    settings: CaptureSettings | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return the folder ``out`` with the capture of the furnished living room.

    ``furniture`` is a folder with ``catalog.tsv`` and models, or a tar archive of one. The capture
    is built beside ``out`` and takes its name when it is complete; same settings, same pictures.

    Raises:
        FileNotFoundError: no furniture there, or one of its models is missing.
        FileExistsError: ``out`` exists and is not an empty folder.
    """
    settings = settings or CaptureSettings()
    out = Path(out)
    _refuse_full(out)
    report = progress or (lambda share, message: None)
    with open_furniture(Path(furniture)) as models:
        report(0.0, "furnishing the room")
        room = living_room(models, seed=settings.seed)
        paint = pack_paint(room.mesh)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        _build(room, paint, work, settings, report)
        work.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(work, out)  # noqa: PTH105 - one atomic step; Path.replace reads as a file's.
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    report(1.0, "done")
    return out


def _refuse_full(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"expected a new or empty folder for the capture, {out} holds something else; "
            "name another folder or remove it first"
        )


def plan_views(room: FurnishedRoom, settings: CaptureSettings) -> _Plan:
    """Return all poses of a capture."""
    _, points = cut_surface(room.mesh, grid_m=0.06)
    floor = walkable_floor(points.positions_m, room.bounds_m)
    photographer = Photographer(RayTracer(room.mesh.corners_m), floor, room.objects)
    seed = settings.seed
    shift = np.eye(4)
    shift[0, 3] = EYE_DISTANCE_M / 2
    heads = photographer.walk(settings.walk_frames, seed=seed) if settings.walk_frames else []
    return _Plan(
        train=photographer.poses(settings.train_views, seed=seed, purpose=PURPOSES["train"]),
        held_out=photographer.poses(
            settings.held_out_views, seed=seed, purpose=PURPOSES["held_out"]
        ),
        walk=[(head @ np.linalg.inv(shift), head @ shift) for head in heads],
    )


def _build(
    room: FurnishedRoom, paint: Paint, work: Path, settings: CaptureSettings, report: Progress
) -> None:
    plan = plan_views(room, settings)
    report(0.05, "lighting the room")
    cache = light_room(
        room,
        paint,
        Lookouts(camera=settings.camera, poses=plan.all_poses()),
        settings.light,
        workers=settings.workers,
        progress=lambda share, message: report(0.05 + 0.35 * share, message),
    )
    index = CaptureIndex(
        camera=settings.camera,
        poses=[*plan.train, *plan.held_out],
        train_count=len(plan.train),
    )
    shots = [
        _Shot(number=number, pose=pose, folder=work, name=index.name(number))
        for number, pose in enumerate(index.poses)
    ]
    for pair in plan.walk:
        shots += [
            _Shot(number=len(shots) + eye, pose=pose, folder=None, name="")
            for eye, pose in enumerate(pair)
        ]
    arguments = (room, paint, cache, settings)
    walk: list[View] = []
    with workshop(_Studio, arguments, workers=settings.workers) as spread:
        for number, view in enumerate(spread(_take, shots)):
            report(0.40 + 0.55 * (number + 1) / len(shots), f"view {number + 1} of {len(shots)}")
            if view is not None:
                walk.append(view)
    if walk:
        report(0.95, "flow of the walk")
        save_walk(work, walk, RoomCamera(room.mesh, room.face_object, paint))
    write_transforms(work, index)
    write_capture_json(work, room, settings=_plain(settings))


def _plain(settings: CaptureSettings) -> dict:
    plain = asdict(settings)
    del plain["workers"]  # The number of processes does not change the capture.
    return plain


class _Studio:
    """A lit room with its camera; one per process."""

    def __init__(
        self, room: FurnishedRoom, paint: Paint, cache: LightCache, settings: CaptureSettings
    ) -> None:
        self.camera = RoomCamera(room.mesh, room.face_object, paint, cache)
        self.settings = settings


def _take(studio: _Studio, shot: _Shot) -> View | None:
    """Photograph one pose; return the view, or None where it was saved."""
    settings = studio.settings
    camera, cells = settings.camera, settings.supersampling
    key = np.random.SeedSequence((settings.seed, PURPOSES["jitter"], shot.number))
    rng = np.random.Generator(np.random.Philox(key))
    jitter = rng.random((camera.height, camera.width, cells, cells, 2), np.float32)
    rgb = studio.camera.picture(camera, shot.pose, settings.exposure, jitter=jitter)
    truth = studio.camera.truth(camera, shot.pose)
    view = View(
        camera=camera,
        world_from_camera=shot.pose,
        depth_m=truth.depth_m,
        ids=truth.ids,
        rgb=rgb,
    )
    if shot.folder is None:
        return view
    save_view(shot.folder, shot.name, view)
    return None
