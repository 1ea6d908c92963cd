"""Scenes: what is looked at. Cards, radiance fields, import, training, the library."""

from .card import OrientedBox, SceneCard, SceneObject
from .field import Field
from .library import SceneLibrary
from .scene import Scene

__all__ = ["Field", "OrientedBox", "Scene", "SceneCard", "SceneLibrary", "SceneObject"]
