"""Opening checkpoints that others made: tensors and numbers only, nothing in them is executed."""

import difflib
import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

_DAMAGED = (
    RuntimeError,
    OSError,
    zipfile.BadZipFile,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    AssertionError,
    struct.error,
)
"""What ``torch.load`` raises on bytes that are no checkpoint, depending on where they are wrong."""

_BEGINNINGS = (b"PK", b"\x80")
"""Of a zip archive and of a pickle, the two forms of a torch checkpoint."""


def load_checkpoint_file(path: Path) -> Any:  # noqa: ANN401 - whatever plain data the file holds
    """Return what a torch checkpoint holds, read with ``weights_only=True``.

    Nothing but tensors, plain containers and the numpy scalars that optimisers leave is admitted.

    Raises:
        ValueError: the file is truncated, is no checkpoint, or asks for code to be run.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if not stream.peek(4).startswith(_BEGINNINGS):
            raise ValueError(f"{path} is damaged or no checkpoint ({size} bytes)")
        try:
            with torch.serialization.safe_globals(_numpy_scalars()), warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # unusual pickles are refused below
                return torch.load(stream, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise ValueError(
                f"{path} holds more than weights and was not opened, because that could run code: "
                f"{_first_line(error)}"
            ) from error
        except _DAMAGED as error:
            raise ValueError(
                f"{path} is damaged or no checkpoint ({size} bytes): {_first_line(error)}; copy it "
                "again from where it was trained"
            ) from error


class TensorTaker:
    """Takes tensors by name and says plainly what is not there or not as expected."""

    def __init__(self, tensors: Mapping[str, Any], where: str, expected: str) -> None:
        """Take from ``tensors`` of the file ``where``, which should be an ``expected``."""
        self.tensors, self.where, self.expected = tensors, where, expected
        self.taken: set[str] = set()

    def __call__(self, name: str, shape: Sequence[int | None] | None = None) -> Tensor:
        """Return a tensor as float32; None in ``shape`` lets a size be any.

        Raises:
            ValueError: it is missing, of another shape, or holds NaN or Inf.
        """
        value = self.tensors.get(name)
        if not isinstance(value, Tensor):
            raise ValueError(
                f"{self.where}: expected {self.expected}, tensor {name!r} is missing; "
                f"{self._similar(name)}"
            )
        self.taken.add(name)
        found = tuple(value.shape)
        if shape is not None and not _fits(found, shape):
            wanted = " x ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(
                f"{self.where}: expected tensor {name!r} of shape {wanted}, found "
                f"{' x '.join(map(str, found)) or 'a single number'}; the file was not written by "
                f"{self.expected} or was changed since"
            )
        return self._numbers(name, value)

    def refuse_others(self, *ignored: str) -> None:
        """Raise ValueError if a tensor was not taken and does not start with an ``ignored``."""
        names = (str(name) for name in self.tensors if name not in self.taken)
        others = sorted(name for name in names if not name.startswith(ignored))
        if others:
            raise ValueError(
                f"{self.where}: expected {self.expected}, which has no tensor "
                f"{', '.join(map(repr, others[:4]))}; what computes with it is not supported"
            )

    def _numbers(self, name: str, value: Tensor) -> Tensor:
        if value.layout != torch.strided or value.is_complex() or value.is_quantized:
            raise ValueError(f"{self.where}: tensor {name!r} holds no plain real numbers")
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise ValueError(
                f"{self.where}: tensor {name!r} claims {value.numel()} numbers, the file holds "
                f"{value.untyped_storage().nbytes()} bytes of them; copy it again from where it "
                "was trained"
            )
        value = value.float()
        if not bool(torch.isfinite(value).all()):
            raise ValueError(
                f"{self.where}: tensor {name!r} holds NaN or Inf: training diverged; take an "
                "earlier checkpoint"
            )
        return value.contiguous()

    def _similar(self, name: str) -> str:
        close = difflib.get_close_matches(name, list(map(str, self.tensors)), n=4, cutoff=0.5)
        listed = close or sorted(map(str, self.tensors))[:4]
        return f"found {', '.join(map(repr, listed)) or 'nothing'}"


def _fits(found: Sequence[int], shape: Sequence[int | None]) -> bool:
    return len(found) == len(shape) and all(
        wanted in (None, size) for size, wanted in zip(found, shape, strict=True)
    )


def _numpy_scalars() -> list[Any]:
    from numpy import dtype, float32, float64
    from numpy._core.multiarray import scalar  # type: ignore[attr-defined]

    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    dtypes = [type(dtype(kind)) for kind in (float32, float64, np.int64)]
    return [*((scalar, name) for name in names), dtype, *dtypes]


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
