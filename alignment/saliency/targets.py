"""Scalars of an encoder's features whose gradient is the saliency.

Self-supervised encoders have no class logit, so the scalar is a choice and part of a score's name.
A target is a frozen dataclass; ``fit`` sees the features of all images once and returns something
with a ``value(encoder, clips, indices) -> [batch]`` that tells how strongly each clip drives the
target, where ``indices`` are the positions of the clips' images in the scored set.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from ...video_models.encoder import Encoder, Features

TargetFunction = Callable[[Features, Int[Tensor, " batch"]], Float[Tensor, " batch"]]


@dataclass(frozen=True, kw_only=True)
class Readout:
    """Where in the features a vector is read."""

    layer: str | None = None
    """Name of a feature map, averaged over space; None reads ``features.pooled``."""
    time: Literal["last", "mean"] = "last"
    """The last time step, which in a causal encoder has seen the whole clip, or the mean."""

    @property
    def name(self) -> str:
        """Say what is read, in words."""
        step = "at the last step" if self.time == "last" else "averaged over time"
        return f"{self.layer or 'pooled features'} {step}"

    def vectors(self, features: Features) -> Float[Tensor, "batch channel"]:
        """Return one vector for each clip."""
        over_time = features.pooled
        if self.layer is not None:
            if self.layer not in features.maps:
                raise ValueError(
                    f"expected one of the layers {sorted(features.maps)} to read, got "
                    f"'{self.layer}'"
                )
            over_time = features.maps[self.layer].mean(dim=(-2, -1)).transpose(1, 2)
        return over_time[:, -1] if self.time == "last" else over_time.mean(dim=1)


@runtime_checkable
class Fitted(Protocol):
    """A scalar of the clips of one set of images."""

    @property
    def undefined(self) -> Mapping[int, str]:
        """Images, by index, for which the target does not exist, and why."""
        ...

    def value(
        self,
        encoder: Encoder,
        clips: Float[Tensor, "batch eye time channel height width"],
        indices: Int[Tensor, " batch"],
    ) -> Float[Tensor, " batch"]:
        """Return one value for each clip; ``indices`` say which images they show."""
        ...


@dataclass(frozen=True, kw_only=True)
class FittedTarget:
    """A function of features for one set of images."""

    function: TargetFunction
    undefined: Mapping[int, str] = field(default_factory=dict)
    """Images, by index, for which the target does not exist, and why."""

    def value(
        self,
        encoder: Encoder,
        clips: Float[Tensor, "batch eye time channel height width"],
        indices: Int[Tensor, " batch"],
    ) -> Float[Tensor, " batch"]:
        """Return the function of each clip's features."""
        return self.function(encoder(clips), indices)


@runtime_checkable
class Target(Protocol):
    """Anything that names a scalar of the features and fits it to a set of images."""

    @property
    def name(self) -> str:
        """What the scalar is, in words; part of the score's name."""
        ...

    @property
    def readout(self) -> Readout:
        """Where the vectors given to ``fit`` are read."""
        ...

    def fit(
        self, vectors_of_all: Callable[[], Float[Tensor, "image channel"]], labels: Sequence[str]
    ) -> Fitted:
        """Return the fitted target; ``vectors_of_all`` runs the encoder only when called."""
        ...


@dataclass(frozen=True, kw_only=True)
class FeatureNorm:
    """Length of the feature vector: how much the encoder finds in the image at all.

    Needs no labels and no objective.
    """

    readout: Readout = Readout()
    centred: bool = False
    """Measure from the mean vector of all images instead of from zero."""

    @property
    def name(self) -> str:
        """What the scalar is, in words."""
        return f"{'centred ' if self.centred else ''}feature norm of {self.readout.name}"

    def fit(
        self, vectors_of_all: Callable[[], Float[Tensor, "image channel"]], labels: Sequence[str]
    ) -> FittedTarget:
        """Return ``|v - origin|``; labels play no part."""
        origin = vectors_of_all().mean(dim=0) if self.centred else 0.0

        def norm(features: Features, indices: Tensor) -> Tensor:
            return torch.linalg.vector_norm(self.readout.vectors(features) - origin, dim=1)

        return FittedTarget(function=norm)


