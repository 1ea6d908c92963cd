"""Options as they are typed: what a command must say so that it makes the same again."""

from dataclasses import fields, is_dataclass
from typing import Any


def option_words(config: Any, usual: Any, prefix: str = "") -> list[str]:  # noqa: ANN401 - dataclasses
    """Return the options by which a configuration differs from the usual one, as words.

    Names are those that tyro gives to a dataclass's fields: nested ones after a dot, unless they
    are annotated to have no name of their own.

    Example:
        >>> from merkwelt.streams import ClipCut
        >>> option_words(ClipCut(frames=8, only=("a*", "b")), ClipCut(), "cut.")
        ['--cut.frames', '8', '--cut.only', 'a*', 'b']
    """
    words: list[str] = []
    for field in fields(config):
        value, before = getattr(config, field.name), getattr(usual, field.name)
        name = field.name.replace("_", "-")
        if value == before:
            continue
        if is_dataclass(value):
            has_no_name = any(
                getattr(each, "name", None) == ""
                for each in getattr(field.type, "__metadata__", ())
            )
            words += option_words(value, before, prefix if has_no_name else f"{prefix}{name}.")
        elif isinstance(value, bool):
            words.append(f"--{prefix}{'' if value else 'no-'}{name}")
        elif isinstance(value, tuple):
            words += [f"--{prefix}{name}", *map(str, value)]
        else:
            words += [f"--{prefix}{name}", str(value)]
    return words
