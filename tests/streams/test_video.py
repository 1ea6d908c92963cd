import itertools
import math

import cv2
import numpy as np
import pytest
import torch
from merkwelt.streams.video import (
    _YCC_FROM_RGB,
    decode_depth,
    decode_video,
    encode_depth,
    encode_video,
)
from scipy import ndimage

SIZE = 64
FRAMES = 6
PATCH = 16
DISPARITIES_PX = (0.37, 1.62, 3.25, 7.81)
DRIFT_PX = (-0.83, 0.41)
"""Of the plane's picture, from frame to frame: x, y."""


def _texture(seed):
    """Return a band-limited colour texture as a function of continuous pixel coordinates."""
    rng = np.random.default_rng(seed)
    waves = 40
    # Amplitudes fall with frequency, up to a third of the sampling rate, as in natural pictures.
    frequency = np.exp(rng.uniform(np.log(0.01), np.log(0.33), waves))
    angle = rng.uniform(0, 2 * np.pi, waves)
    gain = (0.01 / frequency) ** 0.5
    phase = np.exp(1j * rng.uniform(0, 2 * np.pi, waves))
    colour = 0.7 + 0.3 * rng.uniform(-1, 1, (3, waves)) * np.exp(1j * rng.uniform(-1, 1, waves))

    def at(x, y):
        along = x[..., None] * np.cos(angle) + y[..., None] * np.sin(angle)
        wave = np.exp(2j * np.pi * frequency * along) * gain * phase
        return 127.5 + 26 * np.moveaxis((wave @ colour.T).imag, -1, 0)

    return at


def _stereo_pair(disparity_px, seed):
    """Return left and right video of a fronto-parallel plane that drifts with sub-pixel steps."""
    at = _texture(seed)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    left, right = [], []
    for frame in range(FRAMES):
        moved_x, moved_y = x - DRIFT_PX[0] * frame, y - DRIFT_PX[1] * frame
        left.append(at(moved_x, moved_y))
        # x_left - x_right = disparity: what the left eye sees at x, the right sees at x - d.
        right.append(at(moved_x + disparity_px, moved_y))
    video = np.clip(np.rint(np.stack([left, right])), 0, 255).astype(np.uint8)
    return torch.from_numpy(video[0]), torch.from_numpy(video[1])


def _disparity_px(left, right, near_px):
    """Return the disparity of every 16 x 16 patch by least squares about a near guess.

    Lucas and Kanade's step: with R' the right image moved by the guess, the rest solves
    ``L = R' - rest dR'/dx`` over the patch.
    """
    left, right = (v.numpy().astype(float).mean(1) for v in (left, right))
    moved = ndimage.shift(right, (0, 0, near_px), order=5, mode="nearest")
    slope = ndimage.shift(right, (0, 0, near_px - 0.5), order=5, mode="nearest")
    slope -= ndimage.shift(right, (0, 0, near_px + 0.5), order=5, mode="nearest")
    margin = PATCH  # Nothing of what enters at the border is looked at.
    patches = [
        v[:, :, margin:].reshape(FRAMES, SIZE // PATCH, PATCH, -1, PATCH).swapaxes(2, 3)
        for v in (slope, slope * (left - moved), slope**2)
    ]
    return near_px - patches[1].sum((-1, -2)) / patches[2].sum((-1, -2))


def _disparity_error_px(store, seeds=(0,)):
    """Return what storing does to disparity: mean and 99th percentile of |change|, pixels."""
    changes = []
    for seed in seeds:
        for disparity_px in DISPARITIES_PX:
            pair = _stereo_pair(disparity_px, seed)
            before = _disparity_px(*pair, disparity_px)
            assert np.abs(before - disparity_px).mean() < 0.01
            after = _disparity_px(*map(store, pair), disparity_px)
            changes.append(np.abs(after - before))
    return float(np.mean(changes)), float(np.quantile(changes, 0.99))


def _stored(profile):
    return lambda video: decode_video(encode_video(video, frame_rate_hz=10, profile=profile))


@pytest.mark.parametrize(("height", "width", "frames"), [(64, 64, 16), (33, 47, 5), (2, 2, 1)])
def test_lossless_returns_every_pixel(height, width, frames):
    noise = np.random.default_rng(0).integers(0, 256, (frames, 3, height, width), dtype=np.uint8)
    video = torch.from_numpy(noise)
    data = encode_video(video, frame_rate_hz=10, profile="lossless")
    assert torch.equal(decode_video(data), video)


def test_lossless_leaves_disparity_alone():
    assert _disparity_error_px(_stored("lossless"), seeds=(1,)) == (0, 0)


def test_compact_moves_the_disparity_of_a_patch_by_a_fiftieth_of_a_pixel():
    mean_px, seldom_more_px = _disparity_error_px(_stored("compact"))
    assert mean_px < 0.02
    assert seldom_more_px < 0.08


def test_compact_is_near_and_small():
    left, _ = _stereo_pair(1.0, 0)
    data = encode_video(left, frame_rate_hz=10, profile="compact")
    error = decode_video(data).float() - left.float()
    psnr_db = 20 * math.log10(255) - 10 * math.log10(float((error**2).mean()))
    assert psnr_db > 38
    assert len(data) < len(encode_video(left, frame_rate_hz=10, profile="lossless")) / 3


def test_colours_are_bt709():
    # Hand values of ITU-R BT.709 at full range: white, red and blue.
    red, blue = (_YCC_FROM_RGB @ rgb for rgb in np.eye(3)[[0, 2]])
    np.testing.assert_allclose(_YCC_FROM_RGB @ [1, 1, 1], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(red, [0.2126, -0.11457, 0.5], atol=1e-5)
    np.testing.assert_allclose(blue, [0.0722, 0.5, -0.04585], atol=1e-5)


def test_flat_colours_survive_compact():
    colours = torch.tensor([[255, 255, 255], [0, 0, 0], [200, 30, 90], [10, 240, 128]])
    video = colours.to(torch.uint8)[:, :, None, None].expand(4, 3, 32, 32).contiguous()
    back = decode_video(encode_video(video, frame_rate_hz=10, profile="compact"))
    assert (back.int() - video.int()).abs().max() <= 3


@pytest.mark.parametrize("profile", ["lossless", "compact"])
def test_same_frames_give_same_bytes(profile):
    left, _ = _stereo_pair(1.0, 0)
    assert encode_video(left, frame_rate_hz=10, profile=profile) == encode_video(
        left, frame_rate_hz=10, profile=profile
    )


def test_other_players_read_frames_and_rate():
    import io

    import av

    left, _ = _stereo_pair(1.0, 0)
    with av.open(io.BytesIO(encode_video(left, frame_rate_hz=12.5, profile="compact"))) as file:
        stream = file.streams.video[0]
        assert float(stream.average_rate) == 12.5
        assert (stream.width, stream.height) == (SIZE, SIZE)
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)]
        keys = sum(frame is not None for frame in frames)
    assert keys == FRAMES
    assert np.abs(frames[3].transpose(2, 0, 1).astype(int) - left[3].numpy()).mean() < 3


