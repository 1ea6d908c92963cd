"""Which trials and images count, by the rules of ClickMe 2.0."""

from collections import Counter
from dataclasses import dataclass, replace

from .trials import Trial, Trials


@dataclass(frozen=True, kw_only=True)
class TrialFilter:
    """Which trials are kept (serre-lab/human_clickme_data_processing@e6f9a76)."""

    least_catch_score: float | None = 0.95
    """Trials of people who got fewer catch trials right are left out; None keeps them."""
    mobile: bool = False
    """Keep trials from phones and tablets."""
    repeats: bool = False
    """Keep more than one trial of a person on an image; otherwise the earliest."""
    least_points: int = 2
    """Trials with fewer points are left out."""
    most_points: int | None = None
    """Longer trials are cut to their first points."""
    least_subjects: int = 1
    """Images seen by fewer people are left out, after all else."""

    def __post_init__(self) -> None:
        """Refuse bounds that leave nothing."""
        if self.least_points < 0 or self.least_subjects < 1:
            raise ValueError(
                f"expected least_points of at least 0 and least_subjects of at least 1, got {self}"
            )
        if self.most_points is not None and self.most_points < max(1, self.least_points):
            raise ValueError(f"expected most_points of at least least_points, got {self}")


@dataclass(frozen=True, kw_only=True)
class Filtered:
    """What is left, and why the rest is not."""

    trials: Trials
    left_out: dict[str, int]
    """Reason to number of trials."""


def keep_all() -> TrialFilter:
    """Return the filter that keeps every trial."""
    return TrialFilter(least_catch_score=None, mobile=True, repeats=True, least_points=0)


def co3d_validation() -> TrialFilter:
    """Return the filter behind the published maps of CO3D's validation images."""
    return TrialFilter(least_subjects=6)


def co3d_training() -> TrialFilter:
    """Return the filter behind the published maps of CO3D's training images."""
    return TrialFilter(least_subjects=2)


def imagenet_validation() -> TrialFilter:
    """Return the filter behind the published maps of ImageNet's validation images."""
    return TrialFilter(least_subjects=5)


def imagenet_training() -> TrialFilter:
    """Return the filter behind the published maps of ImageNet's training images."""
    return TrialFilter(least_subjects=1)


def filter_trials(trials: Trials, chosen: TrialFilter) -> Filtered:
    """Return the trials that count, in their order, with how many were left out for which reason.

    What a file does not tell (no catch score, device unknown) leaves nobody out.
    """
    left_out: Counter[str] = Counter()
    kept: list[Trial] = []
    for trial in trials.trials:
        reason = _reason(trial, chosen)
        if reason is None:
            most = chosen.most_points
            kept.append(trial if most is None else trial.first(most))
        else:
            left_out[reason] += 1
    if not chosen.repeats:
        first = _earliest(kept)
        left_out["repeat of a person on an image"] += len(kept) - len(first)
        kept = first
    by_image = replace(trials, trials=tuple(kept)).by_image()
    people = {name: {trial.subject for trial in own} for name, own in by_image.items()}
    enough = [t for t in kept if len(people[t.image]) >= chosen.least_subjects]
    left_out[f"image seen by fewer than {chosen.least_subjects} people"] += len(kept) - len(enough)
    return Filtered(
        trials=replace(trials, trials=tuple(enough)),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _reason(trial: Trial, chosen: TrialFilter) -> str | None:
    least = chosen.least_catch_score
    if least is not None and trial.catch_score is not None and not trial.catch_score >= least:
        return f"catch score below {least:g}"
    if trial.is_mobile and not chosen.mobile:
        return "mobile device"
    if len(trial.points_px) < chosen.least_points:
        return f"fewer than {chosen.least_points} points"
    return None


def _earliest(trials: list[Trial]) -> list[Trial]:
    """Return each person's earliest trial on each image: by time if told, else by order."""
    chosen: dict[tuple[str, str], int] = {}
    for place, trial in enumerate(trials):
        key = (trial.image, trial.subject)
        if key not in chosen or _before(trial, trials[chosen[key]]):
            chosen[key] = place
    return [trials[place] for place in sorted(chosen.values())]


def _before(trial: Trial, other: Trial) -> bool:
    if trial.timestamp is None or other.timestamp is None:
        return False
    return trial.timestamp < other.timestamp
