"""Attention over tokens, with positions as rotations."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

AttentionKind = Literal["math", "fused"]
"""``math`` writes the products out, and gradients of gradients work; ``fused`` is torch's fastest
kernel, which takes less memory and whose gradients have no gradient."""

ROTATION_BASE = 100.0
"""Slowest rotation: a turn in about 600 steps. Grids of patches and clips are tens of steps long,
not the thousands that the 10,000 of language models is for."""


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int, *, kind: AttentionKind) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.heads = heads
        self.kind = kind
        self.to_parts = nn.Linear(width, 3 * width)
        self.to_out = nn.Linear(width, width)
        for layer in (self.to_parts, self.to_out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        tokens: Float[Tensor, "batch token width"],
        *,
        angles_rad: Float[Tensor, "token pair"] | None = None,
        mask: Bool[Tensor, "token token"] | None = None,
    ) -> Float[Tensor, "batch token width"]:
        """Return what each token gathers.

        Args:
            tokens: any number of them.
            angles_rad: by how much each pair of numbers of queries and keys is turned (RoPE, Su et
                al. 2021): attention then depends on differences of positions.
            mask: true where the token of the row may look at the one of the column.
        """
        parts = self.to_parts(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts.unbind(0)
        if angles_rad is not None:
            queries, keys = rotate(queries, angles_rad), rotate(keys, angles_rad)
        gather = F.scaled_dot_product_attention if self.kind == "fused" else written_out_attention
        return self.to_out(gather(queries, keys, values, attn_mask=mask).transpose(1, 2).flatten(2))


def written_out_attention(
    queries: Float[Tensor, "batch head token part"],
    keys: Float[Tensor, "batch head token part"],
    values: Float[Tensor, "batch head token part"],
    attn_mask: Bool[Tensor, "token token"] | None = None,
) -> Float[Tensor, "batch head token part"]:
    """Return ``softmax(q k^T / sqrt(part)) v``, of the tokens that the mask allows."""
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, float("-inf"))
    return scores.softmax(dim=-1) @ values


def rotate(
    vectors: Float[Tensor, "batch head token part"], angles_rad: Float[Tensor, "token pair"]
) -> Float[Tensor, "batch head token part"]:
    """Return vectors with each pair (i, i + part/2) of their numbers turned by an angle."""
    cos, sin = angles_rad.cos().to(vectors.dtype), angles_rad.sin().to(vectors.dtype)
    first, second = vectors.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def rotation_angles(
    positions: Float[Tensor, "token axis"], pairs: int
) -> Float[Tensor, "token {pairs}"]:
    """Return the angles of tokens at positions along several axes, in steps.

    Each axis has an equal share of the pairs, turning from 1 rad for each step on down; pairs that
    are left over do not turn.
    """
    share = pairs // positions.shape[1]
    exponents = torch.arange(share, device=positions.device, dtype=positions.dtype) / max(share, 1)
    angles = (positions.unsqueeze(-1) * ROTATION_BASE**-exponents).flatten(1)
    return F.pad(angles, (0, pairs - angles.shape[1]))


def grid_positions(*sizes: int, device: torch.device) -> Float[Tensor, "token axis"]:
    """Return the positions of tokens on a grid, the last axis fastest."""
    axes = [torch.arange(size, device=device, dtype=torch.float32) for size in sizes]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)


def causal_mask(
    steps: int, tokens_per_step: int, *, device: torch.device
) -> Bool[Tensor, "token token"]:
    """Return which tokens may look at which: those of the same time step and of earlier ones."""
    step = torch.arange(steps, device=device).repeat_interleave(tokens_per_step)
    return step.unsqueeze(1) >= step
