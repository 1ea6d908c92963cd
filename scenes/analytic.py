"""A room in closed form: textured boxes with exact depth, for tests and quick looks."""

import math
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from .card import OrientedBox, SceneCard, SceneObject
from .field import Background

if TYPE_CHECKING:
    from .scene import Scene

SURFACE_SAMPLES = 8
SKIN_M = 0.01
"""Thickness over which a ray is absorbed; with ``DENSITY`` by the first sample, as edges need."""
DENSITY = 10000.0
FAR = 100.0


class AnalyticField:
    """Opaque boxes, each with a smooth procedural texture; field units are metres."""

    background: Background = "black"

    def __init__(self, boxes: Tensor, colours: Tensor) -> None:
        """Take boxes ``[n, 7]`` (centre, size, yaw in radians) and base colours ``[n, 3]``."""
        if boxes.ndim != 2 or boxes.shape[1] != 7 or colours.shape != (boxes.shape[0], 3):
            raise ValueError(
                f"expected boxes [n, 7] and colours [n, 3], got {tuple(boxes.shape)} and "
                f"{tuple(colours.shape)}"
            )
        self.boxes = boxes.float()
        self.colours = colours.float()

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> Self:
        """Return the field that ``tensors`` described."""
        return cls(tensors["boxes"], tensors["colours"])

    def tensors(self) -> dict[str, Tensor]:
        """Return boxes and colours."""
        return {"boxes": self.boxes, "colours": self.colours}

    def density(self, positions: Tensor) -> Tensor:
        """Return ``DENSITY`` inside any box and 0 elsewhere, ``[n]``."""
        return self._inside(positions).any(dim=-1).to(positions.dtype) * DENSITY

    def radiance(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return densities and colours; colours do not depend on the direction."""
        inside = self._inside(positions)
        owner = inside.to(torch.uint8).argmax(dim=-1)
        return inside.any(dim=-1).to(positions.dtype) * DENSITY, self._texture(positions, owner)

    def sample_edges(self, origins: Tensor, directions: Tensor) -> Tensor:
        """Return one interval up to the first surface and thin ones behind it."""
        hit = self._first_hit(origins, directions)
        steps = torch.linspace(0, SKIN_M, SURFACE_SAMPLES, device=origins.device)
        return torch.cat([torch.zeros_like(hit)[:, None], hit[:, None] + steps], dim=-1)

    def _local(self, vectors: Tensor) -> Tensor:
        """Turn vectors ``[n, b, 3]`` (or ``[n, 1, 3]``) into each box's axes."""
        cos, sin = torch.cos(self.boxes[:, 6]), torch.sin(self.boxes[:, 6])
        x = cos * vectors[..., 0] + sin * vectors[..., 1]
        y = -sin * vectors[..., 0] + cos * vectors[..., 1]
        return torch.stack([x, y, vectors[..., 2].expand_as(x)], dim=-1)

    def _inside(self, positions: Tensor) -> Tensor:
        local = self._local(positions[:, None] - self.boxes[:, :3])
        return (local.abs() <= self.boxes[:, 3:6] / 2).all(dim=-1)

    def _first_hit(self, origins: Tensor, directions: Tensor) -> Tensor:
        start = self._local(origins[:, None] - self.boxes[:, :3])
        along = self._local(directions[:, None])
        along = torch.where(along.abs() < 1e-9, torch.full_like(along, 1e-9), along)
        half = self.boxes[:, 3:6] / 2
        a, b = (-half - start) / along, (half - start) / along
        enter = torch.minimum(a, b).amax(dim=-1)
        leave = torch.maximum(a, b).amin(dim=-1)
        hits = (leave > enter) & (leave > 0)
        distance = torch.where(hits, enter.clamp(min=0), torch.full_like(enter, FAR))
        return distance.amin(dim=-1)

    def _texture(self, positions: Tensor, owner: Tensor) -> Tensor:
        phase = owner.to(positions.dtype)[:, None] * 1.7
        waves = torch.zeros_like(positions[:, :1])
        for frequency, tilt in ((5.0, 0.3), (11.0, 1.1), (23.0, 2.3)):
            axis = positions.new_tensor([math.cos(tilt), math.sin(tilt), math.sin(2 * tilt)])
            across = positions.new_tensor([-math.sin(tilt), math.cos(tilt), math.cos(3 * tilt)])
            waves = waves + torch.sin(frequency * (positions @ axis)[:, None] + phase) * torch.sin(
                frequency * (positions @ across)[:, None] + 2 * phase
            )
        return (self.colours[owner] * (1 + 0.25 * waves)).clamp(0, 1)


def analytic_room() -> "Scene":
    """Return a metric 6 x 5 x 2.7 m room with five boxes of furniture, its floor at z = 0."""
    from .scene import Scene

    walls = [
        (0, 0, -0.1, 6.4, 5.4, 0.2, 0),
        (0, 0, 2.8, 6.4, 5.4, 0.2, 0),
        (-3.1, 0, 1.35, 0.2, 5.4, 2.7, 0),
        (3.1, 0, 1.35, 0.2, 5.4, 2.7, 0),
        (0, -2.6, 1.35, 6.4, 0.2, 2.7, 0),
        (0, 2.6, 1.35, 6.4, 0.2, 2.7, 0),
    ]
    objects = _furniture()
    boxes = [(*o.box.centre_m, *o.box.size_m, o.box.yaw_rad) for o in objects]
    colours = [(0.55, 0.42, 0.3), (0.9, 0.9, 0.88), *[(0.75, 0.73, 0.66)] * 4]
    colours += [
        (0.7, 0.3, 0.25),
        (0.5, 0.4, 0.2),
        (0.25, 0.35, 0.6),
        (0.2, 0.5, 0.3),
        (0.6, 0.5, 0.6),
    ]
    card = SceneCard(
        name="analytic_room",
        licence="Apache-2.0",
        source="closed form, merkwelt.scenes.analytic",
        field_kind="analytic",
        metres_per_unit=1.0,
        bounds=((-3.0, -2.5, 0.0), (3.0, 2.5, 2.7)),
        floor_height=0.0,
        objects=objects,
    )
    return Scene(card, AnalyticField(torch.tensor([*walls, *boxes]), torch.tensor(colours)))


def _furniture() -> tuple[SceneObject, ...]:
    places = [
        ("sofa", "n04344873", "studio couch", (-2.4, 0.5, 0.4), (0.9, 2.0, 0.8), 0.0),
        ("bookcase", "n02870880", "bookcase", (2.7, -1.0, 1.0), (0.4, 1.2, 2.0), 0.0),
        ("desk", "n03179701", "desk", (1.6, 2.0, 0.37), (1.4, 0.7, 0.74), 0.3),
        ("plant", "n03991062", "pot", (-2.6, -2.1, 0.5), (0.4, 0.4, 1.0), 0.7),
        ("table", "n03201208", "dining table", (0.4, -0.6, 0.36), (0.9, 0.9, 0.72), 0.5),
    ]
    return tuple(
        SceneObject(
            name=name,
            wnid=wnid,
            label=label,
            box=OrientedBox(centre_m=centre, size_m=size, yaw_rad=yaw),
        )
        for name, wnid, label, centre, size, yaw in places
    )
