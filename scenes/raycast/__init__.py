"""Furnished rooms photographed by ray casting: captures with exact ground truth."""

from .capture import CaptureSettings, capture_living_room
from .views import CaptureCamera, Flow, RoomCamera, View

__all__ = [
    "CaptureCamera",
    "CaptureSettings",
    "Flow",
    "RoomCamera",
    "View",
    "capture_living_room",
]
