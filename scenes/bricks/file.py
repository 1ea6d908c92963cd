"""Reading and writing ``fast.safetensors``."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .bricks import Bricks

FAST_FILE = "fast.safetensors"


def pack_bricks(bricks: Bricks) -> bytes:
    """Return what the file holds."""
    return save(bricks.arrays(), metadata=bricks.description())


def read_bricks(path: Path) -> Bricks:
    """Return the bricks in a file.

    Raises:
        ValueError: the file is damaged; says how, and what to do.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Bricks.from_arrays(arrays, file.metadata() or {})
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged: {error}; make it again with `merkwelt scene optimise NAME --again`"
        ) from error
