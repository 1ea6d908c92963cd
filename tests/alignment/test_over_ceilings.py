from dataclasses import replace

import numpy as np
import pytest
from merkwelt.alignment.over_ceilings import (
    LEAVE_ONE_OUT,
    NO_FLOOR,
    OTHER_HALVES,
    SPEARMAN_BROWN,
    SPLIT_HALF,
    Resampling,
    with_measured,
    with_published,
)
from merkwelt.alignment.results import FloorScores, MetricScores
from merkwelt.alignment.scores.bootstrap import bootstrap_interval, joint_interval
from merkwelt.alignment.scores.ceilings import Ceilings, CeilingSettings
from merkwelt.alignment.scores.published import CO3D2025_CEILING, FEL2022_CEILING

OWN = np.array([0.2, 0.4, 0.3, 0.5])
HALF = np.array([0.6, 0.7, 0.5, 0.8])
FLOOR = np.array([0.1, 0.2, 0.1, 0.1])
OTHERS = np.array([0.2, 0.2, 0.1, 0.2])
WHOLE_FLOOR = "other images' human maps"
RESAMPLING = Resampling(seed=0, resamples=400, level=0.9)


def _scored(own: np.ndarray = OWN, name: str = "Spearman") -> MetricScores:
    interval = bootstrap_interval(own, np.random.default_rng(0))
    floor = FloorScores(name=WHOLE_FLOOR, per_image=OTHERS, interval=interval, difference=interval)
    return MetricScores(
        name=name, meaning="", chance=0.0, per_image=own, interval=interval, floors=(floor,)
    )


def _people(half: np.ndarray = HALF) -> Ceilings:
    return Ceilings(
        metric="Spearman",
        recipe="co3d2025",
        settings=CeilingSettings(draws=2),
        names=("a", "b", "c", "d"),
        people=np.array([5, 6, 5, 7]),
        split_half_draws=np.stack([half - 0.1, half + 0.1]),
        floor_draws=np.stack([FLOOR, FLOOR]),
        leave_one_out=half - 0.2,
        skipped={},
    )


def test_measured_ceilings_by_hand():
    half, whole, single = with_measured(_scored(), _people(), WHOLE_FLOOR, RESAMPLING).ceilings
    assert [half.name, whole.name, single.name] == [SPLIT_HALF, SPEARMAN_BROWN, LEAVE_ONE_OUT]
    assert half.value == pytest.approx(0.65)
    assert half.over_ceiling.mean == pytest.approx(0.35 / 0.65)
    assert half.over_own_ceiling is not None
    assert half.over_own_ceiling.mean == pytest.approx((OWN / HALF).mean())
    assert half.floor_name == OTHER_HALVES
    assert half.floor_corrected.mean == pytest.approx((0.35 - 0.125) / (0.65 - 0.125))
    assert half.source == "plain halves, 2 draws; 5-7 people, maps by co3d2025"
    brown = 2 * 0.65 / 1.65
    assert whole.value == pytest.approx(brown)
    assert whole.over_ceiling.mean == pytest.approx(0.35 / brown)
    assert whole.floor_name == WHOLE_FLOOR
    assert whole.floor_corrected.mean == pytest.approx((0.35 - 0.175) / (brown - 0.175))
    assert single.value == pytest.approx(0.45)
    assert single.floor_name == NO_FLOOR
    assert np.isnan(single.floor_corrected.mean)
    assert all(each.measured for each in (half, whole, single))


def test_numerator_and_denominator_are_resampled_together():
    people = _people(OWN * 2)
    half, *_ = with_measured(_scored(), people, WHOLE_FLOOR, RESAMPLING).ceilings
    assert half.over_ceiling.mean == pytest.approx(0.5)
    assert half.over_ceiling.low == pytest.approx(0.5)
    assert half.over_ceiling.high == pytest.approx(0.5)
    assert half.interval is not None
    assert half.interval.low < half.interval.high


