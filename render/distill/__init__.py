"""From a slow scene to its render-ready form, by looking at it many million times."""

from .distill import Distilled, distill
from .quality import WalkQuality, walk_quality
from .settings import DistillSettings

__all__ = ["DistillSettings", "Distilled", "WalkQuality", "distill", "walk_quality"]
