import numpy as np
import pytest
import torch
from merkwelt.alignment import SaliencyRecipe, ScoreSettings, object_maps, score_objects
from merkwelt.alignment.object_evidence import OTHER_MASKS
from merkwelt.alignment.scores.floors import CENTRED_GAUSSIAN, RANDOM_NETWORK
from merkwelt.alignment.scores.metrics import AUC, ENRICHMENT, POINTING, own_scores, pair_scores

RECIPE = SaliencyRecipe(clip_frames=2)


def _random(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    saliency = (torch.rand(4, 6, 5, generator=generator) * 8).round()
    masks = (torch.rand(4, 6, 5, generator=generator) < 0.3).float()
    return saliency, masks


def _scene(objects_bright: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Four grey pictures with a brighter (or darker) square, at four places."""
    generator = np.random.default_rng(0)
    images = generator.integers(80, 120, (4, 20, 20, 3)).astype(np.uint8)
    masks = np.zeros((4, 20, 20), bool)
    for i, (top, left) in enumerate([(1, 1), (1, 13), (13, 1), (13, 13)]):
        masks[i, top : top + 6, left : left + 6] = True
    images[masks] = images[masks] + 100 if objects_bright else images[masks] - 60
    return images, masks


def _maps(**changes):
    images, masks = _scene()
    arguments = {"source": "toy scene", "licence": "CC0-1.0", **changes}
    return object_maps(images, masks, ["cup", "tv", "cup", "tv"], **arguments)


def test_enrichment_by_hand():
    saliency = torch.tensor([[[3.0, 3.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 0.0]]])
    masks = torch.tensor([[[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
    scores = own_scores(ENRICHMENT, saliency, masks)
    expected = np.log2([0.75 / 0.5, (1 / 3) / 0.25])
    np.testing.assert_allclose(scores.numpy(), expected, atol=2e-3)


def test_enrichment_stays_finite_with_nothing_on_the_object():
    saliency = torch.tensor([[[0.0, 1.0], [1.0, 1.0]]])
    mask = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert own_scores(ENRICHMENT, saliency, mask).item() == pytest.approx(-9.97, abs=0.01)


def test_auc_equals_counting_pairs():
    saliency, masks = _random(0)
    scores = own_scores(AUC, saliency, masks)
    for i in range(4):
        inside, outside = saliency[i][masks[i] > 0], saliency[i][masks[i] == 0]
        wins = (inside[:, None] > outside[None]).double() + 0.5 * (inside[:, None] == outside[None])
        assert scores[i].item() == pytest.approx(wins.mean().item())


def test_pointing_game_shares_a_tied_peak():
    saliency = torch.tensor([[[5.0, 5.0], [1.0, 2.0]], [[1.0, 2.0], [3.0, 9.0]]])
    masks = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
    assert own_scores(POINTING, saliency, masks).tolist() == [0.5, 1.0]


@pytest.mark.parametrize("metric", [ENRICHMENT, POINTING, AUC], ids=lambda metric: metric.name)
def test_metrics_pair_up_ignore_scale_and_name_the_undefined(metric):
    saliency, masks = _random(1)
    own = own_scores(metric, saliency, masks)
    pairs = pair_scores(metric, saliency, masks)
    torch.testing.assert_close(pairs.diagonal(), own)
    torch.testing.assert_close(
        pairs[2, :1], own_scores(metric, saliency[2:3], masks[:1]), rtol=0, atol=1e-12
    )
    torch.testing.assert_close(own_scores(metric, 7 * saliency, masks), own)
    masks[0], masks[1] = 0, 1
    saliency[2, 0, 0] = torch.nan
    assert own_scores(metric, saliency, masks).isnan().tolist() == [True, True, True, False]


def test_bright_objects_hold_the_energy_encoders_saliency(energy_encoder, untrained_net):
    results = score_objects(energy_encoder, _maps(), recipe=RECIPE, random_encoder=untrained_net)
    enrichment, pointing, auc = results.metrics
    assert enrichment.interval.low > 0.5
    assert pointing.interval.mean == 1.0
    assert auc.interval.mean == pytest.approx(1.0)
    for metric in results.metrics:
        assert {floor.name for floor in metric.floors} >= {
            CENTRED_GAUSSIAN,
            RANDOM_NETWORK,
            OTHER_MASKS,
        }
        assert metric.floor(CENTRED_GAUSSIAN).difference.low > 0
    assert not results.maps.are_human
    assert "not human maps" in results.name
    assert results.settings["crop_share"] == 1.0
    assert results.saliency.shape == (4, 20, 20)


def test_dark_objects_turn_the_scores_round(energy_encoder):
    images, masks = _scene(objects_bright=False)
    maps = object_maps(images, masks, ["cup"] * 4, source="toy scene", licence="CC0-1.0")
    enrichment, pointing, auc = score_objects(energy_encoder, maps, recipe=RECIPE).metrics
    assert enrichment.interval.high < 0
    assert pointing.interval.mean == 0.0
    assert auc.interval.mean == pytest.approx(0.0)


def test_an_empty_mask_is_named(energy_encoder):
    images, masks = _scene()
    masks[1] = False
    maps = object_maps(
        images, masks, ["cup"] * 4, names=list("wxyz"), source="toy", licence="CC0-1.0"
    )
    results = score_objects(energy_encoder, maps, recipe=RECIPE)
    assert list(results.undefined) == ["x"]
    assert results.main.interval.count == 3


def test_shrunken_masks_keep_their_place(energy_encoder):
    settings = ScoreSettings(size=10, crop_share=1.0, resamples=100)
    results = score_objects(energy_encoder, _maps(), recipe=RECIPE, settings=settings)
    assert results.target_maps.shape == (4, 10, 10)
    assert results.metrics[2].interval.mean > 0.98


def test_bad_input_is_refused(energy_encoder, toy_maps):
    images, masks = _scene()
    with pytest.raises(TypeError, match="masks of bool, got uint8"):
        object_maps(images, masks.astype(np.uint8), ["cup"] * 4, source="", licence="")
    with pytest.raises(ValueError, match="4 names, 3 labels|3 names, 3 labels"):
        object_maps(images, masks, ["cup"] * 3, source="", licence="")
    with pytest.raises(ValueError, match="score those with `score`"):
        score_objects(energy_encoder, toy_maps, recipe=RECIPE)
    with pytest.raises(ValueError, match="'abs-max' or 'abs-mean'"):
        score_objects(energy_encoder, _maps(), recipe=SaliencyRecipe(channels="signed-mean"))
    with pytest.raises(ValueError, match="saliency of at least 0"):
        own_scores(ENRICHMENT, -torch.ones(1, 2, 2), torch.ones(1, 2, 2))
