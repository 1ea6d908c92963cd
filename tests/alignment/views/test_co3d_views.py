"""The published cameras of ClickMe 2.0's view constancy, on real pictures."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from merkwelt.alignment import HumanMaps, read_maps
from merkwelt.alignment.views.co3d import co3d_pairs, read_constancy_cameras
from merkwelt.alignment.views.constancy import NOT_CARRIED, constancy
from merkwelt.alignment.views.view_camera import ViewCamera, view_cameras

PLANE = ("toyplane_501_72082_140295_00012", "toyplane_501_72082_140295_00017")


@pytest.fixture(scope="module")
def real(shared_data: Path) -> HumanMaps:
    return read_maps(shared_data / "clickme" / "clickme2_co3d_29.npz")


@pytest.fixture(scope="module")
def all_cameras(shared_data: Path) -> dict[str, ViewCamera]:
    return read_constancy_cameras(shared_data / "clickme/co3d_meta/constancy_params.json")


def _epipolar_px(first: ViewCamera, second: ViewCamera, matched: np.ndarray) -> np.ndarray:
    """Return distances in the second picture of matched points from their epipolar lines."""
    between = second.camera_from_world @ np.linalg.inv(first.camera_from_world)
    x, y, z = between[:3, 3]
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ between[:3, :3]
    fundamental = (
        np.linalg.inv(second.intrinsics_px).T @ essential @ np.linalg.inv(first.intrinsics_px)
    )
    ends = np.concatenate([matched, np.ones((*matched.shape[:2], 1))], axis=-1)
    lines = ends[0] @ fundamental.T
    return np.abs((ends[1] * lines).sum(axis=1)) / np.hypot(lines[:, 0], lines[:, 1])


def _matches(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return matched positions xy ``[2, match, 2]`` in pixels, by SIFT at double size."""
    sift = cv2.SIFT_create(contrastThreshold=0.02)
    found = []
    for image in (first, second):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        found.append(sift.detectAndCompute(large, None))
    nearest = cv2.BFMatcher().knnMatch(found[0][1], found[1][1], k=2)
    good = [a for a, b in nearest if a.distance < 0.8 * b.distance]
    ends = [
        [found[0][0][match.queryIdx].pt for match in good],
        [found[1][0][match.trainIdx].pt for match in good],
    ]
    return (np.array(ends) + 0.5) / 2


def test_cameras_have_opencv_axes_and_pixels_of_the_picture(real) -> None:
    rows = [real.names.index(name) for name in PLANE]
    cameras = [view_cameras(real)[row] for row in rows]
    matched = _matches(*(real.images[row] for row in rows))
    assert matched.shape[1] > 100
    right = np.median(_epipolar_px(*cameras, matched))
    flips = {"PyTorch3D": (-1.0, -1, 1, 1), "OpenGL": (1.0, -1, -1, 1)}
    wrong = {
        name: [replace(c, camera_from_world=np.diag(f) @ c.camera_from_world) for c in cameras]
        for name, f in flips.items()
    }
    for share in (0.9, 1.1):
        longer = np.diag([share, share, 1])
        wrong[f"focal length {share}"] = [
            replace(
                c,
                intrinsics_px=np.where(np.eye(3) > 0, c.intrinsics_px @ longer, c.intrinsics_px),
            )
            for c in cameras
        ]
    assert right < 0.6
    for name, others in wrong.items():
        assert np.median(_epipolar_px(*others, matched)) > 2, name


def test_people_across_views_of_a_flat_and_of_a_deep_thing(real, all_cameras) -> None:
    """The toy plane is flat and turned by 30 degrees: carrying helps. The television is deep and
    turned by 82 degrees: a plane is the wrong depth for it, and carrying makes it worse."""
    pairs = co3d_pairs(real, all_cameras)
    assert [dict(pair.lags) for pair in pairs] == [
        {"rotation": 1, "zoom": 2},
        {"rotation": 3, "zoom": -1},
    ]
    found = constancy(pairs, dict(zip(real.names, real.maps, strict=True)), name="people")
    floors = {floor.name: floor.values for floor in found.floors}[NOT_CARRIED]
    np.testing.assert_allclose(np.rint(found.turns_deg), [30, 82])
    # Measured: 0.765 against 0.515, and 0.222 against 0.654.
    assert found.values[0] > 0.7 > 0.6 > floors[0]
    assert found.values[1] < 0.3 < 0.6 < floors[1]


def test_reads_all_published_cameras(all_cameras) -> None:
    assert len(all_cameras) == 480
    assert len({name.rsplit("_", 1)[0] for name in all_cameras}) == 20


def test_cameras_of_other_things_with_a_longer_name_do_not_count(real, all_cameras) -> None:
    thing = PLANE[0].rsplit("_", 1)[0]
    away = {f"{thing}_other_{i:05d}": each for i, each in enumerate(all_cameras.values())}
    expected, found = co3d_pairs(real, all_cameras)[0], co3d_pairs(real, away | all_cameras)[0]
    np.testing.assert_array_equal(found.first.depth, expected.first.depth)


def test_says_what_is_wrong(tmp_path, real) -> None:
    path = tmp_path / "constancy_params.json"
    path.write_text('{"w2c": {"a.png": [[1]]}}')
    with pytest.raises(ValueError, match="expected JSON with w2c and K"):
        read_constancy_cameras(path)
    with pytest.raises(ValueError, match="two views with cameras"):
        co3d_pairs(replace(real, cameras=None))
