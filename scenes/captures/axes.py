"""The border between OpenGL and OpenCV camera axes.

OpenCV cameras look along +z with +x right and +y down; OpenGL (nerfstudio, Blender) cameras look
along -z with +x right and +y up. Both are turned into each other by the same half turn about x.
"""

import numpy as np

_HALF_TURN_ABOUT_X = np.diag([1.0, -1.0, -1.0, 1.0])


def flip_camera_axes(world_from_camera: np.ndarray) -> np.ndarray:
    """Return poses ``[..., 4, 4]`` with OpenGL camera axes as OpenCV ones, or the other way round.

    The map is its own inverse: ``world_from_opencv = world_from_opengl @ diag(1, -1, -1, 1)``.
    Only the camera's side changes; the world stays as it is.
    """
    return np.asarray(world_from_camera, dtype=np.float64) @ _HALF_TURN_ABOUT_X
