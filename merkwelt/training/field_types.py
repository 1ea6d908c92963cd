"""Whether values read from a file or a command line fit the fields that they are for."""

import dataclasses
import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin


def fitting(value: Any, hint: Any, name: str) -> Any:  # noqa: ANN401 - any value of any type
    """Return a value as its field holds it: a whole number becomes a float where one is wanted.

    Args:
        value: plain data, tuples of it, or dataclasses.
        hint: the field's type. What this module does not know fits everything.
        name: of the field, for the message.

    Raises:
        ValueError: it does not fit; says what would.
    """
    if _is_whole(value) and _takes(hint, float) and not _takes(hint, int):
        value = float(value)
    if not _fits(value, hint):
        raise ValueError(f"expected {name} to be {described(hint)}, got {_shown(value)}")
    if get_origin(hint) is tuple and isinstance(value, tuple):
        inner = _inner(hint, len(value))
        return tuple(fitting(v, h, name) for v, h in zip(value, inner, strict=True))
    return value


def described(hint: Any) -> str:  # noqa: ANN401 - any type
    """Return what fits a type, in words, as JSON writes it."""
    plain = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        type(None): "null",
    }
    if hint in plain:
        return plain[hint]
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, get_args(hint)))}"
    if _is_union(hint):
        return " or ".join(described(each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        arguments = get_args(hint)
        if arguments[1:] == (...,):
            return f"a list, each {described(arguments[0])}"
        if len(set(arguments)) == 1:
            return f"a list of {len(arguments)}, each {described(arguments[0])}"
        return f"a list of {len(arguments)}: {', '.join(map(described, arguments))}"
    return getattr(hint, "__name__", str(hint))


def _fits(value: Any, hint: Any) -> bool:  # noqa: ANN401
    if _is_union(hint):
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is Literal:
        return any(type(value) is type(each) and value == each for each in get_args(hint))
    if get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            return False
        inner = _inner(hint, len(value))
        return len(inner) == len(value) and all(map(_fits, value, inner))
    if hint is float:
        return _is_whole(value) or isinstance(value, float)
    if hint is int:
        return _is_whole(value)
    if isinstance(hint, type) and (
        hint in (bool, str, type(None)) or dataclasses.is_dataclass(hint)
    ):
        return isinstance(value, hint)
    return True


def _takes(hint: Any, kind: type) -> bool:  # noqa: ANN401
    options = get_args(hint) if _is_union(hint) else (hint,)
    return kind in options


def _inner(hint: Any, length: int) -> Sequence[Any]:  # noqa: ANN401
    arguments = get_args(hint)
    return arguments[:1] * length if arguments[1:] == (...,) else arguments


def _is_union(hint: Any) -> bool:  # noqa: ANN401
    return get_origin(hint) in (Union, types.UnionType)


def _is_whole(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return type(value).__name__ if dataclasses.is_dataclass(value) else repr(value)
