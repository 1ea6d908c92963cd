"""Fixational eye movements: a still image is never still on a retina.

Between saccades gaze drifts, and jumps a little once or twice a second. Here drift is a Brownian
walk, which is a simplification (real drift avoids where it has been: arXiv 2303.11941; it is not
independent of what came before: PMC4733666), and a microsaccade jumps in a random direction. The
image moves by less than a pixel or a few, the same way in both eyes and for every image of a set.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ...video_models.encoder import Encoder, Features

FixationName = Literal["still", "moving"]


@dataclass(frozen=True, kw_only=True)
class EyeMovement:
    """How gaze moves while it fixates."""

    image_width_deg: float = 20.0
    """Visual angle of an image's width; decides how many pixels a movement is."""
    frame_rate_hz: float = 30.0
    drift_arcmin2_per_s: float = 40.0
    """Diffusion constant D: after t seconds each coordinate's variance is 2 D t (from memory of
    Kuang et al. 2012; arcmin^2/s)."""
    microsaccades_hz: float = 1.5
    """One to two a second."""
    microsaccade_deg: tuple[float, float] = (0.1, 0.6)
    """Least and greatest amplitude; all are below one degree."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse eyes that are none."""
        low, high = self.microsaccade_deg
        positive = min(self.image_width_deg, self.frame_rate_hz)
        if positive <= 0 or min(self.drift_arcmin2_per_s, self.microsaccades_hz) < 0:
            raise ValueError("expected a positive width and frame rate, and no negative movement")
        if not 0 <= low <= high < 1:
            raise ValueError(f"expected microsaccades below one degree, got {low} to {high}")


def gaze_path_deg(movement: EyeMovement, frames: int) -> Float[Tensor, "frames 2"]:
    """Return gaze in each frame, in degrees right and down; it starts at zero.

    Each step is drawn from a key of (seed, frame), so a longer clip begins like a shorter one.
    """
    gaze, path = np.zeros(2), []
    for frame in range(frames):
        if frame:
            gaze = gaze + _step_deg(movement, frame)
        path.append(gaze)
    return torch.from_numpy(np.stack(path)).to(torch.float32)


def _step_deg(movement: EyeMovement, frame: int) -> np.ndarray:
    key = np.random.SeedSequence((movement.seed, frame))
    draw = np.random.Generator(np.random.Philox(key))
    seconds = 1 / movement.frame_rate_hz
    step = draw.normal(size=2) * math.sqrt(2 * movement.drift_arcmin2_per_s * seconds) / 60
    jumps, angle = draw.uniform() < movement.microsaccades_hz * seconds, draw.uniform(0, math.tau)
    size = draw.uniform(*movement.microsaccade_deg)
    return step + jumps * size * np.array([math.cos(angle), math.sin(angle)])


def moved(
    clips: Float[Tensor, "batch eye time channel height width"],
    gaze_deg: Float[Tensor, "time 2"],
    *,
    image_width_deg: float,
) -> Float[Tensor, "batch eye time channel height width"]:
    """Return clips whose frames slide against gaze, by parts of a pixel.

    Where gaze goes right the image goes left on the retina. Between pixels is bilinear; beyond the
    border the border goes on. Differentiable, so a gradient comes back in the still image's place.
    """
    height, width = clips.shape[-2:]
    # In grid_sample's units the width spans 2, and so does the height.
    units = gaze_deg.to(clips) * 2 / image_width_deg
    units = units * clips.new_tensor([1.0, width / height])
    whole = torch.eye(2, device=clips.device, dtype=clips.dtype).expand(len(units), 2, 2)
    theta = torch.cat([whole, units[:, :, None]], dim=2)
    grid = functional.affine_grid(theta, [len(units), 1, height, width], align_corners=False)
    batch, eyes, frames, channels = clips.shape[:4]
    flat = clips.reshape(-1, frames, channels, height, width).flatten(0, 1)
    slid = functional.grid_sample(
        flat,
        grid.repeat(batch * eyes, 1, 1, 1),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return slid.reshape(clips.shape)


class FixatingEncoder(nn.Module):
    """An encoder behind eyes that drift and jump: still clips move before it sees them."""

    def __init__(self, encoder: Encoder, movement: EyeMovement | None = None) -> None:
        """Wrap an encoder; its eyes, and whether it is causal, stay as they are."""
        super().__init__()
        self.encoder = encoder
        self.eyes = encoder.eyes
        self.causal = getattr(encoder, "causal", False)
        self.movement = movement or EyeMovement()

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the features of the moved clips."""
        gaze = gaze_path_deg(self.movement, clips.shape[2])
        return self.encoder(moved(clips, gaze, image_width_deg=self.movement.image_width_deg))
