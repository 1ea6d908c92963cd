import dataclasses

import numpy as np
import pytest
from merkwelt.render.paths import HeadPath, load_path, place_path
from merkwelt.render.paths.placement import read_alignment
from merkwelt.render.rigid import look_at, rotation_from_angles, transform
from merkwelt.streams.plain import from_plain, to_plain

from .writers import some_poses, write_kitti, write_nerfstudio, write_tum

TIME_S = np.array([0.0, 0.1, 0.25, 0.3, 0.5, 0.7])


def _path(time_s=TIME_S, **options):
    return HeadPath.of(time_s, some_poses(len(time_s)), **options)


def test_the_course_goes_through_the_poses():
    path, poses = _path(), some_poses(len(TIME_S))
    np.testing.assert_array_equal(path.time_s, TIME_S)
    np.testing.assert_allclose(path.world_from_head(TIME_S), poses, atol=1e-12)


def test_times_count_from_the_start():
    later = _path(TIME_S + 1305031102.5)
    np.testing.assert_allclose(later.time_s, TIME_S, atol=1e-6)
    assert later.time_s[0] == 0


def test_a_path_is_the_same_to_the_bit_after_being_plain_text():
    path = _path(gaze="observer")
    again = from_plain(HeadPath, to_plain(path), where="plan")
    assert again == path
    at = np.linspace(0, path.duration_s, 100)
    np.testing.assert_array_equal(again.world_from_head(at), path.world_from_head(at))


def test_a_steady_walk_and_turn_are_met_in_between():
    time_s = np.arange(9) / 3
    position = np.stack([1 + 1.5 * time_s, -0.5 * time_s, np.full(9, 1.6)], axis=1)
    path = HeadPath.of(time_s, transform(rotation_from_angles(0.4 * time_s), position))
    at = np.linspace(0, path.duration_s, 50)
    heads = path.world_from_head(at)
    np.testing.assert_allclose(heads[:, 0, 3], 1 + 1.5 * at, atol=1e-12)
    np.testing.assert_allclose(heads[:, :3, :3], rotation_from_angles(0.4 * at), atol=1e-9)
    np.testing.assert_allclose(path.speed(at), np.sqrt(2.5), atol=1e-12)


def test_the_course_is_smooth():
    path = _path()
    at = np.linspace(0, path.duration_s, 7001)
    heads = path.world_from_head(at)
    velocity = np.diff(heads, axis=0) / np.diff(at)[:, None, None]
    assert np.abs(np.diff(velocity, axis=0)).max() < 0.03 * np.abs(velocity).max()


def test_clips_that_a_path_has_room_for():
    path = HeadPath.of(np.arange(31) / 10, np.tile(np.eye(4), (31, 1, 1)))
    # 31 frames at 10 Hz: seven clips of four frames, and three frames left over.
    assert path.clips(frames=4, frame_rate_hz=10) == 7
    assert path.clips(frames=31, frame_rate_hz=10) == 1
    assert path.clips(frames=32, frame_rate_hz=10) == 0
    assert path.clips(frames=1, frame_rate_hz=10) == 31
    assert path.clips(frames=100, frame_rate_hz=33) == 1


def test_times_outside_a_path_and_what_is_no_path_are_refused():
    path = _path()
    for outside in (-0.01, 0.701):
        with pytest.raises(ValueError, match="expected times from 0 to 0.7 s"):
            path.world_from_head(np.array([outside]))
    with pytest.raises(ValueError, match="at least 2 poses, got 1"):
        HeadPath(poses=path.poses[:1])
    with pytest.raises(ValueError, match="expected poses of eight numbers"):
        HeadPath(poses=("0 1 2", "1 1 2"))
    with pytest.raises(ValueError, match="finite poses at ascending times"):
        HeadPath(poses=path.poses[::-1])
    with pytest.raises(ValueError, match="finite poses at ascending times"):
        HeadPath(poses=("0 0 0 0 0 0 0 1", "1 nan 0 0 0 0 0 1"))
    with pytest.raises(ValueError, match="expected the gaze ahead or observer, got 'down'"):
        _path(gaze="down")