def test_images_without_score_or_ceiling_are_counted_out():
    own, half = OWN.copy(), HALF.copy()
    own[0] = half[2] = np.nan
    entry, *_ = with_measured(_scored(own), _people(half), WHOLE_FLOOR, RESAMPLING).ceilings
    assert entry.over_ceiling.count == 2
    assert entry.over_ceiling.mean == pytest.approx((0.4 + 0.5) / (0.7 + 0.8))
    assert entry.interval is not None
    assert entry.interval.mean == pytest.approx(0.75)
    assert entry.over_own_ceiling is not None
    assert entry.over_own_ceiling.count == 2


def test_no_room_between_floor_and_ceiling_is_undefined():
    entry, *_ = with_measured(_scored(), _people(FLOOR), WHOLE_FLOOR, RESAMPLING).ceilings
    assert np.isnan(entry.floor_corrected.mean)
    entry, *_ = with_measured(_scored(), _people(-HALF), WHOLE_FLOOR, RESAMPLING).ceilings
    assert np.isnan(entry.over_ceiling.mean)
    assert entry.over_own_ceiling is not None
    assert entry.over_own_ceiling.count == 0


def test_only_correlations_get_spearman_brown_and_known_people_leave_one_out():
    people = replace(_people(), leave_one_out=np.full(4, np.nan))
    (entry,) = with_measured(_scored(name="IoU"), people, WHOLE_FLOOR, RESAMPLING).ceilings
    assert entry.name == SPLIT_HALF


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ClickMe 2.0 click maps", 0.4422303328731989),
        ("ClickMe 1.0 maps", 0.6575315343478081),
    ],
)
def test_constants_stand_beside_maps_of_their_kind(toy_maps, kind, value):
    maps = replace(toy_maps, kind=kind)
    (entry,) = with_published(_scored(), maps, WHOLE_FLOOR, RESAMPLING).ceilings
    assert entry.value == value
    assert not entry.measured
    assert entry.interval is entry.per_image is entry.over_own_ceiling is None
    assert entry.over_ceiling.mean == pytest.approx(0.35 / value)
    assert entry.over_ceiling.low < 0.35 / value < entry.over_ceiling.high
    assert entry.floor_corrected.mean == pytest.approx((0.35 - 0.175) / (value - 0.175))
    assert "not a bound" in entry.source


def test_constants_stand_beside_nothing_else(toy_maps):
    click = replace(toy_maps, kind="ClickMe 2.0 click maps")
    for maps, name in [
        (toy_maps, "Spearman"),
        (click, "IoU"),
        (replace(click, are_human=False), "Spearman"),
    ]:
        assert with_published(_scored(name=name), maps, WHOLE_FLOOR, RESAMPLING).ceilings == ()
    assert {FEL2022_CEILING.metric, CO3D2025_CEILING.metric} == {"Spearman"}


def test_joint_interval_equals_a_loop_over_resamples():
    generator = np.random.default_rng(3)
    counts = np.random.default_rng(3).multinomial(4, [0.25] * 4, size=300)
    ratios = [(count @ OWN) / (count @ HALF) for count in counts]
    interval = joint_interval(
        [OWN, HALF], lambda own, half: own / half, generator, resamples=300, level=0.8
    )
    assert interval.mean == pytest.approx(0.35 / 0.65)
    assert [interval.low, interval.high] == pytest.approx(list(np.quantile(ratios, [0.1, 0.9])))
    assert interval.count == 4


@pytest.mark.parametrize(("count", "mean"), [(0, np.nan), (1, 1 / 3)])
def test_joint_interval_of_too_few_images(count, mean):
    own, half = OWN.copy(), HALF.copy()
    own[count:] = np.nan
    found = joint_interval([own, half], lambda a, b: a / b, np.random.default_rng(0))
    np.testing.assert_allclose([found.mean, found.low, found.count], [mean, np.nan, count])
