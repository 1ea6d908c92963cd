import captum.attr
import pytest
import torch
from merkwelt.alignment import (
    ClassLogit,
    FeatureNorm,
    GradCam,
    ImageEncoder,
    LossOfEachClip,
    ObjectiveLoss,
    Readout,
    SaliencyRecipe,
    saliency_maps,
    saliency_of_clips,
)
from merkwelt.alignment.saliency.gradients import Budget, still_clips
from merkwelt.video_models.encoder import Features
from torch import nn

LABELS = ("a", "a", "b", "b", "c")


class _Steps(nn.Module):
    """A two-layer video network of stride 2 in space and time."""

    eyes = 2

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(6, 5, 3, padding=1, stride=2)
        self.conv2 = nn.Conv3d(5, 4, 3, padding=1)
        generator = torch.Generator().manual_seed(8)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(0.4 * torch.randn(parameter.shape, generator=generator))

    def forward(self, clips: torch.Tensor) -> Features:
        stereo = clips.permute(0, 1, 3, 2, 4, 5).flatten(1, 2)
        first = torch.tanh(self.conv1(stereo))
        second = torch.nn.functional.softplus(self.conv2(first))
        return Features(
            maps={"first": first, "second": second},
            pooled=second.mean(dim=(3, 4)).transpose(1, 2),
            frames_per_step=2,
        )


def _norm(net):
    return lambda clips: torch.linalg.vector_norm(net(clips).pooled[:, -1], dim=1)


