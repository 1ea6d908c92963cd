"""A scene, and who walks in it, in the browser."""

from .settings import ViewSettings
from .view import ViewRequest, view_scene

__all__ = ["ViewRequest", "ViewSettings", "view_scene"]
