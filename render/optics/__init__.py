"""What eyes and sensors make of light: exposure, colour of light, noise, blur, lids."""

from .settings import OpticsSettings

__all__ = ["OpticsSettings"]
