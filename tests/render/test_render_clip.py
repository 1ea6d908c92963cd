import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.camera import rays_of
from merkwelt.render.key import ClipKey
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import adult, mineault2021, static
from merkwelt.render.render_clip import ClipRejected, ClipSettings, render_clip
from merkwelt.render.stereo import disparity_px
from merkwelt.render.volume import render_rays

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
    assert "walk" in clip.caption
    assert clip.description.frames == 4
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


def test_a_glide_keeps_the_distance_that_its_card_asks_for(room):
    def glider(nearest_m):
        card = mineault2021()
        nearest = replace(card.glide.nearest_m, value=nearest_m)
        return replace(card, glide=replace(card.glide, nearest_m=nearest))

    settings = ClipSettings(frames=2, size=8, nearest_m=0.0, stereo=False)
    navigation = Navigation.of(room, glider(0.5))
    with pytest.raises(ClipRejected, match="100.0 m allowed"):
        render_clip(room, glider(100.0), settings, KEY, navigation=navigation)
    assert render_clip(room, glider(0.5), settings, KEY, navigation=navigation).attempts >= 1


@pytest.mark.parametrize("retina", ["fisheye", "foveated"])
def test_other_retinas_see_the_same_walk(room, room_navigation, clip, retina):
    settings = replace(SETTINGS, retina=retina, size=48, truth=("ids", "opacity"))
    other = render_clip(room, adult(), settings, KEY, navigation=room_navigation)
    assert other.video.shape == (2, 4, 3, 48, 48)
    np.testing.assert_array_equal(other.trajectory.world_from_eye, clip.trajectory.world_from_eye)
    poses = clip.trajectory.world_from_eye.reshape(-1, 4, 4)
    direct = render_rays(room, rays_of(settings.camera, poses))
    rgb = direct.rgb.reshape(2, 4, 48, 48, 3)
    difference = rgb.permute(0, 1, 4, 2, 3) - other.video / 255
    assert difference.abs().max() <= 0.51 / 255
    torch.testing.assert_close(other.truth.opacity, direct.opacity.view(2, 4, 48, 48))


def test_a_foveated_retina_looks_where_the_eye_is_turned(room, room_navigation, clip):
    settings = replace(SETTINGS, retina="foveated", size=64)
    seen = render_clip(room, adult(), settings, KEY, navigation=room_navigation)
    # The innermost ring lies within 0.05 degrees of the line of sight, the middle of four pixels.
    centre = clip.depth[:, :, 47:49, 47:49].mean(dim=(2, 3))
    torch.testing.assert_close(seen.depth[:, :, 0].mean(dim=-1), centre, rtol=0.02, atol=0)


def test_displacements_are_a_pinholes():
    with pytest.raises(ValueError, match="displacements in a pinhole's picture, got retina='fish"):
        ClipSettings(retina="fisheye", truth=("flow",))
    with pytest.raises(ValueError, match="expected the retina pinhole, fisheye or foveated"):
        ClipSettings(retina="compound")  # type: ignore[arg-type]


def test_a_pinhole_needs_no_entry_in_a_plan():
    assert "retina" not in ClipSettings().to_dict()
    assert ClipSettings(retina="foveated").to_dict()["retina"] == "foveated"


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="at least one frame and one pixel"):
        ClipSettings(frames=0)
    with pytest.raises(ValueError, match="positive frame rate"):
        ClipSettings(frame_rate_hz=0.0)
    with pytest.raises(ValueError, match="between 0 and 180 degrees"):
        ClipSettings(hfov_deg=180.0)
    with pytest.raises(ValueError, match="nearest distance"):
        ClipSettings(nearest_m=-1.0)
