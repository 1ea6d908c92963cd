"""Batches for training: which rows of which batch, by arithmetic alone.

All ranks and workers cut one and the same sequence of clips. The sequence depends on the seed and
the clips, never on how many read it, and any place of it is known without what comes before.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Sampler

from .permutation import permute


@dataclass(frozen=True, kw_only=True)
class Share:
    """Which rows of every batch are read here: rank ``rank`` of ``ranks`` equal parts."""

    rank: int = 0
    ranks: int = 1

    def __post_init__(self) -> None:
        """Refuse a rank that is none of the ranks."""
        if not 0 <= self.rank < self.ranks:
            raise ValueError(
                f"expected a rank from 0 to ranks - 1, got {self.rank} of {self.ranks}"
            )

    @classmethod
    def of_environment(cls) -> "Share":
        """Return what ``torchrun`` says in ``RANK`` and ``WORLD_SIZE``; everything without it."""
        return cls(rank=int(os.environ.get("RANK", 0)), ranks=int(os.environ.get("WORLD_SIZE", 1)))

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return this rank's rows: those of all ranks one after the other are ``rows``."""
        return np.array_split(rows, self.ranks)[self.rank]


class BatchPlaces(Sampler[list[int]]):
    """The places of a collection's clips that make up each batch; a ``batch_sampler``.

    One shuffled epoch follows the other, cut into batches of equal size, so that a batch may lie
    across two epochs. With ``epochs`` the sequence ends after so many; its last batch may be
    smaller then, and a rank for which no row of it is left has one batch less.
    """

    def __init__(  # noqa: PLR0913 one thing each; the public ways in are few
        self,
        size: int,
        batch_size: int,
        *,
        seed: int | None,
        epochs: int | None = None,
        start_step: int = 0,
        share: Share | None = None,
    ) -> None:
        """Cut a collection of ``size`` clips.

        Args:
            size: clips that there are.
            batch_size: clips in a batch of all ranks together.
            seed: of the shuffled orders; None for the order of the clips.
            epochs: how many to give; None for no end.
            start_step: the first batch to give; none of those before it costs anything.
            share: the part of each batch that is read here; all of it by default.

        Raises:
            ValueError: there is no such batch, or the ranks cannot share it evenly.
        """
        self.size, self.batch_size, self.seed = size, batch_size, seed
        self.epochs, self.start_step, self.share = epochs, start_step, share or Share()
        if batch_size < 1 or start_step < 0:
            raise ValueError(
                "expected a batch size of at least 1, a step of at least 0, got "
                f"{batch_size} and {start_step}"
            )
        if size < 1 or (epochs is not None and epochs < 1):
            raise ValueError(f"expected clips and epochs, got {size} clips and {epochs} epochs")
        if batch_size % self.share.ranks:
            raise ValueError(
                f"expected a batch size that {self.share.ranks} ranks can share evenly, got "
                f"{batch_size}; it counts the clips of all ranks together"
            )
        if epochs is not None and start_step > self.steps:
            raise ValueError(
                f"expected a step of at most {self.steps}, where {epochs} epochs of {size} clips "
                f"end, got {start_step}"
            )

    @property
    def steps(self) -> int:
        """Batches from the first to the end.

        Raises:
            TypeError: there is no end.
        """
        if self.epochs is None:
            raise TypeError("a sequence without end has no number of batches; give epochs")
        return -(-self.epochs * self.size // self.batch_size)

    def at(self, step: int) -> np.ndarray:
        """Return the places in the batch of a step that are read here, int64."""
        stop = (step + 1) * self.batch_size
        if self.epochs is not None:
            stop = min(stop, self.epochs * self.size)
        rows = self.share.of(np.arange(step * self.batch_size, stop))
        return shuffled_places(rows, size=self.size, seed=self.seed)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the places of one batch after the other, from ``start_step`` on."""
        step = self.start_step
        while self.epochs is None or step < self.steps:
            places = self.at(step).tolist()
            if places:
                yield places
            step += 1

    def __len__(self) -> int:
        """Return how many batches are to come here."""
        last_is_empty = self.start_step < self.steps and not len(self.at(self.steps - 1))
        return self.steps - self.start_step - last_is_empty


def shuffled_places(rows: np.ndarray, *, size: int, seed: int | None) -> np.ndarray:
    """Return which of ``size`` clips come at some rows of an endless shuffled sequence, int64."""
    places = rows % size
    if seed is None:
        return places
    epochs = rows // size
    for epoch in np.unique(epochs):
        here = epochs == epoch
        places[here] = permute(places[here], size=size, key=f"{seed}/{int(epoch)}")
    return places
