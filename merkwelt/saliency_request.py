"""A saliency recipe in words, as ``merkwelt evaluate`` takes it."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

from .names import (
    SaliencyBlurName,
    SaliencyChannelName,
    SaliencyMethodName,
    SaliencyTargetName,
)

if TYPE_CHECKING:
    from .alignment.models.scored import ScoredModel
    from .alignment.saliency.blurs import BlurRule
    from .alignment.saliency.methods import Method
    from .alignment.saliency.recipe import FrameRule, SaliencyRecipe
    from .alignment.saliency.targets import Target

BELONGS_TO = {
    "samples": ("method", "smoothgrad"),
    "noise_sd": ("method", "smoothgrad"),
    "steps": ("method", "integrated"),
    "baseline": ("method", "integrated"),
    "layer": ("method", "gradcam"),
    "blur_sd_px": ("blur", "gaussian"),
}


@dataclass(frozen=True, kw_only=True)
class SaliencyRequest:
    """How saliency is made; the recipe's name is part of the score's name."""

    method: SaliencyMethodName = "gradient"
    """How the target's gradient becomes a map; --smooth N is smoothgrad with N samples."""
    samples: int = 16
    """Noisy copies of each image, of smoothgrad."""
    noise_sd: float = 0.2
    """Standard deviation of smoothgrad's noise; image values span 0 to 1."""
    steps: int = 32
    """Steps of integrated gradients."""
    baseline: float = 0.5
    """Grey level where the path of integrated gradients starts."""
    layer: str | None = None
    """Feature map, or module of the encoder, of gradcam; the deepest map by default."""
    target: SaliencyTargetName = "usual"
    """The scalar whose gradient is taken. usual: the logit of a classifier's own class, or the
    centred feature norm of a run. loss: a run's own objective."""
    read_layer: str | None = None
    """Feature map that the target reads, averaged over space; the pooled features by default."""
    channels: SaliencyChannelName = "usual"
    """How colour channels become one; abs-max unless a protocol says otherwise."""
    frames: Literal["mean", "still", "last"] | int = "mean"
    """Which frames of a clip count: their mean, all as one still image, the last, or one by number
    from 0."""
    clip_frames: int | None = None
    """Frames for which a still image is shown; the model's own number by default."""
    blur: SaliencyBlurName = "usual"
    """usual: disc, unless a protocol says otherwise. none; disc: that of ClickMe 2.0, twice;
    fel2022: what the human maps of Fel et al. went through; gaussian: one of any width."""
    blur_sd_px: float = 10.0
    """Standard deviation of the Gaussian in pixels of an input of 224 px."""

    def __post_init__(self) -> None:
        """Refuse options that would change nothing."""
        for each in fields(self):
            owner, value = BELONGS_TO.get(each.name, (None, None))
            changed = getattr(self, each.name) != each.default
            if owner is not None and changed and getattr(self, owner) != value:
                name = each.name.replace("_", "-")
                raise ValueError(
                    f"--saliency.{name} belongs to --saliency.{owner} {value}, and {owner} is "
                    f"{getattr(self, owner)}"
                )

    def smoothed(self, samples: int) -> "SaliencyRequest":
        """Return the same with SmoothGrad of that many samples; as it is for 0."""
        if not samples:
            return self
        if self.method not in ("gradient", "smoothgrad"):
            raise ValueError(f"--smooth is SmoothGrad; leave it out for method {self.method}")
        return replace(self, method="smoothgrad", samples=samples)

    def recipe_of(self, model: "ScoredModel") -> "SaliencyRecipe":
        """Return the recipe for a model.

        Raises:
            ValueError: the model has no such target, or a setting is outside its range.
        """
        from .alignment.models.scoring import recipe_for

        usual = recipe_for(model, self._method())
        target = usual.target if self.target == "usual" else target_of(self, model)
        return replace(
            usual,
            target=target if self.read_layer is None else self._read_at_layer(target),
            channels=usual.channels if self.channels == "usual" else self.channels,
            frames=self._frames(),
            blur=usual.blur if self.blur == "usual" else self._blur(),
            clip_frames=usual.clip_frames if self.clip_frames is None else self.clip_frames,
        )

    def _method(self) -> "Method":
        from .alignment.saliency.methods import GradCam, Gradient, IntegratedGradients, SmoothGrad

        if self.method == "smoothgrad":
            return SmoothGrad(samples=self.samples, noise_sd=self.noise_sd)
        if self.method == "integrated":
            return IntegratedGradients(steps=self.steps, baseline=self.baseline)
        return GradCam(layer=self.layer) if self.method == "gradcam" else Gradient()

    def _read_at_layer(self, target: "Target") -> "Target":
        from .alignment.saliency.objective_loss import ObjectiveLoss
        from .alignment.saliency.targets import Readout

        if isinstance(target, ObjectiveLoss):
            raise ValueError("--saliency.read-layer says nothing to target loss; leave it out")
        return replace(target, readout=Readout(layer=self.read_layer))  # type: ignore[type-var]

    def _frames(self) -> "FrameRule":
        if self.frames == "still":
            return "still image"
        if self.frames == "last":
            return "last frame"
        return "mean of frames" if self.frames == "mean" else self.frames

    def _blur(self) -> "BlurRule":
        from .alignment.saliency.blurs import SaliencyGaussian

        if self.blur == "gaussian":
            return SaliencyGaussian(sd_px=self.blur_sd_px)
        if self.blur == "fel2022":
            return "Gaussian of Fel 2022"
        return "disc blur twice" if self.blur == "disc" else "no blur"


def target_of(request: SaliencyRequest, model: "ScoredModel") -> "Target":
    """Return the target that was asked for by name.

    Raises:
        ValueError: the model has none such.
    """
    from .alignment.saliency.targets import ClassLogit, FeatureNorm, PrototypeCosine

    if request.target == "loss":
        return loss_target(model)
    if request.target in ("norm", "centred_norm"):
        return FeatureNorm(centred=request.target == "centred_norm")
    if request.target == "prototype":
        return PrototypeCosine()
    if not model.is_classifier:
        raise ValueError(
            f"expected a classifier for --saliency.target {request.target}, and {model.name} has "
            "no classes; use prototype, norm, centred_norm or loss"
        )
    if request.target == "own_class":
        return ClassLogit()
    if model.classes is None:
        raise ValueError(
            f"expected a classifier that names its classes for --saliency.target true_class, and "
            f"{model.name} does not; use own_class"
        )
    return ClassLogit(class_names=model.classes)


def loss_target(model: "ScoredModel") -> "Target":
    """Return the loss of the objective that a run was trained with.

    Raises:
        ValueError: the model is no run.
    """
    from .alignment.saliency.objective_loss import LossOfEachClip, ObjectiveLoss
    from .training.run_folder import load_run

    if model.folder is None:
        raise ValueError(
            f"expected a training run for --saliency.target loss, and {model.name} is none: it has "
            "no objective"
        )
    loaded = load_run(model.folder)
    objective = loaded.objective.requires_grad_(requires_grad=False)
    return ObjectiveLoss(loss=LossOfEachClip(objective=objective), loss_name=loaded.experiment.name)
