"""Scenes of 3D Gaussians: files, field, import."""

from .field import GaussianConfig, GaussianField
from .gaussians import Gaussians
from .import_splats import import_splats, is_splat_file

__all__ = [
    "GaussianConfig",
    "GaussianField",
    "Gaussians",
    "import_splats",
    "is_splat_file",
]