def test_bad_input_is_refused():
    video = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match="expected a profile out of"):
        encode_video(video, frame_rate_hz=10, profile="tiny")
    with pytest.raises(ValueError, match=r"expected uint8 frames \[time, 3, height, width\]"):
        encode_video(video.float(), frame_rate_hz=10, profile="lossless")
    with pytest.raises(ValueError, match="expected uint8 frames"):
        encode_video(video[:0], frame_rate_hz=10, profile="lossless")


def test_damaged_bytes_are_an_error_and_not_a_picture():
    depth = encode_depth(torch.ones(2, 8, 8), frame_rate_hz=10)
    with pytest.raises(RuntimeError, match="cannot decode 5 bytes"):
        decode_video(b"noise")
    with pytest.raises(RuntimeError, match="cannot decode"):
        decode_depth(depth[: len(depth) // 3])


def _drift_px(video):
    """Return how far points of a video move to the next frame ``[frame, point, xy]``, pixels."""
    grey = [cv2.cvtColor(f.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY) for f in video]
    inside = np.arange(12, SIZE - 12, 6, dtype=np.float32)
    points = np.stack(np.meshgrid(inside, inside), -1).reshape(-1, 2)
    drifts = []
    for first, second in itertools.pairwise(grey):
        guess = points + np.float32(DRIFT_PX)
        found, ok, _ = cv2.calcOpticalFlowPyrLK(
            first,
            second,
            points,
            guess,
            winSize=(15, 15),
            maxLevel=0,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        assert ok.all()
        drifts.append(found - points)
    return np.array(drifts)


def test_compact_moves_flow_by_less_than_a_tenth_of_a_pixel():
    """Flow suffers more than disparity: H.264 predicts in steps of a quarter pixel, and reuses."""
    video, _ = _stereo_pair(1.0, 0)
    before = _drift_px(video)
    assert np.abs(before - DRIFT_PX).mean() < 0.02
    moved = np.linalg.norm(_drift_px(_stored("compact")(video)) - before, axis=-1)
    assert moved.mean() < 0.08
    assert np.quantile(moved, 0.99) < 0.2


def test_lossless_leaves_flow_alone():
    video, _ = _stereo_pair(1.0, 0)
    np.testing.assert_array_equal(_drift_px(_stored("lossless")(video)), _drift_px(video))
