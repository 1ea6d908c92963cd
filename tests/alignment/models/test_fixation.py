import math

import pytest
import torch
from merkwelt.alignment.models.fixation import (
    EyeMovement,
    FixatingEncoder,
    gaze_path_deg,
    moved,
)


def _clips(frames=3, size=12):
    image = torch.rand(2, 1, 1, 3, size, size, generator=torch.Generator().manual_seed(0))
    return image.expand(-1, 2, frames, -1, -1, -1)


def test_gaze_starts_at_zero_and_a_longer_clip_begins_like_a_shorter_one():
    path = gaze_path_deg(EyeMovement(seed=4), 12)
    assert torch.equal(path[0], torch.zeros(2))
    assert torch.equal(path[:5], gaze_path_deg(EyeMovement(seed=4), 5))
    assert not torch.equal(path, gaze_path_deg(EyeMovement(seed=5), 12))


def test_drift_spreads_as_brownian_motion_does():
    movement = EyeMovement(microsaccades_hz=0.0, drift_arcmin2_per_s=40.0, frame_rate_hz=30.0)
    steps = gaze_path_deg(movement, 4000).diff(dim=0) * 60
    # Variance of each coordinate: 2 D t. 4000 steps give its square root to 1.2 % (one SD).
    expected = math.sqrt(2 * 40 / 30)
    assert steps.std(dim=0).tolist() == pytest.approx([expected, expected], rel=0.05)


def test_microsaccades_come_at_their_rate_and_amplitude():
    movement = EyeMovement(drift_arcmin2_per_s=0.0, microsaccades_hz=1.5, frame_rate_hz=30.0)
    lengths = gaze_path_deg(movement, 6001).diff(dim=0).norm(dim=1)
    jumps = lengths[lengths > 0]
    # 300 expected in 200 s, with a standard deviation of 17.
    assert 240 < len(jumps) < 360
    assert jumps.min() >= 0.1 - 1e-4
    assert jumps.max() <= 0.6 + 1e-4


def test_where_gaze_goes_right_and_down_the_image_goes_left_and_up():
    clips = _clips(frames=2, size=10)
    # Ten pixels span ten degrees, so gaze moves by whole pixels here.
    gaze = torch.tensor([[0.0, 0.0], [2.0, 1.0]])
    seen = moved(clips, gaze, image_width_deg=10.0)
    torch.testing.assert_close(seen[:, :, 0], clips[:, :, 0])
    torch.testing.assert_close(seen[:, :, 1, :, :-1, :-2], clips[:, :, 1, :, 1:, 2:])


def test_pixels_are_square_in_wide_images_too():
    clips = torch.rand(1, 1, 1, 3, 8, 16, generator=torch.Generator().manual_seed(1))
    seen = moved(clips, torch.tensor([[1.0, 1.0]]), image_width_deg=16.0)
    torch.testing.assert_close(seen[..., :-1, :-1], clips[..., 1:, 1:])


class Last(torch.nn.Module):
    eyes = 2
    causal = True

    def forward(self, clips):
        from merkwelt.video_models.encoder import Features

        return Features(maps={}, pooled=clips.mean(dim=(1, 4, 5)))


def test_both_eyes_see_the_same_movement_and_every_image_the_same_path():
    seen = []

    class Watching(Last):
        def forward(self, clips):
            seen.append(clips)
            return super().forward(clips)

    encoder = FixatingEncoder(Watching(), EyeMovement(seed=1, image_width_deg=2.0))
    assert (encoder.eyes, encoder.causal) == (2, True)
    encoder(_clips(frames=6))
    encoder(_clips(frames=6)[1:])
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])
    torch.testing.assert_close(seen[0][1:], seen[1])
    assert not torch.equal(seen[0][:, :, 0], seen[0][:, :, -1])


def test_an_eye_that_does_not_move_changes_nothing():
    still = EyeMovement(drift_arcmin2_per_s=0.0, microsaccades_hz=0.0)
    clips = _clips()
    seen = FixatingEncoder(Last(), still)(clips).pooled
    torch.testing.assert_close(seen, Last()(clips).pooled)


def test_gradients_come_back_in_the_still_images_place():
    clips = _clips(frames=2, size=10).clone().requires_grad_()
    seen = moved(clips, torch.tensor([[0.0, 0.0], [3.0, 0.0]]), image_width_deg=10.0)
    # What is seen at column 4 of the second frame is column 7 of the image.
    seen[0, 0, 1, 0, 5, 4].backward()
    assert clips.grad is not None
    place = clips.grad[0, 0, 1, 0].abs().argmax().item()
    assert divmod(place, 10) == (5, 7)


def test_impossible_eyes_are_refused():
    with pytest.raises(ValueError, match="below one degree"):
        EyeMovement(microsaccade_deg=(0.1, 1.5))
    with pytest.raises(ValueError, match="positive width"):
        EyeMovement(image_width_deg=0.0)
