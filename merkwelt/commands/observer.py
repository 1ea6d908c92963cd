"""``merkwelt observer ...``."""

from rich.table import Table
from tyro.conf import Positional

from ..console import OUT
from ..render.observer.quantity import Quantity


def list_() -> None:
    """List the observers that come with merkwelt."""
    from ..render.observer.presets import PRESETS

    for name, make in PRESETS.items():
        OUT.print(f"{name:12s} {make().description}")


def show(name: Positional[str], /) -> None:
    """Print every parameter of an observer with its unit and source.

    Args:
        name: adult, static, ...
    """
    from ..render.observer.presets import load_observer

    observer = load_observer(name)
    OUT.print(f"[bold]{observer.name}[/]: {observer.description}")
    table = Table("parameter", "value", "unit", "source", box=None)
    for row in observer.rows():
        quantity = row.quantity
        table.add_row(row.name, _described(quantity), quantity.unit, quantity.source)
    OUT.print(table)


def _described(quantity: Quantity) -> str:
    text = f"{quantity.value:g}"
    if quantity.spread:
        text += f" ± {quantity.spread:g}"
    if quantity.distribution != "fixed":
        text += f" {quantity.distribution}"
    if quantity.low is not None or quantity.high is not None:
        low, high = ("…" if v is None else f"{v:g}" for v in (quantity.low, quantity.high))
        text += f" in [{low}, {high}]"
    return text
