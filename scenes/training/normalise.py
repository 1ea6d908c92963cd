"""A capture of any kind, written as the ``transforms.json`` that nerfstudio trains from.

Photographs are read from where they are; copies are made, in the run's own folder, only of those
that must be made smaller. The capture itself is never written to.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..captures import Capture, Split, View, flip_camera_axes
from ..captures.photographs import photograph_size

SMALL_SIDE_PX = 500
"""Photographs whose longer side is below this are used as they are."""
LEAST_SIDE_PX = 200
"""Automatic downscaling keeps the longer side at least this long."""
LARGEST_DOWNSCALE = 8
_COPIES_FOLDER = "photographs"


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """A view at training size."""

    view: View
    path: Path
    width: int
    height: int


def automatic_downscale(views: tuple[View, ...]) -> int:
    """Return 1 for small photographs, else 8, 4 or 2 so that about 200 px or more remain."""
    side = max(max(view.width, view.height) for view in views)
    if side < SMALL_SIDE_PX:
        return 1
    factor = LARGEST_DOWNSCALE
    while factor > 1 and side / factor < LEAST_SIDE_PX:
        factor //= 2
    return factor


def write_normalised(capture: Capture, split: Split, folder: Path, *, downscale: int) -> bool:
    """Write ``folder/transforms.json`` and what copies it needs.

    Returns:
        Whether the photographs have an alpha channel.

    Raises:
        ValueError: a photograph is damaged, or some but not all have an alpha channel or a mask.
    """
    folder.mkdir(parents=True)
    chosen = {*split.train, *split.held_out}
    views = [view for view in capture.views if view.name in chosen]
    photographs = [_at_size(view, downscale, folder) for view in views]
    has_alpha = _check_pictures(capture, photographs)
    _check_masks(capture, views)
    entries = [_frame(photograph, folder, downscale) for photograph in photographs]
    file_of = {p.view.name: e["file_path"] for p, e in zip(photographs, entries, strict=True)}
    held_out = [file_of[name] for name in (split.held_out or split.train[:1])]
    document = {
        "camera_model": "OPENCV",
        "frames": entries,
        "train_filenames": [file_of[name] for name in split.train],
        "val_filenames": held_out,
        "test_filenames": held_out,
    }
    (folder / "transforms.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    return has_alpha


def _at_size(view: View, downscale: int, folder: Path) -> Photograph:
    """Return the view's photograph at training size, made by the capture or by us."""
    if downscale == 1:
        return Photograph(view=view, path=view.path, width=view.width, height=view.height)
    ready = _ready_made(view, downscale)
    if ready is not None:
        width, height = photograph_size(ready)
        return Photograph(view=view, path=ready, width=width, height=height)
    width, height = _smaller_size(view, downscale)
    path = (folder / _COPIES_FOLDER / view.name).with_suffix(".png")
    _write_smaller(view.path, path, (width, height))
    return Photograph(view=view, path=path, width=width, height=height)


def _smaller_size(view: View, downscale: int) -> tuple[int, int]:
    return max(1, round(view.width / downscale)), max(1, round(view.height / downscale))


def _ready_made(view: View, downscale: int) -> Path | None:
    """Return the copy in ``images_8`` beside ``images``, if it exists and is that much smaller."""
    parts = view.name.split("/")
    if len(parts) < 2:
        return None
    root = view.path.parents[len(parts) - 1]
    path = root.joinpath(f"{parts[0]}_{downscale}", *parts[1:])
    if not path.is_file():
        return None
    width, height = photograph_size(path)
    fits = abs(width - view.width / downscale) <= 1 and abs(height - view.height / downscale) <= 1
    return path if fits else None


def _write_smaller(source: Path, target: Path, size: tuple[int, int]) -> None:
    """Write a copy in which each pixel is the mean of those that it covers."""
    from PIL import Image

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Image.open(source) as image:
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                # Colours are averaged by their alpha, or hidden colours would bleed in.
                small = image.convert("RGBA").convert("RGBa").resize(size, Image.Resampling.BOX)
                small = small.convert("RGBA")
            else:
                small = image.convert("RGB").resize(size, Image.Resampling.BOX)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"photograph {source} cannot be read: {error}") from error
    small.save(target, compress_level=1)


def _check_pictures(capture: Capture, photographs: list[Photograph]) -> bool:
    """Decode every photograph once, and return whether they have an alpha channel."""
    from PIL import Image

    modes = {}
    for photograph in photographs:
        try:
            with Image.open(photograph.path) as image:
                image.load()
                modes[photograph.path] = image.mode
        except (OSError, SyntaxError) as error:
            raise ValueError(f"photograph {photograph.path} cannot be read: {error}") from error
    odd = sorted(set(modes.values()) - {"RGB", "RGBA", "L"})
    if odd or len({mode == "RGBA" for mode in modes.values()}) > 1:
        raise ValueError(
            f"{capture.root}: expected photographs that are all RGB (or grey) or all RGBA with 8 "
            f"bits, found modes {sorted(set(modes.values()))}; convert them to one kind"
        )
    return "RGBA" in modes.values()


def _check_masks(capture: Capture, views: list[View]) -> None:
    without = [view.name for view in views if view.mask is None or not view.mask.is_file()]
    if without and any(view.mask is not None for view in views):
        raise ValueError(
            f"{capture.root}: expected a mask for every photograph or for none, found none for "
            f"{len(without)} of {len(views)}, the first {without[0]}"
        )


def _frame(photograph: Photograph, folder: Path, downscale: int) -> dict[str, object]:
    view = photograph.view
    along_x, along_y = photograph.width / view.width, photograph.height / view.height
    frame: dict[str, object] = {
        "file_path": _listed(photograph.path, folder),
        "transform_matrix": flip_camera_axes(view.world_from_camera).tolist(),
        "fl_x": view.fx * along_x,
        "fl_y": view.fy * along_y,
        "cx": view.cx * along_x,
        "cy": view.cy * along_y,
        "w": photograph.width,
        "h": photograph.height,
        **asdict(view.distortion),
    }
    if view.mask is not None:
        frame["mask_path"] = _listed(_mask_at_size(view, view.mask, photograph, folder), folder)
    return frame


def _mask_at_size(view: View, mask: Path, photograph: Photograph, folder: Path) -> Path:
    size = (photograph.width, photograph.height)
    if photograph_size(mask) == size:
        return mask
    from PIL import Image

    target = (folder / "masks" / view.name).with_suffix(".png")
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(mask) as image:
        image.convert("L").resize(size, Image.Resampling.NEAREST).save(target)
    return target


def _listed(path: Path, folder: Path) -> str:
    """Return our own copies relative to the run, so that it can be moved, all others absolute."""
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return path.resolve().as_posix()
