"""Rendering: who looks, and what they see."""

from .clip import Clip
from .key import ClipKey
from .rays import Rays
from .trajectory import Trajectory
from .volume import Rendered, RenderOptions, render_rays

__all__ = ["Clip", "ClipKey", "Rays", "RenderOptions", "Rendered", "Trajectory", "render_rays"]
