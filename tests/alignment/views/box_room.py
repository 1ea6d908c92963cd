"""A room with a box in it, cast ray by ray in closed form, with a texture painted on the world."""

import numpy as np
from merkwelt.alignment.views.view_camera import ViewCamera
from merkwelt.alignment.views.view_pairs import View

WALLS = (np.array([-3.0, -3.0, 0.0]), np.array([3.0, 3.0, 2.5]))
BOX = (np.array([-0.5, -0.4, 0.0]), np.array([0.3, 0.5, 1.3]))


def camera_at(eye, target, *, side=96, focal=70.0) -> ViewCamera:
    """Return an OpenCV camera at ``eye`` that looks at ``target``, level, with +z up."""
    eye, target = np.asarray(eye, dtype=float), np.asarray(target, dtype=float)
    ahead = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    turn = np.stack([right, np.cross(ahead, right), ahead])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, -turn @ eye
    intrinsics = np.array([[focal, 0, side / 2 + 1.5], [0, focal * 1.05, side / 2 - 2], [0, 0, 1]])
    return ViewCamera(
        camera_from_world=pose, intrinsics_px=intrinsics, width=side, height=side - 16
    )


def paint(points: np.ndarray) -> np.ndarray:
    """Return a smooth texture of the world, in 0 to 1."""
    x, y, z = np.moveaxis(points, -1, 0)
    return 0.5 + 0.25 * np.sin(2.1 * x + 0.7 * y) + 0.25 * np.cos(1.7 * y - 2.3 * z)


def cast(camera: ViewCamera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return z-depth, points and whether each pixel sees the box; loops over pixels."""
    inverse = np.linalg.inv(camera.camera_from_world)
    depth = np.empty((camera.height, camera.width))
    points = np.empty((*depth.shape, 3))
    on_box = np.zeros(depth.shape, dtype=bool)
    for row in range(camera.height):
        for column in range(camera.width):
            pixel = np.array([column + 0.5, row + 0.5, 1.0])
            ray = inverse[:3, :3] @ np.linalg.solve(camera.intrinsics_px, pixel)
            with np.errstate(divide="ignore"):
                walls = [(corner - inverse[:3, 3]) / ray for corner in WALLS]
                box = [(corner - inverse[:3, 3]) / ray for corner in BOX]
            reach = np.maximum(*walls).min()
            enter, leave = np.minimum(*box).max(), np.maximum(*box).min()
            if 0 < enter < leave:
                reach, on_box[row, column] = enter, True
            # A ray is 1 long along the axis, so that its reach is the z-depth.
            depth[row, column] = reach
            points[row, column] = inverse[:3, 3] + reach * ray
    return depth, points, on_box


def room_view(name: str, camera: ViewCamera, thing: str = "box") -> View:
    depth, points, _ = cast(camera)
    grey = (paint(points) * 255).astype(np.uint8)
    return View(
        name=name,
        thing=thing,
        image=np.repeat(grey[..., None], 3, axis=-1),
        camera=camera,
        depth=depth,
    )
