import pytest
import torch
from merkwelt.alignment import (
    ClassLogit,
    ImageEncoder,
    IntegratedGradients,
    SaliencyRecipe,
    SmoothGrad,
    saliency_maps,
)
from merkwelt.alignment.blur import disc_blur_twice, disc_diameter_for
from merkwelt.alignment.saliency.gradients import Budget
from merkwelt.video_models.encoder import Features
from torch import nn

LABELS = ("a", "a", "b", "b", "c")


class _Linear(nn.Module):
    """Pooled features: one number, ``w . x + offset``."""

    eyes = 2

    def __init__(self, frames: int, offset: float = 0.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        weight = torch.randn(2, frames, 3, 12, 12, generator=generator)
        self.weight = nn.Parameter(weight)
        self.offset = offset

    def forward(self, clips: torch.Tensor) -> Features:
        value = (clips * self.weight).sum(dim=(1, 2, 3, 4, 5)) + self.offset
        return Features(maps={}, pooled=value[:, None, None])


def _logit_recipe(**changes) -> SaliencyRecipe:
    return SaliencyRecipe(**{"target": ClassLogit(), "clip_frames": 4, **changes})


def test_linear_model_has_saliency_of_its_weights(images):
    encoder = _Linear(4)
    saliency = saliency_maps(encoder, images, LABELS, _logit_recipe())
    expected = encoder.weight.detach().abs().amax(dim=2).mean(dim=(0, 1))
    torch.testing.assert_close(saliency.maps, expected.expand(5, -1, -1))
    assert saliency.undefined == {}


@pytest.mark.parametrize(
    ("rule", "reduce"),
    [
        ("abs-max", lambda weight: weight.abs().amax(dim=0)),
        ("abs-mean", lambda weight: weight.abs().mean(dim=0)),
        ("signed-mean", lambda weight: weight.mean(dim=0)),
    ],
)
def test_still_image_saliency_is_the_gradient_of_the_image(images, rule, reduce):
    encoder = _Linear(4)
    recipe = _logit_recipe(frames="still image", channels=rule)
    expected = reduce(encoder.weight.detach().sum(dim=(0, 1)))
    maps = saliency_maps(encoder, images, LABELS, recipe).maps
    torch.testing.assert_close(maps, expected.expand(5, -1, -1))


def test_a_constant_added_to_the_logit_changes_nothing(images):
    plain = saliency_maps(_Linear(4), images, LABELS, _logit_recipe())
    moved = saliency_maps(_Linear(4, offset=7.0), images, LABELS, _logit_recipe())
    torch.testing.assert_close(plain.maps, moved.maps)


def test_smoothgrad_without_noise_is_the_gradient(small_net, images):
    plain = saliency_maps(small_net, images, LABELS, SaliencyRecipe())
    smooth = SaliencyRecipe(method=SmoothGrad(samples=3, noise_sd=0.0))
    torch.testing.assert_close(saliency_maps(small_net, images, LABELS, smooth).maps, plain.maps)


def test_smoothgrad_of_a_quadratic_is_a_folded_normal_mean(energy_encoder, images):
    recipe = _logit_recipe(
        method=SmoothGrad(samples=800, noise_sd=0.5), channels="abs-mean", clip_frames=1
    )
    # The gradient is x + noise, and E|N(x, s)| = s sqrt(2/pi) exp(-x^2/2s^2) + x erf(x/(s sqrt 2)).
    sd = 0.5
    expected = sd * (2 / torch.pi) ** 0.5 * torch.exp(-(images**2) / (2 * sd**2))
    expected = expected + images * torch.erf(images / (sd * 2**0.5))
    maps = saliency_maps(energy_encoder, images, LABELS, recipe).maps
    torch.testing.assert_close(maps, expected.mean(dim=1), rtol=0, atol=0.06)


def test_noise_depends_on_the_seed_and_the_image_only(small_net, images):
    recipe = SaliencyRecipe(method=SmoothGrad(samples=2), clip_frames=3)

    def maps(batch: int, seed: int) -> torch.Tensor:
        budget = Budget(batch=batch, seed=seed)
        return saliency_maps(small_net, images, LABELS, recipe, budget=budget).maps

    torch.testing.assert_close(maps(1, 0), maps(4, 0), rtol=1e-4, atol=1e-8)
    assert torch.equal(maps(4, 0), maps(4, 0))
    assert not torch.allclose(maps(4, 0), maps(4, 1), rtol=1e-2)


def test_blur_follows_the_reduction(small_net, images):
    plain = saliency_maps(small_net, images, LABELS, SaliencyRecipe()).maps
    blurred = saliency_maps(small_net, images, LABELS, SaliencyRecipe(blur="disc blur twice")).maps
    torch.testing.assert_close(blurred, disc_blur_twice(plain, disc_diameter_for(12)))


def test_integrated_gradients_reach_the_maps(energy_encoder, images):
    recipe = _logit_recipe(method=IntegratedGradients(steps=8, baseline=0.0), clip_frames=1)
    maps = saliency_maps(energy_encoder, images, LABELS, recipe).maps
    torch.testing.assert_close(maps, (images**2).amax(dim=1) / 2)


def test_the_module_stays_as_it_was(small_net, images):
    small_net.train()
    small_net.norm.eval()
    before = {key: value.clone() for key, value in small_net.state_dict().items()}
    saliency_maps(small_net, images, LABELS, SaliencyRecipe())
    assert small_net.training
    assert not small_net.norm.training
    assert all(parameter.grad is None for parameter in small_net.parameters())
    for key, value in small_net.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)


