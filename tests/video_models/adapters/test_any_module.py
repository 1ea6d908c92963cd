import copy
import doctest

import pytest
import torch
from merkwelt.video_models.adapters import any_module
from merkwelt.video_models.adapters.any_module import AnyModule
from merkwelt.video_models.adapters.late_fusion import fitted
from torch import nn


def _network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv3d(3, 4, (1, 3, 3), padding=(0, 1, 1)),
            nn.ReLU(),
            nn.Conv3d(4, 6, (2, 2, 2), stride=2),
            nn.Flatten(),
        )


def _clips(eyes=2, frames=4, size=(8, 8)):
    return torch.rand(2, eyes, frames, 3, *size, generator=torch.Generator().manual_seed(1))


def test_named_layers_become_maps_at_the_steps_of_the_deepest():
    net, clips = _network(), _clips(eyes=1)
    encoder = AnyModule(net, {"early": "1", "late": "2"}, mean=(0.5, 0.4, 0.3), std=(0.2,))
    features = encoder(clips)
    video = (clips[:, 0].transpose(1, 2) - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1, 1)) / 0.2
    early = net[1](net[0](video))
    late = net[2](early)
    torch.testing.assert_close(features.maps["late"], late)
    torch.testing.assert_close(
        features.maps["early"], torch.stack([early[:, :, :2].mean(2), early[:, :, 2:].mean(2)], 2)
    )
    torch.testing.assert_close(features.pooled, late.mean(dim=(3, 4)).transpose(1, 2))
    assert features.frames_per_step == 2
    assert not encoder.causal


def test_two_eyes_become_sum_and_difference():
    net, clips = _network(), _clips()
    one = AnyModule(net, {"late": "2"})
    left, right = (one(clips[:, eye : eye + 1]).maps["late"] for eye in (0, 1))
    both = AnyModule(net, {"late": "2"}, eyes=2)(clips).maps["late"]
    torch.testing.assert_close(both[:, :6], (left + right) / 2**0.5)
    torch.testing.assert_close(both[:, 6:], (left - right) / 2**0.5)


def test_a_copy_looks_with_its_own_layers():
    encoder, clips = AnyModule(_network(), {"late": "2"}, eyes=2), _clips()
    other = copy.deepcopy(encoder)
    with torch.no_grad():
        other.module[2].bias.add_(1)
    assert not torch.equal(encoder(clips).pooled, other(clips).pooled)
    assert not any(layer._forward_hooks for layer in encoder.modules())


def test_tokens_can_be_made_maps():
    net = nn.Sequential(nn.Conv3d(3, 4, (1, 4, 4), stride=(1, 4, 4)), nn.Flatten(2))
    encoder = AnyModule(net, {"tokens": "1"}, to_map=lambda _, each: each.unflatten(2, (4, 2, 2)))
    assert encoder(_clips(eyes=1)).maps["tokens"].shape == (2, 4, 4, 2, 2)
    with pytest.raises(ValueError, match=r"tokens of Sequential to be \[batch, channel, time"):
        AnyModule(net, {"tokens": "1"})(_clips(eyes=1))


def test_wrong_layers_and_clips_are_refused():
    net = _network()
    with pytest.raises(ValueError, match=r"layers that the module has \(0, 1, 2, 3\), got \['7'\]"):
        AnyModule(net, {"late": "7"})
    with pytest.raises(ValueError, match="eyes to be 1 or 2, got 4"):
        AnyModule(net, {"late": "2"}, eyes=4)
    with pytest.raises(ValueError, match="3 numbers for mean"):
        AnyModule(net, {"late": "2"}, mean=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"expected clips of 1 eye\(s\), got 2"):
        AnyModule(net, {"late": "2"})(_clips())
    with pytest.raises(ValueError, match="time steps of Sequential divide, got 5 frames and 2"):
        AnyModule(net, {"late": "2"})(_clips(eyes=1, frames=5))
    with pytest.raises(
        ValueError, match="16 x 16 pixels, .* got 8 x 8; give it frames of that size$"
    ):
        AnyModule(net, {"late": "2"}, image_size_px=16)(_clips(eyes=1))


def test_layers_must_run_exactly_once():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.twice = nn.Conv3d(3, 3, 1)
            self.never = nn.Conv3d(3, 3, 1)

        def forward(self, video):
            return self.twice(self.twice(video))

    with pytest.raises(ValueError, match="to run once, got a second run"):
        AnyModule(Odd(), {"map": "twice"})(_clips(eyes=1))
    with pytest.raises(ValueError, match=r"layers that run, got no output of \['map'\]"):
        AnyModule(Odd(), {"map": "never"})(_clips(eyes=1))


def test_frames_are_resized_only_if_square_and_allowed():
    clips = _clips(size=(24, 24))
    small = fitted(clips, 8, resize=True, network="net")
    assert small.shape == (2, 2, 4, 3, 8, 8)
    torch.testing.assert_close(small.mean(), clips.mean(), rtol=0, atol=5e-3)
    assert fitted(clips, None, resize=False, network="net") is clips
    with pytest.raises(ValueError, match="32 x 32 pixels, .* got 24 x 24; .* or set resize=True"):
        fitted(clips, 32, resize=False, network="net")
    with pytest.raises(ValueError, match="got 24 x 16; give it square frames$"):
        fitted(clips[..., :16], 32, resize=True, network="net")


def test_the_example_runs():
    assert doctest.testmod(any_module, extraglobs={"nn": nn}).failed == 0
