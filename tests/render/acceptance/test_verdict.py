import math

import numpy as np
import pytest
from merkwelt.render.acceptance import (
    BODY_STATISTICS,
    CAMERA_STATISTICS,
    EYE_STATISTICS,
    Published,
    Subject,
    find,
    finding_of,
)
from merkwelt.render.acceptance.published import PUBLISHED
from merkwelt.render.acceptance.reduce import circular_mean_deg, percent_below, rate
from merkwelt.render.acceptance.verdict import interval, judge
from merkwelt.render.motion.motion import ACTIVITIES

ALL = (*BODY_STATISTICS, *EYE_STATISTICS, *CAMERA_STATISTICS)


def _published(low=1.0, high=3.0):
    return Published(value="2", low=low, high=high, tolerance="ours", source="nobody")


@pytest.mark.parametrize(
    ("value", "span", "published", "n", "verdict"),
    [
        (2.0, (1.8, 2.2), _published(), 50, "within"),
        (4.0, (3.8, 4.2), _published(), 50, "outside"),
        (3.1, (2.9, 3.3), _published(), 50, "outside"),
        (2.0, (1.8, 2.2), None, 50, "no published value"),
        (2.0, (1.8, 2.2), _published(), 9, "too few data"),
        (2.0, (1.8, 2.2), None, 9, "too few data"),
        (2.0, (0.5, 3.5), _published(), 50, "too few data"),
        (4.0, (0.5, 7.0), _published(), 50, "too few data"),
        (2.0, (math.nan, math.nan), _published(), 50, "too few data"),
        (math.nan, (1.0, 2.0), _published(), 50, "too few data"),
        (0.2, (0.1, 0.3), _published(low=0.0, high=None), 50, "within"),
        (-0.2, (-0.3, -0.1), _published(low=0.0, high=None), 50, "outside"),
        (0.2, (-0.1, 0.5), _published(low=0.0, high=None), 50, "too few data"),
    ],
)
def test_verdicts(value, span, published, n, verdict):
    assert judge(value, span, published, n=n, least=10)[0] == verdict


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        clips = [rng.normal(2.0 + rng.normal(0, 0.5), 1.0, 30) for _ in range(40)]
        low, high = interval(clips, lambda values: float(values.mean()), seed=seed)
        hits += low <= 2.0 <= high
    assert 50 <= hits <= 60


def test_clips_and_not_observations_are_resampled():
    clips = [np.full(1000, k) for k in (0.0, 1.0, 2.0)]
    low, high = interval(clips, lambda values: float(values.mean()))
    assert high - low > 1


def test_one_clip_is_never_within():
    found = find([np.full(100, 2.0)], lambda v: float(v.mean()), _published(), least=10)
    assert found.verdict == "too few data"
    assert (found.n, found.clips, found.value) == (100, 1, 2.0)


def test_figures_need_source_reason_and_limit():
    with pytest.raises(ValueError, match="a source and a reason"):
        Published(value="2", low=1.0, high=3.0, tolerance="", source="nobody")
    with pytest.raises(ValueError, match="at least one limit"):
        _published(low=None, high=None)


def test_every_published_figure_belongs_to_one_statistic():
    keys = [statistic.key for statistic in ALL]
    assert len(set(keys)) == len(keys)
    assert set(PUBLISHED) <= set(keys)
    for figure in PUBLISHED.values():
        low, high = figure.limits
        assert low < high


def _samples(activity, height, speed=1.0):
    shares = np.zeros((1, len(ACTIVITIES)))
    shares[0, ACTIVITIES.index(activity)] = 1
    return {
        "activity": shares,
        "height": np.full(10, height),
        "speed": np.full(10, speed),
        "saccades_per_s": np.array([[5.0, 10.0]]),
        "vergence": np.array([[0.0, 1.0]]),
    }


def test_what_applies_depends_on_what_the_observer_does():
    adult = Subject.of("adult", [_samples("walking", 1.6)], 2)
    assert adult.lacks(("walks", "grown", "body", "looks", "two eyes")) == ""
    assert adult.lacks(("converges",)) == "its eyes are parallel"
    assert Subject.of("static", [_samples("standing", 1.6, 0.0)], 2).lacks(("walks",))
    toddler = Subject.of("toddler", [_samples("walking", 0.7)], 2)
    assert toddler.lacks(("young", "walks")) == ""
    assert toddler.lacks(("grown",)) == "published of adults"
    carried = Subject.of("mineault2021", [_samples("carried", 1.6)], 1)
    assert carried.lacks(("body",)) == "is carried"
    assert carried.lacks(("mineault2021",)) == ""
    finding = finding_of(BODY_STATISTICS[0], [], carried)
    assert (finding.verdict, finding.reason) == ("not applicable", "is carried")


def test_reductions_by_hand():
    assert rate(3600.0)(np.array([[2.0, 10.0], [0.0, 30.0]])) == 180
    assert percent_below(5)(np.array([1.0, 4.0, 6.0, 9.0])) == 50
    assert circular_mean_deg(np.radians([350.0, 10.0])) % 360 == pytest.approx(0, abs=1e-9)
