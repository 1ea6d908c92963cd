"""Make the pictures again: ``python docs/pictures/make.py`` from the repository's root."""

from pathlib import Path

import cv2
import imageio.v3 as imageio
import numpy as np
from merkwelt.render import ClipKey
from merkwelt.render.navigation import Navigation
from merkwelt.render.presets import load_observer
from merkwelt.render.render_clip import ClipSettings, render_clip
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
