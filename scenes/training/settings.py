"""Settings of one training."""

from dataclasses import dataclass
from typing import Literal

Placement = Literal["auto", "nerfstudio", "keep"]
Background = Literal["auto", "last_sample", "white", "random", "black"]


@dataclass(frozen=True, kw_only=True)
class ProposalSettings:
    """Size of one proposal network's hash table."""

    levels: int = 5
    log2_hashmap_size: int = 15
    max_resolution: int = 128
    hidden_dim: int = 16


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How to train a nerfacto scene; the defaults suit two cores and photographs of about 200 px.

    Names and meanings are nerfstudio 1.1.5's where they exist there.
    """

    steps: int = 3000
    """Optimiser steps."""
    downscale: int | None = None
    """Factor by which photographs are made smaller; None chooses 8 or less (see
    ``normalise.automatic_downscale``) and 1 for photographs below 500 px."""
    rays_per_step: int = 1024
    seed: int = 42
    device: str = "auto"
    """``auto``, ``cpu`` or ``cuda``."""
    metres_per_unit: float | None = None
    """Metres per unit of the capture's poses; None takes what ``capture.json`` says."""
    placement: Placement = "auto"
    """Where the field lies: ``nerfstudio`` turns the mean up direction to +z and centres the
    cameras, ``keep`` only scales, so that field and capture axes agree. ``auto`` keeps captures
    whose +z is known to be up (``capture.json``, Blender)."""
    background: Background = "auto"
    """What lies behind everything. ``auto`` is ``last_sample`` for photographs and ``white`` for
    pictures with an alpha channel."""
    appearance_embedding: bool = True
    """Learn one vector per photograph that explains exposure and white balance."""
    samples: int = 24
    """Samples per ray of the field."""
    proposal_samples: tuple[int, ...] = (64, 32)
    """Samples per ray of each proposal network."""
    levels: int = 16
    log2_hashmap_size: int = 17
    max_resolution: int = 1024
    hidden_dim: int = 64
    proposals: tuple[ProposalSettings, ...] = (
        ProposalSettings(max_resolution=128),
        ProposalSettings(max_resolution=256),
    )
    near: float = 0.05
    """Distance in field units below which training places no sample."""
    far: float = 1000.0
    average_init_density: float = 0.01
    distortion_loss_mult: float = 0.002
    learning_rate: float = 1e-2
    final_learning_rate: float = 1e-4
    """Reached exponentially at the last step, or at step 2000 if there are fewer."""
    held_out_every: int = 8
    """Every such photograph is held out where the capture does not choose itself."""
    evaluations: int = 10
    """How often held-out photographs are looked at during training, for the progress message."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant."""
        positive = {
            "steps": self.steps,
            "rays_per_step": self.rays_per_step,
            "samples": self.samples,
            "levels": self.levels,
            "hidden_dim": self.hidden_dim,
            "near": self.near,
            "learning_rate": self.learning_rate,
            "final_learning_rate": self.final_learning_rate,
        }
        for name, value in positive.items():
            if not value > 0:
                raise ValueError(f"expected {name} to be positive, got {value}")
        if self.downscale is not None and self.downscale < 1:
            raise ValueError(f"expected downscale to be 1 or more, got {self.downscale}")
        if self.metres_per_unit is not None and not self.metres_per_unit > 0:
            raise ValueError(f"expected metres_per_unit to be positive, got {self.metres_per_unit}")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"expected device auto, cpu or cuda, got {self.device!r}")
        if len(self.proposals) != len(self.proposal_samples):
            raise ValueError(
                f"expected one entry of proposals per entry of proposal_samples, got "
                f"{len(self.proposals)} and {len(self.proposal_samples)}"
            )
