"""From a population tuned to disparities to the disparity of each place."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def disparity_of_tuning(
    tuning: Float[Tensor, "*batch disparity rows columns"], disparities_px: Sequence[int | float]
) -> Float[Tensor, "*batch rows columns"]:
    """Return the disparity of the strongest response, refined by a parabola through it.

    Not differentiable. At the first and the last disparity nothing is refined.

    Args:
        tuning: response of each place to each disparity.
        disparities_px: evenly spaced and increasing, ``x_left - x_right``, positive for near.
    """
    preferred = torch.as_tensor(disparities_px, dtype=tuning.dtype, device=tuning.device)
    steps = preferred.diff()
    if len(preferred) != tuning.shape[-3] or len(preferred) < 3:
        raise ValueError(
            f"expected a disparity for each of {tuning.shape[-3]} responses, and at least 3, got "
            f"{len(preferred)}"
        )
    if bool((steps <= 0).any()) or not torch.allclose(steps, steps[:1].expand_as(steps)):
        raise ValueError(f"expected evenly spaced disparities, got {list(disparities_px)}")
    best = tuning.argmax(dim=-3, keepdim=True)
    inside = best.clamp(1, len(preferred) - 2)
    before, here, after = (tuning.gather(-3, inside + i) for i in (-1, 0, 1))
    curvature = (2 * here - before - after).clamp_min(torch.finfo(tuning.dtype).tiny)
    shift = ((after - before) / (2 * curvature)).clamp(-0.5, 0.5)
    refined = preferred[best] + torch.where(best == inside, shift, 0) * steps[0]
    return refined.squeeze(-3)
