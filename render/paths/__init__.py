"""Paths of cameras from files, along which a head is carried through a scene."""

from .head_path import HeadPath, PathGaze
from .placement import PathFrame, place_path
from .poses import PathPoses
from .read import load_path

__all__ = ["HeadPath", "PathFrame", "PathGaze", "PathPoses", "load_path", "place_path"]
