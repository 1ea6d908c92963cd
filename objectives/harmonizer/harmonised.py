"""Any objective on clips, with the neural harmonizer on labelled stills beside it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..objective import (
    Batch,
    EncoderLike,
    FeatureShapes,
    Finishes,
    FollowsEncoder,
    Objective,
    Truth,
)
from ..spread import effective_rank, feature_std
from .classifier import Read, SeenStills, StillClassifier
from .config import HarmonizerConfig
from .double_backward import refuse_compiled, require_second_derivative
from .held_out import report_stills, stills_of
from .loss import half_squared_weights, harmonizer_loss


@dataclass(frozen=True, kw_only=True)
class HarmonisedConfig:
    """Settings of ``Harmonised``."""

    classes: int
    """How many labels the stills have; 1 if they have none."""
    objective: Any = None
    """Configuration of the objective on clips; None learns from stills alone."""
    harmonizer: HarmonizerConfig = field(default_factory=HarmonizerConfig)
    weight: float = 1.0
    """Of everything that is learned from stills, beside the objective on clips."""
    still_frames: int = 4
    """For how many frames a still is looked at, at least; whole time steps of the encoder are."""
    read: Read = "last"
    """Which time step of the pooled features is classified: the last one, or their mean."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.classes < 1 or self.still_frames < 1:
            raise ValueError(
                f"expected at least 1 class and 1 frame, got {self.classes} and {self.still_frames}"
            )
        if self.weight < 0:
            raise ValueError(f"expected a weight of at least 0, got {self.weight}")
        if self.read not in ("last", "mean"):
            raise ValueError(f"expected read to be 'last' or 'mean', got {self.read!r}")
        if isinstance(self.objective, HarmonisedConfig):
            raise ValueError("expected an objective on clips to harmonise, got a harmonised one")

    @property
    def clip_eyes(self) -> int | None:
        """Eyes of the clips that the objective on clips needs, if it says so."""
        return getattr(self.objective, "clip_eyes", None)


