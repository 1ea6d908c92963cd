"""A linear probe that was trained on frozen features: what it reads, how well, and its file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...objectives.slowness.storage import load_arrays, save_arrays
from ..saliency.probe_logit import ProbeLogit
from ..saliency.targets import Readout
from ..scores.bootstrap import Interval

KIND = "linear probe"


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearProbe:
    """A linear classifier of one vector of an encoder's features."""

    weights: np.ndarray
    """``[class, feature]``."""
    bias: np.ndarray
    """``[class]``."""
    classes: tuple[str, ...]
    readout: Readout
    """Where the vector is read."""
    accuracy: Interval
    """Share of held-out images that it names, by probes trained as it was on the rest."""
    chance: float
    """Of always saying the most frequent class."""
    method: str
    """How it was trained, in words."""
    trained_on: str
    """What images, in words."""
    encoder: str = ""
    """Whose features, in words."""

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        count = len(self.classes)
        if self.weights.ndim != 2 or len(self.weights) != count or self.bias.shape != (count,):
            raise ValueError(
                f"expected weights [class, feature] and a bias for each of {count} classes, got "
                f"{self.weights.shape} and {self.bias.shape}"
            )

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the number of the class of each row ``[row, feature]``."""
        return (np.asarray(features, np.float64) @ self.weights.T + self.bias).argmax(axis=1)

    def target(self) -> ProbeLogit:
        """Return the logit of each image's class, as a target of saliency.

        Images are matched to classes by their labels; one with a label that the probe was not
        trained on has no logit.
        """
        return ProbeLogit(
            weight=torch.from_numpy(self.weights).float(),
            bias=torch.from_numpy(self.bias).float(),
            class_names=self.classes,
            readout=self.readout,
        )

    def save(self, path: Path | str) -> None:
        """Write the probe to a safetensors file, whole or not at all; nothing in it can run."""
        save_arrays(path, KIND, {"weights": self.weights, "bias": self.bias}, self.to_dict())

    @classmethod
    def load(cls, path: Path | str) -> "LinearProbe":
        """Return the probe that ``save`` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it holds something else; says what was expected.
        """
        arrays, facts = load_arrays(path, KIND)
        try:
            return cls(
                weights=arrays["weights"].astype(np.float64),
                bias=arrays["bias"].astype(np.float64),
                classes=tuple(facts["classes"]),
                readout=Readout(**facts["readout"]),
                accuracy=Interval(**facts["accuracy"]),
                **{name: facts[name] for name in ("chance", "method", "trained_on", "encoder")},
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path}: expected a {KIND} with all its facts: {error}") from error

    def to_dict(self) -> Mapping[str, Any]:
        """Return what is known of it as plain data, without the weights."""
        return {
            "classes": list(self.classes),
            "readout": asdict(self.readout),
            "accuracy": asdict(self.accuracy),
            "chance": self.chance,
            "method": self.method,
            "trained_on": self.trained_on,
            "encoder": self.encoder,
        }
