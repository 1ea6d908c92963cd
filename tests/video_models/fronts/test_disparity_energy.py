import math

import numpy as np
import pytest
import torch
from merkwelt.video_models.fronts import DisparityEnergy, DisparityEnergyConfig
from scipy.signal import correlate2d

from .stereograms import as_clips, random_dots

ORACLE = {
    "image_channels": 1,
    "disparities_px": (-3, -2, -1, 0, 1, 2, 3),
    "frequencies": (1 / 8,),
    "angles_deg": (0,),
    "sigma_px": 5.0,
    "size_px": 25,
    "normalise": False,
    "pool_px": 1,
    "append_left": False,
}
HALF_PX = 12
DISPARITIES = range(-3, 4)


def _reference_filter(phase):
    """Return the oracle's filter, to the letter: 25 x 25, f = 1/8, sigma 5, mean subtracted."""
    taps = np.zeros((25, 25))
    for row in range(25):
        for column in range(25):
            y, x = row - HALF_PX, column - HALF_PX
            envelope = math.exp(-(x * x + y * y) / (2 * 5.0**2))
            taps[row, column] = envelope * math.cos(2 * math.pi * x / 8 + phase)
    return taps - taps.mean()


def _reference_energy(left, right, preferred):
    """Return the energy at every place where the filters fit, by scipy, in double precision."""
    total = 0.0
    for phase in (0.0, math.pi / 2):
        answer = correlate2d(left, _reference_filter(phase), mode="valid")
        lead = phase + 2 * math.pi * preferred / 8
        total = total + (answer + correlate2d(right, _reference_filter(lead), mode="valid")) ** 2
    return total


def _inside(values):
    """Leave out places whose filters reach beyond the picture: the oracle has no padding."""
    return values[..., HALF_PX:-HALF_PX, HALF_PX:-HALF_PX]


def _responses(front, left, right):
    """Return one response of each stimulus to each preferred disparity: means over space."""
    with torch.no_grad():
        energies = front(as_clips(left, right))[:, 0, 0]
    return _inside(energies).mean(dim=(-2, -1))


@pytest.mark.parametrize("shift", ["phase", "position"])
def test_every_random_dot_stereogram_is_seen_at_its_disparity(shift):
    front = DisparityEnergy(DisparityEnergyConfig(**ORACLE, shift=shift))
    for disparity in DISPARITIES:
        responses = _responses(front, *random_dots(disparity))
        assert responses.argmax(dim=1).tolist() == [disparity + 3] * 64


@pytest.mark.parametrize("shift", ["phase", "position"])
def test_anticorrelated_stereograms_hardly_answer_at_the_preferred_disparity(shift):
    front = DisparityEnergy(DisparityEnergyConfig(**ORACLE, shift=shift))
    for disparity in DISPARITIES:
        left, right = random_dots(disparity)
        correlated = _responses(front, left, right)[:, disparity + 3]
        anticorrelated = _responses(front, left, -right)[:, disparity + 3]
        # Phase shifts leave the envelopes in place: at 3 px single stimuli reach 0.08.
        assert anticorrelated.mean() / correlated.mean() <= 0.05
        assert (anticorrelated / correlated).max() < (0.1 if shift == "phase" else 1e-3)


def test_swapped_eyes_are_seen_at_the_opposite_disparity():
    front = DisparityEnergy(DisparityEnergyConfig(**ORACLE, shift="phase"))
    left, right = random_dots(2, count=8)
    assert _responses(front, right, left).argmax(dim=1).tolist() == [1] * 8


def test_energies_are_those_of_an_independent_convolution():
    left, right = random_dots(2, count=1)
    front = DisparityEnergy(DisparityEnergyConfig(**ORACLE, shift="phase")).double()
    got = _inside(front(as_clips(left, right).double())[0, 0, 0]).detach().numpy()
    # Ours are scaled so that a grating of amplitude 1 gives amplitude 1 in each eye.
    scale = (2 / _envelope_sum()) ** 2
    for preferred in DISPARITIES:
        expected = scale * _reference_energy(left[0, 0].numpy(), right[0, 0].numpy(), preferred)
        # Filters and phases are kept in single precision.
        np.testing.assert_allclose(got[preferred + 3], expected, rtol=1e-4, atol=1e-6)


def _envelope_sum():
    return sum(math.exp(-n * n / 50) for n in range(-HALF_PX, HALF_PX + 1)) ** 2


def test_the_oracle_itself_says_what_the_reference_says():
    for disparity in (-3, 1):
        left, right = (each[0, 0].numpy() for each in random_dots(disparity, count=1))
        means = [_reference_energy(left, right, each).mean() for each in DISPARITIES]
        assert int(np.argmax(means)) == disparity + 3


