"""Where an observer can be and go in a scene."""

from .ground import Ground, NoPath
from .navigation import Navigation, Routes

__all__ = ["Ground", "Navigation", "NoPath", "Routes"]
