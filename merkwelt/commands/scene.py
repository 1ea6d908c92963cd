"""``merkwelt scene ...``."""

from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from ..console import ERR, OUT, progress_bar
from ..render.distill.settings import DistillSettings
from ..scenes.import_options import PlainBackground, SplatSettings
from ..scenes.raycast.capture import CaptureSettings
from ..scenes.table_storage import TableStorage
from ..scenes.training.settings import TrainSettings


def train(
    capture: Positional[Path],
    /,
    *,
    name: str,
    settings: Annotated[TrainSettings, tyro.conf.arg(name="")] = TrainSettings(),  # noqa: B008
    licence: str = "unknown",
    source: str = "",
    tables: TableStorage = "single",
    library: Path | None = None,
    run: Path | None = None,
    replace: bool = False,
) -> None:
    """Train a scene from posed photographs, through nerfstudio's nerfacto.

    Args:
        capture: folder with transforms.json, transforms_train.json or a COLMAP model.
        name: name of the scene in the library.
        settings: how to train.
        licence: licence of the photographs; capture.json's own goes first.
        source: where the photographs came from, in words.
        tables: how to store hash tables: single, half (half the size) or byte (a quarter).
        library: folder of scenes; $MERKWELT_LIBRARY or the user's data folder by default.
        run: keep nerfstudio's own run folder here.
        replace: replace a scene of the same name.
    """
    from ..scene_build import Keeping, train_scene
    from ..scenes.import_options import ImportOptions

    options = ImportOptions(
        name=name,
        metres_per_unit=settings.metres_per_unit,
        licence=licence,
        source=source,
        tables=tables,
    )
    _warn_of_missing(capture)
    with progress_bar(f"training {name}") as progress:
        scene = train_scene(
            capture,
            options,
            settings,
            Keeping(library=library, replace=replace),
            run_folder=run,
            progress=progress,
        )
    _print_kept(scene)


def import_(
    run: Positional[Path],
    /,
    *,
    name: str,
    metres_per_unit: float | None = None,
    licence: str = "unknown",
    source: str = "",
    capture: Path | None = None,
    near: float | None = None,
    far: float | None = None,
    background: PlainBackground | None = None,
    views: int | None = None,
    splats: Annotated[SplatSettings, tyro.conf.arg(name="")] = SplatSettings(),  # noqa: B008
    tables: TableStorage = "single",
    library: Path | None = None,
    replace: bool = False,
) -> None:
    """Import a trained NeRF or Gaussian splats; runs nothing that their files contain.

    Args:
        run: a nerfstudio run's folder, a NeRF checkpoint or its folder, or a .splat or .ply file.
        name: name of the scene in the library.
        metres_per_unit: metres per unit of the capture's poses; needed for stereo.
        licence: licence of the photographs.
        source: where they came from, in words.
        capture: folder of the photographs, for cameras, objects and held-out quality.
        near: near plane of a vanilla NeRF, in units of its poses; config.yml's by default.
        far: far plane of a vanilla NeRF.
        background: of a vanilla NeRF (config.yml's by default) or of splats (black).
        views: how many held-out photographs to check; 24, or 4 where rendering is slow.
        splats: what a file of Gaussians does not say.
        tables: how to store hash tables: single, half (half the size) or byte (a quarter).
        library: folder of scenes.
        replace: replace a scene of the same name.
    """
    from ..scene_build import Keeping, import_scene
    from ..scenes.import_options import ImportOptions

    options = ImportOptions(
        name=name,
        metres_per_unit=metres_per_unit,
        licence=licence,
        source=source,
        tables=tables,
        near=near,
        far=far,
        background=background,
        splats=splats,
    )
    with progress_bar(f"importing {name}") as progress:
        scene = import_scene(
            run,
            options,
            Keeping(library=library, replace=replace),
            capture_path=capture,
            views=views,
            progress=progress,
        )
    _print_kept(scene)


def list_(*, library: Path | None = None) -> None:
    """List the scenes of the library and those that come with merkwelt.

    Args:
        library: folder of scenes.
    """
    from rich.table import Table

    from ..scenes.card import SceneCard
    from ..scenes.library import CARD_FILE, SceneLibrary

    table = Table("scene", "field", "scale", "objects", "held out", "licence", box=None)
    for scene, folder in SceneLibrary(library).paths().items():
        try:
            card = SceneCard.read(folder / CARD_FILE)
        except ValueError as error:
            table.add_row(scene, f"[red]damaged: {error}[/]")
            continue
        psnr = card.quality.get("held_out_psnr_db")
        scale = "metric" if card.is_metric else "unknown"
        quality = "" if psnr is None else f"{psnr:.1f} dB"
        table.add_row(scene, card.field_kind, scale, str(len(card.objects)), quality, card.licence)
    OUT.print(table)


