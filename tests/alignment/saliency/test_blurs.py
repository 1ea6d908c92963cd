import numpy as np
import pytest
import torch
from merkwelt.alignment import SaliencyGaussian, SaliencyRecipe, saliency_maps
from merkwelt.alignment.blur import disc_blur_twice
from merkwelt.alignment.maps.gaussian import gaussian_blur, gaussian_kernel
from merkwelt.alignment.maps.making import fel2022, finish_maps
from merkwelt.alignment.saliency.blurs import blurred
from scipy.ndimage import gaussian_filter

MAPS = torch.rand(2, 56, 64, generator=torch.Generator().manual_seed(0))


def test_no_blur_leaves_maps_as_they_are():
    assert torch.equal(blurred(MAPS, "no blur"), MAPS)


def test_the_disc_is_scaled_with_the_shorter_side():
    torch.testing.assert_close(blurred(MAPS, "disc blur twice"), disc_blur_twice(MAPS, 5))


def test_a_gaussian_is_scaled_and_equals_scipys():
    # 16 px at 224 px are 4 px at 56 px; scipy's kernel ends at three standard deviations too.
    expected = gaussian_filter(
        MAPS.double().numpy(), sigma=(0, 4, 4), mode="constant", truncate=3
    ).astype(np.float32)
    ours = blurred(MAPS, SaliencyGaussian(sd_px=16.0))
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=0, atol=1e-6)


def test_a_gaussian_in_two_passes_equals_the_whole_kernel():
    ours = blurred(MAPS, SaliencyGaussian(sd_px=8.0))
    torch.testing.assert_close(ours, gaussian_blur(MAPS, gaussian_kernel(2.0)), rtol=0, atol=1e-6)


def test_the_gaussian_of_fel_is_what_human_maps_go_through():
    maps = torch.rand(2, 224, 224, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(blurred(maps, "Gaussian of Fel 2022"), finish_maps(maps, fel2022()))


def test_blur_reaches_the_maps(small_net, images):
    labels = ("a",) * 5
    plain = saliency_maps(small_net, images, labels, SaliencyRecipe()).maps
    for blur in ("Gaussian of Fel 2022", SaliencyGaussian(sd_px=30.0)):
        found = saliency_maps(small_net, images, labels, SaliencyRecipe(blur=blur)).maps
        torch.testing.assert_close(found, blurred(plain, blur))


def test_a_gaussian_without_width_is_refused():
    with pytest.raises(ValueError, match="standard deviation above 0 px, got 0.0"):
        SaliencyGaussian(sd_px=0.0)
