"""One entry for every stored form of human maps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .clickme1 import PUBLISHED_BATCH, Compat, open_shards
from .filters import TrialFilter, filter_trials
from .forms import TRIAL_FORMS, Form, form_of, pictures_beside
from .from_trials import finished_by, maps_of_trials
from .hdf5 import open_hdf5_maps
from .human_maps import HumanMaps
from .making import MapRecipe, co3d2025
from .npz import read_clickme2_npz, read_portable_npz
from .npz_files import open_npz_files
from .pair_files import open_npy_maps, open_pth_files
from .pairs import Damaged, PairStream, pairs_of, stack_pairs
from .provenance import Provenance
from .read_trials import read_trials
from .subset import first_maps, resized_maps


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What of the files is read and how."""

    limit: int | None = None
    """Take the first so many images."""
    size_px: int | None = None
    """Resize images and maps to squares of this side; needed where they differ in size."""
    compat: Compat = "none"
    """published leaves out the shards and records that the public loaders leave out (TFRecord)."""
    batch_size: int = PUBLISHED_BATCH
    """Whose smaller remainder the public loaders drop."""
    damaged: Damaged = "refuse"
    """refuse raises at a damaged record or file of many; skip leaves it out by name."""
    sizes: Path | None = None
    """``.npy`` file of image sizes, for trials without their pictures' sizes."""
    chosen: TrialFilter | None = None
    """Which trials count; all by default. Stored maps are refused with it: they are made."""

    def __post_init__(self) -> None:
        """Refuse numbers that leave nothing."""
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"expected a limit of at least 1 image, got {self.limit}")
        if self.size_px is not None and self.size_px < 1:
            raise ValueError(f"expected a size of at least 1 px, got {self.size_px}")


def read_maps(
    path: str | Path,
    images: str | Path | None = None,
    recipe: MapRecipe | None = None,
    *,
    options: ReadOptions | None = None,
) -> HumanMaps:
    """Return the human maps stored at ``path``, whatever their form.

    =========================  =================================================================
    form                       content
    =========================  =================================================================
    ``FILE.npz``               ClickMe 2.0 pairs: ``image, heatmap_u8, name, category``
    ``FILE.npz``               our own form (``merkwelt maps convert``)
    ``.tfrecords``, a folder   ClickMe 1.0 shards: JPEG records, or the raw floats before 2022
    folder or zip of ``.npz``  ClickMe 1.0: ``image, heatmap, label`` of one image each
    folder of ``.pth``         Pseudo_ClickMe: the same as tensors
    ``FILE.h5``                processed ClickMe 2.0 (extra ``hdf5``); needs ``images``
    folder of ``.npy``         processed ClickMe 2.0: one map each; needs ``images``
    trials                     what ``read_trials`` reads; needs ``images``; maps by ``recipe``
    =========================  =================================================================

    Args:
        path: file or folder.
        images: folder of the pictures, for forms without them; a folder ``images`` or ``stimuli``
            beside the file by default.
        recipe: how maps are made of trials (``co3d2025`` by default); stored maps are blurred and
            resized by it if it is given, as Fel et al. 2022 do before they score.
        options: what is read, and what becomes of damaged records.

    Raises:
        FileNotFoundError: nothing is there, or a picture is not.
        ValueError: the file is damaged or is something else; says what was expected.
    """
    path, options = Path(path), options or ReadOptions()
    form = form_of(path)
    pictures = pictures_beside(path, None if images is None else Path(images))
    _refuse_unused(path, form, options)
    if form in TRIAL_FORMS:
        return _sized(_of_trials(path, pictures, recipe or co3d2025(), options), options)
    if form in ("portable npz", "pairs npz"):
        maps = read_portable_npz(path) if form == "portable npz" else read_clickme2_npz(path)
        maps = _sized(first_maps(maps, options.limit or len(maps)), options)
    else:
        stream = open_pairs(path, pictures, options)
        maps = stack_pairs(stream, limit=options.limit, size_px=options.size_px)
    return maps if recipe is None else finished_by(maps, recipe)


def open_pairs(
    path: Path, images: Path | None = None, options: ReadOptions | None = None
) -> PairStream:
    """Return pairs as they come from their files, for collections that do not fit in memory.

    For the forms of ``read_maps`` that hold more than one file or record; others are read at once.

    Raises:
        FileNotFoundError: nothing is there, or a picture is not.
        ValueError: the file is damaged or is something else; says what was expected.
    """
    options, form = options or ReadOptions(), form_of(path)
    _refuse_unused(path, form, options)
    damaged = options.damaged
    openers: dict[str, Callable[[], PairStream]] = {
        "tfrecords": lambda: open_shards(
            path, compat=options.compat, batch_size=options.batch_size, damaged=damaged
        ),
        "npz files": lambda: open_npz_files(path, damaged=damaged),
        "pth files": lambda: open_pth_files(path, damaged=damaged),
        "hdf5": lambda: open_hdf5_maps(path, _needed(path, images), damaged=damaged),
        "npy maps": lambda: open_npy_maps(path, _needed(path, images), damaged=damaged),
    }
    if form in openers:
        return openers[form]()
    maps = read_maps(path, images, options=options)
    return PairStream(
        pairs=pairs_of(maps),
        provenance=Provenance(kind=maps.kind, source=maps.source, licence=maps.licence),
        left_out=dict(maps.left_out),
    )


def _of_trials(
    path: Path, images: Path | None, recipe: MapRecipe, options: ReadOptions
) -> HumanMaps:
    pictures = _needed(path, images)
    trials = read_trials(path, pictures, sizes=options.sizes)
    if options.chosen is not None:
        filtered = filter_trials(trials, options.chosen)
        trials = filtered.trials
        why = {reason: f"{count} trials" for reason, count in filtered.left_out.items()}
        trials = replace(trials, left_out={**trials.left_out, **why})
    return maps_of_trials(trials, pictures, recipe, limit=options.limit, source=path.name)


def _refuse_unused(path: Path, form: Form, options: ReadOptions) -> None:
    if options.chosen is not None and form not in TRIAL_FORMS:
        raise ValueError(
            f"expected what single people did to choose trials of, but {path} holds maps that are "
            "made already; leave out the filter (chosen, --filter)"
        )
    if options.compat != "none" and form != "tfrecords":
        raise ValueError(
            f"expected TFRecord shards, of which the public loaders leave some out, got {form} at "
            f"{path}; leave out compat (--published)"
        )


def _needed(path: Path, images: Path | None) -> Path:
    if images is None:
        raise ValueError(
            f"{path} holds no pictures: give their folder (images, --images), or put one named "
            "images or stimuli beside it"
        )
    if not images.is_dir():
        raise FileNotFoundError(f"expected a folder of pictures at {images}, found none")
    return images


def _sized(maps: HumanMaps, options: ReadOptions) -> HumanMaps:
    return maps if options.size_px is None else resized_maps(maps, options.size_px)
