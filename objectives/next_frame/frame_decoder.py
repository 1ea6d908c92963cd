"""From feature maps to the next frame of every eye: move the last frame, then mend it."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..objective import FeatureShapes

FINEST_STRIDE = 4
"""Maps finer than this are left out: what they know of the last frame, the last frame knows."""


class FrameDecoder(nn.Module):
    """A small upsampler from the deepest maps to a flow and a residual, for each frame and eye.

    The next frame is the last one, sampled where the flow says that each pixel comes from, plus the
    residual. Detail thus comes from the last frame itself, and features have to tell how the
    world moves. Nothing is mixed over time, so a prediction is as causal as the maps are. The last
    layer starts at zero: flow and residual are 0 and the prediction is the last frame.
    """

    def __init__(self, shapes: FeatureShapes, *, width: int) -> None:
        """Draw the weights from torch's random state."""
        super().__init__()
        self.shapes = shapes
        deepest_first = list(shapes.map_channels)[::-1]
        coarse = [name for name in deepest_first if shapes.map_strides[name] >= FINEST_STRIDE]
        self.names = coarse or deepest_first[:1]
        self.laterals = nn.ModuleList(
            nn.Conv2d(shapes.map_channels[name], width, kernel_size=3, padding=1)
            for name in self.names
        )
        outputs = shapes.eyes * (2 + shapes.image_channels)
        self.to_change = nn.Conv2d(width, outputs, kernel_size=3, padding=1)
        nn.init.zeros_(self.to_change.weight)
        assert self.to_change.bias is not None
        nn.init.zeros_(self.to_change.bias)

    def forward(
        self,
        maps: Mapping[str, Tensor],
        clips: Float[Tensor, "batch eye time channel height width"],
    ) -> Float[Tensor, "batch eye time channel height width"]:
        """Return at every time t the prediction of frame t + 1."""
        batch, eyes, time, channels, height, width = clips.shape
        hidden = None
        for name, lateral in zip(self.names, self.laterals, strict=True):
            here = lateral(maps[name].transpose(1, 2).flatten(0, 1))
            if hidden is not None:
                here = here + F.interpolate(hidden, size=here.shape[-2:], mode="nearest")
            hidden = F.relu(here)
        assert hidden is not None
        change = self.to_change(hidden).unflatten(1, (eyes, -1)).flatten(0, 1)
        change = F.interpolate(change, size=(height, width), mode="bilinear", align_corners=False)
        last = clips.transpose(1, 2).reshape(-1, channels, height, width)
        predicted = move(last, change[:, :2]) + change[:, 2:]
        return predicted.unflatten(0, (batch, time, eyes)).transpose(1, 2)


def move(
    frames: Float[Tensor, "frames channel height width"],
    flow_px: Float[Tensor, "frames 2 height width"],
) -> Float[Tensor, "frames channel height width"]:
    """Return frames sampled at each pixel plus a flow ``(x, y)``; outside, the border goes on.

    Sampling is bilinear and written as a change to the frame: zero flow returns it to the bit.
    """
    height, width = frames.shape[-2:]
    columns = torch.arange(width, device=frames.device, dtype=frames.dtype) + 0.5
    rows = torch.arange(height, device=frames.device, dtype=frames.dtype) + 0.5
    x = (columns + flow_px[:, 0]) * (2 / width) - 1
    y = (rows.unsqueeze(1) + flow_px[:, 1]) * (2 / height) - 1
    grid = torch.stack([x, y], dim=-1)
    return F.grid_sample(frames, grid, padding_mode="border", align_corners=False)
