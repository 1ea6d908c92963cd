import numpy as np
import pytest
import torch
from merkwelt.alignment.probes.neighbours import neighbour_votes
from merkwelt.alignment.probes.softmax import (
    fit_classifier,
    fit_least_squares,
    fit_sgd,
    fit_softmax,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler


def unit_rows(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def clouds(rows=150, seed=0, apart=2.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=rows)
    centres = np.random.default_rng(9).normal(size=(3, 5)) * apart
    return centres[labels] + rng.normal(size=(rows, 5)) * np.array([1, 2, 3, 1, 5]) + 4, labels


@pytest.mark.parametrize("penalty", [1e-3, 1e-1])
def test_softmax_is_scikit_learns(penalty):
    features, labels = clouds()
    scaler = StandardScaler().fit(features)
    theirs = LogisticRegression(C=1 / (len(labels) * penalty), tol=1e-10, max_iter=5000)
    theirs.fit(scaler.transform(features), labels)
    ours = fit_softmax(features, labels, 3, penalty=penalty)
    logits = ours.logits(features)
    # Biases are free by a constant in all classes.
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        probabilities, theirs.predict_proba(scaler.transform(features)), atol=1e-5
    )


def test_gradient_descent_finds_nearly_the_same():
    features, labels = clouds()
    parts = [
        (torch.from_numpy(features[i : i + 30]), torch.from_numpy(labels[i : i + 30]))
        for i in range(0, 150, 30)
    ]
    exact = fit_softmax(features, labels, 3, penalty=1e-2)
    found = fit_sgd(lambda: parts, 3, epochs=200, penalty=1e-2)
    assert (found(features) == exact(features)).mean() > 0.98
    np.testing.assert_allclose(found.weights, exact.weights, atol=0.02)


def test_all_methods_tell_clouds_apart_on_new_rows():
    features, labels = clouds()
    new, truth = clouds(seed=1)
    for method in ("least_squares", "softmax", "sgd"):
        assert (fit_classifier(features, labels, 3, method=method)(new) == truth).mean() > 0.75
    noise = np.random.default_rng(0).normal(size=(2, 150, 5))
    assert (fit_least_squares(noise[0], labels, 3)(noise[1]) == truth).mean() < 0.5


def test_neighbours_vote_as_scikit_learns():
    known, labels = clouds()
    rows, _ = clouds(rows=40, seed=1)
    mean = known.mean(axis=0)
    unit = [
        each / np.linalg.norm(each, axis=1, keepdims=True) for each in (known - mean, rows - mean)
    ]
    # For unit vectors, |a - b|^2 = 2 - 2 cosine.
    theirs = KNeighborsClassifier(20, weights=lambda d: np.exp((1 - d**2 / 2) / 0.07))
    expected = theirs.fit(unit[0], labels).predict_proba(unit[1])
    np.testing.assert_allclose(neighbour_votes(known, labels, rows, 3), expected, atol=1e-9)


def test_bad_labels_are_refused():
    with pytest.raises(ValueError, match="labels from 0 to 5"):
        fit_softmax(np.eye(3), np.array([0, 1, 5]), 3)
    with pytest.raises(ValueError, match="penalty above 0"):
        fit_softmax(np.eye(3), np.array([0, 1, 2]), 3, penalty=0.0)
    with pytest.raises(ValueError, match="at least one batch"):
        fit_sgd(lambda: [], 2)
