"""Make the pictures again: ``python docs/pictures/make.py`` from the repository's root."""

import math
from pathlib import Path

import cv2
import imageio.v3 as imageio
import numpy as np
from merkwelt.render import ClipKey
from merkwelt.render.camera import Camera, PinholeCamera, rays_of
from merkwelt.render.fisheye import FisheyeCamera
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.retina import FoveatedRetina
from merkwelt.render.rigid import look_at
from merkwelt.render.volume import render_rays
from merkwelt.scenes import Scene

from merkwelt.report import (
    anaglyph,
    colour_depth,
    figure_png,
    trajectory_plot,
    truth_figure,
    walkable_of,
)

FRAME, TILE_PX, GAP_PX = 2, 320, 8
FARTHEST_M = 6.0


def main() -> None:
    """Make all pictures."""
    retinas()
    showcase()


def retinas() -> None:
    """The same look through a pinhole, a foveated retina and a fisheye."""
    scene = Scene.load("living_room")
    pose = look_at(np.array([[1.2, 0.9, 1.5]]), np.array([-1.5, 2.0, 0.6]))

    def seen(camera: Camera) -> np.ndarray:
        rgb = render_rays(scene, rays_of(camera, pose)).rgb.clamp(0, 1)
        return (rgb.numpy() * 255).round().astype(np.uint8).reshape(camera.height, camera.width, 3)

    pinhole = PinholeCamera.from_hfov(math.radians(60), (TILE_PX, TILE_PX))
    retina = FoveatedRetina(rings=96, spokes=163)
    fisheye = FisheyeCamera(width=TILE_PX, height=TILE_PX, hfov_rad=math.radians(150))
    grid = seen(retina)
    tall = np.full((TILE_PX, retina.width, 3), 255, np.uint8)
    tall[(TILE_PX - 96) // 2 : (TILE_PX + 96) // 2] = grid
    row = _beside(_beside(seen(pinhole), retina.to_picture(grid, pinhole)), tall)
    imageio.imwrite(Path(__file__).with_name("retinas.png"), _beside(row, seen(fisheye)))


def showcase() -> None:
    """A clip's two eyes, anaglyph, depth, path and ground truth."""
    scene, observer = Scene.load("living_room"), load_observer("adult")
    navigation = Navigation.of(scene, observer)
    key = ClipKey(dataset_seed=0, scene="living_room/showcase", clip=6)
    settings = ClipSettings(size=TILE_PX, truth=("flow", "disparity", "masks", "ids"))
    clip = render_clip(scene, observer, settings, key, navigation=navigation)
    truth = figure_png(truth_figure(clip, frame=FRAME), dots_per_inch=120)
    Path(__file__).with_name("ground_truth.png").write_bytes(truth)
    left, right = (eye.permute(0, 2, 3, 1).numpy() for eye in clip.video)
    depth = colour_depth(clip.depth[0].numpy()[FRAME], far=FARTHEST_M).rgb
    tiles = [left[FRAME], right[FRAME], anaglyph(left, right)[FRAME], depth]
    pictures = _beside(_above(tiles[0], tiles[2]), _above(tiles[1], tiles[3]))
    plot = figure_png(trajectory_plot(clip.trajectory, scene.card, walkable_of(navigation)))
    plan = imageio.imread(plot)[..., :3]
    width = round(plan.shape[1] * pictures.shape[0] / plan.shape[0])
    plan = cv2.resize(plan, (width, pictures.shape[0]), interpolation=cv2.INTER_AREA)
    imageio.imwrite(Path(__file__).with_name("living_room.png"), _beside(pictures, plan))


def _beside(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([a, np.full((len(a), GAP_PX, 3), 255, np.uint8), b], axis=1)


def _above(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([a, np.full((GAP_PX, a.shape[1], 3), 255, np.uint8), b], axis=0)


if __name__ == "__main__":
    main()
