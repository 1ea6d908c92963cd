"""On real recordings: a stereo drive, a hand-held RGB-D camera, and glasses."""

import shutil

import cv2
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from merkwelt.streams.videos import ClipCut, VideoClips


def _area_square(picture: np.ndarray, size_px: int) -> np.ndarray:
    """The middle square of [h, w, 3], shrunk by exact overlaps of areas, in float."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side].astype(np.float64)
    edges = np.arange(size_px + 1) * side / size_px
    source = np.arange(side)
    # overlap[i, k]: how much of source pixel k lies in target pixel i
    overlap = np.minimum(edges[1:, None], source + 1) - np.maximum(edges[:-1, None], source)
    weights = np.clip(overlap, 0, None) * size_px / side
    return np.einsum("jl,ilc->ijc", weights, np.einsum("ik,klc->ilc", weights, square))


@pytest.fixture(scope="module")
def drive(kitti) -> VideoClips:
    return VideoClips(kitti, cut=ClipCut(frames=8, stride_frames=11, picture_rate_hz=10))


def test_frames_are_an_independent_reading_shrunk_by_area(drive, kitti):
    assert len(drive) == 3
    assert drive.recordings[0].stereo == "pair with image_r/#.png"
    video = drive[1].video.numpy()
    assert video.shape == (2, 8, 3, 128, 128)
    for eye, folder in enumerate(("image_l", "image_r")):
        for frame in (0, 7):
            grey = iio.imread(kitti / folder / f"{11 + frame:06d}.png")
            expected = _area_square(np.repeat(grey[..., None], 3, axis=2), 128)
            # cv2 sums in float32 and rounds: half a step and what float32 leaves.
            assert np.abs(video[eye, frame].transpose(1, 2, 0) - expected).max() < 0.51


def test_eyes_are_not_swapped(drive):
    """A block matcher finds matches to the left in the right eye: the left one is the left one."""
    matcher = cv2.StereoSGBM.create(minDisparity=-16, numDisparities=48, blockSize=5)
    left, right = np.ascontiguousarray(drive[0].video[:, 0, 0].numpy())
    disparity_px = matcher.compute(left, right).astype(np.float64) / 16
    found = disparity_px[disparity_px > -16]
    assert len(found) > 5000
    # f 707 px * 0.537 m / depth, shrunk 370 to 128: 1.3 px at 100 m, 13 px at 10 m.
    assert np.median(found) > 1
    assert (found > 0).mean() > 0.9


def test_poses_of_both_eyes_are_the_files(drive, kitti):
    trajectory = drive[1].trajectory
    lines = np.loadtxt(kitti / "poses.txt").reshape(-1, 3, 4)[11:19]
    np.testing.assert_allclose(trajectory.world_from_eye[0, :, :3], lines, atol=1e-6)
    left_from_right = np.linalg.inv(trajectory.world_from_eye[0]) @ trajectory.world_from_eye[1]
    np.testing.assert_allclose(left_from_right[:, 0, 3], 0.5371, atol=1e-3)
    np.testing.assert_allclose(left_from_right[:, 1:3, 3], 0, atol=1e-6)
    np.testing.assert_allclose(trajectory.time_s, np.arange(8) / 10)
    assert np.isnan(trajectory.gaze_target).all()
    assert not trajectory.saccade.any()


@pytest.mark.parametrize(
    ("layout", "stack", "name", "right_first"),
    [("side_by_side", np.hstack, "s.mp4", False), ("top_bottom", np.vstack, "t.mkv", True)],
)
def test_one_file_with_both_eyes_gives_the_clips_of_the_pair(
    tmp_path, drive, kitti, movie, layout, stack, name, right_first
):
    def read(folder: str, number: int) -> np.ndarray:
        grey = iio.imread(kitti / folder / f"{number:06d}.png")
        return np.repeat(grey[..., None], 3, axis=2)

    order = ("image_r", "image_l") if right_first else ("image_l", "image_r")
    frames = [stack([read(folder, number) for folder in order]) for number in range(4)]
    movie(tmp_path / name, frames, [100 * k for k in range(4)])
    mono = VideoClips(tmp_path, cut=ClipCut(frames=4))
    assert mono[0].video.shape[0] == 1, "a picture twice as wide is no proof of two eyes"
    cut = ClipCut(frames=4, layout=layout, right_first=right_first)
    video = VideoClips(tmp_path, cut=cut)[0].video.float()
    pair = drive[0].video[:, :4].float()
    # H.264 at crf 12 loses about one grey step of 255; swapped eyes are 18 steps apart.
    assert (video - pair).abs().mean() < 1.5
    assert (video.flip(0) - pair).abs().mean() > 10


@pytest.mark.parametrize(("mode", "right_first"), [("left_right", False), ("right_left", True)])
def test_a_container_that_says_where_the_eyes_are_is_believed(
    tmp_path, numbered_movie, shown, movie, mode, right_first
):
    dark, bright = np.full((64, 64, 3), 30, np.uint8), np.full((64, 64, 3), 220, np.uint8)
    movie(tmp_path / "a.mkv", [np.hstack([dark, bright])] * 9, range(0, 900, 100), stereo_mode=mode)
    cut = {"frames": 4, "size_px": 32}
    clips = VideoClips(tmp_path, cut=ClipCut(**cut))
    left, right = clips[0].video.float().mean(dim=(1, 2, 3, 4))
    assert (left > right) == right_first
    assert clips.recordings[0].stereo.startswith("side by side")
    assert VideoClips(tmp_path, cut=ClipCut(**cut, layout="mono"))[0].video.shape[0] == 1
    assert VideoClips(tmp_path, cut=ClipCut(**cut, eyes=1))[0].video[0].float().mean() == left


def test_squeezed_eyes_are_stretched(tmp_path, movie):
    eye = np.full((64, 64, 3), 30, np.uint8)
    eye[:, 16:48] = 220  # the middle half of the width: all of the square once it is stretched
    movie(tmp_path / "a.mp4", [np.hstack([eye, eye])] * 9, range(0, 900, 100))
    cut = ClipCut(frames=4, size_px=32, layout="side_by_side", squeezed=True)
    assert VideoClips(tmp_path, cut=cut)[0].video[:, :, :, :, 2:-2].min() > 190


def test_a_hand_held_camera_with_depth_and_poses(redkitchen):
    cut = ClipCut(frames=6, stride_frames=4, picture_rate_hz=30, depth_unit_m=0.001)
    clips = VideoClips(redkitchen, cut=cut)
    assert [r.name for r in clips.recordings] == ["frame-#.color.jpg"]
    assert not clips.skipped
    sample = clips[1]
    # Ten of thirty frames a second, from the twelfth on.
    names = [f"frame-{number:06d}" for number in range(438 + 12, 438 + 30, 3)]
    for frame, name in enumerate(names):
        picture = iio.imread(redkitchen / f"{name}.color.jpg")
        expected = _area_square(picture, 128)
        # Two JPEG decoders may differ by a step or two in chroma; a shifted frame by far more.
        assert np.abs(sample.video[0, frame].numpy().transpose(1, 2, 0) - expected).mean() < 0.6
        # The files' rotations are off by 1e-4, and made true ones.
        pose = np.loadtxt(redkitchen / f"{name}.pose.txt")
        np.testing.assert_allclose(sample.trajectory.world_from_eye[0, frame], pose, atol=2e-4)
    millimetres = iio.imread(redkitchen / f"{names[0]}.depth.png")[:, 80:560]
    middles = ((np.arange(128) + 0.5) * 480 / 128).astype(int)
    expected = torch.from_numpy(millimetres[np.ix_(middles, middles)] / 1000).float()
    assert (sample.depth[0, 0] == expected).all()
    assert (sample.depth == 0).any(), "what was not measured is 0"


def test_glasses_frames_keep_the_times_of_their_file(shared_data):
    folder = shared_data / "ego_aria"
    clips = VideoClips(folder, cut=ClipCut(frames=4, only=("aea_camera-rgb*",), frame_rate_hz=20))
    assert len(clips) == 2
    np.testing.assert_allclose(np.diff(clips.times_s(int(clips.clip_ids[0]))), 0.05, atol=1e-4)
    assert clips[0].trajectory is None
    # Two frames of a digital twin are no clip, and are not made one.
    every = VideoClips(folder, cut=ClipCut(frames=4, eyes=1, turn_deg=90))
    assert every.skipped == {"adt_rgb_#.jpg": "it has 2 pictures, and a clip 4 frames"}
    with pytest.raises(ValueError, match=r"mixes recordings of one eye \(aea_camera-rgb_#.jpg\)"):
        VideoClips(folder, cut=ClipCut(frames=4))
    # Every eighth frame of a video is no video of an eighth of its rate at 30 Hz.
    sparse = shared_data / "noncommercial" / "redkitchen"
    with pytest.raises(ValueError, match=r"it has 3\.75 frames a second, less than the 10 Hz"):
        VideoClips(sparse, cut=ClipCut(picture_rate_hz=30))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("poses.txt", "1 0 0 0 0 1 0 0 0 0 1 0\n" * 7, "7 poses for 6 pictures"),
        ("poses.txt", "2 0 0 0 0 2 0 0 0 0 2 0\n" * 6, "expected a rotation"),
        ("poses.txt", "hello\n" * 6, "expected a number"),
        ("000003.pose.txt", "1 0 0", r"000000\.pose\.txt is missing"),
    ],
)
def test_poses_that_do_not_fit_are_told(tmp_path, kitti, name, text, message):
    for number in range(6):
        shutil.copy(kitti / "image_l" / f"{number:06d}.png", tmp_path)
    cut = ClipCut(frames=3, picture_rate_hz=10)
    assert VideoClips(tmp_path, cut=cut)[0].trajectory is None
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        VideoClips(tmp_path, cut=cut)


def test_a_missing_picture_is_a_gap(tmp_path, kitti):
    for eye in ("image_l", "image_r"):
        (tmp_path / eye).mkdir()
        for number in (*range(8), *range(9, 14)):
            shutil.copy(kitti / eye / f"{number:06d}.png", tmp_path / eye)
    cut = ClipCut(frames=3, stride_frames=1, picture_rate_hz=10)
    clips = VideoClips(tmp_path, cut=cut)
    starts = [int(clip) & 0xFFFFF for clip in clips.clip_ids]
    assert starts == [0, 1, 2, 3, 4, 5, 9, 10, 11]
    (tmp_path / "image_r/000003.png").unlink()
    with pytest.raises(ValueError, match="1 are in one eye only, the first is 3"):
        VideoClips(tmp_path, cut=cut)
