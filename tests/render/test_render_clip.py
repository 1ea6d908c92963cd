import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.key import ClipKey
from merkwelt.render.presets import adult, static
from merkwelt.render.render_clip import ClipRejected, ClipSettings, render_clip
from merkwelt.render.stereo import disparity_px

KEY = ClipKey(dataset_seed=0, scene="room", clip=0)
SETTINGS = ClipSettings(frames=4, size=96)


@pytest.fixture(scope="module")
def clip(room, room_navigation):
    return render_clip(room, adult(), SETTINGS, KEY, navigation=room_navigation)


def test_a_clip_has_two_eyes_time_and_depth(clip):
    assert clip.video.shape == (2, 4, 3, 96, 96)
    assert clip.video.dtype == torch.uint8
    assert clip.depth.shape == (2, 4, 96, 96)
    assert clip.trajectory.frames == 4
    assert clip.attempts >= 1
    assert "looking at" in clip.caption
    middle = clip.depth[:, :, 24:72, 24:72]
    assert middle.min() > 0.28
    assert middle.max() < math.hypot(6, 5, 2.7)


def test_the_same_key_gives_the_same_pixels(room, clip):
    again = render_clip(room, adult(), SETTINGS, KEY)
    assert torch.equal(again.video, clip.video)
    assert torch.equal(again.depth, clip.depth)


def _sample(image, x):
    """Return an image ``[h, w]`` read at fractional columns ``x`` ``[h, w]`` (pixel centres)."""
    at = np.clip(x - 0.5, 0, image.shape[1] - 1.001)
    first = np.floor(at).astype(int)
    rows = np.arange(image.shape[0])[:, None]
    share = at - first
    return (1 - share) * image[rows, first] + share * image[rows, first + 1]


def test_the_left_picture_warped_by_disparity_is_the_right_picture(room, room_navigation):
    settings = ClipSettings(frames=3, size=192, hfov_deg=65.0)
    clip = render_clip(room, adult(), settings, KEY, navigation=room_navigation)
    eyes = clip.trajectory.world_from_eye[:, 0, :3, 3]
    baseline = float(np.linalg.norm(eyes[1] - eyes[0]))
    columns = np.arange(192) + 0.5
    for frame in range(3):
        depth_left, depth_right = (clip.depth[eye, frame].double().numpy() for eye in (0, 1))
        x_left = columns + disparity_px(depth_right, settings.camera.fx, baseline)
        seen = _sample(depth_left, x_left)
        common = (np.abs(seen - depth_right) < 0.01 * depth_right) & (x_left < 191)
        assert common.mean() > 0.85
        for channel in range(3):
            left, right = (clip.video[eye, frame, channel].numpy() / 255.0 for eye in (0, 1))
            error = np.abs(_sample(left, x_left) - right)[common]
            assert error.mean() < 0.02
            swapped = np.abs(_sample(left, 2 * columns - x_left) - right)[common]
            assert swapped.mean() > 2 * error.mean()


def test_mono_and_depth_are_choices(room, statue, room_navigation):
    settings = ClipSettings(frames=2, size=8, stereo=False, depth=False)
    clip = render_clip(room, adult(), settings, KEY, navigation=room_navigation)
    assert clip.video.shape == (1, 2, 3, 8, 8)
    assert clip.depth is None
    around = render_clip(statue, adult(), settings, KEY)
    assert around.video.float().std() > 1


def test_stereo_without_metric_scale_is_refused(statue):
    with pytest.raises(ValueError, match="no metric scale, which stereo needs"):
        render_clip(statue, adult(), ClipSettings(frames=2, size=8), KEY)


def test_a_clip_that_comes_too_near_is_planned_again_and_rejected_in_the_end(room, room_navigation):
    near = ClipSettings(frames=2, size=8, nearest_m=100.0)
    with pytest.raises(ClipRejected, match=r"all 8 trajectories come too near .* 100.0 m allowed"):
        render_clip(room, static(), near, KEY, navigation=room_navigation)
    picky = replace(near, nearest_m=1.5)
    clips = [
        render_clip(room, static(), picky, replace(KEY, clip=i), navigation=room_navigation)
        for i in range(6)
    ]
    assert max(clip.attempts for clip in clips) > 1
    assert all(clip.depth[:, :, 2:6, 2:6].min() > 1.4 for clip in clips)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="at least one frame and one pixel"):
        ClipSettings(frames=0)
    with pytest.raises(ValueError, match="positive frame rate"):
        ClipSettings(frame_rate_hz=0.0)
    with pytest.raises(ValueError, match="between 0 and 180 degrees"):
        ClipSettings(hfov_deg=180.0)
    with pytest.raises(ValueError, match="nearest distance"):
        ClipSettings(nearest_m=-1.0)
