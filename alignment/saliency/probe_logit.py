"""The logit of a linear probe on frozen features: a class to look for in any encoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ...video_models.encoder import Features
from .targets import FittedTarget, Readout, given_classes, refuse_both, without_class


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeLogit:
    """One logit of a linear classifier of the read-out vector.

    This is how encoders without classes of their own are compared with people: freeze, train a
    linear probe, take the gradient of the logit of the image's class. Without ``classes`` and
    ``class_names`` it is the class that the probe itself answers with, chosen once on the clean
    images.
    """

    weight: Tensor
    """Float ``[class, channel]``."""
    bias: Tensor | None = None
    """Float ``[class]``; 0 by default."""
    classes: tuple[int, ...] | None = None
    """The class of each image."""
    class_names: tuple[str, ...] | None = None
    """The label of each of the probe's classes, with which images are labelled too. An image with
    another label has no logit and is undefined."""
    readout: Readout = Readout()
    """Where the vectors are read that the probe was trained on."""

    def __post_init__(self) -> None:
        """Refuse what is no linear classifier, and classes said twice."""
        if self.weight.ndim != 2 or len(self.weight) < 1:
            raise ValueError(
                f"expected a probe's weight [class, channel], got {list(self.weight.shape)}"
            )
        classes = len(self.weight)
        if self.bias is not None and self.bias.shape != (classes,):
            raise ValueError(
                f"expected a bias for each of {classes} classes, got {list(self.bias.shape)}"
            )
        refuse_both(self.classes, self.class_names)
        if self.class_names is not None and len(set(self.class_names)) != classes:
            raise ValueError(
                f"expected a label of its own for each of {classes} classes, got "
                f"{list(self.class_names)}"
            )
        if self.classes is not None and not all(0 <= each < classes for each in self.classes):
            raise ValueError(
                f"expected classes from 0 to {classes - 1}, got {sorted(set(self.classes))}"
            )

    @property
    def name(self) -> str:
        """What the scalar is, in words."""
        own = self.classes is None and self.class_names is None
        which = "the probe's own class" if own else "the true class"
        return f"linear-probe logit of {which} from {self.readout.name}"

    def fit(
        self, vectors_of_all: Callable[[], Float[Tensor, "image channel"]], labels: Sequence[str]
    ) -> FittedTarget:
        """Return the logit of each image's class; labels count with ``class_names`` alone."""
        given = given_classes(self.classes, self.class_names, labels)
        chosen = self._logits(vectors_of_all()).argmax(dim=1) if given is None else given

        def logit(features: Features, indices: Tensor) -> Tensor:
            logits = self._logits(self.readout.vectors(features))
            return logits.gather(1, chosen.to(logits.device)[indices][:, None])[:, 0]

        undefined = without_class(labels, self.class_names, "the probe")
        return FittedTarget(function=logit, undefined=undefined)

    def _logits(self, vectors: Tensor) -> Tensor:
        if vectors.shape[1] != self.weight.shape[1]:
            raise ValueError(
                f"expected {self.weight.shape[1]} channels, as the probe was trained on, got "
                f"{vectors.shape[1]} from {self.readout.name}; read the layer that it was trained "
                "on"
            )
        logits = vectors @ self.weight.to(vectors).mT
        return logits if self.bias is None else logits + self.bias.to(vectors)
