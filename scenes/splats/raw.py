"""From the numbers of a file to Gaussians that can be rendered, or to one clear error."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .gaussians import DC, FAINTEST, Gaussians, thickened


@dataclass(frozen=True, kw_only=True, eq=False)
class RawGaussians:
    """What a file says, activations undone, nothing checked; float64."""

    positions: np.ndarray
    """``[n, 3]``."""
    scales: np.ndarray
    """Standard deviations ``[n, 3]``."""
    quaternions: np.ndarray
    """``[n, 4]``, real part first, of any length."""
    opacities: np.ndarray
    """``[n]`` in [0, 1]."""
    colours: np.ndarray | None
    """``[n, 3]``, where the file has plain colours."""
    harmonics: np.ndarray | None
    """``[n, (degree + 1)^2, 3]``, where it has harmonics instead."""


def to_gaussians(raw: RawGaussians, where: Path) -> Gaussians:
    """Return checked Gaussians: unit quaternions, axes of a thickness above 0.

    Raises:
        ValueError: no Gaussian at all, none that can be seen, NaN or Inf, a negative scale, or a
            quaternion of zero length; names the file, how many there are and the first one.
    """
    if len(raw.positions) == 0:
        raise ValueError(f"{where} holds no Gaussians")
    harmonics = raw.harmonics
    if harmonics is None:
        assert raw.colours is not None
        harmonics = ((raw.colours - 0.5) / DC)[:, None]
    named = {"position": raw.positions, "scale": raw.scales, "rotation": raw.quaternions}
    named |= {"opacity": raw.opacities[:, None], "colour": harmonics.reshape(len(harmonics), -1)}
    for name, values in named.items():
        single = np.abs(values) < np.finfo(np.float32).max
        _refuse(~single.all(axis=1), f"a {name} that is NaN or Inf", where)
    length = np.linalg.norm(raw.quaternions, axis=1)
    _refuse(length < 1e-6, "a quaternion of zero length, which says no orientation", where)
    _refuse((raw.scales < 0).any(axis=1), "a negative scale", where)
    _refuse(raw.scales.max(axis=1) < 1e-30, "no extent at all", where)
    if raw.opacities.max() < FAINTEST:
        raise ValueError(
            f"all {len(raw.positions)} Gaussians of {where} are transparent: the highest opacity "
            f"is {raw.opacities.max():.2g}, below 1/255"
        )
    return Gaussians(
        positions=_single(raw.positions),
        scales=thickened(_single(raw.scales)),
        rotations=_single(raw.quaternions / length[:, None]),
        opacities=_single(raw.opacities),
        harmonics=_single(harmonics),
    )


def _refuse(found: np.ndarray | np.bool_, what: str, where: Path) -> None:
    wrong = np.atleast_1d(found)
    if wrong.any():
        raise ValueError(
            f"{where}: {int(wrong.sum())} of {len(wrong)} Gaussians have {what}; the first is "
            f"number {int(np.flatnonzero(wrong)[0])}"
        )


def _single(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
