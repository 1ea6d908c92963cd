"""One entry for every stored form of what single people did."""

from pathlib import Path

from .clickme2_dump import read_clickme2_dump
from .clicks_csv import read_clicks_csv
from .fixations import read_fixations_csv, read_mouse_npz, read_salicon_folder
from .forms import TRIAL_FORMS, Form, form_of, pictures_beside
from .hdf5 import read_hdf5_trials
from .npz import read_portable_npz
from .sizes import size_source
from .trials import Trials


def read_trials(
    path: str | Path, images: str | Path | None = None, *, sizes: str | Path | None = None
) -> Trials:
    """Return the trials stored at ``path``, whatever their form.

    ==================  ========================================================================
    form                content
    ==================  ========================================================================
    ``FILE.csv``        ClickMe clicks: ``image_path,clicks,user_id[,timestamp]``, both dialects
    ``FILE.csv``        fixations: ``image,subject,order,x,y,duration_ms`` (OSIE)
    ``FILE.npz``        ClickMe 2.0 dump: ``file_pointer,clickmap_x,clickmap_y,user_id,...``
    ``FILE.npz``        mouse traces: ``coord,subj,image,offset`` (OSIE)
    ``FILE.npz``        our own form, if it was written with trials
    ``FILE.h5``         processed ClickMe 2.0: ``bin_clickmaps`` (extra ``hdf5``)
    folder of ``.mat``  SALICON fixations
    ==================  ========================================================================

    Args:
        path: file or folder.
        images: folder of the pictures, whose sizes the first two and the ``.npz`` forms of others
            need; a folder ``images`` or ``stimuli`` beside the file by default.
        sizes: ``.npy`` file that tells them instead: a dictionary of path to (width, height).

    Raises:
        FileNotFoundError: nothing is there, or a picture is not.
        ValueError: the file is damaged or is something else; says what was expected.
    """
    path = Path(path)
    form = form_of(path)
    if form == "portable npz":
        trials = read_portable_npz(path).trials
        if trials is None:
            raise ValueError(f"expected trials in {path}, but it was written without any")
        return trials
    if form == "hdf5":
        return read_hdf5_trials(path)
    if form == "mat files":
        return read_salicon_folder(path)
    if form not in TRIAL_FORMS:
        raise ValueError(
            f"expected what single people did, but {path} holds averaged maps; read_maps reads them"
        )
    pictures = pictures_beside(path, None if images is None else Path(images))
    return _sized_trials(form, path, pictures, None if sizes is None else Path(sizes))


def _sized_trials(form: Form, path: Path, images: Path | None, sizes: Path | None) -> Trials:
    read = {
        "clicks csv": read_clicks_csv,
        "fixations csv": read_fixations_csv,
        "dump npz": read_clickme2_dump,
        "mouse npz": read_mouse_npz,
    }[form]
    return read(path, size_source(images, sizes))
