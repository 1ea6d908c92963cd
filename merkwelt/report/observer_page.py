"""The page of an observer's check: verdicts first, then pictures, then how it was measured."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from . import observer_body_plots as body
from . import observer_depth_plots as depth
from . import observer_eye_plots as eyes
from .blocks import Block, Details, FigureBlock, Gallery, KeyFigure, KeyFigures, Note
from .observer_table import lacking_table, score_card, tolerance_table, verdict_table
from .page import Report, Section
from .sections import provenance_section

if TYPE_CHECKING:
    from ..observer_check import ObserverCheck

MINEAULT_S = 1.4
"""Clips of Mineault et al. 2021 have 40 frames at 30 Hz."""
METHODS = {
    "poses": "Heads and eyes at every instant that motion is planned at, 200 per second or more. "
    "Neither the card's parameters nor the generator's saccade flags, fixation ids and gait phase "
    "are read. Taken as told: the body's heading, its activity, the closed lids, and the point "
    "that is to be looked at (for retinal slip, gains and undershoot).",
    "straight walking": "Stretches of 1.5 to 4 s in which the body heads nearly straight on: it "
    "turns by less than 40 deg/s and 30 deg in all. The step frequency is the strongest one of "
    "the head's height (least-squares spectrum about a parabola, 0.6-4.5 Hz), which must explain "
    "80 % of it. Amplitudes are least-squares fits at that frequency (height, pitch) and at half "
    "of it (sway, yaw, roll), sway and yaw being taken from the body's heading. Turns of the head "
    "that belong to shifts of gaze are part of what is measured.",
    "turns": "The body's heading turns by at least 30 deg, faster than 30 deg/s. Head and heading "
    "go through a Gaussian of 0.4 s. The greatest lead and roll of each turn count.",
    "envelope": "Angular velocity from rotations of neighbouring instants; acceleration from "
    "second differences of the position, without gravity. The spectrum is that of the angular "
    "velocity (Welch, windows of 5 s); its knee is where two straight lines meet best in "
    "logarithms of both, 0.4-25 Hz.",
    "getting about": "Speed is that of the head over the ground, through a Gaussian of 0.4 s. A "
    "step is a lowest point of the head (0.8-5 Hz, 2 mm) while it travels. A fall is a drop by a "
    "fifth of the upright height at 0.35 m/s or more; bouts of travel are faster than 0.15 m/s.",
    "saccades": "A velocity threshold of 20 deg/s on the line of sight in space, of which the "
    "running median of 0.35 s was taken off; onset and end at 10 deg/s, interpolated between "
    "instants; at least 0.5 deg. Fixations lie between them.",
    "holding": "Within fixations, 25 ms from their ends (65 ms for gains). Eye velocity in the "
    "head is regressed, horizontally and vertically, on what turns and what travel of the head "
    "ask for, together, for targets beyond 1.5 m: turns at a lag of 0-40 ms, travel at 0, 50, 100 "
    "and 150 ms. Following counts from 150 "
    "ms into a fixation: how far the line of sight turns in space, along the turn of the target.",
    "distances": "Where the line of sight first meets matter in the middle of each fixation, by "
    "density.",
    "disparity": "Median depth, rendered from both eyes in the middle of fixations, 21 x 21 "
    "pixels over 40 degrees. A point's disparity is the angle under which it sees the eyes less "
    "that of the fixated point; crossed is positive. Those within 20 deg of the line of sight "
    "count; span: 99 % of them.",
}


def observer_report(check: "ObserverCheck") -> Report:
    """Return the report of a check."""
    settings = check.settings
    return Report(
        title=f"Observer {check.observer.name}",
        subtitle=f"{check.observer.description[:1].upper()}{check.observer.description[1:]}. "
        f"{len(check.clips)} clips of {settings.seconds:g} s in {check.scene}, measured and set "
        "beside published figures of people.",
        sections=(
            _verdicts(check),
            _walking(check),
            _eyes(check),
            _space(check),
            _methods(check),
            _provenance(check),
        ),
    )


def _verdicts(check: "ObserverCheck") -> Section:
    words = {
        "within": "figures within the accepted range",
        "outside": "figures outside",
        "too few data": "figures with too few data",
        "not applicable": "not applicable to this observer",
    }
    figures = [KeyFigure(value=str(check.count(v)), meaning=text) for v, text in words.items()]
    blocks: list[Block] = [KeyFigures(figures=figures)]
    if check.skipped:
        text = f"{len(check.skipped)} clips have no path and are left out; {check.skipped[0]}"
        blocks.append(Note(text=text, kind="warning"))
    if "grown" not in check.subject.traits:
        blocks.append(
            Note(
                text="Published figures of eyes are of adults; for children they are the only "
                "ones here."
            )
        )
    if "mineault2021" in check.subject.traits and check.settings.seconds > MINEAULT_S:
        blocks.append(
            Note(
                text="The published clips last 1.3 s. Longer ones fit into a scene only where the "
                "camera is slow: check this observer with --seconds 1.3.",
                kind="warning",
            )
        )
    blocks.append(verdict_table(check.findings))
    blocks.append(
        FigureBlock(
            figure=score_card(check.findings),
            title="All of them on one scale",
            caption="Shaded: the accepted range of each statistic. Dot: generated; bar: its "
            "interval. Arrows: beyond the picture. Green: within, red: outside, grey: too few "
            "data.",
        )
    )
    return Section(title="Verdicts", blocks=tuple(blocks))


def _walking(check: "ObserverCheck") -> Section:
    grown = "grown" in check.subject.traits
    knee = next(f.value for s, f in check.findings if s.key == "knee")
    figures: list[FigureBlock] = []
    if "walks" in check.subject.traits:
        walks = check.pooled("walks")
        figures += [
            _figure(body.bob_plot(walks), "Bob", "Half of peak to peak, each straight stretch."),
            _figure(body.step_plot(walks), "Steps", "Step frequency of each straight stretch."),
        ]
    speed, straight = check.pooled("speed"), check.pooled("straight_speed")
    figures += [
        _figure(
            body.speed_plot(speed, straight, grown=grown),
            "Speed",
            "All instants; outlined: those in which the body heads nearly straight on.",
        ),
        _figure(body.activity_plot(check.pooled("activity")), "What the body does", ""),
        _figure(
            body.head_plot(check.pooled("head_deg_s")),
            "How fast the head turns",
            "Angular velocity of the head, gaze shifts included.",
        ),
        _figure(
            body.spectrum_plot(check.pooled("spectrum"), knee),
            "At which frequencies",
            "Thin: single clips; thick: the mean; line: its knee.",
        ),
    ]
    return Section(title="Body and head", lead=_LEGEND, blocks=(Gallery(figures=tuple(figures)),))


_LEGEND = "Blue: generated. Red: published. Gold: what the observer's card asks for."


def _eyes(check: "ObserverCheck") -> Section:
    saccades = check.pooled("saccades")
    figures = (
        _figure(
            eyes.fixation_plot(check.pooled("fixation_s"), check.observer.gaze.fixation_s),
            "Fixations",
            "How long the eyes rest, on a logarithmic scale.",
        ),
        _figure(
            eyes.amplitude_plot(saccades[:, 0]), "Saccades", "Share of saccades that are smaller."
        ),
        _figure(eyes.peak_plot(saccades), "Main sequence", "Peak velocity of each saccade."),
        _figure(eyes.duration_plot(saccades), "Duration", "How long each saccade lasts."),
        _figure(
            eyes.eccentricity_plot(check.pooled("eccentricity")),
            "Eye in the head",
            "How far the eyes are turned from straight ahead.",
        ),
        _figure(
            eyes.heading_plot(check.pooled("gaze_from_heading")),
            "Gaze from the heading",
            "While the body travels; ellipses of one standard deviation, 19 and 14 deg published.",
        ),
        _figure(
            eyes.slip_plot(check.pooled("slip")),
            "Slip",
            "Velocity of the picture over the retina while a point is held.",
        ),
        _figure(
            eyes.blink_plot(check.pooled("closed_s")), "Blinks", "How long the lids are closed."
        ),
    )
    return Section(title="Eyes", lead=_LEGEND, blocks=(Gallery(figures=figures),))


def _space(check: "ObserverCheck") -> Section:
    figures = [
        _figure(
            eyes.distance_plot(check.pooled("fixated")[:, 0]),
            "Distance",
            "How far away the fixated points are. A room has no 80 m.",
        )
    ]
    if "two eyes" in check.subject.traits:
        rows = check.pooled("disparity")
        figures += [
            _figure(
                depth.vergence_plot(check.pooled("vergence")),
                "Vergence",
                "Angle between the lines of sight, over that which the fixated point takes (line). "
                "Parallel eyes stay at zero.",
            ),
            _figure(
                depth.disparity_plot(rows), "Disparity", "Within 20 degrees of the line of sight."
            ),
            _figure(
                depth.elevation_plot(rows),
                "Disparity over the field",
                "Median and quartiles in bands of 5 degrees: near things should lie below.",
            ),
        ]
    return Section(title="Depth", lead=_LEGEND, blocks=(Gallery(figures=tuple(figures)),))


def _figure(figure: Figure, title: str, caption: str) -> FigureBlock:
    return FigureBlock(figure=figure, title=title, caption=caption)


def _methods(check: "ObserverCheck") -> Section:
    return Section(
        title="How it was measured",
        lead="Intervals come from resampling whole clips, because what happens within one clip "
        "hangs together. Accepted ranges that are no part of a source are ours; why they are what "
        "they are stands with each. Sources are named as merkwelt's notes name them: (recalled) is "
        "from memory and to be checked, (weak) second hand.",
        blocks=(
            Details(title="Methods", facts=METHODS),
            Details(
                title="Accepted ranges, their reasons and sources",
                table=tolerance_table(check.findings),
            ),
            Details(title="Not judged, and why", table=lacking_table(check.findings)),
        ),
    )


def _provenance(check: "ObserverCheck") -> Section:
    settings = check.settings
    command = (
        f"merkwelt observer check {check.observer.name} --scene {check.scene} "
        f"--clips {settings.clips} --seconds {settings.seconds:g} --seed {settings.seed} --out DIR"
    )
    return provenance_section(
        commands=(command,),
        facts={
            "Settings": {
                "clips": settings.clips,
                "seconds": settings.seconds,
                "seed": settings.seed,
                "views per clip for disparities": settings.views,
                "path that rendered depth": check.depth,
                "minutes in all": f"{len(check.clips) * settings.seconds / 60:.1f}",
            }
        },
        texts={"The observer's card": check.observer.to_json()},
    )
