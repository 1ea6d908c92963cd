"""Ground truth as small whole numbers and back; how far a value moves on the way is stated here.

====================  ==========================================  =============================
quantity              code                                        error
====================  ==========================================  =============================
flow, disparity       uint16: 32768 + pixels * steps, 0 for none  half a step: 1/512 px in
                                                                  pictures of 64 to 127 px,
                                                                  1/256 px up to 255 px,
                                                                  1/128 px up to 511 px
opacity, confidence   uint8: share * 255                          1/510
masks                 uint8: two bits for each target             none
ids                   uint16: id + 1, 0 for the background        none
====================  ==========================================  =============================
"""

import torch
from torch import Tensor

MIDDLE = 32768
MOST = 32767
SHARE_STEPS = 255
SHARE_ERROR = 0.5 / SHARE_STEPS
MOST_IDS = 65534
MASK_BITS = 2


def steps_per_px(side_px: int) -> int:
    """Return into how many steps a pixel is divided in pictures whose longer side is this.

    The largest power of two with which a point can be told at any place in the picture, from any
    other: 256 for 64 to 127 px, 128 for 128 to 255 px, and so on down; at least 1.

    Example:
        >>> steps_per_px(64), steps_per_px(255), steps_per_px(256)
        (256, 128, 64)
    """
    return 1 << max(0, (MOST // side_px).bit_length() - 1)


def displacement_to_codes(displacement_px: Tensor, steps: int) -> Tensor:
    """Return int32 codes, 0 to 65535, of displacements in pixels of any shape.

    Displacements that are no number, or are longer than any within the picture (of points that
    leave it by far), have code 0.
    """
    code = (displacement_px.double() * steps).round()
    there = code.isfinite() & (code.abs() <= MOST)
    return torch.where(there, code + MIDDLE, 0.0).to(torch.int32)


def codes_to_displacement(codes: Tensor, steps: int) -> Tensor:
    """Return the float32 displacements in pixels of codes of any shape; NaN for code 0."""
    value = (codes.double() - MIDDLE) / steps
    return torch.where(codes == 0, torch.nan, value).float()


def share_to_codes(share: Tensor) -> Tensor:
    """Return the uint8 codes of shares in [0, 1] of any shape.

    Raises:
        ValueError: a share lies outside [0, 1] or is no number.
    """
    if not bool(((share >= 0) & (share <= 1)).all()):
        raise ValueError(
            f"expected shares in [0, 1], got {float(share.min()):.4g} to {float(share.max()):.4g}"
        )
    return (share.double() * SHARE_STEPS).round().to(torch.uint8)


def codes_to_share(codes: Tensor) -> Tensor:
    """Return the float32 shares in [0, 1] of codes of any shape."""
    return codes.float() / SHARE_STEPS


def masks_to_codes(masks: Tensor) -> Tensor:
    """Return uint8 codes ``[..., h, w]`` of fates ``[..., target, h, w]``.

    The first target is in the lowest two bits.
    """
    codes = torch.zeros_like(masks[..., 0, :, :])
    for target in range(masks.shape[-3]):
        codes |= masks[..., target, :, :] << (MASK_BITS * target)
    return codes


def codes_to_masks(codes: Tensor, targets: int) -> Tensor:
    """Return the uint8 fates ``[..., target, h, w]`` of codes ``[..., h, w]``."""
    return torch.stack([(codes >> (MASK_BITS * t)) & 3 for t in range(targets)], dim=-3)


def ids_to_codes(ids: Tensor) -> Tensor:
    """Return int32 codes, 0 to 65535, of object ids of any shape, of which -1 is the background.

    Raises:
        ValueError: an id is less than -1 or too large.
    """
    if bool(((ids < -1) | (ids > MOST_IDS)).any()):
        raise ValueError(
            f"expected ids from -1 to {MOST_IDS}, got {int(ids.min())} to {int(ids.max())}"
        )
    return (ids + 1).to(torch.int32)


def codes_to_ids(codes: Tensor) -> Tensor:
    """Return the int64 ids of codes of any shape."""
    return codes.long() - 1
