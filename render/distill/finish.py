"""From what was learned to what is stored."""

from ...scenes.bricks import BrickLook, Bricks
from ...scenes.bricks.bricks import store_colour, store_density, store_tilt
from ...scenes.bricks.hop_loops import grown
from .student import COLOURS, LOG_DEPTHS, TILTS, Student


def finished(student: Student, visible: float, field_sha256: str) -> Bricks:
    """Return the bricks to be stored: those of which some cell was seen, in few bits."""
    look = BrickLook(
        step_cells=float(student.step_cells),
        density_range=LOG_DEPTHS,
        colour_range=COLOURS,
        tilt_range=TILTS,
        behind=(float(student.behind[0]), float(student.behind[1]), float(student.behind[2])),
    )
    seen = student.occupied & (student.seen_weight > visible)
    near = grown(seen, student.places, student.index, student.space.bricks_along)
    occupied = student.occupied & near
    kept = occupied.any(axis=1)
    vertices = student.vertex_of[kept]
    return Bricks(
        space=student.space,
        look=look,
        places=student.places[kept],
        occupied=occupied[kept],
        density=store_density(student.log_depth[:, 0], look)[vertices],
        colour=store_colour(student.colour, look)[vertices],
        tilt=None if student.tilt is None else store_tilt(student.tilt, look)[vertices],
        field_sha256=field_sha256,
    )
