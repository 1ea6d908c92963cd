"""A video transformer that may be causal in time."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..clip_checks import check_clips_for
from ..encoder import Features
from ..eye_fusion import EyeFusion
from .blocks import Block, Positions, TubeletEmbedding, shown_blocks
from .config import VideoTransformerConfig


class VideoTransformer(nn.Module):
    """Encoder of stereo or mono video: patches, and pre-norm blocks of attention on them.

    With factorised attention and rotary positions a still clip has constant features; otherwise
    positions in time, or how much past there is, show in them.
    """

    def __init__(self, config: VideoTransformerConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.causal = config.causal
        self.least_frames = self.frames_per_step = config.tubelet_frames
        self.embedding = EyeFusion(
            lambda inputs, outputs: TubeletEmbedding(
                inputs, outputs, patch_px=config.patch_px, frames=config.tubelet_frames
            ),
            eyes=config.eyes,
            image_channels=config.image_channels,
            out_channels=config.width,
            stereo=config.stereo,
        )
        if config.positions == "learned":
            steps, rows, columns = config.learned_grid
            self.time_positions = nn.Parameter(torch.randn(steps, 1, config.width) * 0.02)
            self.space_positions = nn.Parameter(torch.randn(1, config.width, rows, columns) * 0.02)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)
        self.shown = shown_blocks(config.depth)

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps ``embedding`` and up to four ``blockN``, and the last one's spatial mean.

        The last map has passed the final norm.

        Args:
            clips: values in [0, 1]; at least 16 pixels on each side, and a number of frames that
                ``tubelet_frames`` divides.
        """
        check_clips_for(self.config, clips, frames_per_step=self.config.tubelet_frames)
        embedded = self.embedding(clips * 2 - 1)
        rows, columns = embedded.shape[-2:]
        positions = Positions(self.config, embedded)
        tokens = embedded.flatten(3).permute(0, 2, 3, 1)
        maps = {"embedding": embedded}
        tokens = self._placed(tokens, rows, columns)
        for i, block in enumerate(self.blocks, start=1):
            tokens = block(tokens, positions)
            if i in self.shown:
                seen = self.norm(tokens) if i == len(self.blocks) else tokens
                maps[f"block{i}"] = seen.permute(0, 3, 1, 2).unflatten(3, (rows, columns))
        return Features(
            maps=maps,
            pooled=self.norm(tokens).mean(dim=2),
            frames_per_step=self.config.tubelet_frames,
        )

    def _placed(
        self, tokens: Float[Tensor, "batch step place width"], rows: int, columns: int
    ) -> Float[Tensor, "batch step place width"]:
        """Return tokens with their learned positions added, if there are any."""
        if self.config.positions != "learned":
            return tokens
        steps, most = tokens.shape[1], len(self.time_positions)
        if steps > most:
            raise ValueError(
                f"expected at most {most} time steps, for which positions were learned, got "
                f"{steps}; use positions='rope' or a longer learned_grid"
            )
        space = F.interpolate(self.space_positions, size=(rows, columns), mode="bicubic")
        return tokens + self.time_positions[:steps] + space.flatten(2).transpose(1, 2)
