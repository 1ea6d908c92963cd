"""Which moments of clips are seen together."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def spans_of(pairs: Bool[Tensor, "batch pairs"], span: int) -> Bool[Tensor, "batch start"]:
    """Return from which frames on ``span`` neighbouring pairs are all valid."""
    return pairs.unfold(1, span, 1).all(dim=-1)


def drawn_starts(
    spans: Bool[Tensor, "batch start"], count: int
) -> tuple[Int[Tensor, "batch drawn"], Bool[Tensor, "batch drawn"]]:
    """Return ``count`` different starts of each clip, drawn at random, and which are valid.

    Valid ones come first; where a clip has too few of them, the others are not valid. Draws from
    torch's current random state.
    """
    order = torch.rand(spans.shape, device=spans.device).masked_fill(~spans, -1.0)
    starts = order.topk(min(count, spans.shape[1]), dim=1).indices
    return starts, spans.gather(1, starts)


def frames_at(
    features: Float[Tensor, "batch time channel"], times: Int[Tensor, "batch drawn"]
) -> Float[Tensor, "batch drawn channel"]:
    """Return features at chosen times."""
    return features.gather(1, times.unsqueeze(-1).expand(-1, -1, features.shape[-1]))


def stills_at(
    clips: Float[Tensor, "batch eye time channel height width"],
    times: Int[Tensor, "batch drawn"],
    *,
    frames: int,
) -> Float[Tensor, "view eye frames channel height width"]:
    """Return chosen frames as clips of their own, in which each stands still."""
    rows = torch.arange(len(clips), device=clips.device).unsqueeze(1)
    stills = clips.transpose(1, 2)[rows, times].flatten(0, 1)
    return stills.unsqueeze(2).expand(-1, -1, frames, -1, -1, -1)
