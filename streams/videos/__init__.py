"""Real videos as clips: files, picture sequences and stereo pairs, cut to one size and rate."""

from .clips import VideoClips
from .cut import ClipCut

__all__ = ["ClipCut", "VideoClips"]
