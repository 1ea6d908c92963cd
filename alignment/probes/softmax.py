"""Linear classifiers of frozen features: by least squares, by likelihood, and in mini-batches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import logsumexp
from torch import Tensor

from .ridge import Standardised, fit_ridge

Method = Literal["least_squares", "softmax", "sgd"]
Labels = Int[np.ndarray, " row"]
MiniBatches = Callable[[], Iterable[tuple[Tensor, Tensor]]]
"""A function that goes through all data once: features ``[batch, feature]``, labels ``[batch]``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """A linear map from features to one logit for each class."""

    weights: np.ndarray
    """``[class, feature]``, of features as they are."""
    bias: np.ndarray
    """``[class]``."""

    def logits(self, features: Float[np.ndarray, "row feature"]) -> np.ndarray:
        """Return ``[row, class]``."""
        return np.asarray(features, dtype=np.float64) @ self.weights.T + self.bias

    def __call__(self, features: Float[np.ndarray, "row feature"]) -> np.ndarray:
        """Return the class of the largest logit of each row."""
        return self.logits(features).argmax(axis=1)


def fit_least_squares(
    features: Float[np.ndarray, "row feature"],
    labels: Labels,
    classes: int,
    *,
    groups: np.ndarray | None = None,
) -> Classifier:
    """Return the ridge regression on one-hot labels, in closed form.

    All classes share one penalty, for their logits are compared; it is the geometric mean of those
    that they would have chosen.
    """
    _check(features, labels, classes)
    aims = np.eye(classes)[labels]
    chosen = fit_ridge(features, aims, groups=groups).penalties
    shared = np.array([np.exp(np.log(chosen).mean())])
    fit = fit_ridge(features, aims, penalties=shared, selection="gcv")
    return Classifier(weights=fit.weights.T, bias=fit.bias)


def fit_softmax(
    features: Float[np.ndarray, "row feature"],
    labels: Labels,
    classes: int,
    *,
    penalty: float = 1e-2,
    iterations: int = 1000,
) -> Classifier:
    """Return multinomial logistic regression on standardised features.

    Minimises the mean cross-entropy in nats plus ``penalty / 2 |W|^2``, the bias free, by L-BFGS:
    scikit-learn's ``LogisticRegression(C=1 / (rows * penalty))``.

    Raises:
        ValueError: a penalty that is not positive: without one, separable classes have no optimum.
        RuntimeError: it did not converge.
    """
    _check(features, labels, classes)
    if not penalty > 0:
        raise ValueError(f"expected a penalty above 0, got {penalty}")
    standard = Standardised.of(np.asarray(features, dtype=np.float64))
    rows = standard(np.asarray(features, dtype=np.float64))
    width = rows.shape[1]
    hot = np.eye(classes)[labels]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        both = flat.reshape(classes, width + 1)
        weights, bias = both[:, :-1], both[:, -1]
        logits = rows @ weights.T + bias
        norm = np.asarray(logsumexp(logits, axis=1, keepdims=True))
        value = float((norm[:, 0] - (hot * logits).sum(axis=1)).mean())
        error = (np.exp(logits - norm) - hot) / len(rows)
        slope = np.column_stack([error.T @ rows + penalty * weights, error.sum(axis=0)])
        return value + penalty / 2 * float(np.square(weights).sum()), slope.ravel()

    options = {"maxiter": iterations, "maxfun": 4 * iterations, "gtol": 1e-7, "ftol": 1e-14}
    found = minimize(
        loss, np.zeros(classes * (width + 1)), jac=True, method="L-BFGS-B", options=options
    )
    # Near machine precision a line search may find nothing better: that is an optimum as well.
    if not found.success and float(np.abs(found.jac).max()) > 1e-4:
        raise RuntimeError(
            f"the softmax probe did not converge in {iterations} iterations: {found.message}"
        )
    return _unstandardised(found.x.reshape(classes, width + 1), standard)


def fit_sgd(
    batches: MiniBatches,
    classes: int,
    *,
    epochs: int = 20,
    learning_rate: float = 0.1,
    penalty: float = 1e-4,
) -> Classifier:
    """Return the same by stochastic gradient descent, for features that do not fit in memory.

    A first pass measures means and variances, by which features are standardised; Nesterov momentum
    .9, the rate falls to zero as half a cosine. Batches come in the order that they are given in.

    Raises:
        ValueError: no batches, or a label beyond the classes.
    """
    standard, count = _moments(batches)
    mean = torch.from_numpy(standard.mean).float()
    scale = torch.from_numpy(standard.scale).float()
    weights = torch.zeros(classes, len(mean), requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    groups = [{"params": [weights], "weight_decay": penalty}, {"params": [bias]}]
    optimiser = torch.optim.SGD(groups, lr=learning_rate, momentum=0.9, nesterov=True)
    steps = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs * count)
    with torch.enable_grad():
        for _ in range(epochs):
            for features, labels in batches():
                if int(labels.max()) >= classes or int(labels.min()) < 0:
                    raise ValueError(f"expected labels from 0 to {classes - 1}, got {labels}")
                logits = ((features.float() - mean) / scale) @ weights.T + bias
                loss = torch.nn.functional.cross_entropy(logits, labels)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                steps.step()
    both = torch.cat([weights.detach(), bias.detach()[:, None]], dim=1).double().numpy()
    return _unstandardised(both, standard)


def fit_classifier(
    features: Float[np.ndarray, "row feature"],
    labels: Labels,
    classes: int,
    *,
    method: Method = "least_squares",
    groups: np.ndarray | None = None,
) -> Classifier:
    """Return a classifier of features that are in memory, by any of the methods."""
    if method == "least_squares":
        return fit_least_squares(features, labels, classes, groups=groups)
    if method == "softmax":
        return fit_softmax(features, labels, classes)
    _check(features, labels, classes)
    rows = torch.from_numpy(np.asarray(features, dtype=np.float32))
    numbers = torch.from_numpy(np.asarray(labels, dtype=np.int64))
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(rows)))
    return fit_sgd(lambda: [(rows[part], numbers[part]) for part in order.split(64)], classes)


def _unstandardised(both: np.ndarray, standard: Standardised) -> Classifier:
    weights = both[:, :-1] / standard.scale
    return Classifier(weights=weights, bias=both[:, -1] - weights @ standard.mean)


def _moments(batches: MiniBatches) -> tuple[Standardised, int]:
    """Return means and deviations of all batches, and how many there are (Chan et al. 1979)."""
    rows, count = 0, 0
    mean = square = np.zeros(0)
    for features, _ in batches():
        part = features.double().numpy()
        own = part.mean(axis=0)
        if not rows:
            mean, square = np.zeros_like(own), np.zeros_like(own)
        step = own - mean
        mean = mean + step * len(part) / (rows + len(part))
        square = square + np.square(part - own).sum(axis=0)
        square += step**2 * rows * len(part) / (rows + len(part))
        rows, count = rows + len(part), count + 1
    if not rows:
        raise ValueError("expected at least one batch of features, got none")
    sd = np.sqrt(square / rows)
    flat = sd <= 1e-12 * np.maximum(1.0, np.abs(mean))
    return Standardised(mean=mean, scale=np.where(flat, np.inf, sd)), count


def _check(features: np.ndarray, labels: np.ndarray, classes: int) -> None:
    if len(features) != len(labels) or not len(labels):
        raise ValueError(
            f"expected a label for each row of features, got {len(labels)} labels of "
            f"{len(features)} rows"
        )
    if classes < 2 or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"expected two or more classes and labels below their number, got {classes} classes "
            f"and labels from {labels.min()} to {labels.max()}"
        )
