"""What ships inside the package must be small, metric, free, and say nothing of any machine."""

import json

import numpy as np
import pytest
from merkwelt.scenes import Scene
from merkwelt.scenes.library import bundled_folder

MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def living_room():
    return Scene.load(bundled_folder() / "living_room")


def test_it_fits(living_room):
    assert sum(f.stat().st_size for f in living_room.folder.iterdir()) <= MOST_BYTES


def test_it_is_free_and_speaks_of_no_machine(living_room):
    assert living_room.card.licence == "CC0-1.0"
    assert living_room.card.capture_path is None
    text = json.dumps(json.loads((living_room.folder / "scene.json").read_text()))
    assert not any(place in text for place in ("/tmp", "/home", "/root", "/work", "\\\\"))


def test_it_is_metric_and_furnished_with_imagenet_categories(living_room):
    card = living_room.card
    assert card.is_metric
    assert card.floor_height == pytest.approx(0.0, abs=1e-6)
    labelled = {thing.wnid for thing in card.objects if thing.wnid}
    assert len(labelled) >= 12
    low, high = np.asarray(card.bounds)
    for thing in card.objects:
        corners = thing.box.corners_m()
        assert (corners >= low - 0.3).all(), thing.name
        assert (corners <= high + 0.3).all(), thing.name


def test_walls_are_matter_and_the_walkway_is_air(living_room):
    cameras = np.asarray(living_room.card.world_from_training_camera)[:, :3, 3]
    at_cameras = np.median(living_room.density(cameras))
    boxes = [t.box for t in living_room.card.objects if t.name in ("sofa", "dining_table")]
    assert boxes
    rng = np.random.default_rng(0)
    top = np.concatenate(
        [
            np.asarray(b.centre_m) + rng.uniform(-0.5, 0.5, (400, 3)) * np.asarray(b.size_m)
            for b in boxes
        ]
    )
    assert np.quantile(living_room.density(top), 0.9) > 20 * max(at_cameras, 1e-3)
