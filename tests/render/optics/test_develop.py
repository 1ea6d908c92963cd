import math
from dataclasses import replace

import kornia
import numpy as np
import pytest
import torch
from merkwelt.render.key import ClipKey
from merkwelt.render.optics.develop import developed, quantised
from merkwelt.render.optics.exposure import adapted_stops, drift, exposure_stops, white_balance
from merkwelt.render.optics.noise import with_noise
from merkwelt.render.optics.settings import OpticsSettings
from merkwelt.render.optics.transfer import light_from_srgb, luminance, srgb_from_light

KEY = ClipKey(dataset_seed=0, scene="room", clip=3)
TIME_S = np.arange(40) / 10
FLAT = np.full(40, 0.2)


def _light_of(settings, level=0.1, frames=2, eyes=1, key=KEY, size=8):
    """The linear light that the developed video of an even grey says."""
    light = torch.full((eyes, frames, size, size, 3), level)
    video = developed(light, settings, key, TIME_S[:frames], np.ones(frames))
    return light_from_srgb(video.double() / 255)


def test_the_transfer_is_that_of_kornia():
    colour = torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    light = light_from_srgb(colour)
    torch.testing.assert_close(light, kornia.color.rgb_to_linear_rgb(colour), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(
        srgb_from_light(light), kornia.color.linear_rgb_to_rgb(light), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(srgb_from_light(light), colour, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stops", [-2.0, 1.0, 2.0])
def test_a_stop_doubles_the_light(stops):
    plain, more = (_light_of(OpticsSettings(exposure_stops=s, lids=True)) for s in (0.0, stops))
    # Half a code of 8 bits is at most 1.2 % of light 0.1 and 3 % of light 0.025.
    assert float(more.mean() / plain.mean()) == pytest.approx(2**stops, rel=0.04)
    exact = exposure_stops(OpticsSettings(exposure_stops=stops), KEY, TIME_S, FLAT)
    np.testing.assert_array_equal(exact, stops)
    assert float(_light_of(OpticsSettings(exposure_stops=9.0)).min()) == 1.0


def test_exposure_varies_between_clips_by_its_spread():
    settings = OpticsSettings(exposure_stops=0.3, exposure_spread_stops=0.5)
    drawn = [
        exposure_stops(settings, replace(KEY, clip=clip), TIME_S, FLAT) for clip in range(2000)
    ]
    assert np.ptp(drawn, axis=1).max() == 0
    # Standard errors: 0.011 of the mean and 0.008 of the deviation.
    assert np.mean(drawn) == pytest.approx(0.3, abs=0.04)
    assert np.std(drawn) == pytest.approx(0.5, abs=0.03)


def test_drift_is_slow_smooth_and_of_variance_one():
    fine = np.arange(400) / 100
    courses = np.stack([drift(np.random.default_rng(s), fine, 2.0) for s in range(1500)])
    assert courses.var() == pytest.approx(1.0, abs=0.08)
    lag = (courses[:, 0] * courses[:, 200]).mean()
    assert lag == pytest.approx(math.exp(-0.5), abs=0.08)
    assert np.abs(np.diff(courses, axis=1)).max() < 0.05
    np.testing.assert_allclose(
        drift(np.random.default_rng(7), fine[::10], 2.0), courses[7, ::10], rtol=1e-12, atol=1e-12
    )


def test_exposure_adapts_to_a_step_of_light_as_a_low_pass():
    light = np.where(TIME_S < 1.0, 0.1, 0.4)
    stops = adapted_stops(light, TIME_S, 0.5)
    expected = -2 * (1 - np.exp(-np.maximum(TIME_S - 1.0, 0) / 0.5))
    np.testing.assert_allclose(stops, expected, atol=1e-12)
    half = OpticsSettings(adaptation=0.5)
    np.testing.assert_allclose(exposure_stops(half, KEY, TIME_S, light), expected / 2, atol=1e-12)


@pytest.mark.parametrize("level", [0.0, 0.02, 0.3, 0.8])
def test_noise_has_the_variance_of_the_model(level):
    settings = OpticsSettings(shot_noise=0.06, read_noise=0.01)
    light = torch.full((3, 200, 200, 3), level)
    error = with_noise(light, settings, KEY, 0).double() - level
    variance = 0.06**2 * level + 0.01**2
    # 360,000 numbers: the standard error of the variance is 0.24 %, of the mean 0.0017 sigma.
    assert float(error.var()) == pytest.approx(variance, rel=0.01)
    assert abs(float(error.mean())) < 0.008 * math.sqrt(variance)


def test_eyes_and_frames_have_noise_of_their_own():
    settings = OpticsSettings(read_noise=1.0)
    light = torch.zeros(2, 64, 64, 3)
    left, right = (with_noise(light, settings, KEY, eye) for eye in (0, 1))
    pairs = [(left[0], left[1]), (left[0], right[0]), (left[0], right[1])]
    for one, two in pairs:
        assert abs(float(torch.corrcoef(torch.stack([one.ravel(), two.ravel()]))[0, 1])) < 0.04
    assert torch.equal(left, with_noise(light, settings, KEY, 0))


@pytest.mark.parametrize("stops", [-1.0, 0.5, 1.5])
def test_white_balance_leaves_the_luminance_of_grey(stops):
    settings = OpticsSettings(warmth_stops=stops)
    gains = white_balance(settings, KEY)
    assert gains[0] / gains[2] == pytest.approx(2**stops)
    assert float(luminance(torch.from_numpy(gains))) == pytest.approx(1.0)
    grey = _light_of(settings, level=0.3)
    assert float(luminance(grey).mean()) == pytest.approx(0.3, rel=0.01)


def test_no_effect_changes_the_random_numbers_of_another():
    everything = OpticsSettings(
        exposure_spread_stops=0.5,
        drift_stops=0.2,
        warmth_spread_stops=0.4,
        read_noise=0.02,
        shot_noise=0.05,
    )
    alone = OpticsSettings(exposure_spread_stops=0.5)
    drifting = replace(alone, drift_stops=0.2)
    both = exposure_stops(drifting, KEY, TIME_S, FLAT)
    apart = exposure_stops(alone, KEY, TIME_S, FLAT) + exposure_stops(
        OpticsSettings(drift_stops=0.2), KEY, TIME_S, FLAT
    )
    np.testing.assert_allclose(both, apart, atol=1e-12)
    np.testing.assert_array_equal(exposure_stops(everything, KEY, TIME_S, FLAT), both)
    warm = OpticsSettings(warmth_spread_stops=0.4)
    np.testing.assert_array_equal(white_balance(everything, KEY), white_balance(warm, KEY))
    light = torch.rand(2, 8, 8, 3, generator=torch.Generator().manual_seed(0))
    noisy = OpticsSettings(read_noise=0.02, shot_noise=0.05)
    assert torch.equal(with_noise(light, everything, KEY, 1), with_noise(light, noisy, KEY, 1))


def test_both_eyes_share_all_but_the_noise():
    settings = OpticsSettings(exposure_spread_stops=1.0, drift_stops=0.5, warmth_spread_stops=1.0)
    left, right = _light_of(settings, eyes=2, frames=5)
    assert torch.equal(left, right)
    noisy = _light_of(replace(settings, read_noise=0.02), eyes=2, frames=5)
    assert not torch.equal(noisy[0], noisy[1])


def test_lids_take_the_light_away():
    light = torch.full((1, 3, 4, 4, 3), 0.2)
    openness = np.array([1.0, 0.5, 0.0])
    video = developed(light, OpticsSettings(lids=True), KEY, TIME_S[:3], openness)
    seen = light_from_srgb(video.double() / 255).mean(dim=(0, 2, 3, 4))
    np.testing.assert_allclose(seen, [0.2, 0.1, 0.0], rtol=0.02)
    blind = developed(light, OpticsSettings(shot_noise=0.1), KEY, TIME_S[:3], openness)
    assert blind.min() > 0


def test_bits_are_rounded_to_the_nearest():
    assert quantised(torch.tensor([-0.1, 0.1 / 255, 0.6 / 255, 1.0, 3.0])).tolist() == [
        0,
        0,
        1,
        255,
        255,
    ]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"shutter": 1.5}, "optics.shutter between 0 and 1"),
        ({"adaptation": 2.0}, "optics.adaptation between 0 and 1"),
        ({"shot_noise": -0.1}, "optics.shot_noise to be finite and at least 0, got -0.1"),
        ({"exposure_stops": math.nan}, "optics.exposure_stops to be finite, got nan"),
        ({"sub_frames": 0}, "at least one sub-frame"),
        ({"drift_s": 0.0}, "positive times"),
    ],
)
def test_settings_that_cannot_be_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        OpticsSettings(**bad)
