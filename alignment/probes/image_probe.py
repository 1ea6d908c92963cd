"""Training a probe of image categories on the frozen features of any model that can be scored."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ...video_models.encoder import Encoder
from ..models.scored import ScoredModel
from ..prepare import Preparation
from ..saliency.targets import Readout
from ..scores.bootstrap import Interval
from .groups import group_folds, group_interval
from .labelled_images import LabelledImages
from .linear_probe import LinearProbe
from .neighbours import neighbour_votes
from .softmax import Classifier, Method, fit_classifier

IMAGES_AT_ONCE = 16
MOST_ALONE = 50
"""Objects up to which each is held out by itself."""
USUAL_FOLDS = 5
Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class ImageProbeSettings:
    """How a probe of image categories is trained and tested."""

    readout: Readout = Readout()
    method: Method = "least_squares"
    """Closed form (``least_squares``), L-BFGS (``softmax``) or ``sgd``."""
    folds: int | None = None
    """By default each object is held out by itself, or 5 folds of more than 50 objects."""
    seed: int = 0
    """Of the folds and of the bootstrap."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if (self.folds is not None and self.folds < 2) or self.seed < 0:
            raise ValueError(f"expected folds >= 2 and a seed >= 0, got {self}")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageProbe:
    """A probe, and what it must be compared with."""

    probe: LinearProbe
    floors: Mapping[str, Interval] = field(default_factory=dict)
    """Accuracy of the same on other features: the untrained network's, raw pixels; and of nearest
    neighbours in the model's own."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Classes that could not be tested, and why."""

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, without weights."""
        floors = {name: _plain(interval) for name, interval in self.floors.items()}
        return {**self.probe.to_dict(), "floors": floors, "left_out": dict(self.left_out)}


def probe_images(
    model: ScoredModel,
    images: LabelledImages,
    settings: ImageProbeSettings | None = None,
    *,
    progress: Progress | None = None,
) -> ImageProbe:
    """Return a probe of the images' classes, tested on objects that were held out.

    The returned probe is trained on all images; its accuracy is that of probes trained in the same
    way on the other folds. Classes of a single object cannot be tested so, and are left out of the
    accuracy, by name; the probe knows them all the same.

    Raises:
        ValueError: fewer than two classes with two objects or more.
    """
    chosen = settings or ImageProbeSettings()
    told = progress or (lambda _done, _what: None)
    numbers, groups = images.numbers, np.asarray(images.groups)
    tested, left_out = _testable(images)
    vectors = _vectors(model.encoder, model, images, chosen.readout, told, (0.0, 0.5))
    right = _held_out_right(vectors, numbers, groups, tested, chosen)
    classifier = fit_classifier(
        vectors, numbers, len(images.classes), method=chosen.method, groups=groups
    )
    floors = _floors(model, images, vectors, tested, chosen, told)
    probe = LinearProbe(
        weights=classifier.weights,
        bias=classifier.bias,
        classes=images.classes,
        readout=chosen.readout,
        accuracy=_accuracy(right, groups, tested, chosen.seed),
        chance=_most_frequent(numbers[tested]),
        method=f"{chosen.method.replace('_', ' ')}, {_folds(chosen, groups[tested])} folds by "
        "object",
        trained_on=images.name,
        encoder=model.name,
    )
    told(1.0, "done")
    return ImageProbe(probe=probe, floors=floors, left_out=left_out)


def _testable(images: LabelledImages) -> tuple[np.ndarray, dict[str, str]]:
    """Return which images have a class with two objects or more, and the classes that have not."""
    objects = Counter(label for label, _ in set(zip(images.labels, images.groups, strict=True)))
    left_out = {
        label: "for there is one object only and none is left to train on"
        for label, count in sorted(objects.items())
        if count < 2
    }
    tested = np.flatnonzero([label not in left_out for label in images.labels])
    if len(set(images.labels) - set(left_out)) < 2:
        raise ValueError(
            "expected two or more classes with two or more objects each to train and test a probe, "
            f"got {dict(sorted(objects.items()))}"
        )
    return tested, left_out


@torch.no_grad()
def _vectors(  # noqa: PLR0913 - what is seen by whom, and who is told
    encoder: Encoder,
    model: ScoredModel,
    images: LabelledImages,
    readout: Readout,
    told: Progress,
    share: tuple[float, float],
) -> np.ndarray:
    """Return the read-out vector of every image, shown to every eye for as long as it wants."""
    preparation = _preparation(model)
    parts = []
    for start in range(0, len(images), IMAGES_AT_ONCE):
        told(share[0] + (share[1] - share[0]) * start / len(images), "images")
        rows = range(start, min(start + IMAGES_AT_ONCE, len(images)))
        stills = images.batch(rows, preparation)
        clips = stills[:, None, None].expand(-1, encoder.eyes, model.clip_frames, -1, -1, -1)
        parts.append(readout.vectors(encoder(clips)).double().cpu().numpy())
    return np.concatenate(parts)


def _preparation(model: ScoredModel) -> Preparation:
    wanted = model.preparation
    return Preparation(
        size=wanted.size, crop_share=wanted.crop_share, interpolation=wanted.interpolation
    )


def _held_out_right(
    vectors: np.ndarray,
    numbers: np.ndarray,
    groups: np.ndarray,
    tested: np.ndarray,
    settings: ImageProbeSettings,
) -> np.ndarray:
    """Return for each tested image whether a probe of the other folds names it."""

    def fitted(fit: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        classes, within = np.unique(numbers[fit], return_inverse=True)
        probe: Classifier = fit_classifier(
            vectors[fit], within, len(classes), method=settings.method, groups=groups[fit]
        )
        return lambda rows: classes[probe(rows)]

    return _right_by(fitted, vectors, numbers, groups, tested, settings)


def _right_by(  # noqa: PLR0913 - rows, their classes and groups, and how they are held out
    fitted: Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]],
    vectors: np.ndarray,
    numbers: np.ndarray,
    groups: np.ndarray,
    tested: np.ndarray,
    settings: ImageProbeSettings,
) -> np.ndarray:
    right = np.zeros(len(numbers))
    for fold in group_folds(groups[tested], _folds(settings, groups[tested]), seed=settings.seed):
        fit, test = tested[fold.fit], tested[fold.test]
        if len(np.unique(numbers[fit])) < 2:
            continue
        right[test] = fitted(fit)(vectors[test]) == numbers[test]
    return right[tested]


def _folds(settings: ImageProbeSettings, groups: np.ndarray) -> int:
    objects = len(np.unique(groups))
    usual = objects if objects <= MOST_ALONE else USUAL_FOLDS
    return min(objects, settings.folds or usual)


def _floors(  # noqa: PLR0913 - as the probe itself
    model: ScoredModel,
    images: LabelledImages,
    vectors: np.ndarray,
    tested: np.ndarray,
    settings: ImageProbeSettings,
    told: Progress,
) -> dict[str, Interval]:
    numbers, groups = images.numbers, np.asarray(images.groups)

    def nearest(fit: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        known, labels = vectors[fit], numbers[fit]
        votes = len(images.classes)
        return lambda rows: neighbour_votes(known, labels, rows, votes).argmax(axis=1)

    found = {
        "nearest neighbours in the same features": _right_by(
            nearest, vectors, numbers, groups, tested, settings
        )
    }
    if model.untrained is not None:
        random = _vectors(model.untrained, model, images, settings.readout, told, (0.5, 0.95))
        found["the same network untrained"] = _held_out_right(
            random, numbers, groups, tested, settings
        )
    found["pixels at 8 by 8"] = _held_out_right(
        _coarse_pixels(images, _preparation(model)), numbers, groups, tested, settings
    )
    return {name: _accuracy(each, groups, tested, settings.seed) for name, each in found.items()}


def _coarse_pixels(images: LabelledImages, preparation: Preparation) -> np.ndarray:
    small = [
        torch.nn.functional.adaptive_avg_pool2d(images.read(index, preparation), 8).flatten()
        for index in range(len(images))
    ]
    return torch.stack(small).double().numpy()


def _accuracy(right: np.ndarray, groups: np.ndarray, tested: np.ndarray, seed: int) -> Interval:
    return group_interval(
        lambda rows: float(right[rows].mean()), groups[tested], np.random.default_rng(seed)
    )


def _most_frequent(numbers: np.ndarray) -> float:
    return float(np.bincount(numbers).max() / len(numbers))


def _plain(interval: Interval) -> dict[str, float | int]:
    return {name: getattr(interval, name) for name in ("mean", "low", "high", "count", "level")}
