"""What a collection of human maps holds: in words, and as one picture to look at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from .alignment.maps.image_paths import UNKNOWN
from .clip_sheet import caption
from .files import write_atomically
from .map_conversion import MapRequest, left_out_lines, read_options, recipe_named
from .report.encode import png_bytes
from .report.maps import map_over_image
from .report.stereo import contact_sheet

if TYPE_CHECKING:
    from .alignment.maps.human_maps import HumanMaps
    from .alignment.maps.trials import Trials

COLUMNS = 4
TILE_PX = 200
GUTTER_PX = 6


@dataclass(frozen=True, kw_only=True)
class ShownMaps:
    """What is in a collection, and where its picture is."""

    lines: tuple[str, ...]
    out: Path | None


def show_maps(
    source: Path, request: MapRequest, *, out: Path | None = None, shown: int = 12
) -> ShownMaps:
    """Tell what human maps hold, and draw some of them over their images.

    Args:
        source: what ``read_maps`` reads.
        request: what is read.
        out: the picture's file, ending in .png; None draws none.
        shown: at most so many images, evenly spaced among all.

    Raises:
        FileExistsError: there is something at ``out``.
        FileNotFoundError: no source, or a picture is missing.
        ValueError: the source is damaged, or ``out`` is no .png file.
    """
    from .alignment.maps.forms import form_of
    from .alignment.maps.read_maps import read_maps
    from .alignment.maps.writing import refuse_existing

    if shown < 1 or (out is not None and out.suffix.lower() != ".png"):
        raise ValueError(f"expected at least 1 image and a .png file, got {shown} and {out}")
    if out is not None:
        refuse_existing(out)
    recipe = None if request.recipe is None else recipe_named(request.recipe)
    maps = read_maps(source, request.images, recipe, options=read_options(request))
    if out is not None:
        write_atomically(out, png_bytes(sheet_of_maps(maps, shown)))
    return ShownMaps(lines=(f"form: {form_of(source)}", *described_maps(maps)), out=out)


def described_maps(maps: "HumanMaps") -> tuple[str, ...]:
    """Return in lines what a collection holds, what it lacks, and what was left out."""
    height, width = maps.maps.shape[1:]
    constant = [
        name
        for name, heatmap in zip(maps.names, maps.maps, strict=True)
        if heatmap.min() == heatmap.max()
    ]
    lines = [
        f"kind: {maps.kind}",
        f"images: {len(maps)} of {width} x {height} px",
        f"categories: {'not told' if set(maps.labels) == {UNKNOWN} else _counted(maps.labels)}",
    ]
    if maps.splits is not None:
        lines.append(f"splits: {_counted([split or 'none' for split in maps.splits])}")
    if maps.cameras is not None:
        known = int(np.isfinite(maps.cameras.camera_from_world).all(axis=(1, 2)).sum())
        lines.append(f"cameras: {known} known")
    if maps.trials is None:
        lines.append("people: unknown, one averaged map per image")
    else:
        lines += _people(maps.trials)
    above = (maps.maps > 0).mean()
    lines.append(f"map pixels above 0: {100 * float(above):.1f} %")
    if constant:
        listed = ", ".join(constant[:5]) + (" ..." if len(constant) > 5 else "")
        lines.append(f"constant maps, which have no score: {len(constant)} ({listed})")
    lines += [f"source: {maps.source}", f"licence: {maps.licence}"]
    return (*lines, *left_out_lines(dict(maps.left_out)))


def sheet_of_maps(maps: "HumanMaps", shown: int) -> np.ndarray:
    """Return images, each beside itself under its map, uint8 ``[height, width, 3]``."""
    places = np.unique(np.linspace(0, len(maps) - 1, shown).round().astype(int))
    tiles = np.stack([_tile(maps, int(place)) for place in places])
    sheet = contact_sheet(tiles, columns=min(COLUMNS, len(tiles)), gutter_px=GUTTER_PX)
    text = f"{len(places)} of {len(maps)} images: {maps.kind}"
    head = caption(text, sheet.shape[1])
    wide = max(head.shape[1], sheet.shape[1])
    return np.concatenate([_wide(head, wide), _wide(sheet, wide)])


def _tile(maps: "HumanMaps", place: int) -> np.ndarray:
    import cv2

    image = maps.images[place]
    both = np.concatenate([image, map_over_image(image, maps.maps[place])], axis=1)
    height = max(1, round(both.shape[0] * 2 * TILE_PX / both.shape[1]))
    small = np.asarray(cv2.resize(both, (2 * TILE_PX, height), interpolation=cv2.INTER_AREA))
    label = "" if maps.labels[place] == UNKNOWN else f"{maps.labels[place]}  "
    text = label + maps.names[place]
    return np.concatenate([small, caption(text, 2 * TILE_PX)[:, : 2 * TILE_PX]])


def _wide(picture: np.ndarray, width: int) -> np.ndarray:
    missing = width - picture.shape[1]
    return np.pad(picture, ((0, 0), (0, missing), (0, 0)), constant_values=255)


def _people(trials: "Trials") -> list[str]:
    by_image = trials.by_image().values()
    people = [len({trial.subject for trial in own}) for own in by_image]
    points = [len(trial.points_px) for trial in trials.trials]
    sizes = _counted([f"{width} x {height} px" for width, height in trials.image_sizes_px.values()])
    return [
        f"trials: {len(trials)} of {trials.kind}, on images of {sizes}",
        f"people per image: {_spread(people)}",
        f"points per trial: {_spread(points)}",
    ]


def _spread(counts: Sequence[int]) -> str:
    if min(counts) == max(counts):
        return str(min(counts))
    return f"{min(counts)} to {max(counts)}, median {median(counts):g}"


def _counted(words: Sequence[str], most: int = 8) -> str:
    counts = Counter(words)  # in order of first appearance
    listed = ", ".join(f"{word} {counts[word]}" for word in list(counts)[:most])
    more = len(counts) - most
    return f"{listed} and {more} more" if more > 0 else listed
