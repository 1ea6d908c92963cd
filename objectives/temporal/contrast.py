"""Learning through time: what is seen a moment later is to look alike, and all else different.

SimCLR-TT (Aubret, Ernst, Teuliere & Triesch 2023, ICLR; Schneider et al. 2021): SimCLR whose two
views of a thing are two moments of seeing it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..across_ranks import gather_across_ranks
from ..objective import (
    Batch,
    EncoderLike,
    FeatureShapes,
    Truth,
    pairs_of_steps,
    valid_pairs_of,
)
from ..spread import effective_rank, feature_std
from .moments import drawn_starts, frames_at, spans_of, stills_at
from .ntxent import nt_xent, partner_found


@dataclass(frozen=True, kw_only=True)
class TemporalContrastConfig:
    """Settings of ``TemporalContrast``."""

    span: int = 1
    """Frames from one view to the other (steps of features with ``views="clip"``). No saccade and
    no blink lies between them."""
    pairs_per_clip: int = 2
    """Pairs of views that a clip gives to a batch; more add neighbours that are hard to tell."""
    views: Literal["stills", "clip"] = "stills"
    """Show the encoder each view alone, as a clip that stands still, as in the paper; or the whole
    clip once, whose features at two times share frames that both have seen."""
    temperature: float = 1.0
    hidden: int = 256
    """Channels inside the projector."""
    outputs: int = 128
    """Channels of the embeddings that are compared."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        counts = ("span", "pairs_per_clip", "hidden", "outputs")
        wrong = [name for name in counts if getattr(self, name) < 1]
        if wrong:
            raise ValueError(f"expected at least 1 for {', '.join(wrong)}, got {self}")
        if self.temperature <= 0:
            raise ValueError(f"expected a temperature above 0, got {self.temperature}")
        if self.views not in ("stills", "clip"):
            raise ValueError(f"expected views 'stills' or 'clip', got {self.views!r}")


class TemporalContrast(nn.Module):
    """NT-Xent between embeddings of two moments of one clip."""

    def __init__(self, config: TemporalContrastConfig, shapes: FeatureShapes) -> None:
        """Draw the projector's weights from torch's random state."""
        super().__init__()
        self.config = config
        self.frames_per_step = shapes.frames_per_step
        self.project = nn.Sequential(
            nn.Linear(shapes.pooled_channels, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.outputs),
        )

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the loss beside that of embeddings that are all alike."""
        spans = self._spans(clips, truth)
        starts, usable = drawn_starts(spans, self.config.pairs_per_clip)
        one, other, pooled = self._seen(encoder, clips, starts)
        one, other = (gather_across_ranks(self.project(each)) for each in (one, other))
        # As numbers, for all ranks to exchange them.
        counts = gather_across_ranks(usable.flatten().float()) > 0
        loss = nt_xent(one, other, temperature=self.config.temperature, usable=counts)
        with torch.no_grad():
            measures = {
                "alike_loss": (2 * counts.sum() - 1).clamp_min(1).log(),
                "effective_rank": effective_rank(pooled),
                "feature_std": feature_std(pooled),
            }
        return loss, measures

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return how well moments are told apart: one pair of every held-out clip, all together.

        It is the pair nearest to the middle of the clip that may be compared.

        Returns:
            ``loss`` beside ``loss_if_alike``, ``log(2B - 1)``;
            ``top_1``: how often the partner is the nearest of all, by embeddings, beside
            ``top_1_features`` (pooled features), ``top_1_pixels`` and ``top_1_chance``;
            ``effective_rank`` and ``feature_std`` of the pooled features.
        """
        views: dict[str, list[tuple[Tensor, Tensor]]] = {"pixels": [], "features": []}
        for clips, truth in held_out:
            spans = self._spans(clips, truth)
            clips, spans = clips[spans.any(dim=1)], spans[spans.any(dim=1)]
            if not len(clips):
                continue
            starts = _nearest_to_middle(spans)
            one, other, _ = self._seen(encoder, clips, starts)
            views["features"].append((one, other))
            at = [self._frames(clips, starts + late).flatten(1) for late in (0, self.config.span)]
            views["pixels"].append((at[0], at[1]))
        joined = {
            n: tuple(torch.cat(s) for s in zip(*v, strict=True)) for n, v in views.items() if v
        }
        if not joined:
            raise ValueError(
                "expected at least one batch of held-out clips with two moments "
                f"objective.span {self.config.span} apart and no saccade or blink between them, "
                "got none; use a shorter span, longer clips or no masking"
            )
        one, other = joined["features"]
        embedded = self.project(one), self.project(other)
        features = torch.cat([one, other])
        return {
            "loss": float(nt_xent(*embedded, temperature=self.config.temperature)),
            "loss_if_alike": math.log(2 * len(one) - 1),
            "top_1": float(partner_found(*embedded)),
            "top_1_features": float(partner_found(one, other)),
            "top_1_pixels": float(partner_found(*joined["pixels"])),
            "top_1_chance": 1 / (2 * len(one) - 1),
            "effective_rank": float(effective_rank(features)),
            "feature_std": float(feature_std(features)),
        }

    def _spans(self, clips: Tensor, truth: Truth) -> Tensor:
        """Return at which moments a pair may begin: frames, or steps of features."""
        pairs = valid_pairs_of(clips, truth)
        if self.config.views == "clip":
            pairs = pairs_of_steps(pairs, self.frames_per_step)
        if pairs.shape[1] < self.config.span:
            raise ValueError(
                f"expected clips longer than objective.span {self.config.span}, got "
                f"{pairs.shape[1] + 1} moments"
            )
        return spans_of(pairs, self.config.span)

    def _seen(
        self, encoder: EncoderLike, clips: Tensor, starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return pooled features of both views of every pair, and all that were computed."""
        later = starts + self.config.span
        if self.config.views == "clip":
            pooled = encoder(clips).pooled.float()
            one, other = (frames_at(pooled, at).flatten(0, 1) for at in (starts, later))
            return one, other, pooled.flatten(0, 1).detach()
        views = torch.cat(
            [stills_at(clips, at, frames=self.frames_per_step) for at in (starts, later)]
        )
        pooled = encoder(views).pooled[:, 0].float()
        one, other = pooled.chunk(2)
        return one, other, pooled.detach()

    def _frames(self, clips: Tensor, moments: Tensor) -> Tensor:
        """Return the last frame of each moment."""
        if self.config.views == "clip":
            moments = (moments + 1) * self.frames_per_step - 1
        return stills_at(clips, moments, frames=1)


def _nearest_to_middle(spans: Tensor) -> Tensor:
    """Return ``[batch, 1]``: the valid start nearest to the middle one."""
    starts = spans.shape[1]
    distance = (torch.arange(starts, device=spans.device) - (starts - 1) / 2).abs()
    return torch.where(spans, distance, starts).argmin(dim=1, keepdim=True)
