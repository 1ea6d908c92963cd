import numpy as np
import pytest
import torch
from merkwelt.scenes.splats import Gaussians


def make_gaussians(n, degree=0, seed=0, *, spread=0.5, size=(0.01, 0.1), opacity=(0.0, 1.0)):
    """Random Gaussians in a cube around 0, of all shapes and directions."""
    rng = np.random.default_rng(seed)
    quaternion = rng.normal(size=(n, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    parts = {
        "positions": rng.uniform(-spread, spread, (n, 3)),
        "scales": np.exp(rng.uniform(*np.log(size), (n, 3))),
        "rotations": quaternion,
        "opacities": rng.uniform(*opacity, n),
        "harmonics": rng.normal(0, 0.5, (n, (degree + 1) ** 2, 3)),
    }
    return Gaussians(**{k: torch.from_numpy(v.astype(np.float32)) for k, v in parts.items()})


def covariances(gaussians):
    """Sigma by scipy's rotations, [n, 3, 3]."""
    from scipy.spatial.transform import Rotation

    w, x, y, z = gaussians.rotations.double().numpy().T
    rotation = Rotation.from_quat(np.stack([x, y, z, w], axis=1)).as_matrix()
    variance = gaussians.scales.double().numpy() ** 2
    return np.einsum("nij,nj,nkj->nik", rotation, variance, rotation)


@pytest.fixture
def gaussians():
    return make_gaussians(300, degree=3)
