import numpy as np
import pytest
import torch
from merkwelt.objectives.latent.spread_terms import spread_terms


def test_terms_are_those_of_numpy():
    features = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)) * 0.7
    covariance = np.cov(features.double().numpy().T, bias=True)
    narrow, shared = spread_terms(features)
    spread = np.sqrt(np.diag(covariance) + 1e-4)
    assert float(narrow) == pytest.approx(np.maximum(0, 1 - spread).mean(), rel=1e-5)
    off = covariance - np.diag(np.diag(covariance))
    assert float(shared) == pytest.approx((off**2).sum() / 6, rel=1e-4)


def test_constant_features_cost_the_most():
    narrow, shared = spread_terms(torch.full((20, 4), 3.0))
    assert float(narrow) == pytest.approx(0.99, abs=1e-6)
    assert float(shared) == 0


def test_spread_and_uncorrelated_features_cost_nothing():
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) * 2
    narrow, shared = spread_terms(corners)
    assert float(narrow) == 0
    assert float(shared) == pytest.approx(0, abs=1e-6)
