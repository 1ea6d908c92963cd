import numpy as np
import pytest
from merkwelt.alignment.probes.similarity import cka_matrix, linear_cka, participation_ratio, rsa
from scipy.stats import ortho_group, spearmanr


def reference_debiased(x, y):
    """HSIC_1 of Song et al. 2012 from kernel matrices, as in their equation 5."""

    def hsic(first, second):
        n = len(first)
        k, m = first - np.diag(np.diag(first)), second - np.diag(np.diag(second))
        one = np.ones(n)
        mixed = one @ k @ m @ one
        sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        return (np.trace(k @ m) + sums - 2 * mixed / (n - 2)) / (n * (n - 3))

    first, second = x @ x.T, y @ y.T
    return hsic(first, second) / np.sqrt(hsic(first, first) * hsic(second, second))


def test_rotation_scale_and_shift_change_nothing():
    x = np.random.default_rng(0).normal(size=(40, 7))
    turned = 3.5 * x @ ortho_group.rvs(7, random_state=1) + 2
    for debiased in (True, False):
        assert linear_cka(x, turned, debiased=debiased) == pytest.approx(1, abs=1e-12)
    assert linear_cka(x, x * np.array([10, 1, 1, 1, 1, 1, 1])) < 0.9


def test_debiased_is_the_kernel_formula():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(30, 9))
    y[:, :2] += x[:, :2]
    assert linear_cka(x + 4, y - 1) == pytest.approx(reference_debiased(x, y), abs=1e-12)


def test_the_bias_that_is_taken_off():
    # Unrelated features of many more dimensions than samples: plain CKA is nearly 1.
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 2000)), rng.normal(size=(50, 2000))
    assert linear_cka(x, y, debiased=False) > 0.95
    assert abs(linear_cka(x, y)) < 0.05


def test_constant_features_have_no_similarity():
    assert np.isnan(linear_cka(np.ones((10, 3)), np.eye(10)))
    with pytest.raises(ValueError, match="four or more rows"):
        linear_cka(np.eye(3), np.eye(3))


def test_matrix_lists_all_pairs():
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(20, n)) for n in (3, 4, 5)]
    found = cka_matrix(layers, layers[:2])
    assert found.shape == (3, 2)
    assert found[0, 0] == pytest.approx(1)
    assert found[2, 1] == pytest.approx(linear_cka(layers[2], layers[1]))


def test_rsa_is_the_rank_correlation_of_distances():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(15, 6)), rng.normal(size=(15, 8))
    rows, columns = np.triu_indices(15, 1)
    expected = spearmanr(1 - np.corrcoef(x)[rows, columns], 1 - np.corrcoef(y)[rows, columns])
    assert rsa(x, y) == pytest.approx(float(expected.statistic), abs=1e-12)
    assert rsa(x, 2 * x + 1) == pytest.approx(1)


def test_participation_ratio_counts_equal_directions():
    rng = np.random.default_rng(0)
    flat = np.linalg.qr(rng.normal(size=(40, 5)) - 0)[0]
    flat -= flat.mean(axis=0)
    values = np.linalg.eigvalsh(flat.T @ flat)
    assert participation_ratio(flat) == pytest.approx(values.sum() ** 2 / (values**2).sum())
    assert participation_ratio(np.outer(rng.normal(size=30), [1, 2])) == pytest.approx(1)
    assert participation_ratio(rng.normal(size=(10, 50))) <= 9
    assert np.isnan(participation_ratio(np.ones((5, 2))))
