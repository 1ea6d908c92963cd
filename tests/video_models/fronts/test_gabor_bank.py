import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.video_models.fronts import GaborBank, GaborBankConfig
from merkwelt.video_models.fronts.gabor import (
    GaborPairs,
    GaborShape,
    gabor_pairs,
    sigma_across_px,
    sigma_along_px,
    size_px,
)
from scipy.signal import correlate2d

BANDWIDTH_OCTAVES, BANDWIDTH_RAD = 1.4, math.radians(40)
CONFIG = GaborBankConfig(eyes=1, image_channels=1, normalise=False)


def _shape(frequency, sigmas=4.0):
    along = sigma_along_px(frequency, BANDWIDTH_OCTAVES)
    across = sigma_across_px(frequency, BANDWIDTH_RAD)
    return GaborShape(
        frequency=frequency,
        sigma_along_px=along,
        sigma_across_px=across,
        size_px=size_px(max(along, across), sigmas=sigmas),
    )


def _amplitude(pair, frequency, angle=0.0):
    """Return the pair's amplitude for a grating of amplitude 1: its Fourier sum, in a loop."""
    half = pair.shape[-1] // 2
    total = 0j
    for row in range(-half, half + 1):
        x = np.arange(-half, half + 1)
        phase = 2 * math.pi * frequency * (x * math.cos(angle) + row * math.sin(angle))
        taps = pair[0, row + half] + 1j * pair[1, row + half]
        total += (taps * np.exp(-1j * phase)).sum()
    other = 0j  # the grating's other half, at the negative frequency
    for row in range(-half, half + 1):
        x = np.arange(-half, half + 1)
        phase = 2 * math.pi * frequency * (x * math.cos(angle) + row * math.sin(angle))
        other += ((pair[0, row + half] + 1j * pair[1, row + half]) * np.exp(1j * phase)).sum()
    return abs(total) / 2, abs(other) / 2


def _fourier(shape, along, across=0.0):
    """Return a Gabor's Fourier transform, closed form, at most 1."""
    a = shape.sigma_along_px * (along - shape.frequency)
    b = shape.sigma_across_px * across
    return math.exp(-2 * math.pi**2 * (a * a + b * b))


@pytest.mark.parametrize("frequency", [0.06, 0.15, 0.25])
def test_frequency_tuning_is_the_fourier_transform(frequency):
    shape = _shape(frequency)
    pair = gabor_pairs(shape, [0.0])[0].numpy()
    tried = np.linspace(0.5, 1.6, 45) * frequency
    got = np.array([_amplitude(pair, each)[0] for each in tried])
    expected = [_fourier(shape, each) for each in tried]
    # The mean that is taken off is 3 % of the cosine's sum, spread over the whole filter.
    np.testing.assert_allclose(got, expected, atol=0.01)
    assert abs(tried[got.argmax()] / frequency - 1) <= 1.1 / 44


@pytest.mark.parametrize("frequency", [0.06, 0.15])
def test_bandwidths_at_half_amplitude_are_those_asked_for(frequency):
    pair = gabor_pairs(_shape(frequency), [0.0])[0].numpy()
    tried = np.linspace(0.4, 1.9, 201) * frequency
    above = tried[[_amplitude(pair, each)[0] > 0.5 for each in tried]]
    assert abs(math.log2(above[-1] / above[0]) - BANDWIDTH_OCTAVES) < 0.04
    # Across the carrier the frequency at half amplitude is f tan(20 degrees).
    sides = np.linspace(0.25, 0.5, 51) * frequency
    wide = sides[
        [
            _amplitude(pair, math.hypot(frequency, s), math.atan2(s, frequency))[0] > 0.5
            for s in sides
        ]
    ]
    assert abs(math.degrees(2 * math.atan(wide[-1] / frequency)) - 40) < 0.5


@pytest.mark.parametrize("angle_deg", [0, 30, 90, 135])
def test_orientation_tuning_peaks_at_its_orientation(angle_deg):
    shape = _shape(0.15)
    pair = gabor_pairs(shape, [math.radians(angle_deg)])[0].numpy()
    tried = np.arange(angle_deg - 90, angle_deg + 90, 2)
    got = np.array([max(_amplitude(pair, 0.15, math.radians(each))) for each in tried])
    assert tried[got.argmax()] == angle_deg
    turn = math.radians(20)
    expected = _fourier(shape, 0.15 * math.cos(turn), 0.15 * math.sin(turn))
    here = _amplitude(pair, 0.15, math.radians(angle_deg + 20))[0]
    assert abs(here - expected) < 0.01


def test_filters_have_no_answer_to_uniform_light():
    pairs = gabor_pairs(_shape(0.1), [0.0, 1.0])
    assert pairs.sum(dim=(-2, -1)).abs().max() < 1e-12
    cells = GaborBank(CONFIG)(torch.full((1, 1, 1, 1, 40, 40), 0.8))
    # In single precision the sum over up to 1,600 taps is 0 to about 1e-6.
    assert cells.abs().max() < 1e-5


