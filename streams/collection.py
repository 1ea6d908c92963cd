"""What all collections of clips have in common: clips by id, in a shuffled order without end."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from .loader import BatchPlaces, Share, shuffled_places
from .samples import Batch, Sample, collate


class ClipCollection(Dataset[Sample], ABC):
    """Clips by their ids; a map-style ``torch.utils.data.Dataset`` in the order of the ids.

    Whatever clips come from (shards, videos) gives ``clip_ids`` and ``sample``; the shuffled order,
    its batches and their resumption are the same for all.
    """

    @property
    @abstractmethod
    def clip_ids(self) -> np.ndarray:
        """Ids of the clips that are there, int64, ascending."""

    @abstractmethod
    def sample(self, clip: int) -> Sample:
        """Return a clip by its id.

        Raises:
            KeyError: there is no such clip.
        """

    def batch(self, clips: Sequence[int]) -> Batch:
        """Return clips by their ids as one batch.

        Raises:
            KeyError: there is no such clip.
            ValueError: the clips differ in shape; names them.
        """
        return collate([self.sample(clip) for clip in clips])

    def __len__(self) -> int:
        """Return the number of clips that are there."""
        return len(self.clip_ids)

    def __getitem__(self, item: int) -> Sample:
        """Return the clip at a place in ``clip_ids``."""
        return self.sample(int(self.clip_ids[range(len(self))[item]]))

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """Return all clip ids in the shuffled order of an epoch, int64."""
        rows = np.arange(epoch * len(self), (epoch + 1) * len(self))
        return self.clip_ids[shuffled_places(rows, size=len(self), seed=seed)]

    def batch_ids(self, batch_size: int, *, seed: int, step: int) -> np.ndarray:
        """Return the clip ids of batch ``step`` of an endless shuffled stream, int64.

        The stream is one shuffled epoch after the other, cut into batches of equal size, so a
        batch may lie across two epochs. It depends on the arguments alone.
        """
        places = BatchPlaces(len(self), batch_size, seed=seed, start_step=step)
        return self.clip_ids[places.at(step)]

    def batches(self, batch_size: int, *, seed: int, start_step: int = 0) -> Iterator[Batch]:
        """Yield batches without end, from ``start_step`` on, which costs nothing to reach."""
        step = start_step
        while True:
            yield self.batch(self.batch_ids(batch_size, seed=seed, step=step).tolist())
            step += 1

    def loader(  # noqa: PLR0913 each is one thing to say about the sequence
        self,
        batch_size: int,
        *,
        seed: int | None,
        epochs: int | None = None,
        start_step: int = 0,
        share: Share | None = None,
        workers: int = 0,
    ) -> "DataLoader[Batch]":
        """Return a ``DataLoader`` of the batches that ``batches`` yields.

        Their sequence is the same for any number of workers, and each rank reads its rows of the
        same batches. For other settings of the ``DataLoader``, make one: with this collection,
        ``batch_sampler=BatchPlaces(len(clips), ...)`` and ``collate_fn=collate``.

        Args:
            batch_size: clips in a batch of all ranks together.
            seed: of the shuffled orders; None for the order of ``clip_ids``.
            epochs: how many to give, the last batch smaller if need be; None for no end.
            start_step: the first batch to give, which costs nothing to reach.
            share: this rank's part of each batch; all of it by default.
            workers: processes that read ahead; 0 to read in this one.

        Raises:
            ValueError: there is no such batch, or the ranks cannot share it evenly.
        """
        loader: Any = DataLoader(
            _Batches(self),
            sampler=BatchPlaces(
                len(self),
                batch_size,
                seed=seed,
                epochs=epochs,
                start_step=start_step,
                share=share,
            ),
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=workers,
            # One of its own: the workers' seeds are drawn without touching the global one.
            generator=torch.Generator(),
        )
        return loader


class _Batches(Dataset[Batch]):
    """The batches of a collection, by the places of their clips."""

    def __init__(self, clips: ClipCollection) -> None:
        self.clips = clips

    def __getitem__(self, places: Sequence[int]) -> Batch:
        return self.clips.batch(self.clips.clip_ids[list(places)].tolist())


def _as_it_is(batch: Any) -> Any:  # noqa: ANN401 - torch's types know lists of samples only
    return batch
