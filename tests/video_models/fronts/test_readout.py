"""The readout, and the energy and correlation fronts on a real pair with measured disparity."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from merkwelt.video_models.fronts import (
    CorrelationVolume,
    CorrelationVolumeConfig,
    DisparityEnergy,
    DisparityEnergyConfig,
    disparity_of_tuning,
)
from scipy.stats import spearmanr

SHRINK = 8
RANGE_PX = 8


def test_a_parabola_is_read_to_its_top():
    disparities = torch.arange(-3.0, 4.0)
    tops = torch.tensor([[-1.3, 0.0, 2.4], [1.49, -2.0, 0.25]])
    tuning = -((disparities.view(-1, 1, 1) - tops) ** 2)
    torch.testing.assert_close(disparity_of_tuning(tuning, disparities.tolist()), tops)


def test_the_ends_and_ties_are_left_alone():
    tuning = torch.tensor([3.0, 1, 0]).view(1, 3, 1, 1)
    assert disparity_of_tuning(tuning, (-1, 0, 1)).item() == -1
    assert disparity_of_tuning(tuning.flip(1), (-1, 0, 1)).item() == 1
    assert disparity_of_tuning(torch.zeros(3, 2, 2), (0, 1, 2)).isfinite().all()


def test_what_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="a disparity for each of 3 responses"):
        disparity_of_tuning(torch.zeros(3, 2, 2), (0, 1))
    with pytest.raises(ValueError, match="evenly spaced"):
        disparity_of_tuning(torch.zeros(3, 2, 2), (0, 1, 3))


@pytest.fixture(scope="module")
def motorcycle():
    """Return clips and true disparity of Middlebury's Motorcycle (Scharstein et al. 2014)."""
    from skimage.data import stereo_motorcycle

    left, right, disparity = stereo_motorcycle()
    pictures = torch.from_numpy(np.stack([left, right])).permute(0, 3, 1, 2).float() / 255
    clips = F.avg_pool2d(pictures, SHRINK).view(1, 2, 1, 3, 62, 92)
    truth = torch.from_numpy(np.where(np.isfinite(disparity), disparity, np.nan)).float()
    blocks = truth[: 62 * SHRINK, : 92 * SHRINK].unfold(0, SHRINK, SHRINK)
    blocks = blocks.unfold(1, SHRINK, SHRINK).flatten(2)
    return clips, blocks.nanmedian(dim=-1).values.numpy() / SHRINK


def _fronts():
    tried = range(-RANGE_PX, RANGE_PX + 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        correlation = CorrelationVolume(
            CorrelationVolumeConfig(farthest_px=-RANGE_PX, nearest_px=RANGE_PX, pool_px=1)
        )
    energy = DisparityEnergy(DisparityEnergyConfig(disparities_px=tuple(tried), pool_px=1))
    return {"energy": energy, "correlation": correlation}


def _agreement(front, clips, truth):
    """Return the rank correlation with the truth, and the share of places within a pixel."""
    with torch.no_grad():
        tuning = front.tuning(clips, window=5)[0, 0]
    tried = range(-RANGE_PX, RANGE_PX + 1)
    found = disparity_of_tuning(tuning, tried).numpy()
    known = np.isfinite(truth)
    near = np.abs(found - truth)[known] < 1
    return spearmanr(found[known], truth[known]).statistic, near.mean()


# Measured: energy 0.67 and 80 %, correlation 0.80 and 85 %; see docs/stereo_fronts.md.
@pytest.mark.parametrize(
    ("name", "rank", "share"), [("energy", 0.6, 0.75), ("correlation", 0.7, 0.8)]
)
def test_the_disparity_of_a_real_pair_is_found_and_only_with_its_eyes_in_place(
    motorcycle, name, rank, share
):
    clips, truth = motorcycle
    assert np.nanmin(truth) > 0.9
    front = _fronts()[name]
    found, near = _agreement(front, clips, truth)
    assert found > rank
    assert near > share
    swapped, near_swapped = _agreement(front, clips.flip(1), truth)
    assert swapped < -0.4
    assert near_swapped < 0.05
    opposite = torch.stack([clips[:, 0], 1 - clips[:, 1]], dim=1)
    anticorrelated, near_anticorrelated = _agreement(front, opposite, truth)
    assert abs(anticorrelated) < 0.2
    assert near_anticorrelated < 0.05
