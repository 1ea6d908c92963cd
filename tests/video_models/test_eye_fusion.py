import torch
from merkwelt.video_models.eye_fusion import EyeFusion
from torch import nn


def _fusion(eyes, stereo):
    def layer(inputs, outputs):
        return nn.Conv3d(inputs, outputs, (1, 3, 3), bias=False)

    return EyeFusion(layer, eyes=eyes, image_channels=3, out_channels=8, stereo=stereo)


def _clips(eyes=2):
    return torch.rand(2, eyes, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_width_is_the_same_however_many_eyes():
    for eyes, stereo in ((1, "siamese"), (2, "siamese"), (1, "concat"), (2, "concat")):
        assert _fusion(eyes, stereo)(_clips(eyes)).shape == (2, 8, 4, 6, 6)


def test_siamese_eyes_share_filters_and_become_sum_and_difference():
    fusion, clips = _fusion(2, "siamese"), _clips()
    left, right = (fusion.layer(clips[:, eye].transpose(1, 2)) for eye in (0, 1))
    fused = fusion(clips)
    torch.testing.assert_close(fused[:, :4], (left + right) / 2**0.5)
    torch.testing.assert_close(fused[:, 4:], (left - right) / 2**0.5)


def test_concatenated_eyes_are_channels_left_first():
    fusion, clips = _fusion(2, "concat"), _clips()
    both = torch.cat([clips[:, 0], clips[:, 1]], dim=2).transpose(1, 2)
    torch.testing.assert_close(fusion(clips), fusion.layer(both))
