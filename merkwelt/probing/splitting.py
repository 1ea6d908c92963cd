"""Which clips are fitted on and which are tested on, and how that is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..alignment.probes.groups import Fold, group_folds

MOST_FOLDS = 5
LEAST_WITHIN = 4
"""Clips of a scene that are enough to hold some of them out."""
Kind = Literal["scenes", "clips"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Folds over clips; no clip is tested twice."""

    kind: Kind
    """Whether whole scenes are held out, or clips alone."""
    folds: tuple[Fold, ...]
    """Over the positions of the clips."""
    words: str
    """What is held out, in a sentence."""

    @property
    def tested(self) -> np.ndarray:
        """Positions of all clips that are tested."""
        return np.sort(np.concatenate([fold.test for fold in self.folds]))


def split_clips(
    ids: np.ndarray,
    scenes: np.ndarray,
    *,
    held_out_scenes: Sequence[str] = (),
    unseen: Sequence[int] | None = None,
    seed: int = 0,
) -> Split:
    """Return how clips are split.

    Whole scenes are held out where there are several: those that are named, or all in turn.
    Otherwise clips are, which is said: a probe may know the room then.

    Args:
        ids: of the clips.
        scenes: name of each clip's scene.
        held_out_scenes: test on these alone.
        unseen: ids that the run did not train on, if it trained on others of these clips; None if
            it was trained on another data set. Only unseen clips of a single scene are tested.
        seed: of the folds.

    Raises:
        ValueError: a scene that is not there, or none left to fit on.
    """
    names = sorted(set(scenes.tolist()))
    if held_out_scenes:
        return _named_scenes(scenes, names, held_out_scenes)
    if len(names) > 1:
        folds = group_folds(scenes, min(MOST_FOLDS, len(names)), seed=seed)
        words = f"Whole scenes are held out, each of {', '.join(names)} in turn."
        return Split(kind="scenes", folds=tuple(folds), words=words)
    return clip_split(ids, scenes, unseen=unseen, seed=seed)


def clip_split(
    ids: np.ndarray, scenes: np.ndarray, *, unseen: Sequence[int] | None = None, seed: int = 0
) -> Split:
    """Return folds over clips alone: the scene of a tested clip is fitted on too."""
    scene = ", ".join(sorted(set(scenes.tolist())))
    note = f"Clips are held out, not scenes: the probe has seen other clips of {scene}."
    tested = np.flatnonzero(np.isin(ids, list(unseen or ())))
    if unseen is not None and 2 <= len(tested) <= len(ids) - 2:
        fold = Fold(fit=np.setdiff1d(np.arange(len(ids)), tested), test=tested)
        words = f"{note} They are the {len(tested)} clips that the run held out of its training."
        return Split(kind="clips", folds=(fold,), words=words)
    folds = group_folds(ids, min(MOST_FOLDS, len(ids)), seed=seed)
    trained = (
        " The run trained on some of the clips that are tested here."
        if unseen is not None
        else " The run was trained on another data set."
    )
    return Split(kind="clips", folds=tuple(folds), words=note + trained)


def within_scenes(
    scenes: np.ndarray, split: Split, ids: np.ndarray, *, seed: int = 0
) -> Split | None:
    """Return folds for what means something in one scene only, such as where one is.

    Each scene's clips are split by themselves, and folds of all scenes are put side by side. Scenes
    of fewer than four clips are left out; None if none is left.
    """
    if split.kind == "clips":
        return split
    folds: list[Fold] = []
    for name in sorted(set(scenes.tolist())):
        places = np.flatnonzero(scenes == name)
        if len(places) < LEAST_WITHIN:
            continue
        parts = group_folds(ids[places], MOST_FOLDS, seed=seed)
        folds += [Fold(fit=places[part.fit], test=places[part.test]) for part in parts]
    if not folds:
        return None
    return Split(
        kind="clips",
        folds=tuple(folds),
        words="Clips are held out within each scene, because places and headings of one scene mean "
        "nothing in another.",
    )


def _named_scenes(scenes: np.ndarray, names: Sequence[str], wanted: Sequence[str]) -> Split:
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise ValueError(
            f"expected held-out scenes out of {list(names)}, which the data set has, got {unknown}"
        )
    test = np.flatnonzero(np.isin(scenes, list(wanted)))
    fit = np.flatnonzero(~np.isin(scenes, list(wanted)))
    if not len(fit):
        raise ValueError(
            f"expected a scene to fit on beside those held out, but all of {list(names)} are held "
            "out; hold fewer out, or render more scenes"
        )
    words = f"Whole scenes are held out: {', '.join(sorted(set(wanted)))}."
    return Split(kind="scenes", folds=(Fold(fit=fit, test=test),), words=words)
