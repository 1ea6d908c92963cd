import numpy as np
import pytest
import scipy.stats
import torch
from merkwelt.objectives.harmonizer.ranks import spearman


def test_ties_are_averaged_as_by_scipy():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(4, 9, 9))
    second = np.maximum(rng.normal(size=(4, 9, 9)), 0)  # half of it is exactly 0
    got = spearman(torch.from_numpy(first).float(), torch.from_numpy(second).float())
    for i in range(4):
        expected = scipy.stats.spearmanr(first[i].ravel(), second[i].ravel()).statistic
        assert float(got[i]) == pytest.approx(expected, abs=1e-12)


def test_large_maps_do_not_overflow():
    # The construction on which torchmetrics gives 0.0211.
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(288 * 288, generator=generator)
    second = torch.where(torch.rand(288 * 288, generator=generator) < 0.8, 0, first)
    rho = spearman(first.view(1, 288, 288), second.view(1, 288, 288))
    expected = scipy.stats.spearmanr(first.numpy(), second.numpy()).statistic
    assert float(rho) == pytest.approx(expected, abs=1e-12)


def test_what_cannot_be_ranked_is_nan():
    maps = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    other = maps.clone()
    other[0] = 0.5
    other[1, 0, 0] = torch.nan
    rho = spearman(maps, other)
    assert rho[:2].isnan().all()
    assert float(rho[2]) == pytest.approx(1)
