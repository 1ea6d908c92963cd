"""Pickled dumps read so that nothing in them can run.

A pickle is a program that may call any function, and even the state of an array or dtype can be
made up so that NumPy crashes. So a pickle may name nothing here but stand-ins for arrays, dtypes
and scalars, which check what they are given; all else is plain data (text, numbers, lists, tuples,
dictionaries, sets).
"""

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .pickle_stand_ins import STAND_INS, RefusedPickle, resolved

__all__ = ["RefusedPickle", "guarded_loads", "load_guarded_npy", "load_sizes"]


def load_guarded_npy(content: bytes, where: str) -> np.ndarray:
    """Return the array of an ``.npy`` file that may hold Python objects.

    Args:
        content: the file's bytes.
        where: what to call it in messages.

    Raises:
        ValueError: it is damaged, or names something that arrays do not need; nothing is run.
    """
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in readers:
            raise ValueError(f"version {version} of the .npy format holds no plain arrays")
        shape, _, dtype = readers[version](file)
        if not dtype.hasobject:
            file.seek(0)
            return np.lib.format.read_array(file, allow_pickle=False)
        if dtype != np.dtype(object):
            raise ValueError(f"{dtype} mixes objects and numbers")
    except (ValueError, EOFError, SyntaxError) as error:
        raise ValueError(f"expected an .npy array in {where}, but: {error}") from error
    array = guarded_loads(file.read(), where)
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(f"expected an array of shape {shape} in {where}, got other data")
    return array


def guarded_loads(data: bytes, where: str) -> Any:  # noqa: ANN401 - any plain data
    """Return what was pickled, if it is made of arrays and plain data.

    Raises:
        ValueError: it is damaged, or names anything else; nothing is run.
    """
    try:
        return resolved(_Guarded(io.BytesIO(data), encoding="latin1").load())
    except RefusedPickle as error:
        raise RefusedPickle(f"{where}: {error}") from error
    except (MemoryError, RecursionError) as error:
        raise ValueError(
            f"expected arrays and plain data in {where}, but it asks too much"
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(
            f"expected pickled arrays and plain data in {where}, but it cannot be read ({error})"
        ) from error


def load_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Return width and height by image path from an ``.npy`` file with a pickled dictionary."""
    array = load_guarded_npy(path.read_bytes(), str(path))
    sizes = array.item() if array.shape == () else None
    if not isinstance(sizes, dict):
        raise ValueError(
            f"expected a dictionary of image path to (width, height) in {path}, got an array of "
            f"{array.dtype} {array.shape}"
        )
    return {str(name): _size(size, f"{path}, {name}") for name, size in sizes.items()}


class _Guarded(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        """Return a stand-in for what arrays are made of, and refuse the rest."""
        known = module.replace("numpy._core", "numpy.core").replace("__builtin__", "builtins")
        allowed = STAND_INS.get((known, name))
        if allowed is None:
            raise RefusedPickle(
                f"refused a pickle that names {module}.{name}: reading it could run code. Only "
                "NumPy arrays and plain data are read"
            )
        return allowed


def _size(size: object, where: str) -> tuple[int, int]:
    values = np.asarray(size)
    if values.shape != (2,) or values.dtype.kind not in "iuf":
        raise ValueError(f"expected width and height in {where}, got {size!r}")
    return int(values[0]), int(values[1])