def _theirs(net, layer: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """Captum's Grad-CAM ``[clip, step, height, width]``, enlarged bilinearly."""
    cam = captum.attr.LayerGradCam(_norm(net), layer).attribute(clips, relu_attributions=True)
    return torch.nn.functional.interpolate(cam[:, 0], size=(12, 12), mode="bilinear").detach()


def test_captum_agrees_on_a_module_of_a_video_network(images):
    net = _Steps()
    clips = still_clips(images, eyes=2, frames=4).contiguous()
    theirs = _theirs(net, net.conv1, clips)
    recipe = SaliencyRecipe(method=GradCam(layer="conv1"), clip_frames=4)
    ours = saliency_maps(net, images, LABELS, recipe).maps
    torch.testing.assert_close(ours, theirs.mean(dim=1))


def test_captum_agrees_on_a_named_map_at_each_frame(small_net, images):
    class Shown(nn.Module):
        eyes = 2

        def __init__(self) -> None:
            super().__init__()
            self.conv = small_net.conv

        def forward(self, clips: torch.Tensor) -> Features:
            maps = self.conv(clips.permute(0, 1, 3, 2, 4, 5).flatten(1, 2))
            pooled = torch.tanh(maps).mean(dim=(-2, -1)).transpose(1, 2)
            return Features(maps={"shown": maps}, pooled=pooled)

    net = Shown()
    theirs = _theirs(net, net.conv, still_clips(images, eyes=2, frames=3).contiguous())
    for frames, expected in (("last frame", theirs[:, 2]), (0, theirs[:, 0])):
        recipe = SaliencyRecipe(method=GradCam(layer="shown"), clip_frames=3, frames=frames)
        torch.testing.assert_close(saliency_maps(net, images, LABELS, recipe).maps, expected)


def test_captum_agrees_on_an_image_network(images):
    generator = torch.Generator().manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.Softplus(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    chosen = network(images).argmax(dim=1)
    cam = captum.attr.LayerGradCam(network, network[0]).attribute(
        images, target=chosen, relu_attributions=True
    )
    theirs = torch.nn.functional.interpolate(cam, size=(12, 12), mode="bilinear")[:, 0].detach()
    encoder = ImageEncoder(network)
    encoder.requires_grad_(requires_grad=False)
    for frames in (1, 3):
        recipe = SaliencyRecipe(
            target=ClassLogit(),
            method=GradCam(layer="network.0"),
            clip_frames=frames,
            frames="last frame",
        )
        ours = saliency_maps(encoder, images, LABELS, recipe, budget=Budget(batch=2)).maps
        torch.testing.assert_close(ours, theirs)


def test_by_hand_for_a_channel_that_is_read_directly(images):
    class Channels(nn.Module):
        """A map of two channels, of which the mean of the first minus the second is read."""

        eyes = 1

        def forward(self, clips: torch.Tensor) -> Features:
            maps = clips[:, 0].transpose(1, 2)[:, :2] * 2
            value = (maps[:, 0] - maps[:, 1]).mean(dim=(2, 3))
            return Features(maps={"two": maps}, pooled=value[:, :, None])

    recipe = SaliencyRecipe(target=ClassLogit(), method=GradCam(), clip_frames=1)
    maps = saliency_maps(Channels(), images, LABELS, recipe).maps
    # Each weight is the mean gradient, +1 or -1 over the number of places.
    expected = (2 * images[:, 0] - 2 * images[:, 1]).clamp(min=0) / 144
    torch.testing.assert_close(maps, expected)


def test_steps_of_two_frames_stand_for_both(images):
    net = _Steps()
    of_frame = [
        saliency_maps(
            net, images, LABELS, SaliencyRecipe(method=GradCam(), clip_frames=4, frames=frame)
        ).maps
        for frame in range(4)
    ]
    assert torch.equal(of_frame[0], of_frame[1])
    assert torch.equal(of_frame[2], of_frame[3])
    assert not torch.allclose(of_frame[1], of_frame[2])
    mean = saliency_maps(net, images, LABELS, SaliencyRecipe(method=GradCam(), clip_frames=4)).maps
    torch.testing.assert_close(mean, (of_frame[0] + of_frame[2]) / 2)


def test_a_loss_that_runs_the_encoder_clip_by_clip(images):
    def objective(encoder, clips, truth):
        return encoder(clips).pooled[:, -1].norm(), {}

    net = _Steps()
    clips = still_clips(images, eyes=2, frames=4)
    target = ObjectiveLoss(loss=LossOfEachClip(objective=objective), loss_name="length")
    ours = saliency_of_clips(
        net, clips, LABELS, SaliencyRecipe(target=target, method=GradCam(), clip_frames=4)
    )
    plain = saliency_maps(net, images, LABELS, SaliencyRecipe(method=GradCam(), clip_frames=4))
    torch.testing.assert_close(ours.maps, plain.maps)


def _maps(net, layer: str | None, images: torch.Tensor, **target) -> torch.Tensor:
    recipe = SaliencyRecipe(
        method=GradCam(layer=layer), clip_frames=4, target=FeatureNorm(**target)
    )
    return saliency_maps(net, images, LABELS, recipe).maps


def test_layers_that_are_not_there_are_refused(images, energy_encoder):
    with pytest.raises(
        ValueError, match=r"\['first', 'second'\] or .* conv1, conv2\) .* got 'third'"
    ):
        _maps(_Steps(), "third", images)
    with pytest.raises(ValueError, match=r"feature maps \[\] or a module .* got no layer"):
        _maps(energy_encoder, None, images)
    with pytest.raises(ValueError, match="depends on layer 'second' for Grad-CAM, got one that"):
        _maps(_Steps(), "second", images, readout=Readout(layer="first"))
    image_encoder = ImageEncoder(nn.Sequential(nn.Flatten(), nn.Linear(432, 3)))
    with pytest.raises(ValueError, match=r"'network.1' to give maps .* got \[20, 3\]"):
        _maps(image_encoder, "network.1", images)


def test_no_hook_is_left_behind(images):
    net = _Steps()
    with pytest.raises(ValueError, match="layers .* to read, got 'nowhere'"):
        _maps(net, "conv1", images, readout=Readout(layer="nowhere"))
    _maps(net, "conv1", images)
    assert not any(module._forward_hooks for module in net.modules())
