"""Human maps in any form written in another, and what is in them told and shown."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from .alignment.maps.filters import TrialFilter
    from .alignment.maps.making import MapRecipe
    from .alignment.maps.read_maps import ReadOptions

MapForm = Literal["npz", "tfrecord", "tfrecord-raw", "folder", "hdf5", "csv", "dump", "fixations"]
FilterName = Literal["co3d-val", "co3d-train", "imagenet-val", "imagenet-train"]
TRIAL_TARGETS: tuple[MapForm, ...] = ("csv", "dump", "fixations")
_BY_SUFFIX: dict[str, MapForm] = {
    ".npz": "npz",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".csv": "csv",
}
_SUFFIXES: dict[MapForm, tuple[str, ...]] = {
    "npz": (".npz",),
    "tfrecord": (".tfrecord", ".tfrecords", ""),
    "tfrecord-raw": (".tfrecord", ".tfrecords", ""),
    "folder": ("",),
    "hdf5": (".h5", ".hdf5"),
    "csv": (".csv",),
    "dump": (".npz",),
    "fixations": (".csv",),
}


@dataclass(frozen=True, kw_only=True)
class MapRequest:
    """What of human maps is read and how."""

    images: Path | None = None
    """Folder of the pictures, for forms without them."""
    sizes: Path | None = None
    """``.npy`` file of image sizes, for trials."""
    recipe: str | None = None
    """How maps are made of trials: co3d2025, fel2022 or gaussian:SD."""
    filter: FilterName | None = None
    """Which trials count; all by default."""
    size: int | None = None
    """Resize images and maps to squares of this side."""
    limit: int | None = None
    """Take the first so many images."""
    published: bool = False
    """Leave out the shards and records that the public loaders of ClickMe 1.0 leave out."""
    batch: int = 128
    """Whose smaller remainder the public loaders drop."""
    skip_damaged: bool = False
    """Leave out damaged records by name instead of stopping at them."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What was written, and what a person should know of it."""

    target: Path
    lines: tuple[str, ...]


def convert_maps(
    source: Path, target: Path, request: MapRequest, *, to: MapForm | None = None
) -> Converted:
    """Write human maps, or the trials behind them, in another form.

    Args:
        source: what ``read_maps`` or ``read_trials`` reads.
        target: file or folder, which must not exist.
        request: what is read.
        to: the form; told by the ending of ``target`` by default.

    Raises:
        FileExistsError: there is something at ``target``.
        FileNotFoundError: no source, or a picture is missing.
        ValueError: the source is damaged, or cannot become what is asked for.
    """
    from .alignment.maps.writing import refuse_existing

    form = _form(target, to)
    refuse_existing(target)
    if form in TRIAL_TARGETS:
        return _convert_trials(source, target, request, form)
    if form in ("npz", "hdf5"):
        return _convert_together(source, target, request, form)
    return _convert_one_by_one(source, target, request, form)


def recipe_named(text: str) -> "MapRecipe":
    """Return a map recipe by name: co3d2025, fel2022, or gaussian:SD with SD in pixels of 256."""
    from .alignment.maps import making

    name, _, number = text.partition(":")
    if name == "gaussian" and number:
        try:
            return making.gaussian(float(number))
        except ValueError as error:
            raise ValueError(f"expected gaussian:SD with a number above 0, got {text!r}") from error
    named = {"co3d2025": making.co3d2025, "fel2022": making.fel2022}
    if text not in named:
        raise ValueError(f"expected recipe co3d2025, fel2022 or gaussian:SD, got {text!r}")
    return named[text]()


def read_options(request: MapRequest) -> "ReadOptions":
    """Return a request as options of ``read_maps``."""
    from .alignment.maps.read_maps import ReadOptions

    return ReadOptions(
        limit=request.limit,
        size_px=request.size,
        compat="published" if request.published else "none",
        batch_size=request.batch,
        damaged="skip" if request.skip_damaged else "refuse",
        sizes=request.sizes,
        chosen=_filter(request.filter),
    )


def left_out_lines(left_out: "dict[str, str]", *, most: int = 10) -> list[str]:
    """Return what was left out and why, in lines."""
    lines = [f"  left out: {name}: {why}" for name, why in islice(left_out.items(), most)]
    more = len(left_out) - most
    return [*lines, f"  and {more} more left out"] if more > 0 else lines


