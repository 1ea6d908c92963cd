"""How hash tables are stored: whole, in half precision, or in bytes with a scale per level."""

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

TableStorage = Literal["single", "half", "byte"]
STORAGES: tuple[TableStorage, ...] = get_args(TableStorage)
TABLE = "table"
SCALE = ".scale"
TOP = 127


def pack_tables(
    tensors: Mapping[str, Tensor], storage: TableStorage, levels: Mapping[str, int]
) -> dict[str, Tensor]:
    """Return tensors ready to be written: tables in the asked form, all else in single precision.

    Args:
        tensors: weights by name; those that end in ``table`` are ``[levels * rows, channels]``.
        storage: ``byte`` rounds each level to 1/127 of its largest entry.
        levels: number of levels of each table.

    Raises:
        ValueError: there is no such form.
    """
    if storage not in STORAGES:
        raise ValueError(f"expected tables stored as one of {list(STORAGES)}, got {storage!r}")
    packed: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if not name.endswith(TABLE) or storage == "single":
            packed[name] = value.float()
        elif storage == "half":
            packed[name] = value.half()
        else:
            by_level = value.float().view(levels[name], -1)
            scale = by_level.abs().amax(dim=1).clamp_min(1e-12) / TOP
            packed[name] = (by_level / scale[:, None]).round().to(torch.int8).view(value.shape)
            packed[name + SCALE] = scale
    return packed


def unpack_tables(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return float32 tensors by name from what ``pack_tables`` made."""
    tensors: dict[str, Tensor] = {}
    for name, value in packed.items():
        if name.endswith(SCALE):
            continue
        scale = packed.get(name + SCALE)
        if scale is None:
            tensors[name] = value.float()
        else:
            by_level = value.float().view(scale.shape[0], -1)
            tensors[name] = (by_level * scale[:, None]).view(value.shape)
    return tensors
