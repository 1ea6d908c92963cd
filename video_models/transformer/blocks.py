"""A block of the video transformer, and the cutting of clips into tokens."""

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .attention import Attention, causal_mask, grid_positions, rotation_angles
from .config import VideoTransformerConfig

MAPS = 4
"""How many blocks' outputs are features, spread evenly over the depth."""


def shown_blocks(depth: int) -> tuple[int, ...]:
    """Return which blocks' outputs are features, counted from 1; the last is one of them."""
    count = min(MAPS, depth)
    return tuple(round((i + 1) * depth / count) for i in range(count))


class TubeletEmbedding(nn.Module):
    """One vector for each patch of some frames; videos go on with their border where they end."""

    def __init__(self, in_channels: int, width: int, *, patch_px: int, frames: int) -> None:
        """Draw Xavier weights."""
        super().__init__()
        size = (frames, patch_px, patch_px)
        self.project = nn.Conv3d(in_channels, width, size, stride=size)
        nn.init.xavier_uniform_(self.project.weight.flatten(1))
        assert self.project.bias is not None
        nn.init.zeros_(self.project.bias)

    def forward(
        self, video: Float[Tensor, "batch channel time height width"]
    ) -> Float[Tensor, "batch out_channel step rows columns"]:
        """Return the vectors as maps; no patch spans two time steps."""
        patch = self.project.kernel_size[-1]
        below, right = -video.shape[-2] % patch, -video.shape[-1] % patch
        if below or right:
            video = F.pad(video, (0, right, 0, below, 0, 0), mode="replicate")
        return self.project(video)


class Positions:
    """What attention must know of a grid of tokens: who may see whom, and how far apart they are.

    The same for all blocks of a network. Angles are None where positions are learned.
    """

    def __init__(self, config: VideoTransformerConfig, like: Tensor) -> None:
        """Lay out a grid for maps ``[batch, channel, step, rows, columns]``."""
        steps, rows, columns = like.shape[2:]
        pairs = config.width // config.heads // 2
        rope, device = config.positions == "rope", like.device
        self.time = rotation_angles(grid_positions(steps, device=device), pairs) if rope else None
        self.space = (
            rotation_angles(grid_positions(rows, columns, device=device), pairs) if rope else None
        )
        self.all = (
            rotation_angles(grid_positions(steps, rows, columns, device=device), pairs)
            if rope
            else None
        )
        joint = config.attend == "joint"
        self.mask: Bool[Tensor, "token token"] | None = None
        if config.causal:
            self.mask = causal_mask(steps, rows * columns if joint else 1, device=device)


class Block(nn.Module):
    """Attention and a small network on each token, each after a norm and beside a shortcut."""

    def __init__(self, config: VideoTransformerConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        width = config.width
        names = ["all"] if config.attend == "joint" else ["time", "space"]
        self.norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in names})
        self.attentions = nn.ModuleDict(
            {name: Attention(width, config.heads, kind=config.attention) for name in names}
        )
        self.mlp = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, config.mlp_ratio * width),
            nn.GELU(),
            nn.Linear(config.mlp_ratio * width, width),
        )

    def forward(
        self, tokens: Float[Tensor, "batch step place width"], positions: Positions
    ) -> Float[Tensor, "batch step place width"]:
        """Return the next tokens."""
        if "all" in self.attentions:
            tokens = tokens + self._over_all(tokens, positions)
        else:
            tokens = tokens + self._over_time(tokens, positions)
            tokens = tokens + self._over_space(tokens, positions)
        return tokens + self.mlp(tokens)

    def _over_all(self, tokens: Tensor, positions: Positions) -> Tensor:
        flat = self.norms["all"](tokens).flatten(1, 2)
        gathered = self.attentions["all"](flat, angles_rad=positions.all, mask=positions.mask)
        return gathered.view_as(tokens)

    def _over_time(self, tokens: Tensor, positions: Positions) -> Tensor:
        batch = len(tokens)
        series = self.norms["time"](tokens).transpose(1, 2).flatten(0, 1)
        gathered = self.attentions["time"](series, angles_rad=positions.time, mask=positions.mask)
        return gathered.unflatten(0, (batch, -1)).transpose(1, 2)

    def _over_space(self, tokens: Tensor, positions: Positions) -> Tensor:
        frames = self.norms["space"](tokens).flatten(0, 1)
        gathered = self.attentions["space"](frames, angles_rad=positions.space)
        return gathered.view_as(tokens)
