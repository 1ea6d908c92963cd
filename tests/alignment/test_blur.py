import pytest
import scipy.ndimage
import torch
from merkwelt.alignment.blur import disc_blur_twice, disc_diameter_for, disc_kernel
from torch.nn.functional import conv2d


def test_the_published_disc_has_317_pixels():
    kernel = disc_kernel(21)
    assert int((kernel > 0).sum()) == 317
    assert kernel.sum().item() == pytest.approx(1)
    torch.testing.assert_close(kernel, kernel.T)


def test_blur_equals_scipy_twice():
    maps = torch.rand(2, 20, 24, generator=torch.Generator().manual_seed(0))
    expected = maps.double().numpy()
    kernel = disc_kernel(7).double().numpy()[None]
    for _ in range(2):
        expected = scipy.ndimage.convolve(expected, kernel, mode="constant")
    torch.testing.assert_close(
        disc_blur_twice(maps, 7).double(), torch.from_numpy(expected), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("diameter", "shape"), [(1, (3, 4)), (5, (9, 3)), (21, (40, 33)), (9, (2, 2))]
)
def test_runs_equal_a_convolution_with_the_disc(diameter, shape):
    generator = torch.Generator().manual_seed(diameter)
    maps = torch.randn(6, *shape, generator=generator, dtype=torch.float64)
    disc = (disc_kernel(diameter) > 0).double()
    expected = maps[:, None]
    for _ in range(2):
        expected = conv2d(expected, disc[None, None] / disc.sum(), padding=diameter // 2)
    torch.testing.assert_close(disc_blur_twice(maps, diameter), expected[:, 0], rtol=0, atol=1e-13)


def test_pixels_with_nothing_around_them_stay_exactly_zero():
    maps = torch.zeros(1, 64, 64)
    maps[0, 30, 3::7] = torch.rand(9, generator=torch.Generator().manual_seed(0)) / 3
    reached = scipy.ndimage.binary_dilation(
        maps[0].numpy() > 0, disc_kernel(7).numpy() > 0, iterations=2
    )
    assert ((disc_blur_twice(maps, 7)[0] > 0).numpy() == reached).all()


def test_blur_of_no_maps():
    assert disc_blur_twice(torch.zeros(0, 4, 5), 3).shape == (0, 4, 5)


def test_blur_is_differentiable():
    maps = torch.rand(1, 6, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda given: disc_blur_twice(given, 3), maps)


def test_blur_moves_no_mass_of_an_inner_point():
    maps = torch.zeros(1, 50, 50)
    maps[0, 25, 25] = 1
    blurred = disc_blur_twice(maps, 21)
    assert blurred.sum().item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(blurred[0, 5:46, 5:46], blurred[0, 5:46, 5:46].flip(0, 1))


@pytest.mark.parametrize(("size", "diameter"), [(224, 21), (64, 7), (112, 11), (4, 1)])
def test_the_disc_scales_with_the_input(size, diameter):
    assert disc_diameter_for(size) == diameter


def test_even_discs_are_refused():
    with pytest.raises(ValueError, match="odd disc diameter"):
        disc_kernel(20)
