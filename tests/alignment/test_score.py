from dataclasses import replace

import numpy as np
import pytest
from merkwelt.alignment import (
    PrototypeCosine,
    SaliencyRecipe,
    ScoreSettings,
    read_maps,
    score,
)
from merkwelt.alignment.scores.floors import (
    CENTRED_GAUSSIAN,
    EDGES,
    LUMINANCE,
    OTHER_HUMAN_MAPS,
    OTHER_SALIENCY,
    RANDOM_NETWORK,
)
from merkwelt.alignment.scores.human_metrics import IOU, ROC_AUC
from merkwelt.alignment.scores.metrics import SPEARMAN

SETTINGS = ScoreSettings(size=16, crop_share=1.0, resamples=200, batch=4)
RECIPE = SaliencyRecipe(clip_frames=2)


def test_saliency_equal_to_the_human_map_scores_one(energy_encoder, toy_maps):
    results = score(energy_encoder, toy_maps, recipe=RECIPE, settings=SETTINGS)
    np.testing.assert_allclose(results.main.per_image, 1.0)
    assert results.main.interval.count == 6
    assert results.main.interval.low == pytest.approx(1.0)
    assert not results.undefined


def test_floors_stand_beside_the_score(energy_encoder, untrained_net, toy_maps):
    results = score(
        energy_encoder, toy_maps, recipe=RECIPE, settings=SETTINGS, random_encoder=untrained_net
    )
    names = {floor.name for floor in results.main.floors}
    maps_of_image = {CENTRED_GAUSSIAN, EDGES, LUMINANCE, RANDOM_NETWORK}
    assert names == maps_of_image | {OTHER_HUMAN_MAPS, OTHER_SALIENCY}
    assert set(results.floor_maps) == maps_of_image
    assert not results.missing_floors
    for floor in results.main.floors:
        expected = 1.0 - floor.interval.mean
        assert floor.difference.mean == pytest.approx(expected)
        assert floor.difference.low > 0
    # Saliency equals the human map here, so borrowing either from other images is the same.
    np.testing.assert_allclose(
        results.main.floor(OTHER_SALIENCY).per_image, results.main.floor(OTHER_HUMAN_MAPS).per_image
    )


def test_a_missing_untrained_network_is_said(energy_encoder, toy_maps):
    results = score(energy_encoder, toy_maps, recipe=RECIPE, settings=SETTINGS)
    assert results.missing_floors == {RANDOM_NETWORK: "no untrained encoder was given"}
    with pytest.raises(KeyError, match="random-init network"):
        results.main.floor(RANDOM_NETWORK)


def test_undefined_images_are_named_and_in_no_mean(energy_encoder, toy_maps):
    images, maps = toy_maps.images.copy(), toy_maps.maps.copy()
    images[2] = 0
    maps[4] = 3.0
    broken = replace(toy_maps, images=images, maps=maps)
    results = score(energy_encoder, broken, recipe=RECIPE, settings=SETTINGS)
    assert set(results.undefined) == {"picture 2", "picture 4"}
    assert results.undefined["picture 2"] == "its saliency is constant"
    assert "constant, or shows no object" in results.undefined["picture 4"]
    assert np.flatnonzero(np.isnan(results.main.per_image)).tolist() == [2, 4]
    assert results.main.interval.mean == pytest.approx(1.0)
    assert results.main.interval.count == 4
    assert results.main.floor(CENTRED_GAUSSIAN).interval.count == 4


def test_images_without_a_prototype_are_named(small_net, toy_maps):
    recipe = SaliencyRecipe(target=PrototypeCosine(), clip_frames=2)
    results = score(small_net, toy_maps, recipe=recipe, settings=SETTINGS)
    assert set(results.undefined) == {"picture 5"}
    assert "category 'c'" in results.undefined["picture 5"]
    assert results.main.interval.count == 5


def test_every_image_undefined_gives_nan_and_reasons(energy_encoder, toy_maps):
    black = replace(toy_maps, images=np.zeros_like(toy_maps.images))
    results = score(energy_encoder, black, recipe=RECIPE, settings=SETTINGS)
    assert np.isnan(results.main.interval.mean)
    assert len(results.undefined) == 6


def test_order_of_images_does_not_matter(small_net, toy_maps):
    order = [3, 1, 5, 0, 4, 2]
    shuffled = replace(
        toy_maps,
        images=toy_maps.images[order],
        maps=toy_maps.maps[order],
        names=tuple(toy_maps.names[i] for i in order),
        labels=tuple(toy_maps.labels[i] for i in order),
    )
    first = score(small_net, toy_maps, recipe=RECIPE, settings=SETTINGS).main
    second = score(small_net, shuffled, recipe=RECIPE, settings=SETTINGS).main
    np.testing.assert_allclose(second.per_image, first.per_image[order], atol=1e-4)
    for floor in first.floors:
        expected = floor.per_image[order]
        np.testing.assert_allclose(second.floor(floor.name).per_image, expected, atol=1e-4)


