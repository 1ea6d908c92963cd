import json

import numpy as np
import pytest
from merkwelt.render.observer.card import Observer
from merkwelt.render.observer.presets import PRESETS, adult, load_observer, static
from merkwelt.render.observer.quantity import Quantity


def _draws(quantity, n=4000):
    rng = np.random.default_rng(3)
    return np.array([quantity.sample(rng) for _ in range(n)])


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_cards_survive_json_and_every_number_has_a_source_and_a_unit(name):
    observer = load_observer(name)
    assert Observer.from_json(observer.to_json()) == observer
    assert all(row.quantity.source and row.quantity.unit for row in observer.rows())
    assert len({row.name for row in observer.rows()}) == len(observer.rows())


def test_static_differs_from_adult_in_nothing_but_standing():
    one, other = adult().to_dict(), static().to_dict()
    assert {k for k in one if one[k] != other[k]} == {"name", "description", "locomotion"}


def test_bodies_have_the_cited_sizes():
    rng = np.random.default_rng(0)
    bodies = np.array([adult().draw_body(rng) for _ in range(3000)])
    assert bodies[:, 0].min() >= 0.050
    assert bodies[:, 0].max() <= 0.075
    np.testing.assert_allclose(bodies.mean(axis=0), [0.063, 1.61, 1.39], rtol=0.005)
    np.testing.assert_allclose(bodies[:, 0].std(), 0.0037, rtol=0.05)


def test_fixations_have_the_median_and_saccades_the_shares_of_the_card():
    gaze = adult().gaze
    assert np.median(_draws(gaze.fixation_s)) == pytest.approx(0.27, rel=0.05)
    saccades = _draws(gaze.saccade_deg)
    # Malinov 2000: 53 % below 5 degrees, 83 % below 15; the exponential of mean 7.5 lies between.
    assert np.mean(saccades < 5) == pytest.approx(0.5, abs=0.06)
    assert np.mean(saccades < 15) == pytest.approx(0.85, abs=0.04)


@pytest.mark.parametrize("distribution", ["normal", "lognormal", "exponential", "uniform"])
def test_draws_stay_within_limits_and_take_one_number_each(distribution):
    quantity = Quantity(
        value=1.0, spread=0.8, low=0.4, high=1.5, distribution=distribution, unit="m", source="test"
    )
    draws = _draws(quantity, 500)
    assert draws.min() >= 0.4
    assert draws.max() <= 1.5
    assert quantity.quantile(0.2) < quantity.quantile(0.8)
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    quantity.sample(rng)
    other.random()
    assert rng.random() == other.random()


def test_quantities_without_source_or_sense_are_refused():
    with pytest.raises(ValueError, match="name its source"):
        Quantity(value=1.0, unit="m", source="")
    with pytest.raises(ValueError, match="low < high"):
        Quantity(value=1.0, unit="m", source="x", low=2.0, high=1.0)
    with pytest.raises(ValueError, match="positive spread"):
        Quantity(value=1.0, unit="m", source="x", distribution="normal")
    with pytest.raises(ValueError, match="one of the distributions"):
        Quantity(value=1.0, unit="m", source="x", distribution="cauchy")


def test_bad_cards_are_refused_by_name():
    with pytest.raises(ValueError, match=r"expected one of the observers .* got 'giraffe'"):
        load_observer("giraffe")
    with pytest.raises(ValueError, match="mine.json: no observer card"):
        Observer.from_json("{", where="mine.json")
    with pytest.raises(ValueError, match="expected an observer card of version 2, found 9"):
        Observer.from_json('{"version": 9}')
    data = adult().to_dict()
    del data["gait"]["roll_deg"]
    with pytest.raises(ValueError, match="roll_deg"):
        Observer.from_dict(data)
    data = adult().to_dict()
    del data["senses"]
    with pytest.raises(ValueError, match=r"expected the groups .*, missing \['senses'\]"):
        Observer.from_dict(data)
    data = json.loads(adult().to_json())
    data["locomotion"] = "fly"
    with pytest.raises(ValueError, match="expected the locomotion .* got 'fly'"):
        Observer.from_dict(data)
