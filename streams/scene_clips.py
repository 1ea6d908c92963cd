"""Clips of scenes: what a plan's data become real with."""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from ..render.clip import Clip
from ..render.navigation.navigation import Navigation, NoPath
from ..render.observer.card import Observer
from ..render.render_clip import ClipRejected, ClipSettings, plan_clip, render_clip
from ..render.truth.coverage import Coverage
from ..scenes.library import CARD_FILE
from ..scenes.scene import Scene, save_scene
from .folder import TEMPORARY
from .job import ClipMaker
from .plain import from_plain
from .plan import Plan, PlannedScene

SceneSource = Mapping[str, Scene | Path | str] | Callable[[str], Scene]
"""Scenes by name, as scenes or as folders; or a function that loads a scene by its name."""


class _Prepared(NamedTuple):
    """All that the clips of one scene have in common."""

    plan: str
    scene: Scene
    observer: Observer
    settings: ClipSettings
    navigation: Navigation
    coverage: Coverage | None
    """For confidence only."""


class SceneClips:
    """Makes a plan's clips from scenes, each of which is loaded once and checked against the plan.

    Example:
        >>> from merkwelt.scenes.analytic import analytic_room
        >>> room = analytic_room()
        >>> make_clip = SceneClips({room.card.name: room})
        >>> NoPath in make_clip.skips and ClipRejected in make_clip.skips
        True
    """

    skips: tuple[type[Exception], ...] = (NoPath, ClipRejected)

    def __init__(self, scenes: SceneSource) -> None:
        """Remember where scenes come from; nothing is loaded yet."""
        self.device = f"cpu {platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
        """What renders; that it is a GPU is known once a scene is rendered on it."""
        self._scenes = scenes
        self._prepared: dict[str, _Prepared | NoPath] = {}

    def __call__(self, plan: Plan, clip: int) -> Clip:
        """Return a clip of a plan.

        Raises:
            NoPath: the observer finds no way through the scene for this clip.
            ValueError: a scene is missing, or is not the one that was planned.
        """
        ready = self._ready(plan, clip)
        return render_clip(
            ready.scene,
            ready.observer,
            ready.settings,
            plan.key(clip),
            navigation=ready.navigation,
            coverage=ready.coverage,
        )

    def plan_motion(self, plan: Plan, clip: int) -> None:
        """Do that part of making a clip which comes before its pictures, to see how long it takes.

        Raises:
            NoPath, ClipRejected, ValueError: as making the clip does.
        """
        ready = self._ready(plan, clip)
        eyes = ready.observer.eyes if ready.settings.stereo else 1
        observer = replace(ready.observer, eyes=eyes)
        plan_clip(ready.scene, observer, ready.settings, plan.key(clip), ready.navigation)

    def check(self, plan: Plan) -> None:
        """Raise ValueError if a scene of the plan is not among those given."""
        if isinstance(self._scenes, Mapping):
            missing = [scene.name for scene in plan.scenes if scene.name not in self._scenes]
            if missing:
                raise ValueError(
                    f"the plan needs scenes {missing}, given are {sorted(self._scenes)}"
                )

    def check_here(self, plan: Plan) -> None:
        """Raise FileNotFoundError if a scene that is given by its folder is not on this machine."""
        if not isinstance(self._scenes, Mapping):
            return
        for name in (scene.name for scene in plan.scenes):
            given = self._scenes[name]
            if not isinstance(given, Scene) and not (Path(given) / CARD_FILE).is_file():
                raise FileNotFoundError(
                    f"scene {name!r} is not here: expected its folder {given} with a {CARD_FILE}; "
                    "put scenes on storage that all machines see under the same path"
                )

    def portable(self, folder: Path) -> "SceneClips":
        """Return the same for other processes; scenes that live in memory are saved to a folder."""
        if not isinstance(self._scenes, Mapping):
            return SceneClips(self._scenes)
        places: dict[str, Scene | Path | str] = {}
        for name, scene in self._scenes.items():
            if isinstance(scene, Scene) and scene.folder is None:
                save_scene(scene, folder / name)
                places[name] = folder / name
            else:
                places[name] = scene.folder or "" if isinstance(scene, Scene) else scene
        return SceneClips(places)

    def _ready(self, plan: Plan, clip: int) -> _Prepared:
        """Return what a clip's scene has in common, made ready if it is not yet."""
        planned = plan.scene_of(clip)
        ready = self._prepared.get(planned.name)
        if ready is None or (not isinstance(ready, NoPath) and ready.plan != plan.id):
            ready = self._prepared[planned.name] = self._prepare(plan, planned)
        if isinstance(ready, NoPath):
            raise NoPath(str(ready))
        return ready

    def _prepare(self, plan: Plan, planned: PlannedScene) -> "_Prepared | NoPath":
        observer = Observer.from_dict(dict(plan.observer), where="plan.json: observer")
        settings = from_plain(ClipSettings, plan.settings, where="plan.json: settings")
        scene = self._load(planned, fast=settings.renderer.path == "fast")
        if settings.renderer.device == "cuda" and torch.cuda.is_available():
            self.device = f"cuda {torch.cuda.get_device_name()}"
        try:
            way = plan.path
            navigation = Navigation.of(scene, observer) if way is None else Navigation.along(way)
        except NoPath as error:
            return error
        coverage = None
        if "confidence" in settings.truth:
            coverage = Coverage.of(scene, settings.renderer)
        return _Prepared(plan.id, scene, observer, settings, navigation, coverage)

    def _load(self, planned: PlannedScene, *, fast: bool) -> Scene:
        if isinstance(self._scenes, Mapping):
            given = self._scenes[planned.name]
            scene = given if isinstance(given, Scene) else Scene.load(given)
        else:
            scene = self._scenes(planned.name)
        found = scene.content_hash(fast=fast)
        if found != planned.sha256:
            raise ValueError(
                f"scene {planned.name!r} is not the one that was planned: it has changed since "
                f"(expected {planned.sha256[:12]}, found {found[:12]}); bring the old one back, or "
                "render to a new folder"
            )
        return scene


@contextmanager
def portable_clips(make_clip: ClipMaker, folder: Path | None = None) -> Iterator[ClipMaker]:
    """Yield what makes the same clips in other processes.

    Scenes that live in memory are kept in a temporary folder meanwhile, below ``folder`` if that
    is given.
    """
    if not isinstance(make_clip, SceneClips):
        yield make_clip
        return
    with TemporaryDirectory(prefix=".scenes-", suffix=TEMPORARY, dir=folder) as place:
        yield make_clip.portable(Path(place))
