"""Lamps and windows, sampled on fixed patterns so that shadows are the same in every view."""

from dataclasses import dataclass

import numpy as np

Triple = tuple[float, float, float]
GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True, kw_only=True)
class LightSamples:
    """Points that stand for one light."""

    points_m: np.ndarray
    """``[sample, 3]``."""
    normals: np.ndarray
    """``[sample, 3]``: light leaves with the cosine to this; zero rows radiate evenly."""
    power: np.ndarray
    """``[sample, rgb]``: irradiance at 1 m face to face, in units of a white paper's radiance."""


@dataclass(frozen=True, kw_only=True)
class PaneLight:
    """A window: a rectangle that radiates to where ``edge_u x edge_v`` points."""

    corner_m: Triple
    edge_u_m: Triple
    edge_v_m: Triple
    radiance: Triple

    def samples(self, count: int) -> LightSamples:
        """Return about ``count`` points on a lattice over the pane."""
        edge_u, edge_v = np.array(self.edge_u_m), np.array(self.edge_v_m)
        index = np.arange(count)
        u, v = (index + 0.5) / count, (index * GOLDEN + 0.5) % 1
        normal = np.cross(edge_u, edge_v)
        area = float(np.linalg.norm(normal))
        points = np.array(self.corner_m) + u[:, None] * edge_u + v[:, None] * edge_v
        power = np.tile(np.array(self.radiance) * area / np.pi / count, (count, 1))
        return LightSamples(
            points_m=points, normals=np.tile(normal / area, (count, 1)), power=power
        )


@dataclass(frozen=True, kw_only=True)
class BallLight:
    """A lamp: a ball that radiates evenly in all directions."""

    centre_m: Triple
    radius_m: float
    intensity: Triple

    def samples(self, count: int) -> LightSamples:
        """Return ``count`` points on a spiral over the ball."""
        index = np.arange(count)
        height = 1 - 2 * (index + 0.5) / count
        turn = 2 * np.pi * index * GOLDEN
        ring = np.sqrt(1 - height**2)
        ball = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=-1)
        return LightSamples(
            points_m=np.array(self.centre_m) + self.radius_m * ball,
            normals=np.zeros((count, 3)),
            power=np.tile(np.array(self.intensity) / count, (count, 1)),
        )


Light = PaneLight | BallLight
