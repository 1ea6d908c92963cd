"""What is shown of a scene, of a clip and of a frame: plain data, without any viewer."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..render.camera import PinholeCamera, rays_of
from ..render.key import ClipKey
from ..render.motion.motion import ACTIVITIES, Motion
from ..render.motion.trajectory import Trajectory
from ..render.navigation.ground import Ground
from ..render.navigation.navigation import Navigation
from ..render.observer.card import Observer
from ..render.render_clip import plan_clip
from ..render.volume import RenderOptions, render_rays
from ..render.words import caption_of, describe
from ..render.words.looking import OBJECT_MARGIN_M
from ..scenes.card import SceneCard
from ..scenes.scene import Scene
from .settings import ViewSettings
from .shapes import Mesh, floor_cells

COVERAGE_BANDS = 5
OBJECT_SHARE = 0.25
"""Around an object, what is one metre long in a room is this share of its cameras' distance."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipContents:
    """A planned clip."""

    motion: Motion
    trajectory: Trajectory
    caption: str
    """As of a rendered clip, but made without its pictures: what it names may be hidden."""
    attempts: int


@dataclass(frozen=True, kw_only=True)
class FrameFacts:
    """What is known of one frame."""

    time_s: float
    speed: float
    """Of the body over the ground, in world units per second."""
    activity: str
    fixation_id: int
    target_name: str
    """The listed object that is looked at, or an empty text."""
    target_distance: float
    """From the head, in world units."""
    saccade: bool
    blink: bool
    vergence_deg: float | None
    """Angle between the directions from the two eyes to the target; None with one eye."""
    axes_deg: float | None
    """Angle between the two eyes' own axes, 0 for a parallel rig; None with one eye."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FloorBand:
    """The part of the walkable floor that photographs cover about equally well."""

    coverage: float
    """In [0, 1], the middle of the band."""
    mesh: Mesh


def eyes_for(observer: Observer, card: SceneCard) -> Observer:
    """Return the observer with one eye where the scene's scale, which stereo needs, is unknown."""
    return observer if card.is_metric else replace(observer, eyes=1)


def plan_contents(
    scene: Scene,
    observer: Observer,
    settings: ViewSettings,
    key: ClipKey,
    navigation: Navigation,
) -> ClipContents:
    """Return the clip that ``merkwelt render`` would make, planned and not rendered.

    Raises:
        NoPath: the observer cannot move in the scene.
        ClipRejected: all plans came too near to something.
    """
    observer = eyes_for(observer, scene.card)
    clip = settings.clip_settings(stereo=observer.eyes == 2)
    motion, attempts = plan_clip(scene, observer, clip, key, navigation)
    description = describe(scene, observer.name, motion)
    return ClipContents(
        motion=motion,
        trajectory=motion.frames(),
        caption=caption_of(description, key.generator("words")),
        attempts=attempts,
    )


def eye_pictures(
    scene: Scene,
    camera: PinholeCamera,
    trajectory: Trajectory,
    frame: int,
    options: RenderOptions,
) -> np.ndarray:
    """Return what the eyes see in a frame, uint8 ``[eye, height, width, 3]``, left first."""
    poses = trajectory.world_from_eye[:, frame]
    seen = render_rays(scene, rays_of(camera, poses), options)
    pixels = (seen.rgb.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return pixels.reshape(len(poses), camera.height, camera.width, 3)


def gaze_rays(trajectory: Trajectory, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the lines of sight start and end in a frame, each ``[eye, 3]``."""
    starts = trajectory.world_from_eye[:, frame, :3, 3]
    return starts, np.broadcast_to(trajectory.gaze_target[frame], starts.shape)


def frame_facts(card: SceneCard, clip: ClipContents, frame: int) -> FrameFacts:
    """Return what is known of a frame."""
    trajectory, motion = clip.trajectory, clip.motion
    target = trajectory.gaze_target[frame]
    looked_at = (t for t in card.objects if t.box.contains(target, margin_m=OBJECT_MARGIN_M))
    thing = next(looked_at, None)
    instant = frame * motion.frame_every
    eyes = trajectory.world_from_eye[:, frame]
    stereo = len(eyes) == 2
    head = trajectory.world_from_head[frame, :3, 3]
    return FrameFacts(
        time_s=float(trajectory.time_s[frame]),
        speed=float(motion.speed[instant]),
        activity=ACTIVITIES[int(motion.activity[instant])],
        fixation_id=int(trajectory.fixation_id[frame]),
        target_name="" if thing is None else thing.name.replace("_", " "),
        target_distance=float(np.linalg.norm(target - head)),
        saccade=bool(trajectory.saccade[frame]),
        blink=bool(trajectory.blink[frame]),
        vergence_deg=_angle_deg(*(target - eyes[:, :3, 3])) if stereo else None,
        axes_deg=_angle_deg(*eyes[:, :3, 2]) if stereo else None,
    )


def floor_bands(ground: Ground, height: float) -> list[FloorBand]:
    """Return the reachable cells as one mesh for each band of coverage, the least first."""
    band = np.minimum((ground.coverage * COVERAGE_BANDS).astype(int), COVERAGE_BANDS - 1)
    return [
        FloorBand(
            coverage=(i + 0.5) / COVERAGE_BANDS,
            mesh=floor_cells(ground, ground.reachable & (band == i), height),
        )
        for i in range(COVERAGE_BANDS)
    ]


def drawing_unit(card: SceneCard, navigation: Navigation | None) -> float:
    """Return how long, in world units, what is drawn one metre long in a room shall be."""
    if navigation is not None and not navigation.is_walkable and navigation.views is not None:
        return OBJECT_SHARE * navigation.views.distance
    if card.is_metric:
        return 1.0
    return float(np.linalg.norm(np.ptp(np.asarray(card.bounds), axis=0))) / 8


def view_from_above(card: SceneCard) -> tuple[np.ndarray, np.ndarray]:
    """Return where to stand outside a scene to see into it, and where to look, each ``[3]``.

    Far enough to see the cameras too that were around it.
    """
    low, high = (np.asarray(corner, np.float64) for corner in card.bounds)
    size = high - low
    middle = (low + high) / 2
    middle[2] = low[2] + 0.25 * size[2]
    cameras = np.asarray(card.world_from_view, np.float64).reshape(-1, 4, 4)[:, :3, 3]
    farthest = np.linalg.norm(cameras - middle, axis=1).max(initial=0.0)
    reach = max(float(np.linalg.norm(size[:2])), 1.5 * float(farthest))
    return middle + reach * np.array([-0.06, -0.44, 0.64]), middle


def _angle_deg(first: np.ndarray, second: np.ndarray) -> float:
    """Return the angle between two directions ``[3]``, exact for small angles too."""
    sine = float(np.linalg.norm(np.cross(first, second)))
    return math.degrees(math.atan2(sine, float(first @ second)))
