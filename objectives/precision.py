"""In which precision losses and statistics are taken."""

import torch
from jaxtyping import Float
from torch import Tensor


def at_least_float32(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return float16 and bfloat16 values as float32, and all others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
