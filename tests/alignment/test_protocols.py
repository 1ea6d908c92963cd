from typing import get_args

import numpy as np
import pytest
import torch
from merkwelt.alignment.prepare import Preparation, prepare_by, prepare_maps
from merkwelt.alignment.protocols import (
    ProtocolName,
    co3d2025,
    fel2022,
    merkwelt,
    protocol_named,
)
from merkwelt.alignment.saliency.targets import FeatureNorm


def test_every_protocol_has_its_name():
    for name in get_args(ProtocolName):
        protocol = protocol_named(name)
        assert protocol.name == name
        assert protocol.metrics[0].name == "Spearman"
        assert protocol.settings.size == 224
        assert len({metric.name for metric in protocol.metrics}) == len(protocol.metrics)


def test_fel2022_is_clickme_1():
    protocol = fel2022()
    assert protocol.settings.preparation == Preparation(
        size=224, crop_share=1.0, whole_image=True, interpolation="bilinear", antialias=False
    )
    assert protocol.recipe.channels == "abs-max"
    assert protocol.recipe.blur == "no blur"
    assert [m.name for m in protocol.metrics][1:] == [
        "Spearman at 1/4",
        "Spearman at 1/16",
        "Dice",
        "IoU",
    ]
    assert protocol.map_recipe.name == "fel2022"
    assert protocol.ceiling is not None
    assert protocol.ceiling.value == 0.6575315343478081


def test_co3d2025_is_clickme_2():
    protocol = co3d2025()
    assert protocol.settings.preparation.crop_share == 224 / 256
    assert protocol.recipe.blur == "disc blur twice"
    assert protocol.settings.ceilings is not None
    assert protocol.settings.ceilings.halves == "bootstrap-filled"
    assert protocol.ceiling is not None
    assert protocol.ceiling.value == 0.4422303328731989


def test_our_own_protocol_has_no_constant():
    assert merkwelt().ceiling is None


def test_a_protocol_takes_a_models_target():
    target = FeatureNorm(centred=True)
    recipe = fel2022().recipe_of(target, clip_frames=4)
    assert (recipe.target, recipe.clip_frames, recipe.channels) == (target, 4, "abs-max")


def test_whole_images_are_squeezed_and_not_cropped(toy_maps):
    preparation = Preparation(size=8, whole_image=True, interpolation="bilinear", antialias=False)
    prepared = prepare_by(toy_maps, preparation)
    # Halving without antialiasing, half-pixel centres: the mean of each square of four pixels.
    squares = toy_maps.maps.reshape(6, 8, 2, 8, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(prepared.maps, squares, rtol=1e-6)
    pixels = toy_maps.images.reshape(6, 8, 2, 8, 2, 3).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(prepared.images.permute(0, 2, 3, 1), pixels, rtol=1e-5)
    wide = torch.rand(1, 4, 12, generator=torch.Generator().manual_seed(0))
    assert prepare_maps(wide, Preparation(size=4, whole_image=True)).shape == (1, 4, 4)
    cropped = prepare_maps(wide, Preparation(size=4, crop_share=1.0))
    torch.testing.assert_close(cropped, wide[:, :, 4:8])


@pytest.mark.parametrize("wrong", [{"size": 0}, {"crop_share": 0.0}, {"crop_share": 1.5}])
def test_empty_preparations_are_refused(wrong):
    with pytest.raises(ValueError, match="crop share in"):
        Preparation(**wrong)
