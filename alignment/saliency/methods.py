"""Ways to turn the gradient of a scalar into a map."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Gradient:
    """The gradient at the clip itself."""

    name: str = field(default="gradient", init=False)


@dataclass(frozen=True, kw_only=True)
class SmoothGrad:
    """Mean of the saliency at noisy copies of the image (Smilkov et al. 2017).

    Noise is drawn on one picture, the same for both eyes and all times, from a generator that
    depends on the seed, the image and the number of the sample only.
    """

    samples: int = 16
    noise_sd: float = 0.2
    """Standard deviation of the noise; image values span [0, 1]."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.samples < 1 or self.noise_sd < 0:
            raise ValueError(
                f"expected at least 1 sample and a noise SD of at least 0, got {self.samples} "
                f"samples and SD {self.noise_sd}"
            )

    @property
    def name(self) -> str:
        """The method with its constants."""
        return f"SmoothGrad ({self.samples} samples, SD {self.noise_sd:g})"


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients:
    """Gradients averaged from a uniform grey to the clip, times the difference.

    Sundararajan et al. 2017, eq. 1, by the midpoint rule.
    """

    steps: int = 32
    baseline: float = 0.5
    """Grey level of the clip where the path starts."""

    def __post_init__(self) -> None:
        """Refuse an empty path."""
        if self.steps < 1:
            raise ValueError(f"expected at least 1 step, got {self.steps}")

    @property
    def name(self) -> str:
        """The method with its constants."""
        return f"integrated gradients ({self.steps} steps from grey {self.baseline:g})"


@dataclass(frozen=True, kw_only=True)
class GradCam:
    """Channels of one feature map, weighted by how much they drive the target, above zero.

    Selvaraju et al. 2017, eqs. 1 and 2: the weight of a channel is the mean of the target's
    gradient over all its places (and times). The result is enlarged bilinearly to the image.
    """

    layer: str | None = None
    """Name of one of the encoder's feature maps, or of a module inside it as
    ``nn.Module.get_submodule`` takes it; None takes the deepest map."""

    @property
    def name(self) -> str:
        """The method with its layer."""
        return f"Grad-CAM at {self.layer or 'the deepest map'}"


Method = Gradient | SmoothGrad | IntegratedGradients | GradCam
