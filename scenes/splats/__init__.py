"""Scenes of 3D Gaussians: files, field, import."""

from .field import GaussianConfig, GaussianField
from .gaussians import Gaussians
from .import_splats import SplatSettings, import_splats, is_splat_file

__all__ = [
    "GaussianConfig",
    "GaussianField",
    "Gaussians",
    "SplatSettings",
    "import_splats",
    "is_splat_file",
]
