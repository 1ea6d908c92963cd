"""The normalised temperature-scaled cross-entropy of SimCLR, with gaps."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


def nt_xent(
    one: Float[Tensor, "pair channel"],
    other: Float[Tensor, "pair channel"],
    *,
    temperature: float,
    usable: Bool[Tensor, " pair"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean over 2B embeddings of how badly each tells its partner from all others.

    ``-log(exp(s_ip / tau) / sum_{k != i} exp(s_ik / tau))`` with s the cosine and p the partner of
    i (Chen et al. 2020, eq. 1). Equal embeddings give ``log(2B - 1)``.

    Args:
        one: the first embedding of each pair.
        other: the second.
        temperature: tau.
        usable: pairs that count, as anchors and as candidates; all by default. 0 if none does.
    """
    scores, partner = scores_and_partners(one, other, usable)
    errors = F.cross_entropy(scores / temperature, partner, reduction="none")
    if usable is None:
        return errors.mean()
    weights = usable.repeat(2).to(errors.dtype)
    return torch.where(weights > 0, errors, 0.0).sum() / weights.sum().clamp_min(1)


def partner_found(
    one: Float[Tensor, "pair channel"], other: Float[Tensor, "pair channel"]
) -> Float[Tensor, ""]:
    """Return how often the partner has the highest cosine of all; a draw counts as missed."""
    scores, partner = scores_and_partners(one, other, None)
    right = scores.gather(1, partner.unsqueeze(1))
    return ((scores >= right).sum(dim=1) == 1).float().mean()


def scores_and_partners(
    one: Float[Tensor, "pair channel"],
    other: Float[Tensor, "pair channel"],
    usable: Bool[Tensor, " pair"] | None,
) -> tuple[Float[Tensor, "view view"], Tensor]:
    """Return the cosines of all embeddings, and which is the partner of each.

    Of an embedding with itself, and with what does not count, the cosine is a large negative
    number, except with its partner: then every row has something to choose.
    """
    with torch.autocast(one.device.type, enabled=False):
        units = F.normalize(torch.cat([one, other]).float(), dim=1)
        scores = units @ units.T
    pairs = len(one)
    numbers = torch.arange(2 * pairs, device=one.device)
    partner = (numbers + pairs) % (2 * pairs)
    hidden = numbers.unsqueeze(0) == numbers.unsqueeze(1)
    if usable is not None:
        hidden = hidden | ~usable.repeat(2).unsqueeze(0)
    is_partner = numbers.unsqueeze(0) == partner.unsqueeze(1)
    return scores.masked_fill(hidden & ~is_partner, -1e4), partner
