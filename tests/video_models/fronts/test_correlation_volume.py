import numpy as np
import pytest
import torch
from merkwelt.video_models.fronts import CorrelationVolume, CorrelationVolumeConfig

from .stereograms import as_clips, random_dots


def _front(**config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CorrelationVolume(CorrelationVolumeConfig(image_channels=1, **config))


def _seen_at(front, left, right):
    """Return the disparity of the strongest mean response to each stereogram."""
    with torch.no_grad():
        tuning = front.tuning(as_clips(left, right), window=1)[:, 0]
    inside = tuning[..., 12:-12, 12:-12].mean(dim=(-2, -1))
    return (inside.argmax(dim=1) + front.config.farthest_px).tolist()


def test_every_random_dot_stereogram_is_seen_at_its_disparity():
    front = _front(farthest_px=-3, nearest_px=3, pool_px=1, width=4, window_px=1)
    for disparity in range(-3, 4):
        assert _seen_at(front, *random_dots(disparity)) == [disparity] * 64


def test_swapped_eyes_are_seen_at_the_opposite_disparity():
    left, right = random_dots(2, count=8)
    assert _seen_at(_front(pool_px=1, farthest_px=-3), right, left) == [-2] * 8


def test_correlations_are_those_of_a_loop():
    front = _front(farthest_px=-1, nearest_px=2, width=3, window_px=3)
    generator = torch.Generator().manual_seed(1)
    left, right = torch.randn(2, 1, 3, 6, 9, generator=generator)
    got = front.correlations(left, right)[0].numpy()
    a, b = left[0].double().numpy(), right[0].double().numpy()
    for index, disparity in enumerate(range(-1, 3)):
        for y in range(6):
            for x in range(9):
                expected = _reference_correlation(a, b, y, x, disparity)
                np.testing.assert_allclose(got[index, y, x], expected, atol=1e-5)


def _reference_correlation(a, b, y, x, disparity):
    """Return the correlation of 3 x 3 windows; outside either picture features are 0."""
    product = power_a = power_b = 0.0
    for v in range(max(0, y - 1), min(6, y + 2)):
        for u in range(max(0, x - 1), min(9, x + 2)):
            other = b[:, v, u - disparity] if 0 <= u - disparity < 9 else np.zeros(3)
            product += float(a[:, v, u] @ other)
            power_a += float(a[:, v, u] @ a[:, v, u])
            power_b += float(other @ other)
    return product / np.sqrt(power_a * power_b) if power_b else 0.0


def test_opposite_pictures_correlate_at_minus_one_and_the_volume_shows_it():
    front = _front(farthest_px=-1, nearest_px=1, pool_px=1)
    left, right = random_dots(0, count=1)
    same, opposite = (front(as_clips(left, each))[0, 0, 0, 1] for each in (right, -right))
    torch.testing.assert_close(same, torch.ones_like(same), atol=1e-4, rtol=0)
    torch.testing.assert_close(opposite, torch.zeros_like(same), atol=1e-4, rtol=0)


def test_uniform_pictures_correlate_with_nothing():
    front = _front(pool_px=1)
    tuning = front.tuning(torch.full((1, 2, 1, 1, 24, 24), 0.3))
    assert tuning.abs().max() < 1e-3
    assert front(torch.full((1, 2, 1, 1, 24, 24), 0.3)).isfinite().all()


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"eyes": 1}, "expected 2 eyes"),
        ({"farthest_px": 7}, "farthest_px of at most nearest_px, got 7 and 6"),
        ({"window_px": 2}, "odd window_px"),
        ({"width": 0}, "at least 1"),
        ({"image_channels": 0}, "at least 1 image channel"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        CorrelationVolumeConfig(**wrong)
