"""Temporal classification: tell from a frame which clip it is out of.

Orhan, Gupta & Lake 2020 ("Self-supervised learning through the eyes of a child", NeurIPS): a long
video is cut into chunks, 288 s there, and each chunk is a class.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..across_ranks import mean_across_ranks
from ..objective import Batch, EncoderLike, FeatureShapes, Truth
from ..spread import effective_rank, feature_std
from .halves import halves_told


@dataclass(frozen=True, kw_only=True)
class TemporalClassesConfig:
    """Settings of ``TemporalClasses``."""

    classes: int = 1024
    """Room for so many training clips, or chunks of videos; more are refused, fewer leave classes
    that are never seen."""
    chunk_s: float | None = None
    """Length of the chunks that videos are cut into, 288 s in the paper. None makes every clip a
    class; clips that were rendered always are."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.classes < 2:
            raise ValueError(f"expected at least 2 classes, got {self.classes}")
        if self.chunk_s is not None and self.chunk_s <= 0:
            raise ValueError(f"expected a chunk_s above 0, got {self.chunk_s}")


class TemporalClasses(nn.Module):
    """Cross-entropy of the clip that pooled features are out of, at every time step."""

    def __init__(self, config: TemporalClassesConfig, shapes: FeatureShapes) -> None:
        """Draw the classifier's weights from torch's random state."""
        super().__init__()
        self.config = config
        self.classify = nn.Linear(shapes.pooled_channels, config.classes)

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the cross-entropy, and how often the clip is told rightly."""
        classes = self._classes(truth)
        if bool((classes < 0).any()):
            raise ValueError("expected training clips, got some whose truth clip_class is -1")
        pooled = encoder(clips).pooled
        logits = self.classify(pooled).float().flatten(0, 1)
        right = classes.repeat_interleave(pooled.shape[1])
        loss = mean_across_ranks(F.cross_entropy(logits, right, reduction="none"))
        with torch.no_grad():
            seen = pooled.flatten(0, 1).float()
            measures = {
                "top_1": mean_across_ranks((logits.argmax(dim=1) == right).float()),
                "effective_rank": effective_rank(seen),
                "feature_std": feature_std(seen),
            }
        return loss, measures

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return how well held-out clips are told apart by the features.

        Held-out clips are none of the classes. So it is measured whether the second half of a
        clip's frames is nearer to its own first half than to any other clip's.

        Returns:
            ``halves_top_1`` by pooled features, beside ``halves_top_1_pixels`` (frames of 16 x 16
            cells) and ``halves_top_1_chance``, one over the number of clips;
            ``top_1``: the classifier's, of held-out clips out of chunks that were trained on, if
            there are such (videos with ``chunk_s``);
            ``training_top_1``: the classifier's, of training clips; no held-out measure;
            ``effective_rank`` and ``feature_std`` of the pooled features.
        """
        pooled, pixels, known = [], [], []
        for clips, truth in held_out:
            features = encoder(clips).pooled.float()
            pooled.append(features)
            pixels.append(_small(clips))
            known.append(self._told(features, truth))
        taught = [self._told(encoder(clips).pooled.float(), truth) for clips, truth in training]
        if not pooled or not taught:
            raise ValueError("expected at least one batch each of training and held-out clips")
        features = torch.cat(pooled)
        measures = {
            "halves_top_1": float(halves_told(features)),
            "halves_top_1_pixels": float(halves_told(torch.cat(pixels))),
            "halves_top_1_chance": 1 / len(features),
            "training_top_1": float(torch.cat(taught).mean()),
            "effective_rank": float(effective_rank(features.flatten(0, 1))),
            "feature_std": float(feature_std(features.flatten(0, 1))),
        }
        right = torch.cat(known)
        return measures | ({"top_1": float(right.mean())} if len(right) else {})

    def _told(self, pooled: Tensor, truth: Truth) -> Float[Tensor, " frame"]:
        """Return 1 for each frame whose clip is told rightly, of clips that are a class."""
        classes = self._classes(truth)
        told = self.classify(pooled).argmax(dim=-1) == classes.unsqueeze(1)
        return told[classes >= 0].flatten().float()

    def _classes(self, truth: Truth) -> Tensor:
        if "clip_class" not in truth:
            raise ValueError(
                "expected clips that are numbered (truth clip_class), got some that are not: a "
                "stream without end has no classes to tell apart; render its clips to a folder, "
                "and train on that"
            )
        classes = truth["clip_class"]
        if bool((classes >= self.config.classes).any()):
            raise ValueError(
                f"expected at most {self.config.classes} classes, got clip_class "
                f"{int(classes.max())}; set objective.classes to more than that"
            )
        return classes


def _small(clips: Tensor) -> Float[Tensor, "batch time pixel"]:
    """Return what a frame looks like at low resolution, both eyes."""
    frames = clips.transpose(1, 2).flatten(0, 1).flatten(1, 2)
    size = (min(16, frames.shape[-2]), min(16, frames.shape[-1]))
    return F.adaptive_avg_pool2d(frames, size).flatten(1).unflatten(0, (len(clips), -1))
