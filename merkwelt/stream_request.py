"""A stream in words: which clips are rendered while a network trains on them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from .render.observer.presets import load_observer
from .render.render_clip import ClipSettings
from .scenes.scene import Scene
from .streams.live import LiveOptions
from .streams.plan import Plan, make_plan
from .streams.scene_clips import SceneClips
from .streams.videos.cut import ClipCut

if TYPE_CHECKING:
    from .training.clips import StoredClips
    from .training.stream_clips import StreamClips

PREFIX = "stream:"
PLAN_ENDING = ".json"


@dataclass(frozen=True, kw_only=True)
class StreamRequest:
    """What is rendered while training, as ``merkwelt render`` would, and how it reaches it."""

    observer: str = "adult"
    """Who looks: adult, toddler, crawler, mineault2021, static, or the .json file of a card."""
    settings: Annotated[ClipSettings, tyro.conf.arg(name="")] = field(
        default_factory=lambda: ClipSettings(depth=False)
    )
    """What a clip looks like."""
    seed: int = 0
    """Seed of the clips, as that of a data set; ``--seed`` is the run's."""
    weights: tuple[float, ...] = ()
    """Shares of the clips of several scenes, in their order; equal by default."""
    library: Path | None = None
    """Folder of scenes."""
    live: Annotated[LiveOptions, tyro.conf.arg(name="")] = field(default_factory=LiveOptions)
    """How clips reach the trainer."""

    def __post_init__(self) -> None:
        """Refuse what nothing looks at while training."""
        if self.settings.depth or self.settings.truth or self.settings.signals:
            raise ValueError(
                "training on a stream looks at pixels alone; leave depth, truth and signals out, "
                "or render them to a folder (merkwelt render)"
            )

    def open(self, data: str) -> "StreamClips":
        """Return the clips of ``stream:SCENE``, ``stream:SCENE,SCENE`` or ``stream:PLAN.json``.

        Raises:
            ValueError: the words name no scene, or details of a plan are given beside a plan.
            FileNotFoundError: a scene or a plan does not exist.
        """
        words = [word.strip() for word in data.removeprefix(PREFIX).split(",")]
        if not all(words):
            raise ValueError(
                f"expected {PREFIX}SCENE, {PREFIX}SCENE,SCENE or {PREFIX}FOLDER/plan.json, got "
                f"{data!r}"
            )
        if words[0].endswith(PLAN_ENDING):
            return self._follow(Path(data.removeprefix(PREFIX)))
        scenes = [Scene.load(word, library=self.library) for word in words]
        plan = make_plan(
            scenes,
            load_observer(self.observer),
            self.settings,
            clips=1,
            seed=self.seed,
            weights=self.weights or None,
        )
        return self._clips(plan, scenes)

    def _follow(self, file: Path) -> "StreamClips":
        """Return the clips of an existing data set's plan, none of which is read."""
        given = StreamRequest(library=self.library, live=self.live)
        if self != given:
            raise ValueError(
                f"{file} says what its clips are; leave out the options of the stream that say it "
                "too (observer, seed, weights, and what a clip looks like)"
            )
        if not file.is_file():
            raise FileNotFoundError(f"expected the plan of a data set at {file}, found none")
        plan = Plan.from_json(file.read_text(encoding="utf-8"), where=str(file))
        here = installed_version("merkwelt")
        if plan.code_version != here:
            raise ValueError(
                f"{file} was made by merkwelt {plan.code_version}, this is {here}, whose clips may "
                "differ; install that version, or train on the data set itself"
            )
        scenes = [Scene.load(scene.name, library=self.library) for scene in plan.scenes]
        return self._clips(plan, scenes)

    def _clips(self, plan: Plan, scenes: Sequence[Scene]) -> "StreamClips":
        from .training.stream_clips import StreamClips

        # How many clips the plan asks for, and in which shards, means nothing to a stream.
        endless = replace(plan, clips=1, grown_from=())
        return StreamClips(
            endless, SceneClips({scene.card.name: scene for scene in scenes}), self.live
        )


def source_of(
    data: str, stream: StreamRequest, cut: ClipCut | None = None
) -> "StoredClips | StreamClips":
    """Return what ``--data`` names: a data set, a folder of videos, or a stream.

    Raises:
        ValueError: options of a stream beside a folder, or of videos beside what is none; or as
            ``StreamRequest.open`` and ``open_clips``.
        FileNotFoundError: a folder, a scene or a plan does not exist.
    """
    if data.startswith(PREFIX):
        if cut not in (None, ClipCut()):
            raise ValueError(
                f"options --cut.* say how clips are cut from videos, and {data} is rendered; use "
                "--stream.* instead"
            )
        return stream.open(data)
    if stream != StreamRequest():
        raise ValueError(
            f"options --stream.* say what is rendered while training, and {data} is a folder; name "
            f"a scene instead ({PREFIX}SCENE), or leave them out"
        )
    from .training.clips import StoredClips

    return StoredClips(data, cut=cut)
