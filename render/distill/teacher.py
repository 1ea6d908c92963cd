"""Rays and what they should see: from the exact renderer, and from photographs."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from ...scenes.captures import Capture, View
from ...scenes.scene import Scene
from ..photographs import load_photograph, photograph_camera, photograph_rays
from ..rays import Rays
from ..volume import RenderOptions, render_rays
from .viewpoints import Vantages

PHOTOGRAPHS_AT_ONCE = 16
LONGEST_PX = 400
REFILLS_PER_POOL = 8


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Rays with what they should see."""

    origins: np.ndarray
    """``[ray, 3]`` world points, float32."""
    directions: np.ndarray
    """Unit vectors ``[ray, 3]``."""
    colours: np.ndarray
    """``[ray, 3]`` in [0, 1]."""
    light_left: np.ndarray
    """``[ray]`` share of the light that nothing should absorb."""

    def __len__(self) -> int:
        """Return the number of rays."""
        return len(self.origins)

    def part(self, which: slice | np.ndarray) -> "Lesson":
        """Return some of the rays."""
        return Lesson(**{name: value[which] for name, value in vars(self).items()})

    @classmethod
    def joined(cls, lessons: list[Self]) -> "Lesson":
        """Return the rays of several lessons."""
        names = vars(lessons[0])
        return Lesson(**{n: np.concatenate([getattr(p, n) for p in lessons]) for n in names})


def rendered_lesson(scene: Scene, rays: Rays) -> Lesson:
    """Return what the exact renderer sees along rays."""
    seen = render_rays(scene, rays, RenderOptions())
    left = 1 - seen.opacity.numpy()
    if scene.field.background == "last_sample":
        # Whatever is left shows the last sample: nothing is seen through.
        left = np.zeros_like(left)
    return Lesson(
        origins=rays.origins.numpy(),
        directions=rays.directions.numpy(),
        colours=seen.rgb.numpy(),
        light_left=left,
    )


class Photographs:
    """The photographs that a scene was trained from."""

    def __init__(self, scene: Scene, capture: Capture) -> None:
        """Take those of a capture that are not held out."""
        held_out = set(scene.card.held_out)
        self._scene = scene
        self.views = [view for view in capture.views if view.name not in held_out]

    def lesson(self, count: int, rng: np.random.Generator) -> Lesson:
        """Return ``count`` random pixels of some random photographs."""
        chosen = rng.choice(len(self.views), size=min(PHOTOGRAPHS_AT_ONCE, len(self.views)))
        each = -(-count // len(chosen))
        parts = [self._pixels(self.views[i], each, rng) for i in chosen]
        return Lesson.joined(parts).part(slice(count))

    def _pixels(self, view: View, count: int, rng: np.random.Generator) -> Lesson:
        camera = photograph_camera(self._scene, view, LONGEST_PX)
        size, background = (camera.width, camera.height), self._scene.field.background
        picture = load_photograph(view, size, background).reshape(-1, 3)
        pixels = rng.integers(len(picture), size=count)
        rays = photograph_rays(self._scene, view, camera)
        return Lesson(
            origins=rays.origins.numpy()[pixels],
            directions=rays.directions.numpy()[pixels],
            colours=picture[pixels].astype(np.float32) / 255,
            # A photograph does not say what it sees through; NaN asks for nothing.
            light_left=np.full(count, np.nan, dtype=np.float32),
        )


class Teacher:
    """A pool of lessons, renewed part by part while they are learned."""

    def __init__(
        self,
        scene: Scene,
        vantages: Vantages,
        rng: np.random.Generator,
        *,
        rays_per_step: int,
        reuse: float,
        photographs: tuple[Photographs, float] | None = None,
    ) -> None:
        """Prepare a pool that gives ``rays_per_step`` rays at a time.

        Args:
            scene: whose exact rendering is learned.
            vantages: where to look from.
            rng: source of all chance.
            rays_per_step: rays of one batch.
            reuse: how often each ray is given, on average.
            photographs: where there are some, and the share of rays from them.
        """
        self._scene, self._vantages, self._rng = scene, vantages, rng
        self._photographs = photographs
        self._batch = rays_per_step
        self._fresh = 16 * rays_per_step
        self._steps_per_refill = max(1, round(reuse * self._fresh / rays_per_step))
        self._parts: list[Lesson] = []
        self._given = 0

    def batch(self) -> Lesson:
        """Return the rays of the next step, drawn from the whole pool."""
        while len(self._parts) < REFILLS_PER_POOL // 2 or self._is_due():
            self._refill()
        self._given += 1
        which = self._rng.integers(len(self._parts), size=8)
        size = -(-self._batch // len(which))
        drawn = [
            self._parts[i].part(self._rng.integers(len(self._parts[i]), size=size)) for i in which
        ]
        return Lesson.joined(drawn).part(slice(self._batch))

    def _is_due(self) -> bool:
        if self._given < self._steps_per_refill:
            return False
        self._given = 0
        return True

    def _refill(self) -> None:
        count, parts = self._fresh, []
        if self._photographs is not None:
            photographs, share = self._photographs
            taken = round(count * share)
            if taken:
                parts.append(photographs.lesson(taken, self._rng))
            count -= taken
        if count:
            parts.append(rendered_lesson(self._scene, self._vantages.rays(count, self._rng)))
        self._parts = [*self._parts, Lesson.joined(parts)][-REFILLS_PER_POOL:]


def absorption(scene: Scene, rays: Rays) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where light is absorbed: edges ``[ray, k + 1]`` in world units, weights ``[ray, k]``.

    Light that is left counts for the last interval if the field shows its last sample there.
    """
    from ...scenes.nerfacto import NerfactoField
    from ...scenes.proposal_sampling import midpoints, weights_from_density
    from ..volume import field_rays, has_kernel

    origins, directions, world_per_field = field_rays(scene, rays)
    field = scene.field
    if has_kernel(field):
        from ..nerfacto.kernel import absorb_nerfacto

        assert isinstance(field, NerfactoField)
        edges, weights = absorb_nerfacto(field, origins, directions)
    else:
        with torch.no_grad():
            edges = field.sample_edges(origins, directions)
            middles = midpoints(origins, directions, edges)
            density = field.density(middles.reshape(-1, 3)).view(middles.shape[:2])
            weights = weights_from_density(density, edges)
    if field.background == "last_sample":
        weights[:, -1] += 1 - weights.sum(dim=1)
    return edges * world_per_field, weights
