"""Small collections for tests of readers and writers."""

from pathlib import Path

import cv2
import numpy as np
from merkwelt.alignment import HumanMaps
from merkwelt.alignment.maps.human_maps import Cameras
from merkwelt.alignment.maps.making import co3d2025
from merkwelt.alignment.maps.pairs import Pair
from merkwelt.alignment.maps.trials import Trial, Trials


def smooth_pair(index: int, *, side: int = 32, **changes) -> Pair:
    """A picture and map that JPEG keeps well."""
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    bump = np.exp(-((rows - side / 2) ** 2 + (columns - 5 - index) ** 2) / side)
    image = np.stack([rows * 2 + 50, columns * 2 + 60, rows + columns + 20 + index], axis=2)
    given = {
        "name": f"picture {index}",
        "image": image.astype(np.uint8),
        "heatmap": np.round(bump * 255).astype(np.float32),
        "label": f"ImageNet class {index % 1000}",
        "class_id": index % 1000,
        "split": "val",
    }
    return Pair(**{**given, **changes})


def some_trials(**changes) -> Trials:
    """Two images, two people; one trial knows everything, one nothing, one is empty."""
    generator = np.random.default_rng(0)
    told = Trial(
        image="CO3D_ClickMe2/cup/cup_1.png",
        points_px=generator.uniform(0, 40, (5, 2)),
        subject="ann",
        catch_score=0.97,
        is_mobile=False,
        timestamp="2024-01-01 10:00:00",
        duration_ms=generator.uniform(50, 300, 5),
    )
    untold = Trial(
        image="CO3D_ClickMe2/cup/cup_1.png",
        points_px=np.array([[3.0, 4.0], [50, -2]]),
        subject="bo",
    )
    empty = Trial(image="imagenet/val/one.png", points_px=np.zeros((0, 2)), subject="ann")
    given = {
        "trials": (told, untold, empty),
        "image_sizes_px": {
            "CO3D_ClickMe2/cup/cup_1.png": (48, 40),
            "imagenet/val/one.png": (30, 30),
        },
    }
    return Trials(**{**given, **changes})


def some_maps(**changes) -> HumanMaps:
    """Everything that a collection can know; one map is constant."""
    generator = np.random.default_rng(1)
    maps = generator.random((3, 9, 8), dtype=np.float32)
    maps[2] = 0
    given = {
        "images": generator.integers(0, 255, (3, 9, 8, 3)).astype(np.uint8),
        "maps": maps,
        "names": ("CO3D_ClickMe2/cup/cup_1.png", "imagenet/val/one.png", "three"),
        "labels": ("cup", "unknown", "größer"),
        "kind": "clicks",
        "are_human": True,
        "source": "test",
        "licence": "CC0-1.0",
        "trials": some_trials(),
        "recipe": co3d2025(),
        "splits": ("val", "", "train"),
        "classes": (1, 999, 0),
        "cameras": Cameras(
            camera_from_world=generator.random((3, 4, 4)),
            intrinsics_px=generator.random((3, 3, 3)),
            scale=np.array([1.0, np.nan, 2.0]),
        ),
        "left_out": {"four": "damaged"},
    }
    return HumanMaps(**{**given, **changes})


def write_pictures(folder: Path, trials: Trials) -> Path:
    """One picture of the right size for each image."""
    for place, (name, (width, height)) in enumerate(trials.image_sizes_px.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((height, width, 3), 40 * (place + 1), np.uint8))
    return folder


def assert_same_trials(found: Trials, expected: Trials) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found.trials, expected.trials, strict=True):
        np.testing.assert_array_equal(one.points_px, other.points_px)
        if other.duration_ms is None:
            assert one.duration_ms is None
        else:
            np.testing.assert_array_equal(one.duration_ms, other.duration_ms)
        for field in ("image", "subject", "catch_score", "is_mobile", "timestamp"):
            assert getattr(one, field) == getattr(other, field)
    assert found.image_sizes_px == expected.image_sizes_px
