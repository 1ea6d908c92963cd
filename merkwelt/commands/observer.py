"""``merkwelt observer ...``."""

from pathlib import Path

from rich.table import Table
from tyro.conf import Positional

from ..console import OUT, progress_bar
from ..render.observer.quantity import Quantity


def list_() -> None:
    """List the observers that come with merkwelt."""
    from ..render.observer.presets import PRESETS

    for name, make in PRESETS.items():
        OUT.print(f"{name:12s} {make().description}")


def show(name: Positional[str], /) -> None:
    """Print every parameter of an observer with its unit and source.

    Args:
        name: adult, toddler, crawler, mineault2021, static, or the .json file of a card.
    """
    from ..render.observer.presets import load_observer

    observer = load_observer(name)
    OUT.print(f"[bold]{observer.name}[/]: {observer.description}")
    table = Table(box=None)
    table.add_column("parameter", no_wrap=True)
    for title in ("value", "unit", "source"):
        table.add_column(title, overflow="fold")
    for row in observer.rows():
        quantity = row.quantity
        table.add_row(row.name, _described(quantity), quantity.unit, quantity.source)
    OUT.print(table)


def check(
    name: Positional[str],
    /,
    *,
    scene: str,
    out: Path,
    clips: int = 64,
    seconds: float = 10.0,
    seed: int = 0,
    library: Path | None = None,
) -> None:
    """Compare an observer's motion with published figures of people; report.html, results.json.

    Args:
        name: adult, static, ..., or a JSON file that holds an observer.
        scene: name of a scene with metric scale, or its folder.
        out: folder to write to.
        clips: how many clips are planned; only depth for disparities is rendered.
        seconds: how long each is.
        seed: seed of the clips.
        library: folder of scenes.
    """
    from ..observer_check import FORMAT, CheckSettings, check_observer, write_check
    from ..render.observer.presets import load_observer
    from ..results_folder import free_for
    from ..scenes.scene import Scene

    observer = load_observer(name)
    free_for(out, FORMAT)  # before the work
    settings = CheckSettings(clips=clips, seconds=seconds, seed=seed)
    with progress_bar(f"checking {observer.name}") as progress:
        found = check_observer(
            observer, Scene.load(scene, library=library), settings, progress=progress
        )
    report = write_check(found, out)
    counts = ", ".join(f"{found.count(verdict)} {verdict}" for verdict in ("within", "outside"))
    OUT.print(f"{counts}, {found.count('too few data')} with too few data: {report}")


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
