"""Data parallel over the processes that ``torchrun`` starts, one rank each.

Every rank holds all weights and sees its share of the clips of each batch. Gradients are averaged
by hand: losses take their own means over ranks (``merkwelt.objectives.across_ranks``), which
torch's wrapper for data parallel would not see.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")
LONGEST_WAIT = timedelta(hours=4)
"""Of one rank for another, which may be measuring."""


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process among those that train together; alone by default."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this rank measures and writes for all."""
        return self.rank == 0

    def share(self, clips: Sequence[T]) -> list[T]:
        """Return this rank's part of a batch; the parts in the order of ranks are the batch."""
        size, rest = divmod(len(clips), self.count)
        if rest:
            raise ValueError(
                f"expected a batch that {self.count} ranks can share evenly, got {len(clips)} "
                "clips; choose another batch_size (--batch)"
            )
        return list(clips[self.rank * size : (self.rank + 1) * size])

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every parameter the mean over ranks of its gradient."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([each.flatten() for each in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        parts = flat.split([each.numel() for each in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def average_measures(self, measures: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the means over ranks of measures, which all have under the same names."""
        numbers = {name: float(value) for name, value in measures.items()}
        if self.count == 1:
            return numbers
        values = torch.tensor(list(numbers.values()), dtype=torch.float64)
        dist.all_reduce(values)
        return dict(zip(numbers, (values / self.count).tolist(), strict=True))

    def any(self, here: bool) -> bool:  # noqa: FBT001 - a question, not an option
        """Return whether something holds on at least one rank."""
        if self.count == 1:
            return here
        votes = torch.tensor([float(here)])
        dist.all_reduce(votes)
        return bool(votes > 0)

    def from_first(self, value: T) -> T:
        """Return what the first rank gave; the others wait for it."""
        if self.count == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    @torch.no_grad()
    def copy_from_first(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite tensors with those of the first rank."""
        if self.count > 1:
            for each in tensors:
                dist.broadcast(each, src=0)

    def wait(self) -> None:
        """Return when all ranks have come here."""
        self.from_first(None)
        self.any(False)  # noqa: FBT003

    def fit(self, module: nn.Module) -> nn.Module:
        """Return a module whose normalisation is over the batch of all ranks; weights stay.

        Raises:
            ValueError: it has batch normalisation and is on the CPU, where torch cannot share it.
        """
        shared = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - torch has no public name for it
        found = [name for name, each in module.named_modules() if isinstance(each, shared)]
        if self.count == 1 or not found:
            return module
        if not all(each.is_cuda for each in module.parameters()):
            raise ValueError(
                f"expected no batch normalisation with {self.count} ranks on the CPU, got "
                f"{found[0]}: torch shares its statistics on CUDA only; train on one rank, or "
                "choose another encoder"
            )
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)


@contextmanager
def joined_ranks(device: torch.device) -> Iterator[tuple[Ranks, torch.device]]:
    """Yield this process's place among those ``torchrun`` started, and its own device.

    Without ``torchrun`` it is alone. A process group that is there already is used and left alone.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 and not dist.is_initialized():
        yield Ranks(), device
        return
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    ours = not dist.is_initialized()
    if ours:
        # What is the group when this module is first imported, by an optimiser say, is a default of
        # its functions. Were it ours, it would not end here, but abort as Python shuts down.
        import_module("torch.distributed.nn.functional")
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=LONGEST_WAIT)
    try:
        yield Ranks(rank=dist.get_rank(), count=dist.get_world_size()), device
    finally:
        if ours:
            dist.destroy_process_group()


def is_first_rank() -> bool:
    """Return whether this process is to speak for all that ``torchrun`` started."""
    return int(os.environ.get("RANK", "0")) == 0