def _convert_trials(source: Path, target: Path, request: MapRequest, form: MapForm) -> Converted:
    from .alignment.maps.clickme2_dump import write_clickme2_dump
    from .alignment.maps.clicks_csv import write_clicks_csv
    from .alignment.maps.filters import filter_trials
    from .alignment.maps.fixations import write_fixations_csv
    from .alignment.maps.read_trials import read_trials
    from .alignment.maps.subset import trials_on

    if request.recipe is not None or request.size is not None:
        raise ValueError("trials are written as they are; leave out --recipe and --size")
    trials = read_trials(source, request.images, sizes=request.sizes)
    if request.limit is not None:
        trials = trials_on(trials, set(islice(trials.by_image(), request.limit)))
    left_out = dict(trials.left_out)
    chosen = _filter(request.filter)
    if chosen is not None:
        filtered = filter_trials(trials, chosen)
        trials = filtered.trials
        left_out |= {why: f"{count} trials" for why, count in filtered.left_out.items()}
    write = {
        "csv": write_clicks_csv,
        "dump": write_clickme2_dump,
        "fixations": write_fixations_csv,
    }[form]
    count = write(trials, target)
    images = len(trials.by_image())
    told = f"{target}: {count} trials on {images} images, as {form}"
    return Converted(target=target, lines=(told, *left_out_lines(left_out)))


def _convert_together(source: Path, target: Path, request: MapRequest, form: MapForm) -> Converted:
    from .alignment.maps.hdf5 import write_hdf5
    from .alignment.maps.npz import write_portable_npz
    from .alignment.maps.read_maps import read_maps

    recipe = None if request.recipe is None else recipe_named(request.recipe)
    maps = read_maps(source, request.images, recipe, options=read_options(request))
    if form == "npz":
        write_portable_npz(maps, target)
    else:
        write_hdf5(maps, target)
    told = f"{target}: {len(maps)} images with maps, as {form}"
    return Converted(target=target, lines=(told, *left_out_lines(dict(maps.left_out))))


def _convert_one_by_one(
    source: Path, target: Path, request: MapRequest, form: MapForm
) -> Converted:
    """Convert with few images in memory; with a recipe, which is for all of them, together."""
    from .alignment.maps.clickme1_records import write_tfrecords
    from .alignment.maps.forms import pictures_beside
    from .alignment.maps.npz_files import write_npz_files
    from .alignment.maps.pairs import pairs_of, sized_pairs
    from .alignment.maps.read_maps import open_pairs, read_maps

    options = read_options(request)
    if request.recipe is None:
        stream = open_pairs(source, pictures_beside(source, request.images), options)
        left_out = stream.left_out
        pairs = sized_pairs(islice(stream.pairs, request.limit), request.size)
    else:
        maps = read_maps(source, request.images, recipe_named(request.recipe), options=options)
        pairs, left_out = pairs_of(maps), dict(maps.left_out)
    if form == "folder":
        count = write_npz_files(pairs, target)
    else:
        encoding = "raw" if form == "tfrecord-raw" else "jpeg"
        count = write_tfrecords(pairs, target, encoding=encoding)
    told = f"{target}: {count} images with maps, as {form}"
    return Converted(target=target, lines=(told, *left_out_lines(left_out)))


def _form(target: Path, to: MapForm | None) -> MapForm:
    suffix = target.suffix.lower() if target.suffix.lower() in _BY_SUFFIX else ""
    if to is None:
        if suffix not in _BY_SUFFIX:
            raise ValueError(
                f"expected a target that ends in {', '.join(_BY_SUFFIX)}, or --to "
                f"{', '.join(get_args(MapForm))}; got {target}"
            )
        return _BY_SUFFIX[suffix]
    if suffix not in _SUFFIXES[to]:
        wanted = " or ".join(ending or "nothing (a folder)" for ending in _SUFFIXES[to])
        raise ValueError(f"expected a target that ends in {wanted} for --to {to}, got {target}")
    return to


def _filter(name: FilterName | None) -> "TrialFilter | None":
    from .alignment.maps import filters

    named: dict[FilterName, Callable[[], TrialFilter]] = {
        "co3d-val": filters.co3d_validation,
        "co3d-train": filters.co3d_training,
        "imagenet-val": filters.imagenet_validation,
        "imagenet-train": filters.imagenet_training,
    }
    return None if name is None else named[name]()
