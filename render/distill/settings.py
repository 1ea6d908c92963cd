"""How a scene is made render-ready."""

from dataclasses import dataclass, replace

from ...scenes.bricks import BRICK, BrickSpace
from ...scenes.bricks.bricks import MOST_STEP_CELLS

STAGES = 3
"""Resolutions that are passed through, each twice as fine as the one before."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What depends on whether a scene ends at its bounds, where ``DistillSettings`` do not say."""

    photographs: float
    compact: float
    tilt: bool


CLOSED = Decided(photographs=0.5, compact=0.05, tilt=False)
OPEN = Decided(photographs=0.05, compact=0.01, tilt=True)


@dataclass(frozen=True, kw_only=True)
class DistillSettings:
    """What the render-ready form is made of, and how long it learns."""

    cells: int | None = None
    """Cells along an edge of each cube: 768 in scenes that end at their bounds, 256 in others."""
    steps: tuple[int, int, int] = (200, 400, 1200)
    """Steps of learning at a quarter, at half and at the whole of that resolution."""
    rays_per_step: int = 16384
    """Rays of one step."""
    reuse: float = 1.5
    """How often each rendered ray is learned from, on average; rendering them takes a third of the
    time or more."""
    photographs: float | None = None
    """Share of the rays whose colour comes from a training photograph, if there are any: half in
    scenes that end at their bounds, a twentieth in others, whose exact renderings and photographs
    ask for different things."""
    tilt: bool | None = None
    """Whether brightness may change with the direction of the ray: it may in scenes that go on, and
    not in those that end at their bounds."""
    step_cells: float = 1.0
    """Distance between the places at which a ray is looked at, in cells."""
    compact: float | None = None
    """Weight of the distortion loss (Barron et al. 2022, equation 15), which draws what a ray meets
    together: 0.05 in scenes that end at their bounds, 0.01 in others, whose exact renderings are
    fog in part."""
    opaque: float = 0.1
    """Weight of the squared difference between the light that is left here and in the field."""
    matter: float = 0.02
    """Share of the light that a cell must absorb of what comes to it, to be taken for matter."""
    visible: float = 0.02
    """Weight that a cell must have had in some ray, to be kept."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be learned."""
        whole = BRICK * 4 * 2 ** (STAGES - 1)
        if self.cells is not None and (self.cells % whole or self.cells < 1):
            raise ValueError(f"expected cells in multiples of {whole}, got {self.cells}")
        if len(self.steps) != STAGES or min(self.steps) < 1:
            raise ValueError(f"expected {STAGES} positive numbers of steps, got {self.steps}")
        if self.rays_per_step < 1 or self.reuse < 1 or self.seed < 0:
            raise ValueError(
                f"expected at least 1 ray a step, each used at least once, and a seed of at least "
                f"0, got {self}"
            )
        if self.photographs is not None and not 0 <= self.photographs <= 1:
            raise ValueError(f"expected a share of photographs in [0, 1], got {self.photographs}")
        if not 0 < self.step_cells <= MOST_STEP_CELLS:
            raise ValueError(
                f"expected a step of at most {MOST_STEP_CELLS:g} cells, got {self.step_cells}"
            )
        if not ((self.compact is None or self.compact >= 0) and self.opaque >= 0):
            raise ValueError(
                f"expected weights of the loss of at least 0, got compact={self.compact} and "
                f"opaque={self.opaque}"
            )
        if not (0 < self.matter < 1 and 0 < self.visible < 1):
            raise ValueError(f"expected matter and visible between 0 and 1, got {self}")

    def decided(self, space: BrickSpace) -> Decided:
        """Return what is said, and for the rest what is right for a scene in this space."""
        # A scene that ends at its bounds, or at most at twice their size, has one or two levels.
        kind = OPEN if space.levels > 2 else CLOSED
        said = {name: getattr(self, name) for name in vars(kind)}
        return replace(kind, **{name: v for name, v in said.items() if v is not None})
