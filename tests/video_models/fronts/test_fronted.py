"""What every front end promises, before an encoder and by itself."""

import dataclasses
from typing import get_args

import pytest
import torch
from merkwelt.objectives import PredictionConfig, SlownessConfig
from merkwelt.objectives.build import build_objective
from merkwelt.objectives.objective import probe_shapes
from merkwelt.video_models import Encoder, StereoCNNConfig
from merkwelt.video_models.build import build_encoder, with_eyes
from merkwelt.video_models.fronts import (
    ConcatenateConfig,
    DisparityEnergyConfig,
    Front,
    FrontedConfig,
    GaborBankConfig,
    SumDifference,
    SumDifferenceConfig,
    fronted,
)
from merkwelt.video_models.fronts.build import FRONTS, build_front

from merkwelt.encoders import FRONT_PRESETS, front_preset
from merkwelt.names import FrontName
from merkwelt.recipes import recipe
from merkwelt.training.config_file import from_plain, to_plain

MORE = {
    "sum_difference_of_pixels": SumDifferenceConfig(width=None, stride_px=2),
    "both_shifts_in_colour": DisparityEnergyConfig(
        shift="both", frequencies=(0.07,), colours="opponent", learnable=True
    ),
    "gabor_mono_noisy": GaborBankConfig(eyes=1, spikes=10.0, learnable=True),
    "concatenate_mono": ConcatenateConfig(eyes=1),
}
CONFIGS = {**{name: make() for name, make in FRONT_PRESETS.items()}, **MORE}

every = pytest.mark.parametrize("name", CONFIGS)


def _seeded(make, config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(config)


def _encoder(name):
    return _seeded(build_encoder, fronted(CONFIGS[name], StereoCNNConfig())).eval()


def _clips(name, *, batch=1, frames=3, size=(32, 40)):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, CONFIGS[name].eyes, frames, 3, *size, generator=generator)


def test_names_and_presets_agree():
    assert set(FRONT_PRESETS) == set(get_args(FrontName))
    assert {type(make()) for make in FRONT_PRESETS.values()} == set(FRONTS)
    with pytest.raises(ValueError, match=r"front end out of \['concatenate'.* got 'retina'"):
        front_preset("retina")
    with pytest.raises(ValueError, match=r"out of .*got StereoCNNConfig"):
        build_front(StereoCNNConfig())


@every
def test_values_are_of_about_the_range_of_a_picture(name):
    front = _seeded(build_front, CONFIGS[name]).eval()
    assert isinstance(front, Front)
    out = front(_clips(name))
    assert out.shape[:4] == (1, 1, 3, CONFIGS[name].out_channels)
    assert out.isfinite().all()
    # Normalised features stay within 5 standard deviations.
    assert out.min() > -0.75
    assert out.max() < 1.75


@every
def test_an_encoder_behind_it_is_an_encoder_and_causal(name):
    encoder = _encoder(name)
    assert isinstance(encoder, Encoder)
    assert encoder.eyes == CONFIGS[name].eyes
    assert encoder.causal
    assert encoder.frames_per_step == 1
    clips = _clips(name)
    later = clips.clone()
    later[:, :, 2] = 1 - later[:, :, 2]
    one, other = encoder(clips), encoder(later)
    assert one.frames_per_step == 1
    assert torch.equal(one.pooled[:, :2], other.pooled[:, :2])
    assert not torch.equal(one.pooled[:, 2], other.pooled[:, 2])


@every
def test_it_survives_its_file_and_a_reload(name):
    experiment = dataclasses.replace(
        recipe("sfa"), encoder=fronted(CONFIGS[name], StereoCNNConfig())
    )
    assert from_plain(to_plain(experiment)) == experiment
    encoder, again = _encoder(name), build_encoder(experiment.encoder).eval()
    again.load_state_dict(encoder.state_dict())
    clips = _clips(name)
    assert torch.equal(encoder(clips).pooled, again(clips).pooled)


