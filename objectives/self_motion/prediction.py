"""Self-motion prediction: tell from a clip how the eye that saw it moves.

An organism knows how it moves, and must tell from what it sees where it is going (Mineault,
Bakhtiari, Richards & Pack 2021, NeurIPS): heading, turns and speed, as classes. The truth is the
stream's own poses. It is the cheapest control with labels beside slowness and prediction.
"""

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ..across_ranks import sum_across_ranks
from ..chosen_map import chosen_map
from ..objective import Batch, EncoderLike, FeatureShapes, Truth, valid_pairs_of
from ..spread import effective_rank, feature_std
from .held_out import Told, report
from .quantities import HEADINGS, Quantity, quantities_of
from .readout import MapReadout, pairs_read
from .settings import SelfMotionConfig


class SelfMotion(nn.Module):
    """Classes of heading, turns and speed, told from one map of an encoder.

    The loss is the cross-entropy, a mean over quantities of the mean over pairs of frames.
    """

    def __init__(self, config: SelfMotionConfig, shapes: FeatureShapes) -> None:
        """Draw the readout's weights from torch's random state."""
        super().__init__()
        self.config = config
        self.bins = config.bins()
        self.frames_per_step = shapes.frames_per_step
        self.map_name = chosen_map(shapes, config.map_name)
        self.readout = MapReadout(
            shapes.map_channels[self.map_name],
            len(self.bins) * config.classes,
            central_share=config.central_share,
            grid=config.grid,
            hidden=config.hidden,
        )

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the cross-entropy, and how far off the classes' means are."""
        features = encoder(clips)
        logits, pairs = self.predict(features.maps)
        values = quantities_of(truth, pairs, self.bins)
        usable = self._usable(clips, truth, values, pairs)
        losses = {}
        for name, bins in self.bins.items():
            goals = bins.targets(values[name], smoothing_bins=self.config.smoothing_bins)
            errors = -(goals * logits[name].log_softmax(dim=-1)).sum(dim=-1)
            losses[name] = _mean_over(errors, usable[name])
        loss = torch.stack(list(losses.values())).mean()
        with torch.no_grad():
            pooled = features.pooled.flatten(0, 1).float()
            measures = {f"{name}_cross_entropy": each.detach() for name, each in losses.items()}
            measures["effective_rank"] = effective_rank(pooled)
            measures["feature_std"] = feature_std(pooled)
        return loss, measures

    def predict(
        self, maps: Mapping[str, Tensor]
    ) -> tuple[dict[Quantity, Float[Tensor, "batch pair class"]], list[int]]:
        """Return the logits of the classes of each quantity, and for which pairs of frames."""
        features = maps[self.map_name]
        steps, pairs = pairs_read(
            features.shape[2], self.frames_per_step, middle_only=self.config.when == "middle"
        )
        read = self.readout(features[:, :, steps]).float()
        logits = read.unflatten(-1, (len(self.bins), -1)).unbind(dim=-2)
        return dict(zip(self.bins, logits, strict=True)), pairs

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return held-out errors beside those of always saying the training clips' mean.

        See ``held_out.report`` for the names.
        """
        told, pooled = [], []
        for clips, truth in held_out:
            features = encoder(clips)
            logits, pairs = self.predict(features.maps)
            values = quantities_of(truth, pairs, self.bins)
            told.append(
                Told(
                    values=values,
                    usable=self._usable(clips, truth, values, pairs),
                    guesses={n: b.decode(logits[n].softmax(-1)) for n, b in self.bins.items()},
                    cross_entropy={n: self._hard_error(n, logits, values) for n in self.bins},
                )
            )
            pooled.append(features.pooled.flatten(0, 1).float())
        known = [self._known(clips, truth) for clips, truth in training]
        if not told or not known:
            raise ValueError("expected at least one batch each of training and held-out clips")
        measures = report(Told.joined(told), Told.joined(known), classes=self.config.classes)
        spread = torch.cat(pooled)
        measures["effective_rank"] = float(effective_rank(spread))
        measures["feature_std"] = float(feature_std(spread))
        return measures

    def _known(self, clips: Tensor, truth: Truth) -> Told:
        """Return what is true of clips, without looking at them."""
        steps = clips.shape[2] // self.frames_per_step
        middle_only = self.config.when == "middle"
        _, pairs = pairs_read(steps, self.frames_per_step, middle_only=middle_only)
        values = quantities_of(truth, pairs, self.bins)
        return Told(values=values, usable=self._usable(clips, truth, values, pairs))

    def _usable(
        self, clips: Tensor, truth: Truth, values: Mapping[Quantity, Tensor], pairs: list[int]
    ) -> dict[Quantity, Bool[Tensor, "batch pair"]]:
        """Return where each quantity counts."""
        some = next(iter(values.values()))
        usable = torch.ones_like(some, dtype=torch.bool)
        if self.config.mask_pairs:
            usable = valid_pairs_of(clips, truth)[:, pairs]
        moving = usable
        if any(name in HEADINGS for name in self.bins):
            speed = quantities_of(truth, pairs, ["speed"])["speed"]
            moving = usable & (speed > self.config.slowest_m_s)
        return {name: moving if name in HEADINGS else usable for name in self.bins}

    def _hard_error(
        self, name: Quantity, logits: Mapping[Quantity, Tensor], values: Mapping[Quantity, Tensor]
    ) -> Float[Tensor, "batch pair"]:
        """Return the cross-entropy of the true class alone, whose chance is ``ln classes``."""
        right = self.bins[name].classes(values[name]).unsqueeze(-1)
        return -logits[name].log_softmax(dim=-1).gather(-1, right).squeeze(-1)


def _mean_over(errors: Tensor, usable: Bool[Tensor, "batch pair"]) -> Float[Tensor, ""]:
    """Return the mean where it counts, over all ranks; 0 where it counts nowhere."""
    weights = usable.to(errors.dtype)
    total, count = sum_across_ranks(torch.stack([(errors * weights).sum(), weights.sum()])).unbind()
    return total / count.clamp_min(1)
