"""From a clip's key to the clip: the one function that everything endless is made of."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal, get_args

import numpy as np
import tyro

from ..scenes.scene import Scene
from .body.signals import body_signals
from .camera import Camera, PinholeCamera, rays_of
from .clip import Clip
from .film import Film
from .fisheye import FisheyeCamera
from .key import ClipKey
from .motion.motion import Motion
from .motion.plan import AttemptKey, plan_motion
from .motion.trajectory import Trajectory
from .navigation.navigation import Navigation
from .observer.card import Observer
from .optics.settings import OpticsSettings
from .retina import FoveatedRetina
from .truth.coverage import Coverage
from .truth.ground_truth import ground_truth, require_truth
from .truth.quantities import Quantity, in_order
from .twins import ORIGINAL, Factors, luminance_only
from .volume import RenderOptions, render_rays
from .words.caption import caption_of
from .words.describe import describe
from .words.looking import View

RetinaKind = Literal["pinhole", "fisheye", "foveated"]
MOST_ATTEMPTS = 8
PROBE_SIZE = 8


class ClipRejected(RuntimeError):
    """No trajectory of a clip passed the quality gate; the message tells each one's reason."""


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """What a clip looks like, whoever looks."""

    frames: int = 16
    size: int = 64
    """Width and height in pixels; of a foveated retina, its rings and its spokes."""
    retina: RetinaKind = "pinhole"
    """``fisheye`` has equal angles between pixels, ``foveated`` rings that are as dense as visual
    cortex has room for them, around the line of sight."""
    frame_rate_hz: float = 10.0
    hfov_deg: float = 65.0
    """Horizontal field of view of each eye; 60-70 degrees leave disparity measurable at 256 px.
    Of a foveated retina, the diameter of its field."""
    depth: bool = True
    stereo: bool = True
    """Two eyes; otherwise one, midway between them."""
    nearest_m: float = 0.3
    """A clip is planned again if the middle half (in width and height) of a frame shows anything
    nearer than this, in scenes of known scale; an observer that glides may ask for more."""
    truth: tuple[Quantity, ...] = ()
    """What else a clip carries: flow and disparity (each with masks), masks, ids, opacity,
    expected_depth, confidence."""
    signals: bool = False
    """What the body feels and does beside the frames: inertial sensor, semicircular canals,
    otoliths, angles of eyes and neck, stride, speed and contact with the ground, at 200 Hz or
    more."""
    renderer: RenderOptions = field(default_factory=RenderOptions)
    optics: OpticsSettings = field(default_factory=OpticsSettings)
    factors: Annotated[Factors, tyro.conf.Suppress] = ORIGINAL
    """What is changed in a counterfactual twin; on the command line, ``--without`` and others."""

    def __post_init__(self) -> None:
        """Refuse clips without frames, pixels or field of view, and truth that cannot be had."""
        object.__setattr__(self, "truth", in_order(self.truth))
        self._refuse_truth_without_a_second_view()
        self._refuse_displacements_without_pinholes()
        self.factors.require_sense(stereo=self.stereo, truth=self.truth)
        if self.signals and self.frames < 2:
            raise ValueError(
                f"body signals tell how frames are reached from one another, got frames="
                f"{self.frames}; ask for two or more frames, or leave signals out"
            )
        if self.optics.shutter > 0 and self.frames < 2:
            raise ValueError(
                f"nothing moves in a single frame, got optics.shutter={self.optics.shutter} and "
                f"frames={self.frames}; ask for two or more frames, or leave the shutter out"
            )
        if self.frames < 1 or self.size < 1:
            raise ValueError(
                f"expected at least one frame and one pixel, got {self.frames} frames of size "
                f"{self.size}"
            )
        if not (self.frame_rate_hz > 0 and math.isfinite(self.frame_rate_hz)):
            raise ValueError(f"expected a positive frame rate, got {self.frame_rate_hz} Hz")
        if self.retina not in get_args(RetinaKind):
            raise ValueError(
                f"expected the retina pinhole, fisheye or foveated, got {self.retina!r}"
            )
        if not 0 < self.hfov_deg < 180:
            raise ValueError(
                f"expected a field of view between 0 and 180 degrees, got {self.hfov_deg}"
            )
        if self.nearest_m < 0:
            raise ValueError(f"expected a nearest distance of at least 0, got {self.nearest_m} m")

    def _refuse_truth_without_a_second_view(self) -> None:
        if "flow" in self.truth and self.frames < 2:
            raise ValueError(
                f"flow leads from one frame to the next, got frames={self.frames}; ask for two or "
                "more frames, or leave flow out"
            )
        if "disparity" in self.truth and not self.stereo:
            raise ValueError(
                "disparity is a difference between two eyes, got stereo=False; render stereo, or "
                "leave disparity out"
            )
        if "masks" in self.truth and self.frames < 2 and not self.stereo:
            raise ValueError(
                "masks tell what is hidden in another eye or frame, got one eye and one frame; "
                "render stereo or more frames, or leave masks out"
            )

    def _refuse_displacements_without_pinholes(self) -> None:
        asked = [name for name in ("flow", "disparity", "masks") if name in self.truth]
        if asked and self.retina != "pinhole":
            raise ValueError(
                f"{', '.join(asked)} are displacements in a pinhole's picture, got "
                f"retina={self.retina!r}; render with pinhole eyes, or leave them out"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data.

        Without additional truth, signals or optics, and for pinholes, there are no entries for
        them, nor for the exact path and the CPU, so that what was planned before there was any
        choice keeps its identity.
        """
        data = asdict(self)
        for name, usual in (("path", "exact"), ("device", "cpu")):
            if data["renderer"][name] == usual:
                del data["renderer"][name]
        if not self.truth:
            del data["truth"]
        if not self.signals:
            del data["signals"]
        if self.retina == "pinhole":
            del data["retina"]
        if not self.optics.is_on:
            del data["optics"]
        if self.factors.is_original:
            del data["factors"]
        return data

    @property
    def camera(self) -> Camera:
        """The camera of either eye."""
        hfov_rad = math.radians(self.hfov_deg)
        if self.retina == "fisheye":
            return FisheyeCamera(width=self.size, height=self.size, hfov_rad=hfov_rad)
        if self.retina == "foveated":
            return FoveatedRetina(rings=self.size, spokes=self.size, radius_rad=hfov_rad / 2)
        return PinholeCamera.from_hfov(hfov_rad, (self.size, self.size))


def render_clip(
    scene: Scene,
    observer: Observer,
    settings: ClipSettings,
    key: ClipKey,
    *,
    navigation: Navigation | None = None,
    coverage: Coverage | None = None,
) -> Clip:
    """Return the clip that its arguments describe; nothing else influences it.

    ``navigation`` and ``coverage`` save time when several clips of a scene are rendered; they must
    be ``Navigation.of(scene, observer)`` and ``Coverage.of(scene, settings.renderer)``, of which
    the latter is used for confidence only. ``Navigation.along`` makes the head follow a path.

    Raises:
        ValueError: stereo or signals were asked for in a scene without metric scale, or truth that
            the scene or the observer cannot give.
        NoPath: the observer cannot be or move in the scene.
        ClipRejected: eight trajectories came too near to something.
    """
    if not settings.stereo:
        observer = replace(observer, eyes=1)
    if observer.eyes == 2:
        scene.card.require_metric("stereo")
    require_truth(settings.truth, scene.card, eyes=observer.eyes)
    navigation = navigation or Navigation.of(scene, observer)
    motion, attempts = plan_clip(scene, observer, settings, key, navigation)
    trajectory = motion.frames()
    signals = body_signals(motion, observer.senses, scene.card) if settings.signals else None
    film = Film(scene=scene, camera=settings.camera, renderer=settings.renderer)
    video, geometry = film.exposed(motion, settings.optics, key)
    if not settings.factors.colour:
        video = luminance_only(video)
    depth, poses = geometry.surface_depth()[0], trajectory.world_from_eye[0]
    view = View(camera=settings.camera, depth=depth, world_from_eye=poses)
    description = describe(scene, observer.name, motion, view)
    if "confidence" in settings.truth:
        coverage = coverage or Coverage.of(scene, settings.renderer)
    return Clip(
        key=key,
        video=video,
        depth=geometry.depth if settings.depth else None,
        trajectory=trajectory,
        caption=caption_of(description, key.generator("words")),
        description=description,
        attempts=attempts,
        truth=ground_truth(
            settings.truth,
            geometry,
            settings.camera,
            trajectory.world_from_eye,
            scene.card,
            coverage=coverage,
        ),
        signals=signals,
    )


def plan_clip(
    scene: Scene,
    observer: Observer,
    settings: ClipSettings,
    key: ClipKey,
    navigation: Navigation,
) -> tuple[Motion, int]:
    """Return the first motion that comes near to nothing, and how many were planned.

    It is the motion of ``render_clip``, for an observer with as many eyes as the settings ask for.

    Raises:
        ValueError: stereo was asked for in a scene without metric scale.
        NoPath: the observer cannot move in the scene.
        ClipRejected: eight trajectories came too near to something.
    """

    def planned(attempt: int, factors: Factors) -> Motion:
        return plan_motion(
            scene,
            observer,
            AttemptKey(
                dataset_seed=key.dataset_seed, scene=key.scene, clip=key.clip, attempt=attempt
            ),
            frames=settings.frames,
            frame_rate_hz=settings.frame_rate_hz,
            navigation=navigation,
            factors=factors,
        )

    nearest_m = max(settings.nearest_m, observer.glide.nearest_m.value if observer.glide else 0.0)
    reasons = []
    for attempt in range(1 if navigation.is_fixed else MOST_ATTEMPTS):
        motion = planned(attempt, ORIGINAL)
        reason = _too_near(scene, settings, motion.frames(), nearest_m)
        if reason is None:
            # A twin keeps to its original's attempt, however near it then comes to something.
            twin = motion if settings.factors.is_original else planned(attempt, settings.factors)
            return twin, attempt + 1
        reasons.append(reason)
    raise ClipRejected(
        f"clip {key.clip} of scene {scene.card.name!r} was rejected: "
        f"{'its path comes' if navigation.is_fixed else f'all {MOST_ATTEMPTS} trajectories come'} "
        f"too near to something: {'; '.join(reasons)}"
    )


def _too_near(
    scene: Scene, settings: ClipSettings, trajectory: Trajectory, nearest_m: float
) -> str | None:
    """Return why a trajectory is refused, or None, from a coarse look at the pictures' middle."""
    if not scene.card.is_metric:
        return None
    half = math.atan(math.tan(math.radians(settings.hfov_deg) / 2) / 2)
    probe = PinholeCamera.from_hfov(2 * half, (PROBE_SIZE, PROBE_SIZE))
    poses = trajectory.world_from_eye.reshape(-1, 4, 4)
    rays = rays_of(probe, poses, device=settings.renderer.device)
    rendered = render_rays(scene, rays, settings.renderer)
    depth = rendered.depth_median.reshape(trajectory.eyes, trajectory.frames, -1)
    nearest = depth.amin(dim=(0, 2)).cpu().numpy()
    frame = int(np.argmin(nearest))
    if nearest[frame] >= nearest_m:
        return None
    return f"{nearest[frame]:.2f} m in frame {frame}, {nearest_m} m allowed"
