"""Preparation of ClickMe 1.0 against an independent NumPy implementation."""

import numpy as np
import pytest
from merkwelt.alignment.maps.fel2022 import prepare_fel2022
from merkwelt.alignment.maps.from_trials import finished_by
from merkwelt.alignment.maps.making import fel2022

from .map_files import some_maps


def _resize_reference(picture: np.ndarray, side: int) -> np.ndarray:
    """Bilinear, half-pixel centres, borders repeated, no antialiasing: separable weights."""
    weights = np.zeros((side, picture.shape[0]))
    for out in range(side):
        at = (out + 0.5) * picture.shape[0] / side - 0.5
        low = int(np.floor(at))
        for source, weight in ((low, low + 1 - at), (low + 1, at - low)):
            weights[out, min(max(source, 0), picture.shape[0] - 1)] += weight
    return np.einsum("or,rc...,pc->op...", weights, picture, weights, optimize=True)


def _blur_reference(picture: np.ndarray) -> np.ndarray:
    """Kernel 10 x 10, SD 10: x offsets -5..4, y offsets 4..-5, zeros, 4 before and 5 after."""
    x, y = np.arange(-5, 5), np.arange(4, -6, -1)
    kernel = np.exp(-(x[None, :] ** 2 + y[:, None] ** 2) / 200)
    kernel /= kernel.sum()
    padded = np.pad(picture, ((4, 5), (4, 5)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (10, 10))
    return np.tensordot(windows, kernel, axes=2)


def _pairs():
    generator = np.random.default_rng(0)
    return some_maps(
        images=generator.integers(0, 256, (3, 256, 256, 3)).astype(np.uint8),
        maps=generator.random((3, 256, 256), dtype=np.float32) * 255,
        trials=None,
        recipe=None,
    )


def test_preparation_equals_numpy():
    pairs = _pairs()
    prepared = prepare_fel2022(pairs)
    image = _resize_reference(pairs.images[1].astype(float), 224) / 255
    # Positions are float32, about 1e-5 px off, between neighbours that differ by up to 1.
    np.testing.assert_allclose(prepared.images[1].permute(1, 2, 0), image, atol=5e-5)
    small = _resize_reference(pairs.maps[1].astype(float), 64)
    heatmap = _resize_reference(_blur_reference(small), 224)
    np.testing.assert_allclose(prepared.maps[1], heatmap, atol=2e-4)


def test_read_maps_by_the_recipe_are_the_same_but_for_bytes():
    pairs = _pairs()
    finished, prepared = finished_by(pairs, fel2022()), prepare_fel2022(pairs)
    np.testing.assert_array_equal(finished.maps, prepared.maps)
    images = prepared.images.permute(0, 2, 3, 1).numpy()
    assert np.abs(finished.images / 255 - images).max() <= 0.5 / 255 + 1e-6
    assert finished.kind == "clicks, fel2022"


def test_oblong_images_are_refused():
    with pytest.raises(ValueError, match="square images for fel2022, got 9 x 8"):
        prepare_fel2022(some_maps())