def test_maps_without_information_are_named(energy_encoder, images):
    images[1] = 0
    images[3, 0, 0, 0] = torch.nan
    saliency = saliency_maps(energy_encoder, images, LABELS, SaliencyRecipe())
    assert saliency.undefined == {1: "its saliency is constant", 3: "its saliency is not finite"}
    is_nan = saliency.usable().isnan()
    assert is_nan.flatten(1).all(dim=1).tolist() == [False, True, False, True, False]


def test_progress_rises_to_the_end(small_net, images):
    told: list[tuple[float, str]] = []
    saliency_maps(
        small_net,
        images,
        LABELS,
        SaliencyRecipe(),
        budget=Budget(batch=2),
        progress=lambda share, message: told.append((share, message)),
    )
    assert [share for share, _ in told] == [0.4, 0.8, 1.0]
    assert told[0][1] == "saliency of 5 images"


def test_an_image_network_is_scored_as_an_encoder(images):
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 12, 4))
    encoder = ImageEncoder(network, mean=(0.5, 0.5, 0.5), sd=(0.25, 0.5, 1.0))
    maps = saliency_maps(encoder, images, LABELS, _logit_recipe(clip_frames=1)).maps
    chosen = network((images - 0.5) / torch.tensor([0.25, 0.5, 1.0]).view(3, 1, 1))
    weights = network[1].weight.detach()[chosen.argmax(dim=1)].view(5, 3, 12, 12)
    weights = weights / torch.tensor([0.25, 0.5, 1.0]).view(3, 1, 1)
    torch.testing.assert_close(maps, weights.abs().amax(dim=1))


def test_bad_configurations_are_refused(small_net, images):
    with pytest.raises(ValueError, match="at least 1 sample"):
        SmoothGrad(samples=0)
    with pytest.raises(ValueError, match="at least 1 step"):
        IntegratedGradients(steps=0)
    with pytest.raises(ValueError, match="at least 1 frame"):
        SaliencyRecipe(clip_frames=0)
    with pytest.raises(ValueError, match="batch of at least 1"):
        Budget(batch=0)
    small_net.eyes = 3
    with pytest.raises(TypeError, match="attribute 'eyes' is 1 or 2, got 3 on SmallNet"):
        saliency_maps(small_net, images, LABELS, SaliencyRecipe())


def test_a_detached_encoder_is_refused(images):
    class Detached(nn.Module):
        eyes = 1

        def forward(self, clips: torch.Tensor) -> Features:
            return Features(maps={}, pooled=clips.detach().mean(dim=(1, 4, 5)))

    with pytest.raises(RuntimeError, match="must not detach its input"):
        saliency_maps(Detached(), images, LABELS, SaliencyRecipe())