@dataclass(frozen=True, kw_only=True)
class PrototypeCosine:
    """Cosine to the prototype of the image's category, both measured from the mean image.

    For image i, the origin is the mean vector of all other images, and the prototype the mean
    vector of the *other* images of its category, so that no image is compared with itself. An
    image alone in its category has no prototype and is undefined.
    """

    readout: Readout = Readout()

    @property
    def name(self) -> str:
        """What the scalar is, in words."""
        return f"cosine to the category prototype of {self.readout.name}"

    def fit(
        self, vectors_of_all: Callable[[], Float[Tensor, "image channel"]], labels: Sequence[str]
    ) -> FittedTarget:
        """Return the cosine to leave-one-out prototypes."""
        vectors = vectors_of_all()
        codes = {label: code for code, label in enumerate(dict.fromkeys(labels))}
        code = torch.tensor([codes[label] for label in labels], device=vectors.device)
        same = (code[:, None] == code[None, :]).to(vectors).fill_diagonal_(0)
        origin = (vectors.sum(dim=0) - vectors) / max(1, len(vectors) - 1)
        prototype = same @ vectors / same.sum(dim=1, keepdim=True).clamp(min=1) - origin

        def cosine(features: Features, indices: Tensor) -> Tensor:
            centred = self.readout.vectors(features) - origin[indices]
            return functional.cosine_similarity(centred, prototype[indices], dim=1)

        return FittedTarget(function=cosine, undefined=_without_prototype(labels))


@dataclass(frozen=True, kw_only=True)
class ClassLogit:
    """One class logit of a classifier whose pooled features are its logits.

    The class is chosen once, on the clean images, so noise never changes it.
    """

    classes: tuple[int, ...] | None = None
    """The class of each image. Without it, and without ``class_names``, it is the network's own
    answer, its largest logit."""
    readout: Readout = Readout()
    class_names: tuple[str, ...] | None = None
    """The label of each logit, with which images are labelled too; the first of equal ones counts.
    An image with another label has no logit and is undefined."""

    def __post_init__(self) -> None:
        """Refuse classes said twice."""
        refuse_both(self.classes, self.class_names)

    @property
    def name(self) -> str:
        """What the scalar is, in words."""
        own = self.classes is None and self.class_names is None
        return "logit of the network's own class" if own else "true-class logit"

    def fit(
        self, vectors_of_all: Callable[[], Float[Tensor, "image channel"]], labels: Sequence[str]
    ) -> FittedTarget:
        """Return the logit of each image's class."""
        given = given_classes(self.classes, self.class_names, labels)
        chosen = vectors_of_all().argmax(dim=1) if given is None else given

        def logit(features: Features, indices: Tensor) -> Tensor:
            logits = self.readout.vectors(features)
            classes = chosen.to(logits.device)[indices]
            return logits.gather(1, classes[:, None])[:, 0]

        undefined = without_class(labels, self.class_names, "the network")
        return FittedTarget(function=logit, undefined=undefined)


def refuse_both(classes: tuple[int, ...] | None, class_names: tuple[str, ...] | None) -> None:
    """Refuse to be told the classes of images in two ways."""
    if classes is not None and class_names is not None:
        raise ValueError(
            "expected the class of each image (classes) or the label of each class "
            "(class_names), got both"
        )


def given_classes(
    classes: tuple[int, ...] | None, class_names: tuple[str, ...] | None, labels: Sequence[str]
) -> Int[Tensor, " image"] | None:
    """Return the class of each image if it is said anywhere, 0 for those `without_class`."""
    if class_names is not None:
        return torch.tensor(
            [class_names.index(each) if each in class_names else 0 for each in labels]
        )
    if classes is not None and len(classes) != len(labels):
        raise ValueError(f"expected one class for each of {len(labels)} images, got {len(classes)}")
    return None if classes is None else torch.tensor(classes)


def without_class(
    labels: Sequence[str], class_names: tuple[str, ...] | None, whose: str
) -> dict[int, str]:
    """Return the images whose label is none of the classes, and why."""
    return {
        index: f"{whose} has no class '{label}'"
        for index, label in enumerate(labels)
        if class_names is not None and label not in class_names
    }


def _without_prototype(labels: Sequence[str]) -> dict[int, str]:
    if len(set(labels)) < 2:
        reason = "all images share one category, so its prototype is the mean image"
        return dict.fromkeys(range(len(labels)), reason)
    counts = {label: labels.count(label) for label in set(labels)}
    return {
        index: f"no other image of category '{label}' to make a prototype from"
        for index, label in enumerate(labels)
        if counts[label] < 2
    }