def test_filtering_is_an_independent_convolution():
    image = torch.rand(1, 40, 44, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shape, angles = _shape(0.2, sigmas=3.0), [0.3, 1.2]
    bank = GaborPairs([shape], angles, learnable=False).double()
    got = bank(image)[0, 0].numpy()
    half = shape.size_px // 2
    padded = np.pad(image[0].numpy(), half, mode="edge")
    for i, pair in enumerate(gabor_pairs(shape, angles).numpy()):
        for j in range(2):
            expected = correlate2d(padded, pair[j], mode="valid")
            np.testing.assert_allclose(got[i, j], expected, atol=1e-6)  # taps are single
    strided = bank(image, stride=2)[0, 0].numpy()
    np.testing.assert_allclose(strided, got[..., ::2, ::2], atol=1e-12)


def _gratings(frequency, angle, phases, size=64):
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    along = x * math.cos(angle) + y * math.sin(angle)
    waves = 0.5 + 0.5 * (2 * math.pi * frequency * along + phases.view(-1, 1, 1)).cos()
    return waves.view(1, 1, -1, 1, size, size).float()


@pytest.mark.parametrize("index", [(0, 0), (1, 1), (2, 3)])
def test_complex_cells_do_not_care_about_phase_and_simple_cells_do(index):
    f, o = index
    frequency, angle = CONFIG.peak_frequencies()[f], CONFIG.angles_rad()[o]
    bank = GaborBank(CONFIG)
    frames = _gratings(frequency, angle, torch.linspace(0, 2 * math.pi, 17)[:-1])
    cells = bank.responses(frames[0])[:, 0, f, o, :, 16, 16]
    simple, complex_cell = cells[:, :4], cells[:, 4]
    # The mean taken off the cosine filter leaves the pair 3 % short of quadrature.
    assert (complex_cell.amax() - complex_cell.amin()) / complex_cell.mean() < 0.06
    assert abs(float(complex_cell.mean()) - 1) < 0.05
    assert simple.min() == 0
    assert (simple.amax(dim=0) - 1).abs().max() < 0.06
    # Opposite phases are never awake together.
    assert (simple[:, 0] * simple[:, 2]).max() < 1e-9


def test_each_grating_wakes_its_own_complex_cell_most():
    bank = GaborBank(CONFIG)
    for f, frequency in enumerate(CONFIG.peak_frequencies()):
        for o, angle in enumerate(CONFIG.angles_rad()):
            frames = _gratings(frequency, angle, torch.zeros(1))
            best = bank.responses(frames[0])[0, 0, :, :, 4, 16, 16].argmax()
            assert int(best) == f * 4 + o


def test_peaks_are_quantiles_and_orientations_lean_to_the_cardinal_ones():
    low, middle, high = CONFIG.peak_frequencies()
    assert middle == pytest.approx(0.15)
    # The normal distribution's sixth lies 0.9674 standard deviations below the median.
    assert math.log2(middle / low) == pytest.approx(0.9674, abs=1e-3)
    assert math.log2(high / middle) == pytest.approx(0.9674, abs=1e-3)
    degrees = np.degrees(CONFIG.angles_rad())
    np.testing.assert_allclose(degrees, [0, 45, 90, 135], atol=1e-3)
    many = np.degrees(replace(CONFIG, orientations=720).angles_rad())
    cardinal = np.abs((many + 22.5) % 90 - 22.5) < 22.5
    # 1 + bias cos(4 angle), integrated: one half plus bias / pi.
    assert cardinal.mean() == pytest.approx(0.5 + 0.25 / math.pi, abs=0.005)
    even = np.degrees(replace(CONFIG, orientations=8, cardinal_bias=0.0).angles_rad())
    np.testing.assert_allclose(even, np.arange(8) * 22.5, atol=1e-9)


def test_eyes_drive_the_banks_by_their_dominance():
    bank = GaborBank(GaborBankConfig(image_channels=1, normalise=False))
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(2, 1, 1, 32, 32, generator=generator)
    dark = torch.full_like(frames, 0.5)
    left_only = torch.stack([frames[0], dark[1]])
    cells = bank.responses(left_only)[0]
    torch.testing.assert_close(cells[0], bank.responses(frames)[0, 0])
    assert cells[2].abs().max() < 1e-5
    # One eye gives the binocular cells half of what it gives its own.
    torch.testing.assert_close(cells[1], cells[0] / 2, atol=2e-4, rtol=1e-3)


def test_normalised_responses_hardly_depend_on_contrast():
    bank = GaborBank(replace(CONFIG, normalise=True))
    grating = _gratings(0.15, 0.0, torch.zeros(1))[0] - 0.5
    full, half, none = (bank.responses(0.5 + c * grating).amax() for c in (1.0, 0.5, 0.0))
    assert full <= 1
    assert half / full > 0.95
    assert none < 1e-4


def test_noise_has_the_variance_of_the_mean_and_is_there_in_training_only():
    config = replace(CONFIG, spikes=20.0)
    bank = GaborBank(config)
    clips = _gratings(0.15, 0.0, torch.zeros(1), size=32)
    quiet = bank.eval()(clips)
    assert torch.equal(quiet, GaborBank(CONFIG)(clips))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        noisy = bank.train()(clips.expand(1, 1, 600, 1, 32, 32)) - quiet
    awake = quiet[0, 0, 0] > 0.2
    counts_variance = noisy[0, 0].var(dim=0)[awake] * 20**2
    counts_mean = quiet[0, 0, 0][awake] * 20
    # 600 draws give a variance to 6 %; hundreds of cells average that.
    assert abs(float((counts_variance / counts_mean).mean()) - 1) < 0.02


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"eyes": 3}, "expected 1 or 2 eyes for GaborBankConfig, got 3"),
        ({"orientations": 0}, "at least 1 for orientations"),
        ({"median_frequency": 0.4}, "peak frequencies of at most 0.5 cycles per pixel"),
        ({"ocular_dominance": (2.0,)}, r"ocular dominances in \[-1, 1\]"),
        ({"spikes": 0.0}, "above 0"),
        ({"bandwidth_deg": 0.0}, "expected bandwidth_deg above 0"),
        ({"cardinal_bias": 1.0}, "cardinal_bias"),
        ({"image_channels": 2}, "1 or 3 image channels"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        GaborBankConfig(**wrong)
