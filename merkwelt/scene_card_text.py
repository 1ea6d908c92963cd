"""A scene's card as text for the terminal."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from .console import OUT
from .scenes.bricks.file import FAST_FILE
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
        "quality": _figures(card.quality, fast=False) or "not measured",
        "fast form": _figures(card.quality, fast=True) if scene.has_bricks else "not made yet",
        "content": scene.content_hash()[:16],
        "preview": str(scene.folder / PREVIEW_FILE) if scene.folder else "none",
    }
    OUT.print(f"[bold]{card.name}[/]")
    for key, value in rows.items():
        OUT.print(f"  {key:24s} {value}")
    if card.objects:
        OUT.print(_objects(scene))


def print_fast(scene: Scene) -> None:
    """Print where a scene's fast form is and what was measured on it."""
    quality = scene.card.quality
    OUT.print(f"fast form: {scene.folder and scene.folder / FAST_FILE}")
    lines = {
        "fast_walk_psnr_db": "dB to the exact rendering on free walks",
        "fast_walk_worst_psnr_db": "dB in the worst of those pictures",
        "fast_held_out_psnr_db": "dB on held-out photographs",
        "fast_held_out_lost_db": "dB less than the exact rendering on these",
        "fast_megabytes": "MB in memory",
        "fast_minutes": "minutes to make",
    }
    for key, meaning in lines.items():
        if key in quality:
            OUT.print(f"  {quality[key]:8.2f}  {meaning}")
    OUT.print(f"render with it: merkwelt render --scene {scene.card.name} --renderer.path fast ...")


def _figures(quality: Mapping[str, float], *, fast: bool) -> str:
    chosen = {k: v for k, v in quality.items() if k.startswith("fast_") == fast}
    return ", ".join(f"{k.removeprefix('fast_')} {v:g}" for k, v in chosen.items())


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
