import numpy as np
import pytest
import torch
from merkwelt.alignment import HumanMaps
from merkwelt.alignment.prepare import centre_square, prepare


def _maps(height: int, width: int) -> HumanMaps:
    column = np.broadcast_to(np.arange(width, dtype=np.float32), (1, height, width))
    return HumanMaps(
        images=np.repeat(column[..., None], 3, axis=3).astype(np.uint8),
        maps=column.copy(),
        names=("ramp",),
        labels=("ramp",),
        kind="toy",
        are_human=False,
        source="test",
        licence="CC0-1.0",
    )


def test_crop_of_the_published_size_keeps_its_pixels():
    prepared = prepare(_maps(256, 256), 224)
    assert prepared.maps[0, 0].tolist() == list(range(16, 240))
    torch.testing.assert_close(prepared.images[0, 1, 5] * 255, prepared.maps[0, 5])


@pytest.mark.parametrize("size", [32, 56, 128])
def test_a_ramp_stays_a_ramp_at_pixel_centres(size):
    prepared = prepare(_maps(200, 180), size)
    side = int(180 * 0.875)
    left = (180 - side) // 2
    expected = left - 0.5 + (torch.arange(size) + 0.5) * side / size
    margin = size // 8
    inner = slice(margin, size - margin)
    torch.testing.assert_close(prepared.maps[0, 3, inner], expected[inner], rtol=0, atol=0.1)


def test_images_stay_in_their_range(toy_maps):
    toy_maps.images[:] = 255 * (toy_maps.images > 128)
    prepared = prepare(toy_maps, 40, crop_share=1.0)
    assert prepared.images.min() == 0
    assert prepared.images.max() == 1
    assert prepared.images.shape == (6, 3, 40, 40)
    assert prepared.maps.shape == (6, 40, 40)


def test_centre_square_of_a_wide_picture():
    picture = np.arange(12).reshape(1, 2, 6)
    assert centre_square(picture, 2).tolist() == [[[2, 3], [8, 9]]]


@pytest.mark.parametrize(("size", "crop_share"), [(0, 0.875), (8, 0.0), (8, 1.5)])
def test_impossible_sizes_are_refused(toy_maps, size, crop_share):
    with pytest.raises(ValueError, match="224 and 0.875 are the published values"):
        prepare(toy_maps, size, crop_share=crop_share)
