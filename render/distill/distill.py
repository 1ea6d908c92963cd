"""Making the render-ready form of a scene."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...scenes.bricks import Bricks
from ...scenes.captures import Capture
from ...scenes.fingerprint import field_fingerprint
from ...scenes.scene import Scene
from ..decibels import decibels
from .finish import finished
from .refine import refined
from .settings import STAGES, DistillSettings
from .start import absorbed_share, bricks_with_matter, first_guess, space_of
from .student import Student
from .teacher import Photographs, Teacher
from .viewpoints import Vantages

Progress = Callable[[float, str], None]
COUNTED_RAYS = 500_000
START_SHARE = 0.12
"""Share of the time that finding matter takes, for the progress that is told."""
STAGE_RATES = (1.0, 0.6, 0.4)
LAST_RATE = 0.1
"""What is left of the rate at the end of the last stage."""
STAGE_COSTS = (0.5, 1.0, 1.6)
AVERAGED_STEPS = 50
"""Steps over which the error that is told is averaged."""


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """The render-ready form, and how learning it went."""

    bricks: Bricks
    learned_psnr_db: float
    """Of the colours that were learned from, over the last steps."""


def distill(
    scene: Scene,
    settings: DistillSettings,
    *,
    capture: Capture | None = None,
    progress: Progress | None = None,
) -> Distilled:
    """Return bricks that look like the exact rendering of a scene.

    Matter is looked for where the exact renderer's own samples absorb light. What was found learns
    from exact renderings, seen from walks and from around the training views, and from the training
    photographs if there are some, at three resolutions. Each is a function of its arguments alone,
    but for the arithmetic of the processor.

    Raises:
        ValueError: there is nowhere to look from, or nothing to see.
    """
    tell = progress or (lambda done, note: None)
    rng = np.random.default_rng(settings.seed)
    tell(0.0, "where there is matter")
    vantages = Vantages.of(scene)
    student = _begun(scene, vantages, settings, rng)
    decided = settings.decided(student.space)
    photographs = None if capture is None else Photographs(scene, capture)
    teacher = Teacher(
        scene,
        vantages,
        rng,
        rays_per_step=settings.rays_per_step,
        reuse=settings.reuse,
        photographs=(photographs, decided.photographs)
        if photographs is not None and photographs.views
        else None,
    )
    losses = {"compact": decided.compact, "opaque": settings.opaque}
    total = float(np.dot(settings.steps, STAGE_COSTS))
    done, errors = 0.0, []
    for stage in range(STAGES):
        if stage:
            student = refined(student, settings.visible)
            _require_matter(scene, len(student.places), settings)
        steps, errors = settings.steps[stage], []
        for step in range(steps):
            if step == steps // 2:
                student.seen_weight[:] = 0
            rate = _rate(stage, step / steps)
            errors.append(student.learn(teacher.batch(), rate, **losses))
            done += STAGE_COSTS[stage]
            share = START_SHARE + (1 - START_SHARE) * done / total
            tell(share, f"{student.space.cells} cells, {_db(errors):.1f} dB to what is learned")
    bricks = finished(student, settings.visible / 4, field_fingerprint(scene.field))
    _require_matter(scene, len(bricks.places), settings)
    return Distilled(
        bricks=bricks,
        learned_psnr_db=_db(errors),
    )


def _begun(
    scene: Scene, vantages: Vantages, settings: DistillSettings, rng: np.random.Generator
) -> Student:
    """Return a student at the coarsest resolution that knows where there is matter."""
    rays = vantages.rays(COUNTED_RAYS, rng)
    space = space_of(scene, rays, settings.cells, 2 ** (STAGES - 1))
    share = absorbed_share(scene, rays, space)
    places, occupied = bricks_with_matter(share, settings.matter)
    if not len(places):
        raise ValueError(
            f"scene {scene.card.name!r} shows nothing that absorbs light; there is nothing to "
            "optimise"
        )
    tilted = settings.decided(space).tilt
    student = Student(space, places, occupied, settings.step_cells, tilted=tilted)
    student.log_depth[:, 0] = first_guess(share, student.vertices)
    background = scene.field.background
    student.learns_behind = background == "last_sample"
    if not student.learns_behind:
        student.behind[:] = 1.0 if background == "white" else 0.0
    return student


def _require_matter(scene: Scene, bricks: int, settings: DistillSettings) -> None:
    """Raise ValueError if nothing is left to be seen, rather than keep an empty form."""
    if not bricks:
        raise ValueError(
            f"scene {scene.card.name!r}: no cell came to a weight of {settings.visible}, so that "
            f"nothing is left; take more steps than {settings.steps}, or a smaller --visible"
        )


def _rate(stage: int, passed: float) -> float:
    """Return the learning rate, relative to the first one."""
    last = LAST_RATE if stage == STAGES - 1 else STAGE_RATES[stage + 1] / STAGE_RATES[stage]
    return STAGE_RATES[stage] * last**passed


def _db(errors: list[float]) -> float:
    return decibels(float(np.mean(errors[-AVERAGED_STEPS:])))
