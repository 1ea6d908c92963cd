import pytest
import torch
from merkwelt.objectives.harmonizer.presets import PRESETS
from merkwelt.video_models.encoder import Features
from torch import nn
from torch.nn import functional as F

from .small import BASES, built, clips, stills


class Attending(nn.Module):
    """An encoder of patches whose middle is given."""

    eyes = 1
    causal = True

    def __init__(self, middle):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, stride=8)
        self.middle = middle

    def forward(self, clips):
        frames = clips[:, 0]
        tokens = self.patches(frames.flatten(0, 1)).flatten(2).transpose(1, 2)
        hidden = self.middle(tokens)
        pooled = hidden.mean(dim=1).unflatten(0, frames.shape[:2])
        return Features(maps={"all": pooled.transpose(1, 2)[..., None, None]}, pooled=pooled)


class Attention(nn.Module):
    def forward(self, tokens):
        heads = tokens[:, None].contiguous()
        return F.scaled_dot_product_attention(heads, heads, heads)[:, 0]


def test_asking_for_second_derivatives_changes_nothing():
    first, second = built(objective=BASES["sfa"]), built(objective=BASES["sfa"])
    second[1]._differentiable_twice = True
    for encoder, objective in (first, second):
        objective(encoder, clips(), stills())[0].backward()
    for one, other in zip(first[0].parameters(), second[0].parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize(
    ("middle", "message"),
    [
        (Attention(), r"fused attention .* attention='math'.*\(torch: derivative for"),
        (nn.Hardsigmoid(), r"nn.Hardsigmoid has none \(in middle\); write it as \(x / 6"),
    ],
)
def test_what_has_no_second_derivative_says_what_to_do(middle, message):
    encoder, objective = built(Attending(middle))
    with pytest.raises(RuntimeError, match=message):
        objective(encoder, clips(), stills())
    assert all(weight.grad is None for weight in encoder.parameters())


def test_attention_without_fusion_trains():
    encoder, objective = built(Attending(Attention()))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        loss, _ = objective(encoder, clips(), stills())
        loss.backward()
    assert encoder.patches.weight.grad.abs().max() > 0


# Importing torch's compiler warns of torch's own use of TorchScript.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
def test_compiled_encoders_are_refused():
    encoder, objective = built()
    with pytest.raises(RuntimeError, match="but it is compiled: .* train without compiling"):
        objective(torch.compile(encoder), clips(), stills())
    encoder.stages[1].compile()
    with pytest.raises(RuntimeError, match="its part 'stages.1' is compiled"):
        objective(encoder, clips(), stills())
    with pytest.raises(RuntimeError, match="its part 'stages.1' is compiled"):
        objective.follow(encoder)


def test_an_encoder_without_gradient_is_refused():
    class Detached(Attending):
        def forward(self, clips):
            return super().forward(clips.detach())

    encoder, objective = built(Detached(nn.Identity()), harmonizer=PRESETS["fel2022"]())
    with pytest.raises(RuntimeError, match="features that depend on the image"):
        objective(encoder, clips(), stills())
