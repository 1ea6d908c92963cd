import numpy as np
from merkwelt.scenes.captures import flip_camera_axes


def test_camera_looking_along_plus_z_of_opencv_looks_along_minus_z_of_opengl():
    world_from_opengl = np.eye(4)
    world_from_opengl[:3, 3] = [1.0, 2.0, 3.0]
    world_from_opencv = flip_camera_axes(world_from_opengl)
    # The optical axis is -z in OpenGL and +z in OpenCV; up is +y in one and -y in the other.
    forward = world_from_opencv @ [0, 0, 1, 0]
    up = world_from_opencv @ [0, -1, 0, 0]
    right = world_from_opencv @ [1, 0, 0, 0]
    np.testing.assert_array_equal(forward, [0, 0, -1, 0])
    np.testing.assert_array_equal(up, [0, 1, 0, 0])
    np.testing.assert_array_equal(right, [1, 0, 0, 0])
    np.testing.assert_array_equal(world_from_opencv[:3, 3], [1, 2, 3])


def test_flipping_twice_changes_nothing_and_keeps_rotations():
    generator = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(generator.normal(size=(5, 3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))[:, None, None]
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, :3, :3] = rotation
    poses[:, :3, 3] = generator.normal(size=(5, 3))
    flipped = flip_camera_axes(poses)
    np.testing.assert_allclose(np.linalg.det(flipped[:, :3, :3]), 1.0)
    np.testing.assert_array_equal(flip_camera_axes(flipped), poses)
