"""Observers that come with merkwelt, by name; and those that users make."""

from dataclasses import replace
from pathlib import Path

from .adult import adult
from .card import Observer
from .children import crawler, toddler
from .glider import mineault2021

__all__ = [
    "PRESETS",
    "adult",
    "crawler",
    "load_observer",
    "mineault2021",
    "static",
    "toddler",
]


def static() -> Observer:
    """Return an adult who stands still and looks around."""
    return replace(
        adult(),
        name="static",
        description="an adult who stands still and looks around with the eyes",
        locomotion="stand",
    )


PRESETS = {
    "adult": adult,
    "toddler": toddler,
    "crawler": crawler,
    "mineault2021": mineault2021,
    "static": static,
}


def load_observer(name: str) -> Observer:
    """Return a preset by its name, or the observer in a ``.json`` file.

    Raises:
        ValueError: there is no such preset, or the file holds no observer card.
        FileNotFoundError: there is no such file.
    """
    if name in PRESETS:
        return PRESETS[name]()
    if not name.endswith(".json"):
        raise ValueError(
            f"expected one of the observers {sorted(PRESETS)} or a .json file, got {name!r}"
        )
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"there is no observer card {path}")
    return Observer.from_json(path.read_text(encoding="utf-8"), where=str(path))