@every
@pytest.mark.parametrize("objective", [SlownessConfig(), PredictionConfig()])
def test_a_step_of_descent_lowers_the_loss(name, objective):
    encoder = _encoder(name)
    eyes = CONFIGS[name].eyes
    shapes = probe_shapes(encoder, eyes=eyes)
    head = _seeded(lambda config: build_objective(config, shapes, encoder), objective)
    clips = _clips(name, batch=4, frames=4)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimiser = torch.optim.SGD(parameters, lr=1e-4)
    before, _ = head.eval()(encoder, clips, {})
    before.backward()
    norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert norm > 0
    optimiser.step()
    after, _ = head(encoder, clips, {})
    assert after < before


@every
def test_its_gradient_is_that_of_small_steps_and_has_one_itself(name):
    front = _seeded(build_front, CONFIGS[name]).double().eval()
    clips = _clips(name, frames=1, size=(9, 10)).double().requires_grad_()
    direction = torch.randn(clips.shape, generator=torch.Generator().manual_seed(2)).double()

    def value(step):
        return front(clips + step * direction).square().mean()

    (gradient,) = torch.autograd.grad(value(0.0), clips, create_graph=True)
    slope = (gradient * direction).sum()
    numeric = (value(1e-5) - value(-1e-5)) / 2e-5
    torch.testing.assert_close(slope, numeric.detach(), rtol=1e-4, atol=1e-7)
    (second,) = torch.autograd.grad(slope, clips)
    assert second.isfinite().all()
    assert second.abs().max() > 0


@every
def test_bf16_autocast_changes_little(name):
    front = _seeded(build_front, CONFIGS[name]).eval()
    clips = _clips(name)
    with torch.no_grad():
        full = front(clips)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = front(clips)
    assert half.dtype == torch.float32
    # A bf16 number has 8 bits; quotients of small energies lose a few more.
    assert (half - full).abs().mean() < 0.01


def test_sum_and_difference_are_what_they_say():
    clips = _clips("sum_difference_of_pixels")
    front = SumDifference(SumDifferenceConfig(width=None))
    out = front(clips)[:, 0]
    torch.testing.assert_close(out[:, :, :3], clips.mean(dim=1))
    torch.testing.assert_close(out[:, :, 3:], (clips[:, 0] - clips[:, 1] + 1) / 2)
    # Of a shared convolution: with the same picture in both eyes every difference is 0.
    siamese = _seeded(SumDifference, SumDifferenceConfig())
    same = siamese(clips[:, :1].expand(-1, 2, -1, -1, -1, -1))
    assert (same[..., 12:, :, :] - 0.5).abs().max() < 1e-6
    assert same[..., :12, :, :].std() > 0.1


def test_concatenation_puts_the_left_eye_first():
    clips = _clips("concatenate")
    out = build_front(ConcatenateConfig())(clips)
    assert torch.equal(out[:, 0, :, :3], clips[:, 0])
    assert torch.equal(out[:, 0, :, 3:], clips[:, 1])


def test_with_eyes_changes_the_clips_and_fits_the_encoder():
    config = fronted(GaborBankConfig(), StereoCNNConfig())
    assert (config.eyes, config.image_channels) == (2, 3)
    mono = with_eyes(config, 1)
    assert (mono.eyes, mono.encoder.image_channels) == (1, config.encoder.image_channels // 3)
    assert build_encoder(mono)(torch.rand(1, 1, 2, 3, 32, 32)).pooled.shape == (1, 2, 64)
    with pytest.raises(ValueError, match="expected 2 eyes for DisparityEnergyConfig, got 1"):
        with_eyes(fronted(DisparityEnergyConfig(), StereoCNNConfig()), 1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"1 eye and 6 channels behind ConcatenateConfig, got 2"):
        FrontedConfig(front=ConcatenateConfig(), encoder=StereoCNNConfig())
    one = fronted(ConcatenateConfig(), StereoCNNConfig())
    with pytest.raises(ValueError, match="encoder without one, got ConcatenateConfig before Fron"):
        FrontedConfig(front=ConcatenateConfig(), encoder=one)
    assert fronted(GaborBankConfig(), one) == fronted(GaborBankConfig(), StereoCNNConfig())
    with pytest.raises(ValueError, match="expected clips of 2 eye"):
        build_encoder(one)(torch.rand(1, 1, 2, 3, 32, 32))
    with pytest.raises(ValueError, match="odd kernel"):
        SumDifferenceConfig(kernel_px=4)
    with pytest.raises(ValueError, match="width of at least 1"):
        SumDifferenceConfig(width=0)
