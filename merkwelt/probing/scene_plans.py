"""Floor plans of the scenes of a data set, where they are at hand."""

from pathlib import Path

from ..scenes.card import SceneCard
from ..scenes.library import SceneLibrary
from .seen_clips import SeenClips


def plans_of(clips: SeenClips, library: Path | None) -> dict[str, SceneCard]:
    """Return the cards of scenes that are found in a library; others have no plan to draw."""
    paths = SceneLibrary(library).paths()
    wanted = sorted(set(clips.scenes.tolist()))
    return {name: SceneCard.read(paths[name] / "scene.json") for name in wanted if name in paths}
