"""Reading ``.splat`` files: 32 bytes for each Gaussian, as web viewers use them.

Three float32 of position, three float32 of scale (linear), four bytes of red, green, blue and
opacity, four bytes of a quaternion, real part first, as ``128 + 128 q``; little-endian, no header.
"""

from pathlib import Path

import numpy as np

from .raw import RawGaussians

RECORD = np.dtype([("position", "<f4", 3), ("scale", "<f4", 3), ("rgba", "u1", 4), ("q", "u1", 4)])


def read_splat(path: Path) -> RawGaussians:
    """Return the Gaussians of a ``.splat`` file.

    Raises:
        ValueError: the file is empty or no multiple of 32 bytes long.
    """
    data = path.read_bytes()
    if len(data) % RECORD.itemsize:
        raise ValueError(
            f"{path} is damaged or no .splat file: {len(data)} bytes are no multiple of "
            f"{RECORD.itemsize}, {len(data) % RECORD.itemsize} are left over"
        )
    records = np.frombuffer(data, dtype=RECORD)
    rgba = records["rgba"].astype(np.float64) / 255
    return RawGaussians(
        positions=records["position"].astype(np.float64),
        scales=records["scale"].astype(np.float64),
        quaternions=(records["q"].astype(np.float64) - 128) / 128,
        opacities=rgba[:, 3],
        colours=rgba[:, :3],
        harmonics=None,
    )
