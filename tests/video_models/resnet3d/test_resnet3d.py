import pytest
import torch
from merkwelt.video_models.resnet3d.resnet3d import (
    ResNet3D,
    ResNet3DConfig,
    resnet2d3d_18,
    resnet3d_18,
)


def _count(config):
    with torch.device("meta"):
        return sum(p.numel() for p in ResNet3D(config).parameters())


def test_the_default_is_small():
    assert _count(ResNet3DConfig()) == 360_392


def test_published_sizes():
    # With one eye: R3D-18 has 33,371,472 parameters, 205,200 of them its classifier.
    assert _count(ResNet3DConfig(**{**vars(resnet3d_18()), "eyes": 1})) == 33_371_472 - 205_200
    # DPC's backbone is given as 14.06 M.
    one_eye = _count(ResNet3DConfig(**{**vars(resnet2d3d_18()), "eyes": 1}))
    assert round(one_eye / 1e6, 2) == 14.06


def test_maps_are_those_of_the_stages():
    config = ResNet3DConfig(strides=(1, 2, 2, 2), stem_pool=True)
    maps = ResNet3D(config)(torch.rand(1, 2, 2, 3, 64, 96)).maps
    assert {name: tuple(each.shape) for name, each in maps.items()} == {
        "stem": (1, 16, 2, 16, 24),
        "stage1": (1, 16, 2, 16, 24),
        "stage2": (1, 32, 2, 8, 12),
        "stage3": (1, 48, 2, 4, 6),
        "stage4": (1, 64, 2, 2, 3),
    }


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="as many widths as blocks"):
        ResNet3DConfig(widths=(16, 32))
    with pytest.raises(ValueError, match=r"divisible by norm_groups 4, got widths\[1\] 30"):
        ResNet3DConfig(widths=(16, 30, 48, 64))
    with pytest.raises(ValueError, match="only positive numbers, got stem_frames 0"):
        ResNet3DConfig(stem_frames=0)
