"""What all collections of clips have in common: clips by id, in a shuffled order without end."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from torch.utils.data import Dataset

from .permutation import permute
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

    def __len__(self) -> int:
        """Return the number of clips that are there."""
        return len(self.clip_ids)

    def __getitem__(self, item: int) -> Sample:
        """Return the clip at a place in ``clip_ids``."""
        return self.sample(int(self.clip_ids[range(len(self))[item]]))

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """Return all clip ids in the shuffled order of an epoch, int64."""
        places = np.arange(len(self))
        return self.clip_ids[permute(places, size=len(self), key=_key(seed, epoch))]

    def batch_ids(self, batch_size: int, *, seed: int, step: int) -> np.ndarray:
        """Return the clip ids of batch ``step`` of an endless shuffled stream, int64.

        The stream is one shuffled epoch after the other, cut into batches of equal size, so a
        batch may lie across two epochs. It depends on the arguments alone.
        """
        if batch_size < 1 or step < 0:
            raise ValueError(
                "expected a batch size of at least 1, a step of at least 0, got "
                f"{batch_size} and {step}"
            )
        places = np.arange(step * batch_size, (step + 1) * batch_size)
        epochs = places // len(self)
        ids = np.empty(batch_size, np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            rows = permute(places[here] % len(self), size=len(self), key=_key(seed, int(epoch)))
            ids[here] = self.clip_ids[rows]
        return ids

    def batches(self, batch_size: int, *, seed: int, start_step: int = 0) -> Iterator[Batch]:
        """Yield batches without end, from ``start_step`` on, which costs nothing to reach."""
        step = start_step
        while True:
            ids = self.batch_ids(batch_size, seed=seed, step=step)
            yield collate([self.sample(int(clip)) for clip in ids])
            step += 1


def _key(seed: int, epoch: int) -> str:
    return f"{seed}/{epoch}"