def test_the_same_seed_gives_the_same_results(small_net, toy_maps):
    first = score(small_net, toy_maps, recipe=RECIPE, settings=SETTINGS)
    second = score(small_net, toy_maps, recipe=RECIPE, settings=SETTINGS)
    assert first.to_dict() == second.to_dict()


def test_progress_ends_at_one(small_net, untrained_net, toy_maps):
    shares: list[float] = []
    score(
        small_net,
        toy_maps,
        recipe=RECIPE,
        settings=SETTINGS,
        random_encoder=untrained_net,
        progress=lambda share, _: shares.append(share),
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_click_maps_carry_the_published_ceiling_by_name(energy_encoder, shared_data):
    maps = read_maps(shared_data / "clickme" / "clickme2_co3d_29.npz")
    settings = ScoreSettings(size=48, resamples=200)
    results = score(energy_encoder, maps, recipe=RECIPE, settings=settings)
    (ceiling,) = results.main.ceilings
    assert ceiling.value == 0.4422303328731989
    assert "not a bound" in ceiling.source
    assert ceiling.over_ceiling.mean == pytest.approx(results.main.interval.mean / ceiling.value)
    other = results.main.floor(OTHER_HUMAN_MAPS).interval.mean
    expected = (results.main.interval.mean - other) / (ceiling.value - other)
    assert ceiling.floor_corrected.mean == pytest.approx(expected)
    assert ceiling.floor_corrected.low < expected < ceiling.floor_corrected.high
    assert results.ceiling_note.startswith("no ceiling: one averaged map per image")
    assert results.name.startswith("Spearman [gradient of feature norm")
    assert results.name.endswith("on ClickMe 2.0 click maps, n = 29, 48 px")


def test_several_metrics_name_their_undefined_images(energy_encoder, toy_maps):
    maps = toy_maps.maps.copy()
    maps[3] = np.clip(maps[3], 200, None)
    maps[5] = 7.0
    metrics = (IOU, SPEARMAN, ROC_AUC)
    results = score(
        energy_encoder,
        replace(toy_maps, maps=maps),
        recipe=RECIPE,
        settings=SETTINGS,
        metrics=metrics,
    )
    iou, rho, auc = results.metrics
    assert results.main is iou
    assert set(results.undefined) == set(rho.undefined) == {"picture 5"}
    # All pixels are above 0, so no unclicked ones are left to compare with.
    assert len(auc.undefined) == 6
    assert np.isnan(auc.interval.mean)
    entries = results.to_dict()["metrics"]
    assert [entry["undefined"]["count"] for entry in entries] == [1, 1, 6]
    assert "no ROC AUC" in entries[2]["undefined"]["images"]["picture 0"]
    for metric in results.metrics:
        assert np.isnan(metric.per_image).sum() == len(metric.undefined)


def test_floors_of_many_images_are_drawn():
    assert ScoreSettings().partners_of(300) is None
    assert ScoreSettings().partners_of(301) == 20
    assert ScoreSettings(partners=3).partners_of(5) == 3
    with pytest.raises(ValueError, match="at least 1 partner, got 0"):
        ScoreSettings(partners=0)


def test_drawn_floors_are_near_all_of_them(energy_encoder, toy_maps):
    every = score(energy_encoder, toy_maps, recipe=RECIPE, settings=SETTINGS)
    drawn = replace(SETTINGS, partners=5)
    some = score(energy_encoder, toy_maps, recipe=RECIPE, settings=drawn)
    for name in (OTHER_HUMAN_MAPS, OTHER_SALIENCY):
        np.testing.assert_allclose(
            some.main.floor(name).per_image, every.main.floor(name).per_image, atol=1e-9
        )


def test_no_metrics_are_refused(energy_encoder, toy_maps):
    with pytest.raises(ValueError, match="one metric"):
        score(energy_encoder, toy_maps, recipe=RECIPE, settings=SETTINGS, metrics=())


def test_saliency_like_the_human_maps_orders_images_alike(energy_encoder, toy_maps):
    settings = replace(SETTINGS, resamples=20)
    results = score(energy_encoder, toy_maps, recipe=RECIPE, settings=settings)
    of_maps, of_features = results.set_scores
    assert of_maps.name == "RSA of saliency maps"
    assert of_maps.interval.mean == pytest.approx(1.0)
    # One feature has no correlation over features.
    assert np.isnan(of_features.interval.mean)


def test_other_maps_have_no_ceiling(energy_encoder, toy_maps):
    results = score(energy_encoder, toy_maps, recipe=RECIPE, settings=SETTINGS)
    assert results.main.ceilings == ()


def test_no_images_are_refused(energy_encoder, toy_maps):
    empty = replace(
        toy_maps, images=toy_maps.images[:0], maps=toy_maps.maps[:0], names=(), labels=()
    )
    with pytest.raises(ValueError, match="at least one image to score"):
        score(energy_encoder, empty, recipe=RECIPE)
