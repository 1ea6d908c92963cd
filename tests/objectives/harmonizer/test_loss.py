import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.objectives.harmonizer.compare import (
    clicked_pixels_loss,
    compare_maps,
    contrastive_loss,
)
from merkwelt.objectives.harmonizer.config import HarmonizerConfig
from merkwelt.objectives.harmonizer.loss import half_squared_weights, harmonizer_loss, normalised
from merkwelt.objectives.harmonizer.normalise import min_max, standardise_cut
from merkwelt.objectives.harmonizer.presets import (
    co3d_contrastive,
    co3d_default,
    co3d_early,
    co3d_fel,
    fel2022,
    pseudo_clickme,
    research2022,
)
from merkwelt.objectives.harmonizer.pyramid import pyramid
from merkwelt.objectives.harmonizer.saliency import image_gradient, join_channels
from torch.nn import functional as F

from .references import fel_loss

FEL = fel2022()


def _maps(*, count=3, size=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, size, generator=generator, dtype=torch.float64)


def _ones(count=3):
    return torch.ones(count, dtype=torch.float64)


def test_a_case_by_hand():
    """Saliency at one of 4 x 4 pixels, clicks at another one, two levels.

    A map that is 1 at one pixel of 16 has mean 1/16 and population std sqrt(15)/16: standardised
    it is sqrt(15) there and below 0 elsewhere. Level 0: two pixels of 16 differ by sqrt(15), MSE
    2 * 15 / 16 = 1.875. Level 1 under [1 4 6 4 1]/16 with one zero before: pixel 1 weighs (6, 1)/16
    in the two outputs, pixel 2 weighs (4, 4)/16, so the maps are sqrt(15)/256 times
    [[36, 6], [6, 1]] and [[16, 16], [16, 16]], and MSE 15/65536 * (400 + 100 + 100 + 225)/4 =
    0.047206879.
    """
    saliency, human = torch.zeros(2, 1, 4, 4, dtype=torch.float64)
    saliency[0, 1, 1] = 1.0
    human[0, 2, 2] = 1.0
    config = replace(FEL, levels=2, std_epsilon=1e-12)
    loss = harmonizer_loss(config, saliency, human, _ones(1))
    assert float(loss) == pytest.approx((1.875 + 0.047206879) / 2, rel=1e-6)


@pytest.mark.parametrize("preset", [FEL, pseudo_clickme()])
def test_an_affine_copy_of_the_saliency_costs_nothing(preset):
    saliency = _maps()
    loss = harmonizer_loss(preset, saliency, 3 * saliency + 7, _ones())
    # What is left is the epsilon in the standard deviation, 1e-5 of the map, squared.
    assert float(loss) < 1e-9
    assert float(harmonizer_loss(preset, saliency, -saliency, _ones())) > 0.1


def test_the_scale_of_human_maps_plays_no_part():
    saliency, human = _maps(), _maps(seed=1)
    once = harmonizer_loss(FEL, saliency, human, _ones())
    for factor in (0.1, 255.0):
        again = harmonizer_loss(FEL, saliency, factor * human, _ones())
        # Epsilons of 1e-5 and 1e-6 beside deviations of 0.1 and more.
        assert float(again) == pytest.approx(float(once), rel=1e-3)


def test_stills_without_a_map_cost_nothing_but_count():
    saliency, human = _maps(), _maps(seed=1)
    assert float(harmonizer_loss(FEL, saliency, human, torch.zeros(3).double())) == 0
    tokens = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    alone = harmonizer_loss(FEL, saliency[1:2], human[1:2], _ones(1))
    among = harmonizer_loss(FEL, saliency, human, tokens)
    assert float(among) == pytest.approx(float(alone) / 3)


def test_the_loss_is_that_of_plain_numpy():
    saliency, human = _maps(count=2, size=7), _maps(count=2, size=7, seed=1)
    pairs = zip(saliency.numpy(), human.numpy(), strict=True)
    expected = np.mean([fel_loss(s, h, 3) for s, h in pairs])
    loss = harmonizer_loss(replace(FEL, levels=3), saliency, human, _ones(2))
    assert float(loss) == pytest.approx(expected, rel=1e-9)


