"""Whether features tell clips apart that nothing was trained on."""

from jaxtyping import Float
from torch import Tensor


def halves_told(features: Float[Tensor, "clip time channel"]) -> Float[Tensor, ""]:
    """Return how often the second half of a clip is nearest to the first half of the same clip.

    By the distance of mean features, each channel standardised over all. Chance is one over the
    number of clips. A draw counts as missed.
    """
    steps = features.shape[1]
    if steps < 2:
        raise ValueError(f"expected at least 2 time steps to halve, got {steps}")
    flat = features.flatten(0, 1)
    spread = flat.std(dim=0, correction=0)
    scaled = (features - flat.mean(dim=0)) / spread.clamp_min(1e-12)
    first, second = scaled[:, : steps // 2].mean(dim=1), scaled[:, steps // 2 :].mean(dim=1)
    distances = (second.unsqueeze(1) - first.unsqueeze(0)).norm(dim=-1)
    return ((distances <= distances.diagonal().unsqueeze(1)).sum(dim=1) == 1).float().mean()
