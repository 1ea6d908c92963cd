"""Rendering a scene from where its photographs were taken, to see how well it learned them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import kornia.metrics
import numpy as np
import torch

from ..scenes.captures import Capture, View
from ..scenes.field import Background
from ..scenes.placement import place_cameras
from ..scenes.scene import Scene
from .camera import PinholeCamera, pixel_centres, rays_of
from .decibels import decibels
from .rays import Rays
from .rigid import unit
from .volume import RenderOptions, render_rays

Progress = Callable[[float, str], None]
SSIM_WINDOW = 11


@dataclass(frozen=True, kw_only=True)
class ViewScore:
    """How one photograph is reproduced."""

    name: str
    psnr_db: float
    ssim: float
    photograph: np.ndarray
    """uint8 ``[height, width, 3]``."""
    rendering: np.ndarray
    """uint8 ``[height, width, 3]``."""
    depth: np.ndarray
    """float32 ``[height, width]``, z-depth in world units."""
    rays_per_s: float = 0.0
    """How fast it was rendered."""


def check_photographs(
    scene: Scene,
    capture: Capture,
    names: tuple[str, ...],
    *,
    longest_px: int = 400,
    options: RenderOptions | None = None,
    progress: Progress | None = None,
) -> list[ViewScore]:
    """Return a score for each named photograph, both pictures scaled to ``longest_px``.

    ``options`` say how they are rendered; exactly, by default.

    Raises:
        ValueError: no name was given, or one is not among the capture's photographs.
    """
    views = {view.name: view for view in capture.views}
    unknown = [name for name in names if name not in views]
    if unknown or not names:
        raise ValueError(
            f"{capture.root}: expected names of its photographs to check, got {unknown or 'none'}; "
            "a photograph is named by its path relative to the capture"
        )
    scores = []
    for i, name in enumerate(names):
        if progress:
            progress(i / len(names), name)
        scores.append(_check_view(scene, views[name], longest_px, options or RenderOptions()))
    return scores


def psnr_db(picture: np.ndarray, reference: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio of two uint8 pictures, in dB."""
    error = np.mean((picture.astype(np.float64) - reference.astype(np.float64)) ** 2) / 255**2
    return decibels(float(error))


def ssim(picture: np.ndarray, reference: np.ndarray) -> float:
    """Return the mean structural similarity (Wang et al. 2004) of two uint8 pictures."""
    a, b = (
        torch.from_numpy(p.astype(np.float32) / 255).permute(2, 0, 1)[None]
        for p in (picture, reference)
    )
    return float(kornia.metrics.ssim(a, b, window_size=SSIM_WINDOW, max_val=1.0).mean())


def photograph_camera(scene: Scene, view: View, longest_px: int) -> PinholeCamera:
    """Return the camera of a photograph scaled to at most ``longest_px``.

    Its principal point is shifted where the field was trained with rays that did not pass through
    the pixels' middles, so that each pixel shows what the photograph's showed in training.
    """
    shift = 0.5 - scene.card.pixel_centre_px
    full = PinholeCamera(
        width=view.width,
        height=view.height,
        fx=view.fx,
        fy=view.fy,
        cx=view.cx + shift,
        cy=view.cy + shift,
    )
    share = min(1.0, longest_px / max(view.width, view.height))
    return full.resized(round(view.width * share), round(view.height * share))


def photograph_rays(scene: Scene, view: View, camera: PinholeCamera) -> Rays:
    """Return the rays of a photograph's pixels in the world, its lens distortion undone."""
    world_from_camera = place_cameras(scene.card, view.world_from_camera[None])
    if view.distortion.is_zero:
        return rays_of(camera, world_from_camera)
    lens = view.distortion
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    if lens.k4:
        raise ValueError(f"{view.name}: lens coefficient k4 is not supported, found {lens.k4}")
    coefficients = np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3])
    pixels = pixel_centres(camera).reshape(-1, 1, 2)
    plane = cv2.undistortPoints(pixels, matrix, coefficients)[:, 0]
    directions = np.concatenate([plane, np.ones((len(plane), 1))], axis=-1)
    directions = unit(directions)
    pose = world_from_camera[0]
    world = directions @ pose[:3, :3].T
    return Rays(
        origins=torch.from_numpy(np.tile(pose[:3, 3], (len(world), 1)).astype(np.float32)),
        directions=torch.from_numpy(world.astype(np.float32)),
        z_per_distance=torch.from_numpy(directions[:, 2].astype(np.float32)),
    )


def load_photograph(view: View, size: tuple[int, int], background: Background) -> np.ndarray:
    """Return a photograph as uint8 ``[height, width, 3]`` at ``size`` = (width, height).

    Transparent pixels show the field's own background: white, or black.

    Raises:
        ValueError: the file is no picture.
    """
    picture = cv2.imread(str(view.path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f"{view.path} is not a readable picture")
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    colour = picture[..., :3].astype(np.float32)
    if picture.shape[-1] == 4:
        alpha = picture[..., 3:].astype(np.float32) / 255
        colour = colour * alpha + (255.0 if background == "white" else 0.0) * (1 - alpha)
    if (colour.shape[1], colour.shape[0]) != size:
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    return np.round(colour[..., ::-1]).clip(0, 255).astype(np.uint8)


def _check_view(scene: Scene, view: View, longest_px: int, options: RenderOptions) -> ViewScore:
    camera = photograph_camera(scene, view, longest_px)
    rays = photograph_rays(scene, view, camera)
    started = time.perf_counter()
    rendered = render_rays(scene, rays, options)
    seconds = time.perf_counter() - started
    shape = (camera.height, camera.width)
    rendering = (rendered.rgb * 255).round().to(torch.uint8).view(*shape, 3).numpy()
    photograph = load_photograph(view, (camera.width, camera.height), scene.field.background)
    return ViewScore(
        name=view.name,
        psnr_db=psnr_db(rendering, photograph),
        ssim=ssim(rendering, photograph),
        photograph=photograph,
        rendering=rendering,
        depth=rendered.depth.view(*shape).numpy(),
        rays_per_s=len(rays) / max(seconds, 1e-9),
    )
