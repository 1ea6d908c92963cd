"""Stand-ins for the parts of pickled arrays, which check what they are given."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_PLAIN_DTYPE = re.compile(r"^([?biufcSU]\d*|O8?)$")
_ORDERS = ("<", ">", "=", "|")


class RefusedPickle(ValueError):
    """A pickle names or holds something that plain arrays do not need."""


class _Dtype:
    """A dtype of numbers, text or objects; of its pickled state only the byte order is used."""

    __slots__ = ("dtype",)

    def __init__(self, spec: str) -> None:
        if not isinstance(spec, str) or not _PLAIN_DTYPE.match(spec):
            raise RefusedPickle(f"refused a pickled dtype {spec!r}: only plain ones are read")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in _ORDERS:
            raise RefusedPickle(f"refused a pickled dtype of byte order {state[1]!r}")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array whose content is not known until its state is."""

    __slots__ = ("dtype", "fortran", "raw", "shape")

    def __init__(self) -> None:
        self.dtype, self.shape, self.fortran, self.raw = np.dtype(object), (0,), False, []

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, raw = state
        self._set(shape, dtype, raw, fortran=bool(fortran))

    def _set(self, shape: object, dtype: object, raw: object, *, fortran: bool) -> None:
        if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple):
            raise RefusedPickle("refused a pickled array of unknown dtype or shape")
        if any(not isinstance(side, int) or side < 0 for side in shape):
            raise RefusedPickle(f"refused a pickled array of shape {shape!r}")
        content = raw.encode("latin-1") if isinstance(raw, str) else raw
        wanted = list if dtype.dtype.hasobject else (bytes, bytearray)
        length = math.prod(shape) * (1 if dtype.dtype.hasobject else dtype.dtype.itemsize)
        if not isinstance(content, wanted) or len(content) != length:
            raise RefusedPickle(f"refused a pickled array of shape {shape} with other content")
        self.dtype, self.shape, self.fortran, self.raw = dtype.dtype, shape, fortran, content

    def value(self, memo: dict[int, Any]) -> np.ndarray:
        """Return the array."""
        order = "F" if self.fortran else "C"
        if not isinstance(self.raw, list):
            return np.frombuffer(self.raw, self.dtype).reshape(self.shape, order=order).copy()
        flat = np.empty(len(self.raw), object)
        array = flat.reshape(self.shape, order=order)
        for place, item in enumerate(self.raw):
            flat[place] = _resolved(item, memo)
        return array


class _Callable:
    """A function without attributes, so that a pickle cannot change what it does."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_function", function)

    def __setattr__(self, name: str, value: object) -> None:
        raise RefusedPickle(f"refused a pickle that changes {name}")

    def __setstate__(self, state: object) -> None:
        raise RefusedPickle("refused a pickle that changes a function")

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 - as the pickle says
        return self._function(*arguments)


def resolved(loaded: Any) -> Any:  # noqa: ANN401 - any plain data
    """Return loaded data with arrays in place of stand-ins."""
    return _resolved(loaded, {})


def _resolved(item: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401
    if id(item) in memo:
        return memo[id(item)][1]
    if isinstance(item, _Array):
        value: Any = item.value(memo)
    elif isinstance(item, dict):
        value = {_resolved(key, memo): _resolved(held, memo) for key, held in item.items()}
    elif isinstance(item, (list, tuple)):
        value = type(item)(_resolved(held, memo) for held in item)
    elif isinstance(item, (_Dtype, _Callable, type)):
        raise RefusedPickle("refused a pickle that holds functions or types")
    else:
        return item
    # The item is kept with its value: its identity must not be given to another.
    memo[id(item)] = (item, value)
    return value


def _reconstruct(subtype: object, shape: object, kind: object) -> _Array:
    del subtype, shape, kind  # always ndarray, (0,) and b"b"; the state that follows counts
    return _Array()


def _scalar(dtype: object, raw: object = b"") -> object:
    array = _Array()
    array._set((), dtype, raw, fortran=False)
    if array.dtype.hasobject:
        raise RefusedPickle("refused a pickled scalar that is an object")
    return array.value({})[()]


def _from_buffer(raw: object, dtype: object, shape: object, order: str) -> _Array:
    array = _Array()
    array._set(shape, dtype, raw, fortran=order == "F")
    if array.dtype.hasobject:
        raise RefusedPickle("refused a pickle whose bytes stand for objects")
    return array


def _old_bytes(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise RefusedPickle(f"refused a pickle that encodes text in {encoding!r}")
    return text.encode("latin-1")


def _bytes(content: object) -> bytes:
    if not isinstance(content, (bytes, bytearray)):
        raise RefusedPickle("refused a pickled byte array that is not made of bytes")
    return bytes(content)


STAND_INS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _Callable(_reconstruct),
    ("numpy.core.multiarray", "scalar"): _Callable(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Callable(_from_buffer),
    ("numpy", "ndarray"): _Callable(_reconstruct),
    ("numpy", "dtype"): _Callable(lambda spec, *_: _Dtype(spec)),
    ("_codecs", "encode"): _Callable(_old_bytes),
    # Empty bytes, in old protocols.
    ("builtins", "bytes"): _Callable(lambda: b""),
    ("builtins", "bytearray"): _Callable(lambda content=b"": bytearray(_bytes(content))),
    ("builtins", "set"): _Callable(lambda items=(): set(items)),
    ("builtins", "frozenset"): _Callable(lambda items=(): frozenset(items)),
}
"""What a pickle may name, and what stands for it."""
