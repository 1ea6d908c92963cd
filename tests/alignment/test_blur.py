import pytest
import scipy.ndimage
import torch
from merkwelt.alignment.blur import disc_blur_twice, disc_diameter_for, disc_kernel


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
