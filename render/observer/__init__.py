"""Who looks: cards of eyes and body, on which every number carries its source."""

from .card import Body, BodyCard, GaitCard, GazeCard, Observer
from .presets import PRESETS, load_observer
from .quantity import Quantity

__all__ = [
    "PRESETS",
    "Body",
    "BodyCard",
    "GaitCard",
    "GazeCard",
    "Observer",
    "Quantity",
    "load_observer",
]
