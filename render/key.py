"""Counter-based randomness: the same key gives the same numbers on every machine, for ever."""

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class ClipKey:
    """The identity of one clip: nothing else may influence what is random about it."""

    dataset_seed: int
    scene: str
    clip: int

    def __post_init__(self) -> None:
        """Refuse negative ids."""
        if self.dataset_seed < 0 or self.clip < 0:
            raise ValueError(f"expected a seed and a clip id of at least 0, got {self}")

    def generator(self, purpose: str) -> np.random.Generator:
        """Return the random generator of one purpose (``path``, ``gait``, ``gaze``, ...).

        Each purpose draws from its own Philox stream, so that changing what one of them draws
        leaves all others as they were.
        """
        identity = f"{self.dataset_seed}/{self.scene}/{self.clip}/{purpose}".encode()
        digest = hashlib.sha256(identity).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
