"""A scene's card as text for the terminal."""

from pathlib import Path

from rich.table import Table

from .console import OUT
from .scenes.scene import PREVIEW_FILE, Scene


def print_card(name: str, library: Path | None) -> None:
    """Print what a scene is, its objects, and where its preview picture is."""
    scene = Scene.load(name, library=library)
    card = scene.card
    low, high = card.bounds
    unit = "m" if card.is_metric else "capture units"
    size = " x ".join(f"{b - a:.2f}" for a, b in zip(low, high, strict=True))
    scale = f"{card.metres_per_unit:g}" if card.metres_per_unit else "unknown (no stereo)"
    rows = {
        "licence": card.licence,
        "source": card.source,
        "field": f"{card.field_kind}, {_megabytes(scene):.1f} MB",
        "metres per capture unit": scale,
        "bounds": f"{size} {unit}",
        "floor": "none" if card.floor_height is None else f"z = {card.floor_height:.2f} {unit}",
        "training cameras": str(len(card.world_from_training_camera)),
        **(
            {"viewpoints": str(len(card.world_from_viewpoint))} if card.world_from_viewpoint else {}
        ),
        "quality": ", ".join(f"{k} {v:g}" for k, v in card.quality.items()) or "not measured",
        "content": scene.content_hash()[:16],
        "preview": str(scene.folder / PREVIEW_FILE) if scene.folder else "none",
    }
    OUT.print(f"[bold]{card.name}[/]")
    for key, value in rows.items():
        OUT.print(f"  {key:24s} {value}")
    if card.objects:
        OUT.print(_objects(scene))


def _objects(scene: Scene) -> Table:
    table = Table("object", "ImageNet", "label", "centre", "size", box=None, padding=(0, 1, 0, 2))
    for thing in scene.card.objects:
        centre, size = (
            " ".join(f"{v:.2f}" for v in vector)
            for vector in (thing.box.centre_m, thing.box.size_m)
        )
        table.add_row(thing.name, thing.wnid or "", thing.label or "", centre, size)
    return table


def _megabytes(scene: Scene) -> float:
    if scene.folder is None:
        return 0.0
    return sum(f.stat().st_size for f in scene.folder.iterdir() if f.is_file()) / 1e6
