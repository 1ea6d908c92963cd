"""What a sensor adds to light: shot noise and read noise.

The variance of a value x in linear light is ``shot^2 x + read^2`` (Foi et al. 2008, "Practical
Poissonian-Gaussian noise modeling and fitting for single-image raw-data"). Photons are counted by a
normal number rather than a Poisson one, so that the same numbers are drawn whatever the picture.
"""

import numpy as np
import torch
from torch import Tensor

from ..key import ClipKey
from .settings import OpticsSettings


def with_noise(light: Tensor, settings: OpticsSettings, key: ClipKey, eye: int) -> Tensor:
    """Return one eye's linear light ``[time, h, w, 3]`` as a sensor reads it; may be below 0.

    Every eye and frame draws from a stream of its own.
    """
    if settings.shot_noise == 0 and settings.read_noise == 0:
        return light
    frames = [_normal(key, eye, frame, light.shape[1:]) for frame in range(len(light))]
    variance = settings.shot_noise**2 * light.clamp(min=0) + settings.read_noise**2
    return light + variance.sqrt() * torch.stack(frames).to(light)


def _normal(key: ClipKey, eye: int, frame: int, shape: torch.Size) -> Tensor:
    rng: np.random.Generator = key.generator(f"optics/noise/{eye}/{frame}")
    return torch.from_numpy(rng.standard_normal(tuple(shape), dtype=np.float32))