class Harmonised(nn.Module):
    """``base on clips + weight * (cross-entropy + decay + lambda * harmonizer)``.

    Stills are seen as clips that are fixated by all eyes, classified from pooled features, and
    the gradient of the class by the image is compared with where people looked (Fel et al. 2022).
    The loss holds that gradient, so weights are trained through second derivatives.
    """

    needs_double_backward = True
    """The encoder cannot be compiled."""

    def __init__(
        self, config: HarmonisedConfig, shapes: FeatureShapes, base: nn.Module | None
    ) -> None:
        """Draw the classifier's weights from torch's random state.

        Args:
            config: settings.
            shapes: of the encoder's features.
            base: the objective that ``config.objective`` describes.
        """
        super().__init__()
        self.config = config
        self.base = base
        self.frames_per_step: int = getattr(base, "frames_per_step", 1)
        self.classifier = StillClassifier(
            shapes, classes=config.classes, frames=config.still_frames, read=config.read
        )
        width = config.harmonizer.projection_width
        self.projection = _projection(width) if width else None
        self._differentiable_twice = False

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the loss, and the measures of the objective on clips beside those of stills.

        Raises:
            ValueError: there are no stills beside the clips.
            RuntimeError: the encoder has no second derivative; says why and what to do.
        """
        # Clips first: what their objective draws is then what it draws without stills.
        loss, measures = torch.zeros((), device=clips.device), {}
        if self.base is not None:
            loss, measures = cast(Objective, self.base)(encoder, clips, truth)
            measures = {**measures, "clips_loss": loss.detach()}
        learned, seen = self.stills_loss(encoder, truth)
        loss = loss + self.config.weight * learned.pop("total")
        measures |= {f"stills_{name}": each.detach() for name, each in learned.items()}
        if self.base is None:
            with torch.no_grad():
                measures["effective_rank"] = effective_rank(seen.pooled)
                measures["feature_std"] = feature_std(seen.pooled)
        return loss, measures

    def stills_loss(
        self, encoder: EncoderLike, truth: Truth
    ) -> tuple[dict[str, Float[Tensor, ""]], SeenStills]:
        """Return ``total`` and its parts, and what was seen."""
        refuse_compiled(encoder)
        images, labels, maps, tokens = self._checked(truth)
        rules = self.config.harmonizer
        with torch.autocast(images.device.type, enabled=False):
            seen = self.classifier(encoder, images, labels, rules, create_graph=True)
            harmonizer = harmonizer_loss(
                rules, seen.saliency(rules), maps, tokens, project=self.projection
            )
            if not self._differentiable_twice:
                require_second_derivative(encoder, harmonizer)
                self._differentiable_twice = True
            entropy = F.cross_entropy(seen.logits, labels, label_smoothing=rules.label_smoothing)
            decay = rules.weight_decay * half_squared_weights(self._weights(encoder))
        total = self._weighed(entropy, harmonizer) + decay
        parts = {"total": total, "cross_entropy": entropy, "harmonizer": harmonizer}
        hits = (seen.logits.detach().argmax(dim=1) == labels).float().mean()
        return parts | {"weight_decay": decay, "accuracy": hits}, seen

    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return the measures of the objective on clips, and those of held-out stills.

        See ``report_stills`` for the names of the latter.
        """
        training, held_out = list(training), list(held_out)
        report: dict[str, float] = {}
        if self.base is not None:
            report |= cast(Objective, self.base).evaluate(encoder, training, held_out)
        rules = self.config.harmonizer

        def see(images: Tensor, labels: Tensor) -> SeenStills:
            return self.classifier(encoder, images, labels, rules, create_graph=False)

        stills = report_stills(
            see, rules, stills_of(training), stills_of(held_out), classes=self.config.classes
        )
        return report | stills

    def follow(self, encoder: nn.Module) -> None:
        """Let the objective on clips take what it needs of the untrained encoder."""
        refuse_compiled(encoder)
        if isinstance(self.base, FollowsEncoder):
            self.base.follow(encoder)

    def after_step(self, encoder: nn.Module) -> None:
        """Let the objective on clips follow the encoder."""
        if isinstance(self.base, FollowsEncoder):
            self.base.after_step(encoder)

    def finish(self, encoder: nn.Module, training: Iterable[Batch]) -> None:
        """Let the objective on clips bring what it learned into order."""
        if isinstance(self.base, Finishes):
            self.base.finish(encoder, training)

    def _weights(self, encoder: EncoderLike) -> list[tuple[str, Tensor]]:
        """Return the named weights of the encoder, if it has any, and of the classifier."""
        of_encoder = getattr(encoder, "named_parameters", None)
        own = [] if of_encoder is None else list(of_encoder())
        return [*own, *self.classifier.named_parameters()]

    def _weighed(self, entropy: Tensor, harmonizer: Tensor) -> Tensor:
        rules = self.config.harmonizer
        if rules.relative_to_chance:
            # With one class there is nothing to guess, and its cross-entropy is 0.
            entropy = entropy / math.log(max(2, self.config.classes))
            harmonizer = harmonizer / math.log(2)
        return entropy + rules.map_weight * harmonizer

    def _checked(self, truth: Truth) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return stills, labels, maps and tokens that belong together."""
        missing = [name for name in ("stills", "still_labels", "still_maps") if name not in truth]
        if missing:
            raise ValueError(
                f"expected labelled stills with human maps beside the clips, got no "
                f"{', '.join(missing)}; train with a source of stills (--maps)"
            )
        images, labels, maps = truth["stills"], truth["still_labels"], truth["still_maps"]
        if maps.shape != images[:, 0].shape or labels.shape != images.shape[:1]:
            raise ValueError(
                "expected a label and a map of the same height and width for each still, got "
                f"stills {list(images.shape)}, labels {list(labels.shape)} and maps "
                f"{list(maps.shape)}"
            )
        if int(labels.min()) < 0 or int(labels.max()) >= self.config.classes:
            raise ValueError(
                f"expected labels from 0 to {self.config.classes - 1}, got {int(labels.min())} to "
                f"{int(labels.max())}; build the objective with as many classes as there are"
            )
        tokens = truth.get("still_tokens", torch.ones_like(labels))
        return images, labels, maps, tokens.to(maps.dtype)


def _projection(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, width, 1), nn.ReLU(), nn.Conv2d(width, 1, 1))
