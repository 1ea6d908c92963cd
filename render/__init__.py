"""Rendering: who looks, and what they see."""

from .clip import Clip
from .key import ClipKey
from .motion.trajectory import Trajectory
from .rays import Rays
from .volume import Rendered, RenderOptions, render_rays

__all__ = ["Clip", "ClipKey", "Rays", "RenderOptions", "Rendered", "Trajectory", "render_rays"]