def test_no_gradient_through_the_maximum():
    saliency, human = _maps(count=2).requires_grad_(), _maps(count=2, seed=1)
    (gradient,) = torch.autograd.grad(harmonizer_loss(FEL, saliency, human, _ones(2)), saliency)
    cut, scaled = normalised(FEL, saliency, human)
    constant = scaled.detach()
    levels = zip(pyramid(cut, 5), pyramid(constant, 5), strict=True)
    by_hand = torch.stack([(s - h).square().mean() for s, h in levels]).mean()
    (expected,) = torch.autograd.grad(by_hand, saliency)
    torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-14)
    let_through = replace(FEL, detach_peak=False)
    loss = harmonizer_loss(let_through, saliency, human, _ones(2))
    (other,) = torch.autograd.grad(loss, saliency)
    assert (other - gradient).abs().max() > 1e-4


def _network(weights, images):
    first, second = weights
    hidden = F.softplus(F.conv2d(images, first, padding=1))
    return (F.softplus(F.conv2d(hidden, second, padding=1))).mean(dim=(1, 2, 3))


def test_second_derivatives_are_exact():
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(2, 3, 6, 6, generator=generator, dtype=torch.float64)
    shapes = (4, 3, 3, 3), (2, 4, 3, 3)
    weights = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]
    human = _maps(count=2, size=6)

    def value(first, second, pixels):
        return _network((first, second), pixels)

    assert torch.autograd.gradgradcheck(value, (*weights, images.clone().requires_grad_()))

    def loss(first, second):
        leaf = images.clone().requires_grad_()
        gradient = image_gradient(_network((first, second), leaf), leaf, create_graph=True)
        # The maximum carries gradient here, as numerical differences see it move.
        config = replace(FEL, levels=2, detach_peak=False)
        return harmonizer_loss(config, join_channels(gradient, "signed-mean"), human, _ones(2))

    assert torch.autograd.gradcheck(loss, weights)


def test_channels_are_joined():
    gradient = torch.tensor([1.0, -4.0, 2.0]).view(1, 3, 1, 1)
    assert join_channels(gradient, "signed-mean").item() == pytest.approx(-1 / 3)
    assert join_channels(gradient, "abs-max").item() == 4


def test_constant_maps_have_no_gradient_instead_of_nan():
    flat = torch.full((1, 4, 4), 0.3, dtype=torch.float64, requires_grad=True)
    for joined in (standardise_cut(flat), min_max(flat)):
        assert joined.abs().max() == 0
        (gradient,) = torch.autograd.grad(joined.sum(), flat)
        assert gradient.isfinite().all()


def test_unbiased_standard_deviation():
    maps = _maps(count=1, size=4)
    expected = torch.relu((maps - maps.mean()) / (maps.numpy().std(ddof=1) + 1e-6))
    got = standardise_cut(maps, epsilon=1e-6, unbiased=True)
    torch.testing.assert_close(got, expected)


def test_comparisons_are_those_of_torch_and_numpy():
    saliency, human = min_max(_maps(count=2, size=5)), min_max(_maps(count=2, size=5, seed=1))
    a, b = saliency.flatten(1), human.flatten(1)
    cosine = 1 - F.cosine_similarity(a, b)
    torch.testing.assert_close(compare_maps("cosine", saliency, human), cosine)
    torch.testing.assert_close(compare_maps("mse", saliency, human), (a - b).square().mean(1))
    logits = compare_maps("bce", saliency, human, saliency_is_logit=True)
    expected = F.binary_cross_entropy_with_logits(a, b, reduction="none").mean(1)
    torch.testing.assert_close(logits, expected)
    inside = a.clamp(1e-4, 1 - 1e-4)
    expected = F.binary_cross_entropy(inside, b, reduction="none").mean(1)
    torch.testing.assert_close(compare_maps("bce", saliency, human), expected)
    share, guess = b / b.sum(1, keepdim=True), a / a.sum(1, keepdim=True)
    expected = -(share * (guess + 1e-8).log()).sum(1)
    torch.testing.assert_close(compare_maps("cross-entropy", saliency, human), expected)
    with pytest.raises(ValueError, match="comparison of single stills, got 'contrastive'"):
        compare_maps("contrastive", saliency, human)


