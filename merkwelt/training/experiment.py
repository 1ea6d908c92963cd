"""What a training run is made of: one frozen description, and the modules that it describes."""

from dataclasses import dataclass, field
from typing import get_args

import torch
from torch import nn

from ..objectives.build import ObjectiveConfig, build_objective
from ..objectives.objective import probe_shapes
from ..video_models.build import EncoderConfig, build_encoder
from ..video_models.stereo_cnn import StereoCNNConfig
from .encoder_view import Precision


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """AdamW with a warm-up and a cosine to zero."""

    learning_rate: float = 1e-3
    """The highest, right after the warm-up."""
    weight_decay: float = 1e-2
    """On weights of more than one axis; gains and biases are left alone."""
    warmup_steps: int = 10
    clip_norm: float = 1.0
    """Longest gradient, over all parameters together."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.learning_rate <= 0 or self.clip_norm <= 0:
            raise ValueError(f"expected learning_rate and clip_norm above 0, got {self}")
        if self.weight_decay < 0 or self.warmup_steps < 0:
            raise ValueError(f"expected weight_decay and warmup_steps of at least 0, got {self}")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything that decides what a run learns, beside its data."""

    name: str
    """Of the recipe that made it."""
    objective: ObjectiveConfig
    encoder: EncoderConfig = field(default_factory=StereoCNNConfig)
    """With one eye, stereo data gives its left one."""
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    steps: int = 200
    batch_size: int = 8
    """Clips."""
    seed: int = 0
    """Of weights, of the order of the clips and of the held-out share."""
    image_size_px: int | None = None
    """Height that frames are shrunk to; None leaves them as rendered."""
    mask_saccades: bool = True
    """Do not compare frames with a saccade or a blink between them (saccadic suppression)."""
    crop_share: float = 0.875
    """Height and width of the random cut that training sees of each frame; 1 cuts nothing."""
    freeze_encoder: bool = False
    """Train the heads alone, on an untrained encoder: the floor of every learning claim."""
    precision: Precision = "float32"
    """Of the encoder's forward pass while training: ``bf16`` is automatic mixed precision. Weights,
    heads, statistics and losses are float32 or more, and so is all that is measured."""
    compile: bool = False
    """Run the encoder through torch.compile while training."""
    ema: float | None = None
    """Share that a running average of the weights keeps at each step, such as 0.999; it is stored
    and measured beside them. None keeps no average."""
    held_out_share: float = 0.2
    """Of the clips, for validation; by clip and not by scene."""
    validate_every: int = 50
    diagnose_every: int = 50
    """Steps between looks at how features are spread, for signs of collapse."""
    checkpoint_every: int = 50
    keep_checkpoints: int = 3

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        every = ("validate_every", "diagnose_every", "checkpoint_every")
        counts = ("steps", "batch_size", *every, "keep_checkpoints")
        wrong = [name for name in counts if getattr(self, name) < 1]
        if wrong:
            raise ValueError(f"expected at least 1 for {', '.join(wrong)}, got {self}")
        if self.seed < 0 or not 0 < self.held_out_share < 1:
            raise ValueError(
                f"expected a seed of at least 0 and a held-out share in (0, 1), got {self.seed} "
                f"and {self.held_out_share}"
            )
        if not 0 < self.crop_share <= 1:
            raise ValueError(f"expected a crop share in (0, 1], got {self.crop_share}")
        if self.precision not in get_args(Precision):
            raise ValueError(
                f"expected a precision out of {get_args(Precision)}, got {self.precision!r}"
            )
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"expected ema to be None or in (0, 1), got {self.ema}")
        if self.image_size_px is not None and self.image_size_px < 1:
            raise ValueError(f"expected an image size of at least 1 px, got {self.image_size_px}")


def clip_eyes_of(experiment: Experiment) -> int:
    """Return how many eyes a run's clips must have: the encoder's, unless the objective says."""
    return getattr(experiment.objective, "clip_eyes", None) or experiment.encoder.eyes


def build(experiment: Experiment) -> tuple[nn.Module, nn.Module]:
    """Return the untrained encoder and objective; the same seed gives the same bits."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(experiment.seed)
        encoder = build_encoder(experiment.encoder)
        # Not while training: a black clip must not enter running statistics.
        shapes = probe_shapes(
            encoder.eval(),
            eyes=experiment.encoder.eyes,
            image_channels=experiment.encoder.image_channels,
            size_px=getattr(encoder, "image_size_px", None) or 64,
            frames=max(2, getattr(encoder, "least_frames", 1)),
        )
        encoder.train()
        objective = build_objective(experiment.objective, shapes, encoder)
    if experiment.freeze_encoder:
        encoder.requires_grad_(requires_grad=False)
    return encoder, objective
