"""The shape of a video transformer."""

from dataclasses import dataclass
from typing import Literal

from ..clip_checks import check_eyes, check_positive
from ..eye_fusion import Stereo
from .attention import AttentionKind


@dataclass(frozen=True, kw_only=True)
class VideoTransformerConfig:
    """The shape of a ``VideoTransformer``; the default has 0.61 M parameters."""

    eyes: int = 2
    """1 or 2."""
    image_channels: int = 3
    """Channels of a frame: 3 for RGB, 1 for grey."""
    stereo: Stereo = "siamese"
    """How two eyes meet in the embedding."""
    causal: bool = True
    """Tokens look at those of the same time step and of earlier ones only."""
    patch_px: int = 8
    """Height and width of the patches; frames that they do not divide go on with their border."""
    tubelet_frames: int = 1
    """Frames of a patch, and so of a time step."""
    width: int = 96
    """Numbers in a token."""
    depth: int = 4
    """Blocks."""
    heads: int = 4
    mlp_ratio: int = 4
    """How many times wider a block is inside."""
    attend: Literal["factorised", "joint"] = "factorised"
    """Over time and then over space (Bertasius et al. 2021, divided attention), or over all at
    once, which costs the square of all tokens."""
    positions: Literal["rope", "learned"] = "rope"
    """Rotations that tell how far apart tokens are, for clips of any length; or learned vectors,
    which follow the size of the frames by interpolation."""
    learned_grid: tuple[int, int, int] = (16, 8, 8)
    """Learned positions: time steps, rows and columns. Clips may not have more time steps."""
    attention: AttentionKind = "math"
    """How attention is computed."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_eyes(self.eyes, self.stereo)
        for name, known in (
            ("attend", ("factorised", "joint")),
            ("positions", ("rope", "learned")),
            ("attention", ("math", "fused")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"expected {name} out of {known}, got {getattr(self, name)!r}")
        check_positive(
            image_channels=self.image_channels,
            patch_px=self.patch_px,
            tubelet_frames=self.tubelet_frames,
            depth=self.depth,
            heads=self.heads,
            mlp_ratio=self.mlp_ratio,
            learned_grid=min(self.learned_grid),
        )
        if self.width < 1 or self.width % (2 * self.heads):
            raise ValueError(
                f"expected a width that twice the heads ({2 * self.heads}) divides, got "
                f"{self.width}"
            )
        axes = 3 if self.attend == "joint" else 2
        if self.positions == "rope" and self.width < 2 * axes * self.heads:
            raise ValueError(
                f"expected a width of at least {2 * axes * self.heads}, for {axes} axes of rotary "
                f"positions in each of {self.heads} heads, got {self.width}; with fewer no token "
                "would know where it is"
            )


def transformer_small() -> VideoTransformerConfig:
    """Return the size of a ViT-S on tubelets of 2 frames, attending jointly and causally."""
    return VideoTransformerConfig(
        patch_px=16,
        tubelet_frames=2,
        width=384,
        depth=12,
        heads=6,
        attend="joint",
        attention="fused",
    )
