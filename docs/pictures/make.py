"""Make the pictures again: ``python docs/pictures/make.py`` from the repository's root."""

import math
from functools import reduce
from pathlib import Path

import cv2
import imageio.v3 as imageio
import numpy as np
from merkwelt.render import ClipKey
from merkwelt.render.camera import Camera, PinholeCamera, rays_of
from merkwelt.render.fisheye import FisheyeCamera
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.optics.settings import OpticsSettings
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.retina import FoveatedRetina
from merkwelt.render.rigid import look_at
from merkwelt.render.twins import Factors
from merkwelt.render.volume import render_rays
from merkwelt.scenes import Scene

from merkwelt.observer_check import CheckSettings, check_observer
from merkwelt.report import (
    anaglyph,
    colour_depth,
    figure_png,
    observer_depth_plots,
    observer_eye_plots,
    observer_table,
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
    twins()
    optics()
    observer_check()


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


TWINS = {
    "original": Factors(),
    "without stereo": Factors(stereo=False),
    "interocular x 3": Factors(interocular_times=3.0),
    "without gaze": Factors(gaze=False),
    "without gait": Factors(gait=False),
    "without colour": Factors(colour=False),
    "heading mineault2021": Factors(heading="mineault2021"),
}
TWIN_PX = 176


def twins() -> None:
    """A frame of a clip and of its twins: the left eye's picture, and both in red and cyan."""
    scene, observer = Scene.load("living_room"), load_observer("adult")
    navigation = Navigation.of(scene, observer)
    key = ClipKey(dataset_seed=0, scene="living_room", clip=33)
    columns = []
    for name, factors in TWINS.items():
        settings = ClipSettings(frames=10, size=TWIN_PX, factors=factors)
        clip = render_clip(scene, observer, settings, key, navigation=navigation)
        left, right = (eye.permute(0, 2, 3, 1).numpy()[-1:] for eye in clip.video)
        words = np.full((20, TWIN_PX, 3), 255, np.uint8)
        cv2.putText(words, name, (0, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
        columns.append(_above(words, _above(left[0], anaglyph(left, right)[0])))
    imageio.imwrite(Path(__file__).with_name("twins.png"), reduce(_beside, columns))


def optics() -> None:
    """Six frames with two saccades and a blink: as rendered, and with one effect in each row."""
    scene, observer = Scene.load("living_room"), load_observer("adult")
    key = ClipKey(dataset_seed=0, scene="living_room", clip=16)
    navigation = Navigation.of(scene, observer)
    rows = [
        OpticsSettings(),
        OpticsSettings(exposure_stops=1.0),
        OpticsSettings(warmth_stops=0.7),
        OpticsSettings(shot_noise=0.06, read_noise=0.01),
        OpticsSettings(shutter=0.5, sub_frames=16),
        OpticsSettings(lids=True),
    ]

    def row(chosen: OpticsSettings) -> np.ndarray:
        settings = ClipSettings(frames=12, size=96, stereo=False, optics=chosen)
        clip = render_clip(scene, observer, settings, key, navigation=navigation)
        return reduce(_beside, clip.video[0, 4:10].permute(0, 2, 3, 1).numpy())

    picture = reduce(_above, [row(chosen) for chosen in rows])
    imageio.imwrite(Path(__file__).with_name("optics.png"), picture)


def observer_check() -> None:
    """All verdicts on the adult, and three of the plots they belong to."""
    check = check_observer(load_observer("adult"), Scene.load("living_room"), CheckSettings())
    saccades = check.pooled("saccades")
    plots = (
        observer_eye_plots.amplitude_plot(saccades[:, 0]),
        observer_eye_plots.peak_plot(saccades),
        observer_depth_plots.elevation_plot(check.pooled("disparity")),
    )
    figures = (observer_table.score_card(check.findings), *plots)
    card, *column = (imageio.imread(figure_png(f, dots_per_inch=100))[..., :3] for f in figures)
    side = reduce(_above, column)
    tall = max(len(card), len(side))
    padded = [np.pad(p, ((0, tall - len(p)), (0, 0), (0, 0)), mode="edge") for p in (card, side)]
    imageio.imwrite(Path(__file__).with_name("observer_check.png"), reduce(_beside, padded))


def _beside(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([a, np.full((len(a), GAP_PX, 3), 255, np.uint8), b], axis=1)


def _above(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([a, np.full((GAP_PX, a.shape[1], 3), 255, np.uint8), b], axis=0)


if __name__ == "__main__":
    main()
