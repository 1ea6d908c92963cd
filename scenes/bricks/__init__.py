"""The render-ready form of a scene: matter in small bricks of cells, and nothing in between."""

from .bricks import BrickLook, Bricks
from .space import BRICK, BrickSpace

__all__ = ["BRICK", "BrickLook", "BrickSpace", "Bricks"]
