from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from merkwelt.training.encoder_view import EncoderView, encoder_view, in_float32
from merkwelt.training.learner import Learner

from .drifting import small_experiment

CPU = torch.device("cpu")
inductor_may_be_deprecated = pytest.mark.filterwarnings(
    # torch's own, where the compiler is imported for the first time.
    "ignore:.*torch.jit.script_method.*:DeprecationWarning"
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    maps: dict
    pooled: torch.Tensor
    errors: tuple
    frames_per_step: int = 1


class Tiny(nn.Module):
    eyes = 2
    causal = True

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(5, 7))

    def forward(self, clips):
        pooled = clips @ self.weight.T
        return Seen(maps={"deep": pooled.relu()}, pooled=pooled, errors=(pooled.mean(),))


def test_bfloat16_is_of_the_forward_pass_alone():
    encoder = Tiny()
    clips = torch.rand(3, 7, generator=torch.Generator().manual_seed(1))
    seen = EncoderView(encoder, precision="bf16", compiled=False)(clips)
    rounded = (clips.bfloat16() @ encoder.weight.bfloat16().T).float()
    assert torch.equal(seen.pooled, rounded)
    assert not torch.equal(seen.pooled, encoder(clips).pooled)
    for each in (seen.pooled, *seen.maps.values(), *seen.errors):
        assert each.dtype == torch.float32
    assert seen.frames_per_step == 1
    seen.pooled.square().sum().backward()
    assert encoder.weight.dtype == encoder.weight.grad.dtype == torch.float32


def test_what_is_precise_stays_as_it_is():
    double = torch.zeros(2, dtype=torch.float64)
    seen = in_float32(Seen(maps={}, pooled=double, errors=(torch.tensor(1),)))
    assert seen.pooled is double
    assert seen.errors[0].dtype == torch.int64


def test_all_else_is_the_encoders_own():
    encoder = Tiny()
    view = encoder_view(encoder, nn.Identity(), precision="bf16", compiled=False)
    assert (view.eyes, view.causal) == (2, True)
    assert [name for name, _ in view.named_parameters()] == ["weight"]
    assert encoder_view(encoder, nn.Identity(), precision="float32", compiled=False) is encoder


@pytest.mark.parametrize("name", ["sfa", "predict"])
def test_a_step_in_bfloat16_is_near_one_in_float32(name):
    clips = torch.rand(4, 2, 6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    norms = {}
    for precision in ("float32", "bf16"):
        learner = Learner(small_experiment(name, precision=precision), CPU)
        norms[precision] = learner.step((clips, {}), 0)["gradient_norm"]
        for module in (learner.encoder, learner.objective):
            assert {p.dtype for p in module.parameters()} == {torch.float32}
    # bfloat16 has 8 bits of mantissa: 0.4 % at each operation.
    assert norms["bf16"] != norms["float32"]
    assert norms["bf16"] == pytest.approx(norms["float32"], rel=0.1)


@inductor_may_be_deprecated
def test_a_compiled_encoder_sees_the_same_and_keeps_its_names():
    encoder = Tiny()
    view = EncoderView(encoder, precision="float32", compiled=True)
    clips = torch.rand(3, 7)
    seen = view(clips)
    assert view.take_news() == []
    assert torch.allclose(seen.pooled, encoder(clips).pooled, rtol=1e-5, atol=1e-6)
    assert list(encoder.state_dict()) == ["weight"]


@inductor_may_be_deprecated
def test_without_a_compiler_it_says_so_once_and_goes_on(monkeypatch, tmp_path):
    import torch._inductor.config as inductor

    torch._dynamo.reset()  # what the test before has compiled is not to be had
    monkeypatch.setattr(inductor.cpp, "cxx", (None, "/no/such/compiler"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    encoder = Tiny()
    view = EncoderView(encoder, precision="float32", compiled=True)
    clips = torch.rand(3, 7)
    for _ in range(2):
        assert torch.equal(view(clips).pooled, encoder(clips).pooled)
    (news,) = view.take_news()
    assert "could not be compiled and runs as it is: InvalidCxxCompiler" in news
    assert "needs a C++ compiler" in news
    assert view.take_news() == []


def test_objectives_that_differentiate_twice_are_not_compiled():
    twice = nn.Identity()
    twice.needs_double_backward = True
    with pytest.raises(ValueError, match="compile=False with Identity: it takes the gradient of a"):
        encoder_view(Tiny(), twice, precision="float32", compiled=True)


def test_settings_outside_their_range_are_refused():
    experiment = small_experiment("sfa")
    with pytest.raises(ValueError, match=r"precision out of \('float32', 'bf16'\), got 'fp8'"):
        replace(experiment, precision="fp8")
    with pytest.raises(ValueError, match=r"ema to be None or in \(0, 1\), got 1"):
        replace(experiment, ema=1)
    with pytest.raises(ValueError, match="at least 1 for diagnose_every"):
        replace(experiment, diagnose_every=0)
