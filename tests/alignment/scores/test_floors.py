import math

import numpy as np
import pytest
import torch
from merkwelt.alignment import read_maps
from merkwelt.alignment.prepare import prepare
from merkwelt.alignment.scores.floors import (
    CENTRED_GAUSSIAN,
    EDGES,
    centred_gaussian,
    edge_energy,
    floor_maps,
    luminance,
    mean_over_others,
    own_and_others,
)
from merkwelt.alignment.scores.metrics import SPEARMAN, own_scores, pair_scores


def test_gaussian_is_centred_and_as_wide_as_it_says():
    gaussian = centred_gaussian(224)
    torch.testing.assert_close(gaussian, gaussian.flip(0, 1))
    row = (torch.arange(224) + 0.5 - 112).double()
    ratio = gaussian[40, 30] / gaussian[40, 111]
    expected = math.exp((row[111] ** 2 - row[30] ** 2) / (2 * (224 / 3) ** 2))
    assert ratio.item() == pytest.approx(expected)


def test_edge_energy_by_hand():
    image = torch.tensor([[0.0, 1.0], [4.0, 2.0]]).expand(1, 3, 2, 2)
    assert edge_energy(image).tolist() == [[[0.0, 1.0], [4.0, 3.0]]]


def test_edges_ignore_brightness_and_luminance_sees_it(images):
    torch.testing.assert_close(edge_energy(images + 0.5), edge_energy(images))
    torch.testing.assert_close(luminance(images + 0.5), luminance(images) + 0.5)


def test_mean_over_others_leaves_out_the_own_map_and_nan():
    scores = torch.tensor([[9.0, 1.0, 2.0], [3.0, 9.0, torch.nan], [5.0, 3.0, 9.0]])
    np.testing.assert_allclose(mean_over_others(scores), [4.0, 2.0, 2.0])
    assert np.isnan(mean_over_others(torch.ones(1, 1))).all()


def test_floors_of_all_others_and_of_some(images):
    maps, targets = images[:, 0], images[:, 1]
    pairs = pair_scores(SPEARMAN, maps, targets)
    own, others = own_and_others(SPEARMAN, maps, targets, seed=[0])
    np.testing.assert_allclose(own, pairs.diagonal())
    np.testing.assert_allclose(others, mean_over_others(pairs))
    _, drawn = own_and_others(SPEARMAN, maps, targets, partners=4, seed=[0])
    np.testing.assert_allclose(drawn, others)
    _, one = own_and_others(SPEARMAN, maps, targets, partners=1, seed=[0])
    for place, score in enumerate(one):
        apart = pairs[:, place].sub(score).abs()
        assert apart.argmin() != place
        assert apart.min() < 1e-9
    _, none = own_and_others(SPEARMAN, maps[:1], targets[:1], partners=3, seed=[0])
    assert np.isnan(none).all()


@pytest.fixture(scope="module")
def co3d(shared_data):
    return prepare(read_maps(shared_data / "clickme" / "clickme2_co3d_29.npz"), 224)


def test_floors_on_real_click_maps(co3d):
    floors = floor_maps(co3d.images)
    centre = own_scores(SPEARMAN, floors[CENTRED_GAUSSIAN], co3d.maps).mean().item()
    edges = own_scores(SPEARMAN, floors[EDGES], co3d.maps).mean().item()
    assert centre == pytest.approx(0.522, abs=0.02)
    assert edges == pytest.approx(0.099, abs=0.005)


def test_other_images_and_other_views_on_real_click_maps(co3d):
    pairs = pair_scores(SPEARMAN, co3d.maps, co3d.maps)
    assert mean_over_others(pairs).mean() == pytest.approx(0.333, abs=0.005)
    assert pairs[23, 24].item() == pytest.approx(0.389, abs=0.005)
    assert pairs[26, 27].item() == pytest.approx(0.603, abs=0.005)
