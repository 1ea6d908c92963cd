"""First hits of rays with triangles, by Embree."""

from dataclasses import dataclass
from typing import Any

import numpy as np

RAYS_PER_CALL = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Hits:
    """Where rays first meet a surface."""

    face: np.ndarray
    """``[ray]`` index of the triangle, -1 where the ray leaves the scene."""
    second: np.ndarray
    """``[ray]`` barycentric weight of the triangle's second corner."""
    third: np.ndarray
    """``[ray]`` barycentric weight of the triangle's third corner."""
    distance_m: np.ndarray
    """``[ray]`` length of the ray up to the hit, infinite where there is none."""


class RayTracer:
    """Triangles that can be asked for the first hit of many rays."""

    def __init__(self, corners_m: np.ndarray) -> None:
        """Build the search tree over triangles ``[face, corner, 3]``."""
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as error:
            raise ImportError(
                "ray casting needs embreex; install the extra 'capture': "
                "pip install 'merkwelt[capture]'"
            ) from error
        if corners_m.ndim != 3 or corners_m.shape[1:] != (3, 3) or not len(corners_m):
            raise ValueError(f"expected triangles [face, 3, 3], got shape {corners_m.shape}")
        self._scene: Any = EmbreeScene()
        self._mesh: Any = TriangleMesh(self._scene, np.ascontiguousarray(corners_m, np.float32))

    def first_hits(self, origins_m: np.ndarray, directions: np.ndarray) -> Hits:
        """Return the first hits of rays with origins and unit directions ``[ray, 3]``."""
        count = len(origins_m)
        hits = Hits(
            face=np.empty(count, np.int32),
            second=np.empty(count, np.float32),
            third=np.empty(count, np.float32),
            distance_m=np.empty(count, np.float32),
        )
        for start in range(0, count, RAYS_PER_CALL):
            part = slice(start, start + RAYS_PER_CALL)
            found = self._scene.run(
                np.ascontiguousarray(origins_m[part], np.float32),
                np.ascontiguousarray(directions[part], np.float32),
                output=1,
            )
            missed = found["primID"] < 0
            hits.face[part] = found["primID"]
            hits.second[part] = found["u"]
            hits.third[part] = found["v"]
            hits.distance_m[part] = np.where(missed, np.inf, found["tfar"])
        return hits