def show(name: Positional[str], /, *, library: Path | None = None) -> None:
    """Print a scene's card and where its preview picture is.

    Args:
        name: a scene's name, or its folder.
        library: folder of scenes.
    """
    from ..scene_card_text import print_card

    print_card(name, library)


def check(
    name: Positional[str],
    /,
    *,
    capture: Path | None = None,
    out: Path | None = None,
    size: int = 400,
    views: int | None = None,
    library: Path | None = None,
) -> None:
    """Render a scene's held-out photographs, exactly and fast, and write them side by side.

    Args:
        name: a scene's name, or its folder.
        capture: folder of the photographs, if not where training found them.
        out: where to write check.png and check.json; ./check-NAME by default.
        size: longer side of the pictures in pixels.
        views: how many photographs to check; 24, or 4 where rendering is slow.
        library: folder of scenes.
    """
    from ..check_text import print_check
    from ..scene_check import CheckSize, check_and_write

    with progress_bar(f"checking {name}") as progress:
        result = check_and_write(
            name,
            capture,
            out,
            CheckSize(longest_px=size, views=views),
            library=library,
            progress=progress,
        )
    print_check(result)


def optimise(
    name: Positional[str],
    /,
    *,
    settings: Annotated[DistillSettings, tyro.conf.arg(name="")] = DistillSettings(),  # noqa: B008
    capture: Path | None = None,
    again: bool = False,
    library: Path | None = None,
) -> None:
    """Make a scene render-ready: a form that renders several times faster, and what it loses.

    Args:
        name: a scene's name, or its folder.
        settings: what the fast form is made of, and how long it learns.
        capture: folder of the photographs, if not where training found them; optional.
        again: make it again although the scene has one.
        library: folder of scenes; a copy of a scene that comes with merkwelt goes there.
    """
    from ..optimise import optimise as run
    from ..scene_card_text import print_fast

    with progress_bar(f"optimising {name}") as progress:
        done = run(name, settings, capture=capture, again=again, library=library, progress=progress)
    if done.was_there:
        OUT.print(f"scene {name!r} has a fast form already; make it again with --again")
    print_fast(done.scene)


def export(name: Positional[str], /, *, out: Path, library: Path | None = None) -> None:
    """Write a copy of a scene to share, without the place of its photographs on this machine.

    Args:
        name: a scene's name, or its folder.
        out: new folder for the copy.
        library: folder of scenes.
    """
    from ..scene_build import export_scene

    export_scene(name, out, library=library)
    OUT.print(f"scene {name!r} is in {out}; it can be loaded from there or put into a library")


def capture(
    furniture: Positional[Path],
    /,
    *,
    out: Path,
    settings: Annotated[CaptureSettings, tyro.conf.arg(name="")] = CaptureSettings(),  # noqa: B008
) -> None:
    """Photograph a furnished living room by ray casting: the capture behind the bundled scene.

    Args:
        furniture: folder or .tar.xz archive of CC0 furniture models with a catalog.tsv.
        out: new folder for the capture.
        settings: what to photograph, and how well.
    """
    from ..scenes.raycast import capture_living_room

    with progress_bar("photographing the room") as progress:
        capture_living_room(furniture, out, settings=settings, progress=progress)
    OUT.print(f"capture: {out}")


def _warn_of_missing(capture_path: Path) -> None:
    from ..scenes.captures import read_capture

    if message := read_capture(capture_path).missing_message():
        ERR.print(f"[yellow]note:[/] {message}; training goes on with the others")


def _print_kept(scene: object) -> None:
    from ..scenes.scene import Scene

    if not isinstance(scene, Scene):
        return
    psnr = scene.card.quality.get("held_out_psnr_db")
    quality = "" if psnr is None else f", {psnr:.2f} dB on held-out photographs"
    OUT.print(f"scene {scene.card.name!r} is in {scene.folder}{quality}")
    if not scene.card.is_metric:
        OUT.print("its scale is unknown: stereo needs --metres-per-unit")
