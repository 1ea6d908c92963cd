"""From light to the eight bits of a picture, once, at the end."""

import numpy as np
import torch
from torch import Tensor

from ..key import ClipKey
from .exposure import exposure_stops, white_balance
from .noise import with_noise
from .settings import OpticsSettings
from .transfer import luminance, srgb_from_light


def quantised(colour: Tensor) -> Tensor:
    """Return colours as uint8, of values in [0, 1]."""
    return (colour.clamp(0, 1) * 255).round().to(torch.uint8)


def developed(
    light: Tensor,
    settings: OpticsSettings,
    key: ClipKey,
    time_s: np.ndarray,
    openness: np.ndarray,
) -> Tensor:
    """Return the sRGB video uint8 ``[eye, time, h, w, 3]`` of light, both eyes alike but for noise.

    Lids, then exposure, sensor noise and saturation, then white balance, as in a camera. The
    exposure adapts to the light of both eyes before lids and noise.

    Args:
        light: linear light ``[eye, time, h, w, 3]``.
        settings: what is done to it.
        key: the clip's.
        time_s: ``[time]``, of the frames.
        openness: ``[time]``: share of the exposure for which the lids are open.
    """
    mean = luminance(light).mean(dim=(0, 2, 3)).double().cpu().numpy()
    gain = 2.0 ** exposure_stops(settings, key, time_s, mean)
    if settings.lids:
        gain = gain * openness
    balance = torch.from_numpy(white_balance(settings, key)).to(light)
    exposed = light * torch.from_numpy(gain).to(light)[:, None, None, None]
    eyes = [with_noise(one, settings, key, eye) for eye, one in enumerate(exposed)]
    return torch.stack([quantised(srgb_from_light(one.clamp(0, 1) * balance)) for one in eyes])
