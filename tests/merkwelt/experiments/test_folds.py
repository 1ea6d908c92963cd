import math

import numpy as np
import pytest
import torch
from merkwelt.alignment.probes.labelled_images import shown_object

from merkwelt.experiments.folds import HELD_OUT, TRAINED_ON, FoldScores, with_share
from merkwelt.experiments.network import still_experiment
from merkwelt.experiments.outcome import Difference, Interval, Pooled
from merkwelt.experiments.scored_part import PartScores
from merkwelt.experiments.settings import Harmonizing, Learning
from merkwelt.training.experiment import build
from merkwelt.training.stills import HumanMapStills, StillSettings

from .conftest import bump_maps


def _part(trained):
    values = np.array(trained, dtype=np.float64)
    return PartScores(
        metric="Spearman",
        recipe="r",
        settings={},
        trained=values,
        floors={"centre": values - 1},
        undefined={},
        ceilings=(),
        saliency=np.zeros((len(values), 2, 2), np.float32),
        untrained_saliency=np.zeros((len(values), 2, 2), np.float32),
        measures={},
    )


def test_each_image_counts_where_it_was_held_out():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, 3, 5))
    test = (np.array([0, 3]), np.array([1]), np.array([2, 4]))
    folds = FoldScores(parts=tuple(tuple(map(_part, seed)) for seed in scores), test=test)
    for seed in range(2):
        held_out, trained = np.empty(5), np.empty(5)
        for image in range(5):
            own = next(f for f in range(3) if image in test[f])
            held_out[image] = scores[seed, own, image]
            trained[image] = sum(scores[seed, f, image] for f in range(3) if f != own) / 2
        np.testing.assert_allclose(folds.per_seed(HELD_OUT)[seed], held_out, rtol=1e-12)
        np.testing.assert_allclose(folds.per_seed(TRAINED_ON)[seed], trained, rtol=1e-12)
    np.testing.assert_allclose(folds.mean(HELD_OUT, "centre"), folds.mean(HELD_OUT) - 1, rtol=1e-12)


def test_an_undefined_score_stays_undefined_and_leaves_the_others_alone():
    scores = np.arange(12, dtype=float).reshape(1, 2, 6)
    scores[0, 1, 5] = math.nan
    test = (np.arange(3), np.arange(3, 6))
    folds = FoldScores(parts=tuple(tuple(map(_part, seed)) for seed in scores), test=test)
    assert np.isnan(folds.mean(HELD_OUT)).tolist() == [False] * 5 + [True]
    assert not np.isnan(folds.mean(TRAINED_ON)).any()


def test_intervals_are_over_objects():
    names = [f"cup_1_2_{i // 2}_0000{i}" for i in range(8)]
    values = np.repeat([0.0, 1.0, 2.0, 5.0], 2)
    found = Pooled(names).interval(values)
    assert found.mean == 2.0
    assert found.count == 4
    # Each view as an object of its own would be taken for twice as many samples.
    apart = Pooled([str(i) for i in range(8)]).interval(values)
    assert apart.high - apart.low < 0.85 * (found.high - found.low)


def test_values_that_are_undefined_are_in_no_mean():
    found = Pooled(["a", "b", "c"]).interval(np.array([1.0, math.nan, 3.0]))
    assert (found.mean, found.count) == (2.0, 2)
    assert math.isnan(Pooled(["a"]).interval(np.array([math.nan])).mean)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.2, "higher"), (-0.2, -0.1, "lower"), (-0.1, 0.1, "not told apart")],
)
def test_a_verdict_needs_an_interval_without_zero(low, high, said):
    interval = Interval(mean=(low + high) / 2, low=low, high=high, count=5)
    assert Difference(name="d", where="w", interval=interval).verdict.startswith(said)


def test_smaller_shares_of_maps_are_parts_of_larger_ones():
    maps = bump_maps(9)
    training = list(range(8))
    kept = []
    for share in (0.0, 0.25, 0.5, 1.0):
        shown = with_share(maps, training, share, seed=3)
        kept.append({i for i in training if shown.maps[i].any()})
        assert shown.maps[8].any()
        np.testing.assert_array_equal(shown.images, maps.images)
    objects = [{shown_object(maps.names[i]) for i in each} for each in kept]
    assert [len(each) for each in objects] == [0, 2, 4, 7]
    assert all(a <= b for a, b in zip(kept, kept[1:], strict=False))


def test_images_that_are_named_are_held_out():
    stills = HumanMapStills(bump_maps(), StillSettings(size_px=24), held_out=[4, 1])
    assert (stills.training_ids, stills.held_out_ids) == ([0, 2, 3, 5], [1, 4])
    other = HumanMapStills(bump_maps(), StillSettings(size_px=24), held_out=[4])
    assert stills.identity != other.identity
    for wrong in ([], range(6), [6], [-1]):
        with pytest.raises(ValueError, match="hold out some of the images 0 to 5"):
            HumanMapStills(bump_maps(), StillSettings(size_px=24), held_out=list(wrong))


def test_a_network_and_its_twin_start_from_the_same_weights():
    learning = Learning(size=24, steps=2)
    twin = build(still_experiment(learning, name="t", classes=2, seed=1))
    taught = build(still_experiment(learning, name="t", classes=2, seed=1, map_weight=10.0))
    for one, other in zip(twin, taught, strict=True):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name])


def test_settings_outside_their_range_are_refused():
    with pytest.raises(ValueError, match="at least 1 for steps"):
        Learning(steps=0)
    with pytest.raises(ValueError, match="at least 2 folds"):
        Harmonizing(folds=1)
