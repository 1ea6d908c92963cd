"""Nested dataclasses from the plain data that JSON makes of them."""

import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")


def from_plain(kind: type[Kind], data: Mapping[str, Any], *, where: str) -> Kind:
    """Return the dataclass that ``dataclasses.asdict`` turned into ``data``.

    Raises:
        ValueError: entries are missing or unknown; names ``where``.
    """
    try:
        return _restored(kind, data)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{where}: not a {kind.__name__}: {error}") from error


def _restored(hint: Any, value: Any) -> Any:  # noqa: ANN401 - typed by the hint
    if get_origin(hint) in (Union, types.UnionType):
        wanted = next(a for a in get_args(hint) if a is not type(None))
        return None if value is None else _restored(wanted, value)
    if get_origin(hint) is tuple:
        return tuple(_restored(get_args(hint)[0], item) for item in value)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: _restored(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    return value
