"""Stereo egocentric worlds for neural networks, and how human their eyes become in them."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("merkwelt")
except PackageNotFoundError:
    __version__ = "0+unknown"

__all__ = ["__version__"]