def test_clicked_pixels_by_hand():
    # Two pixels are clicked; the two most salient ones are 0.9 and 0.5, of which one is clicked.
    saliency = torch.tensor([[[0.9, 0.5], [0.2, 0.1]]], dtype=torch.float64)
    human = torch.tensor([[[1.0, 0.0], [0.4, 0.0]]], dtype=torch.float64)
    got = clicked_pixels_loss(saliency, human, saliency_is_logit=True)
    at_first = math.log(1 + math.exp(-0.9))
    at_third = math.log(2)
    assert float(got) == pytest.approx((at_first + at_third) / 2)
    none = clicked_pixels_loss(saliency, torch.zeros_like(human), saliency_is_logit=True)
    assert float(none) == 0


def test_maps_of_a_batch_are_told_apart():
    apart = torch.eye(4, dtype=torch.float64).view(4, 2, 2)
    loss = contrastive_loss(apart, apart, temperature=0.5)
    assert float(loss) == pytest.approx(math.log(1 + 3 * math.exp(-2)))
    swapped = contrastive_loss(apart, apart.flip(0), temperature=0.5)
    assert float(swapped) == pytest.approx(2 + float(loss))
    config = co3d_contrastive()
    with pytest.raises(ValueError, match="at least 2 stills with a human map .* got 1"):
        harmonizer_loss(config, apart, apart, torch.tensor([1.0, 0, 0, 0]).double())


def test_norms_and_embeddings_are_not_decayed():
    named = {"conv.weight": 2.0, "bn1.weight": 9.0, "norms.0.gain": 9.0, "pos_embed": 9.0, "b": 1.0}
    weights = [(name, torch.tensor([v]).requires_grad_()) for name, v in named.items()]
    weights.append(("frozen", torch.tensor([9.0])))
    assert half_squared_weights(weights).item() == pytest.approx((4 + 1) / 2)
    assert float(half_squared_weights([])) == 0


def test_presets_differ_as_they_say():
    assert HarmonizerConfig() == FEL
    assert (FEL.levels, FEL.map_weight, FEL.std_epsilon) == (5, 1.0, 1e-5)
    assert (FEL.label_smoothing, FEL.weight_decay) == (0.1, 1e-5)
    assert replace(FEL, map_weight=2.0, levels=6) == research2022()
    pseudo = pseudo_clickme()
    assert (pseudo.std_epsilon, pseudo.unbiased_std, pseudo.detach_peak) == (1e-6, True, False)
    assert co3d_early().normalise == "none"
    assert co3d_fel("cosine").compare == "cosine"
    assert co3d_default().relative_to_chance


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"levels": 0}, "at least 1 level"),
        ({"std_epsilon": 0.0}, "std_epsilon and temperature above 0"),
        ({"map_weight": -1.0}, "map_weight and weight_decay of at least 0"),
        ({"label_smoothing": 1.0}, r"label_smoothing in \[0, 1\)"),
        ({"clicked_only": True}, "use levels=1 and compare='bce'"),
        ({"compare": "bce"}, "needs normalise='min-max' or a projection"),
        ({"compare": "cross-entropy", "normalise": "none"}, "needs maps of at least 0"),
    ],
)
def test_settings_outside_their_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(FEL, **wrong)


@pytest.mark.parametrize(
    "name", ["scalar", "channels", "normalise", "pyramid", "padding", "compare"]
)
def test_a_misspelt_rule_is_refused_and_not_taken_for_another(name):
    config = replace(FEL)
    # The tests' own type checker would refuse it first.
    object.__setattr__(config, name, "minmax")
    with pytest.raises(ValueError, match=rf"expected {name} to be one of .*, got 'minmax'"):
        config.__post_init__()
