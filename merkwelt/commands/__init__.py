"""The commands by name. Their functions import what they need when they run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import data, experiment, learn, maps, observer, scene, view
from .brain_score import brain_score
from .constancy import constancy
from .demo import demo
from .export import export
from .look import look
from .probe import probe


@dataclass(frozen=True, kw_only=True)
class Group:
    """Commands that share a first word."""

    summary: str
    commands: Mapping[str, Callable[..., None]]


VERBS: Mapping[str, Callable[..., None]] = {
    "demo": demo,
    "render": data.render,
    "verify": data.verify,
    "export": export,
    "look": look,
    "train": learn.train,
    "probe": probe,
    "evaluate": learn.evaluate,
    "constancy": constancy,
    "brain-score": brain_score,
}
GROUPS: Mapping[str, Group] = {
    "scene": Group(
        summary="Train, import, list, show, view, check and optimise scenes.",
        commands={
            "train": scene.train,
            "import": scene.import_,
            "list": scene.list_,
            "show": scene.show,
            "view": view.view,
            "check": scene.check,
            "optimise": scene.optimise,
            "export": scene.export,
            "capture": scene.capture,
        },
    ),
    "experiment": Group(
        summary="The seed paper's experiments: baseline, harmonized, stream, annotations, compare.",
        commands={
            "baseline": experiment.baseline,
            "harmonized": experiment.harmonized,
            "stream": experiment.stream,
            "annotations": experiment.annotations,
            "compare": experiment.compare,
        },
    ),
    "maps": Group(
        summary="Convert and show human maps: ClickMe 1.0 and 2.0, clicks and fixations.",
        commands={"convert": maps.convert, "show": maps.show},
    ),
    "observer": Group(
        summary="Show who looks, and check how that moves against published figures of people.",
        commands={"list": observer.list_, "show": observer.show, "check": observer.check},
    ),
}

__all__ = ["GROUPS", "VERBS", "Group"]
