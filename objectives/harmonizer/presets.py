"""The published forms of the neural harmonizer by name, and how they differ from the first.

Where a variant's page does not state how images are classified beside the maps, it is plain
cross-entropy here, without smoothing or decay.
"""

from collections.abc import Callable, Mapping

from .config import Comparison, HarmonizerConfig


def fel2022() -> HarmonizerConfig:
    """Return the TensorFlow reference (serre-lab/Harmonization), the default."""
    return HarmonizerConfig()


def research2022() -> HarmonizerConfig:
    """Return the recipe of the paper's models: lambda 2 and six levels, else the reference.

    The paper sweeps lambda from 10 to 50 as well. Its optimiser and its mixing with ImageNet
    belong to an experiment, not to this loss.
    """
    return HarmonizerConfig(map_weight=2.0, levels=6)


def pseudo_clickme() -> HarmonizerConfig:
    """Return serre-lab/Pseudo_ClickMe.

    Differs from the reference in an unbiased standard deviation with epsilon 1e-6, a maximum
    that carries gradient, and zero padding of 2. It builds six levels and compares five.
    """
    return HarmonizerConfig(
        std_epsilon=1e-6,
        unbiased_std=True,
        detach_peak=False,
        padding="zero",
        label_smoothing=0.0,
        weight_decay=0.0,
    )


def co3d_early() -> HarmonizerConfig:
    """Return co3d-harmonization at commit 04b708d: no normalisation, the largest logit.

    Its pyramid kernel has typing errors (rows that do not sum to 1). No published figure rests
    on them: they are mended here, to the binomial kernel.
    """
    return HarmonizerConfig(
        scalar="top-logit",
        normalise="none",
        padding="zero",
        label_smoothing=0.0,
        weight_decay=0.0,
    )


def co3d_fel(compare: Comparison = "mse") -> HarmonizerConfig:
    """Return co3d-harmonization's later pyramid loss: absolute maxima, min-max, disc pyramid.

    Args:
        compare: ``mse``, ``bce``, ``cosine`` or ``cross-entropy``; all four exist there.
    """
    return HarmonizerConfig(
        channels="abs-max",
        normalise="min-max",
        pyramid="disc",
        compare=compare,
        label_smoothing=0.0,
        weight_decay=0.0,
    )


def co3d_default() -> HarmonizerConfig:
    """Return co3d-harmonization's later default: projected saliency at the clicked pixels.

    Absolute maxima, blurred by the disc twice, min-max, a learned projection, and binary
    cross-entropy where the human map is above 0. The code stops at a logarithm of an integer;
    mended here. The projection's width is not stated; 8 is ours, and so is reading its output
    as a logit.
    """
    return HarmonizerConfig(
        channels="abs-max",
        blur_saliency=True,
        normalise="min-max",
        projection_width=8,
        clicked_only=True,
        levels=1,
        compare="bce",
        label_smoothing=0.0,
        weight_decay=0.0,
        relative_to_chance=True,
    )


def co3d_contrastive() -> HarmonizerConfig:
    """Return co3d-harmonization's contrastive loss over the maps of a batch.

    Its temperature is not stated; 0.07 is that of CLIP's start. Needs two stills or more.
    """
    return HarmonizerConfig(
        channels="abs-max",
        normalise="min-max",
        levels=1,
        compare="contrastive",
        label_smoothing=0.0,
        weight_decay=0.0,
    )


PRESETS: Mapping[str, Callable[[], HarmonizerConfig]] = {
    "fel2022": fel2022,
    "research2022": research2022,
    "pseudo_clickme": pseudo_clickme,
    "co3d_early": co3d_early,
    "co3d_fel": co3d_fel,
    "co3d_default": co3d_default,
    "co3d_contrastive": co3d_contrastive,
}
"""By the name that ``merkwelt train --harmonizer.preset`` takes."""
