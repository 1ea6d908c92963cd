"""``merkwelt scene view``."""

from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from ..console import OUT
from ..viewer.settings import ViewSettings


def view(
    name: Positional[str],
    /,
    *,
    observer: str = "adult",
    clip: int = 0,
    clips: int = 4,
    seed: int = 0,
    settings: Annotated[ViewSettings, tyro.conf.arg(name="")] = ViewSettings(),  # noqa: B008
    host: str = "127.0.0.1",
    port: int = 8080,
    library: Path | None = None,
) -> None:
    """Show a scene in the browser, with an observer's paths, eyes and gaze (extra `view`).

    Args:
        name: a scene's name, or its folder.
        observer: who looks at first.
        clip: the clip that is shown first.
        clips: how many clips' paths are drawn beside it, from clip 0 on.
        seed: seed of the data set whose clips are shown.
        settings: how clips are planned, and how finely they are shown.
        host: address to listen at; 0.0.0.0 lets other machines in.
        port: port to listen at.
        library: folder of scenes.
    """
    from ..scenes.scene import Scene
    from ..viewer import ViewRequest, view_scene

    if clip < 0 or clips < 0 or seed < 0:
        raise ValueError(f"expected numbers of at least 0, got {clip=}, {clips=}, {seed=}")
    view_scene(
        Scene.load(name, library=library),
        settings,
        ViewRequest(observer=observer, clip=clip, clips=clips, seed=seed),
        address=(host, port),
        announce=lambda text: OUT.print(f"viewer: {text}", markup=False),
    )
