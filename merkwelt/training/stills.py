"""Labelled images with human maps that are trained on beside clips."""

from typing import Protocol

import torch

from ..objectives.objective import Truth


class StillSource(Protocol):
    """Batches of stills."""

    identity: str
    """Changes when the images, maps or their order change."""

    def batch(self, step: int, device: torch.device) -> Truth:
        """Return ``stills``, ``still_labels`` and ``still_maps`` of a step; depends on it alone."""
        ...