@pytest.fixture
def placed_card(room):
    """A card whose world, field and capture all differ in scale, turn and place."""
    turn = rotation_from_angles(0.3) @ rotation_from_angles(0.0).T
    world_from_field = transform(2.5 * turn, np.array([1.0, 2.0, 3.0]))
    field_from_capture = transform(0.2 * turn.T, np.array([-1.0, 0.5, 0.0]))

    def as_matrix(m):
        return tuple(map(tuple, m.tolist()))

    return dataclasses.replace(
        room.card,
        world_from_field=as_matrix(world_from_field),
        field_from_capture=as_matrix(field_from_capture),
    )


def test_frames_scale_and_alignment(placed_card, tmp_path):
    poses = load_path(write_kitti(tmp_path / "00.txt", some_poses(5)))
    field = np.asarray(placed_card.world_from_field)
    capture = field @ np.asarray(placed_card.field_from_capture)
    align = transform(3.0 * rotation_from_angles(1.0, 0.2, 0.1), np.array([0.1, 0.2, 0.3]))
    for frame, similarity in (("world", np.eye(4)), ("field", field), ("capture", capture)):
        path = place_path(poses, placed_card, frame=frame, scale=2.0, frame_from_file=align)
        for pose, line in zip(
            poses.file_from_camera, path.world_from_head(path.time_s), strict=True
        ):
            point = np.append(2.0 * pose[:3, 3], 1.0)
            np.testing.assert_allclose(line[:3, 3], (similarity @ align @ point)[:3], atol=1e-12)
            axes = similarity[:3, :3] @ align[:3, :3] @ pose[:3, :3]
            np.testing.assert_allclose(
                line[:3, :3], axes / np.cbrt(np.linalg.det(axes)), atol=1e-12
            )


def test_nerfstudio_paths_lie_in_the_field_and_others_in_the_world(placed_card, tmp_path):
    poses = some_poses(4)
    json_file = load_path(write_nerfstudio(tmp_path / "path.json", poses, rate_hz=10))
    tum_file = load_path(write_tum(tmp_path / "tum.txt", poses, np.arange(4) / 10))
    assert place_path(json_file, placed_card) == place_path(json_file, placed_card, frame="field")
    np.testing.assert_allclose(
        place_path(tum_file, placed_card).world_from_head(np.arange(4) / 10), poses, atol=1e-12
    )


def test_kitti_laid_on_the_ground(room, tmp_path):
    # The alignment of the manual: world +x is where the first camera looked, 1.65 m above 0.
    (tmp_path / "align.txt").write_text("0 0 1 0\n-1 0 0 0\n0 -1 0 1.65\n0 0 0 1\n")
    align = read_alignment(tmp_path / "align.txt")
    drive = np.tile(np.eye(4), (3, 1, 1))
    drive[:, 2, 3] = [0.0, 1.2, 2.4]
    path = place_path(
        load_path(write_kitti(tmp_path / "00.txt", drive)), room.card, frame_from_file=align
    )
    expected = look_at(
        np.array([[0, 0, 1.65], [1.2, 0, 1.65], [2.4, 0, 1.65]]), np.array([9, 0, 1.65])
    )
    np.testing.assert_allclose(path.world_from_head(path.time_s), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0 0 0", "align.txt: expected an alignment of 16 finite numbers, got 4 values"),
        ("a b", "align.txt: could not convert"),
        ("nan " * 16, "16 finite numbers"),
        ("2 0 0 0  0 1 0 0  0 0 1 0  0 0 0 1", r"align.txt: expected an alignment.*similarity"),
        ("-1 0 0 0  0 1 0 0  0 0 1 0  0 0 0 1", "similarity"),
        ("0 " * 16, "similarity"),
        ("1 0 0 0  0 1 0 0  0 0 1 0  5 0 0 1", "similarity"),
    ],
)
def test_alignments_that_are_none_are_refused(text, message, tmp_path):
    (tmp_path / "align.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_alignment(tmp_path / "align.txt")
    with pytest.raises(FileNotFoundError, match="expected a 4x4 matrix"):
        read_alignment(tmp_path / "nowhere.txt")


def test_frames_and_scales_that_are_none_are_refused(room, tmp_path):
    poses = load_path(write_kitti(tmp_path / "00.txt", some_poses(5)))
    with pytest.raises(ValueError, match="expected the frame world, field or capture, got 'moon'"):
        place_path(poses, room.card, frame="moon")
    for scale in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="expected a positive scale of the path"):
            place_path(poses, room.card, scale=scale)
