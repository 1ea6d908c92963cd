"""A data set in words, and the plan and scenes that they mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import version as installed_version
from pathlib import Path

from .path_request import PathRequest
from .render.observer.presets import load_observer
from .render.render_clip import ClipSettings
from .scenes.card import SceneCard
from .scenes.library import CARD_FILE, SceneLibrary
from .scenes.scene import Scene
from .split_request import SplitRequest
from .streams import Plan, Storage, make_plan
from .streams.folder import PLAN_FILE, read_plan
from .streams.scene_clips import SceneSource
from .streams.store import open_store
from .streams.video import Profile


@dataclass(frozen=True, kw_only=True)
class RenderRequest:
    """A data set in words."""

    scenes: tuple[str, ...] = ()
    """Names in the library, or folders."""
    weights: tuple[float, ...] = ()
    """The scenes' shares of the clips, in their order; equal if none are given."""
    observer: str = "adult"
    settings: ClipSettings = field(default_factory=ClipSettings)
    clips: int = 16
    seed: int = 0
    profile: Profile = "lossless"
    shard_clips: int = 16
    library: Path | None = None
    path: PathRequest = field(default_factory=PathRequest)
    split: SplitRequest = field(default_factory=SplitRequest)
    plan: str | None = None
    """A data set's folder, URL or plan file, which then says everything but where scenes lie."""

    def __post_init__(self) -> None:
        """Refuse requests without scenes, with one twice, and plans that are told otherwise."""
        if len(set(self.scenes)) < len(self.scenes):
            raise ValueError(f"expected each scene once, got {list(self.scenes)}")
        if self.weights and len(self.weights) != len(self.scenes):
            raise ValueError(
                f"expected a weight for each scene, got {len(self.weights)} weights "
                f"{list(self.weights)} for {len(self.scenes)} scenes {list(self.scenes)}"
            )
        if self.plan is None and not self.scenes:
            raise ValueError(
                "expected --scene NAME, or --plan FILE of a data set that there is; `merkwelt "
                "scene list` shows the scenes"
            )
        if self.plan is not None:
            self._refuse_more_than_the_plan()

    def _refuse_more_than_the_plan(self) -> None:
        usual = {f.name: getattr(RenderRequest(scenes=("any",)), f.name) for f in fields(self)}
        left_open = ("scenes", "library", "plan")
        told = [n for n in usual if n not in left_open and getattr(self, n) != usual[n]]
        if told:
            raise ValueError(
                f"--plan says what to render, and its {', '.join(told)} cannot be told otherwise; "
                "beside it there may be --clip, --out, --library, and --scene to say where scenes "
                "lie; leave out the plan, or the rest"
            )


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A plan, where its scenes come from, and what a person should know before it is rendered."""

    plan: Plan
    scenes: SceneSource
    notes: tuple[str, ...] = ()


def prepare(request: RenderRequest, *, clip: int | None = None) -> Prepared:
    """Return the plan that a request means, with its scenes.

    Of a plan that there is, ``clip`` says that only that clip's scene is needed.

    Raises:
        FileNotFoundError: a scene or plan does not exist.
        ValueError: a request that cannot be met, such as stereo without metric scale.
    """
    if request.plan is not None:
        return _prepare_again(request.plan, request, clip)
    given = {word: Scene.load(word, library=request.library) for word in request.scenes}
    if request.settings.stereo:
        for scene in given.values():
            scene.card.require_metric("stereo")
    chosen = request.split.choose(given)
    scenes = [given[word] for word in chosen.words]
    weights = dict(zip(request.scenes, request.weights or [1.0] * len(given), strict=True))
    plan = make_plan(
        scenes,
        load_observer(request.observer),
        request.settings,
        clips=request.clips,
        seed=request.seed,
        storage=Storage(profile=request.profile, shard_clips=request.shard_clips),
        path=request.path.place(scenes),
        weights=[weights[word] for word in chosen.words],
        split=chosen.split,
    )
    notes = (f"scenes of each split: {chosen.told}",) if chosen.told else ()
    return Prepared(plan=plan, scenes={s.card.name: s for s in scenes}, notes=notes)


def _prepare_again(place: str, request: RenderRequest, clip: int | None) -> Prepared:
    plan = _plan_at(place)
    if clip is None and plan.code_version != installed_version("merkwelt"):
        raise ValueError(
            f"{place} was rendered by merkwelt {plan.code_version}, this is "
            f"{installed_version('merkwelt')}: the clips would not be the same; install that "
            "version, or render single clips with --clip"
        )
    notes = ()
    if plan.code_version != installed_version("merkwelt"):
        notes = (
            f"the plan is of merkwelt {plan.code_version}, this is "
            f"{installed_version('merkwelt')}: the clip may not be the same",
        )
    needed = plan.scenes if clip is None else (plan.scene_of(clip),)
    places = _places([scene.name for scene in needed], request)
    if clip is None:
        return Prepared(plan=plan, scenes=places, notes=notes)
    return Prepared(plan=plan, scenes=lambda name: Scene.load(places[name]), notes=notes)


def _plan_at(place: str) -> Plan:
    """Return the plan in a file, or of the data set in a folder or at a URL."""
    path = Path(place)
    if path.is_file():
        return Plan.from_json(path.read_text(errors="replace"), where=place)
    return read_plan(open_store(place.removesuffix(f"/{PLAN_FILE}")))


def _places(names: Sequence[str], request: RenderRequest) -> dict[str, Path]:
    """Return the folder of each scene: one that was given, or the one in the library.

    Raises:
        FileNotFoundError: a scene is nowhere; says which, and what to do.
    """
    library = SceneLibrary(request.library)
    folders = [library.find(word) for word in request.scenes]
    given = {SceneCard.read(folder / CARD_FILE).name: folder for folder in folders}
    places = {}
    for name in names:
        try:
            places[name] = given.get(name) or library.find(name)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"the plan needs a scene that is not in the library; say where it lies with "
                f"--library DIR or --scene FOLDER: {error}"
            ) from error
    return places
