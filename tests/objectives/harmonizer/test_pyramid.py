import numpy as np
import pytest
import torch
from merkwelt.alignment.blur import disc_blur_twice, disc_diameter_for
from merkwelt.objectives.harmonizer.pyramid import (
    binomial_step,
    disc_blur,
    halve,
    pyramid,
    same_padding,
)

from .references import same_convolution


def _random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("size", [(4, 4), (6, 8), (5, 7), (12, 13), (1, 1), (2, 3)])
def test_a_step_is_tensorflows_same_convolution(size):
    maps = _random(2, *size)
    step = binomial_step(maps)
    for got, image in zip(step.numpy(), maps.numpy(), strict=True):
        np.testing.assert_allclose(got, same_convolution(image), rtol=1e-12)


def test_levels_are_repeated_steps():
    maps = _random(1, 14, 12)
    expected = maps[0].numpy()
    for level in pyramid(maps, 5):
        np.testing.assert_allclose(level[0].numpy(), expected, rtol=1e-12)
        expected = same_convolution(expected)
    sizes = [tuple(level.shape[1:]) for level in pyramid(torch.rand(1, 224, 224), 5)]
    assert sizes == [(224, 224), (112, 112), (56, 56), (28, 28), (14, 14)]


@pytest.mark.parametrize(
    ("size", "padding"), [(224, (1, 2)), (6, (1, 2)), (7, (2, 2)), (1, (2, 2))]
)
def test_same_padding(size, padding):
    assert same_padding(size) == padding


def test_zero_padding_of_two_samples_one_pixel_earlier():
    point = torch.zeros(1, 8, 8)
    point[0, 3, 3] = 256.0
    # SAME centres windows on pixels 1, 3, 5, 7 of an even axis; padding of 2 on 0, 2, 4, 6.
    assert binomial_step(point)[0, 1, 1] == 36
    assert binomial_step(point, padding="zero")[0, 1, 1] == 16
    odd = _random(1, 9, 9)
    assert torch.equal(binomial_step(odd), binomial_step(odd, padding="zero"))


def test_the_disc_is_that_of_clickme_2():
    point = torch.zeros(1, 224, 224, dtype=torch.float64)
    point[0, 128, 128] = 317.0
    blurred = disc_blur(point)[0]
    rows, columns = np.mgrid[:224, :224]
    inside = (rows - 128) ** 2 + (columns - 128) ** 2 <= 100
    assert inside.sum() == 317
    np.testing.assert_allclose(blurred.numpy(), inside, atol=1e-12)
    small = _random(1, 8, 8)
    assert torch.equal(disc_blur(small), small)


@pytest.mark.parametrize("size", [(8, 8), (24, 24), (48, 60), (64, 64), (112, 112), (224, 224)])
def test_saliency_is_blurred_as_the_alignment_score_blurs_it(size):
    maps = _random(2, *size)
    expected = disc_blur_twice(maps, disc_diameter_for(min(size)))
    torch.testing.assert_close(disc_blur(disc_blur(maps)), expected, rtol=0, atol=1e-12)


def test_halves_are_means():
    maps = _random(1, 5, 4)
    expected = maps[:, :4].reshape(1, 2, 2, 2, 2).mean(dim=(2, 4))
    torch.testing.assert_close(halve(maps), expected)
    assert halve(_random(1, 1, 3)).shape == (1, 1, 1)
    assert [level.shape[-1] for level in pyramid(maps, 4, kernel="disc")] == [4, 2, 1, 1]
