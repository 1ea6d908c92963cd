"""Captures: folders of photographs with known cameras, read into one form."""

from .axes import flip_camera_axes
from .capture import Capture, Distortion, Split, View
from .extras import CaptureExtras, read_extras
from .read import read_capture
from .split import choose_split

__all__ = [
    "Capture",
    "CaptureExtras",
    "Distortion",
    "Split",
    "View",
    "choose_split",
    "flip_camera_axes",
    "read_capture",
    "read_extras",
]