def test_normalised_energy_is_one_for_the_same_half_for_unrelated_and_none_for_opposites():
    config = {**ORACLE, "normalise": True, "semi_saturation": 3e-4}
    front = DisparityEnergy(DisparityEnergyConfig(**config))
    left, _ = random_dots(0)
    other, _ = random_dots(1)
    zero = ORACLE["disparities_px"].index(0)
    same, unrelated, opposite = (
        _responses(front, left, right)[:, zero] for right in (left, other, -left)
    )
    # Semi-saturation adds 1e-7 to energies of about 1e-2, seldom less than 1e-4.
    assert (same - 1).abs().max() < 1e-3
    assert abs(float(unrelated.mean()) - 0.5) < 0.02
    assert opposite.abs().max() < 1e-6
    flat = front(torch.full((1, 2, 1, 1, 32, 32), 0.7))
    # What rounding leaves of 0.7 times taps whose sum is 0.
    assert flat.abs().max() < 1e-3


def test_energy_does_not_depend_on_the_phase_of_a_grating():
    front = DisparityEnergy(DisparityEnergyConfig(**ORACLE))
    x = torch.arange(96).float()
    phases = torch.linspace(0, 2 * math.pi, 13)[:-1]
    gratings = 0.5 * (2 * math.pi * x / 8 + phases.view(-1, 1)).cos()
    pictures = gratings.view(12, 1, 1, 96).expand(-1, -1, 96, -1)
    with torch.no_grad():
        zero = _inside(front(as_clips(pictures, pictures))[:, 0, 0, 3])
    # The filters end at 2.5 standard deviations and only the cosine has a mean to take off, so the
    # pair is a little out of quadrature: measured 1.0 %. Full contrast in both eyes gives 1.
    assert (zero.amax() - zero.amin()) / zero.mean() < 0.015
    assert abs(float(zero.mean()) - 1) < 0.02


def test_channels_stand_in_the_promised_order():
    both = DisparityEnergyConfig(
        shift="both", frequencies=(0.05, 0.08), disparities_px=(-2, 0, 2), colours="opponent"
    )
    front = DisparityEnergy(both)
    clips = torch.rand(1, 2, 1, 3, 24, 24, generator=torch.Generator().manual_seed(3))
    out = front(clips)[0, 0, 0]
    assert out.shape == (both.out_channels, 12, 12)
    assert both.units == 2 * 3 * 2 * 3 * 3
    energies = front.energies(clips[:, 0, 0], clips[:, 1, 0])
    assert energies.shape == (1, 2, 3, 2, 3, 3, 12, 12)
    # Position and phase units that prefer 0 are the same units.
    torch.testing.assert_close(energies[:, 0, ..., 1, :, :], energies[:, 1, ..., 1, :, :])
    index = (((1 * 3 + 2) * 2 + 1) * 3 + 0) * 3 + 2
    torch.testing.assert_close(out[index], energies[0, 1, 2, 1, 0, 2])
    averaged = clips[0, 0, 0].unfold(1, 2, 2).unfold(2, 2, 2).mean(dim=(-2, -1))
    torch.testing.assert_close(out[-3:], averaged)


def test_all_learnable_parts_get_a_gradient():
    config = DisparityEnergyConfig(
        shift="phase", frequencies=(0.08,), disparities_px=(-1, 1), learnable=True
    )
    front = DisparityEnergy(config)
    assert sum(p.numel() for p in DisparityEnergy(DisparityEnergyConfig()).parameters()) == 0
    front(torch.rand(1, 2, 1, 3, 20, 20)).square().mean().backward()
    for name, each in front.named_parameters():
        assert each.grad is not None, name
        assert each.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (
            {"shift": "phase", "angles_deg": (180,), "frequencies": (0.25,)},
            r"within half a cycle \(2 px\) for phase shifts, got 6 px",
        ),
        ({"eyes": 1}, "expected 2 eyes for DisparityEnergyConfig, got 1; disparity lies between"),
        ({"shift": "phase"}, r"half a cycle \(2 px\) for phase shifts, got 6 px"),
        ({"disparities_px": (0.5, 1)}, "whole pixels for position shifts"),
        ({"image_channels": 1, "colours": "opponent"}, "expected 3 image channels"),
        ({"frequencies": (0.7,)}, r"frequencies in \(0, 0.5\]"),
        ({"size_px": 8}, "odd size_px"),
        ({"disparities_px": ()}, "expected disparities"),
        ({"semi_saturation": 0.0}, "above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        DisparityEnergyConfig(**wrong)
