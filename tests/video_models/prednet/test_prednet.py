import numpy as np
import pytest
import torch
from merkwelt.video_models import Encoder, PredNet, PredNetConfig, PredNetFeatures
from merkwelt.video_models.prednet.layer import hard_sigmoid

from .reference_step import predict_all


def _encoder(*, scale=1.0, seed=0, **config):
    """Return a small PredNet with random weights and biases, which say more than zero biases."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = PredNet(PredNetConfig(**({"widths": (4, 5)} | config)))
        for each in encoder.parameters():
            torch.nn.init.normal_(each, std=scale * 0.3)
    return encoder


def _clips(*, batch=2, eyes=2, frames=4, channels=3, size=(16, 16)):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, eyes, frames, channels, *size, generator=generator)


def _count(**config):
    return sum(p.numel() for p in PredNet(PredNetConfig(**config)).parameters())


def _counted_by_formula(a, r):
    """Return the number of weights from the layers' channels, term by term."""
    total = 0
    for i, (target, width) in enumerate(zip(a, r, strict=True)):
        inputs = 2 * target + width + (r[i + 1] if i + 1 < len(r) else 0)
        total += 4 * (9 * inputs * width + width) + 9 * width * target + target
        if i + 1 < len(a):
            total += 18 * target * a[i + 1] + a[i + 1]
    return total


def test_sizes_are_those_of_the_published_networks():
    assert _count(eyes=1, widths=(48, 96, 192)) == 6_915_948
    assert _count(eyes=1, image_channels=1, widths=(32, 64, 128, 256)) == 12_510_842
    assert _count() == _counted_by_formula((6, 12, 24, 48), (6, 12, 24, 48)) == 440_202
    own = _count(eyes=1, widths=(5, 7), representation_widths=(4, 6, 8))
    assert own == _counted_by_formula((3, 5, 7), (4, 6, 8))


def test_features_have_the_promised_shapes():
    features = _encoder(representation_widths=(7, 8, 9))(_clips(size=(16, 24)))
    assert isinstance(features, PredNetFeatures)
    shapes = {name: tuple(each.shape) for name, each in features.maps.items()}
    assert shapes == {
        "layer0": (2, 7, 4, 16, 24),
        "layer1": (2, 8, 4, 8, 12),
        "layer2": (2, 9, 4, 4, 6),
    }
    assert features.predictions.shape == (2, 2, 4, 3, 16, 24)
    assert features.layer_errors.shape == (2, 4, 3)
    expected = features.maps["layer2"].mean(dim=(3, 4)).transpose(1, 2)
    torch.testing.assert_close(features.pooled, expected)
    assert isinstance(_encoder(), Encoder)


@pytest.mark.parametrize("eyes", [1, 2])
def test_it_agrees_with_a_second_implementation_in_float64(eyes):
    """Both are float64 and differ in the order of sums only: 1e-12 is 1e4 roundings of 1."""
    encoder = _encoder(eyes=eyes, scale=2.0, representation_widths=(6, 3, 4)).double()
    clips = _clips(eyes=eyes, frames=3, size=(8, 12)).double()
    features = encoder(clips)
    weights = [_by_gate(each) for each in encoder.layers]
    for b in range(2):
        # The left eye's channels come first.
        clip = np.concatenate(list(clips[b].numpy()), axis=1)
        predictions, errors, seen = predict_all(weights, clip)
        ours = torch.cat(list(features.predictions[b]), dim=1).detach().numpy()
        np.testing.assert_allclose(ours, predictions, rtol=0, atol=1e-12)
        assert 0 < (predictions == 1).mean() < 1, "some predictions should be cut off, not all"
        np.testing.assert_allclose(features.layer_errors[b].detach(), errors, rtol=0, atol=1e-12)
        for i in range(3):
            ours = features.maps[f"layer{i}"][b].detach().transpose(0, 1).numpy()
            theirs = np.stack([each[i] for each in seen])
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_float32_agrees_with_it_too():
    encoder = _encoder(eyes=1)
    clips = _clips(eyes=1, batch=1, frames=3, size=(8, 8))
    predictions, _, _ = predict_all(
        [_by_gate(each.double()) for each in encoder.layers], clips[0, 0].double().numpy()
    )
    ours = encoder.float()(clips).predictions[0, 0].detach().numpy()
    np.testing.assert_allclose(ours, predictions, rtol=0, atol=1e-6)


def _by_gate(layer):
    """Return the weights of a layer, gate by gate."""
    kernels, biases = layer.gates.weight.detach().chunk(4), layer.gates.bias.detach().chunk(4)
    convs = dict(zip("ifog", zip(kernels, biases, strict=True), strict=True))
    convs["ahat"] = layer.predict.weight.detach(), layer.predict.bias.detach()
    if layer.ascend is not None:
        convs["a"] = layer.ascend.weight.detach(), layer.ascend.bias.detach()
    return {name: (kernel.numpy(), bias.numpy()) for name, (kernel, bias) in convs.items()}


def test_without_weights_every_pixel_is_an_error():
    encoder, clips = _encoder(scale=0.0), _clips()
    features = encoder(clips)
    assert features.predictions.abs().max() == 0
    # E_0 = [0, A]: its mean is half that of the frame.
    expected = clips.mean(dim=(1, 3, 4, 5)) / 2
    torch.testing.assert_close(features.layer_errors[..., 0], expected, rtol=0, atol=1e-6)
    assert features.layer_errors[..., 1:].abs().max() == 0


def test_a_prediction_is_made_before_its_frame_is_seen():
    encoder, now = _encoder().double(), 2
    clips = _clips().double().requires_grad_()
    predictions = encoder(clips).predictions
    weights = torch.linspace(-1, 1, predictions[:, :, 0].numel()).double()
    for t in (now, now + 1):
        chosen = predictions[:, :, t]
        (gradient,) = torch.autograd.grad(
            (chosen * weights.view_as(chosen)).sum(), clips, retain_graph=True
        )
        assert gradient[:, :, t:].abs().max() == 0
        assert gradient[:, :, :t].abs().amax(dim=(0, 1, 3, 4, 5)).min() > 0


@pytest.mark.parametrize("name", ["layer0", "layer2", "pooled"])
def test_features_have_seen_their_frame_and_no_later_one(name):
    encoder, now = _encoder().double(), 1
    clips = _clips().double().requires_grad_()
    features = encoder(clips)
    chosen = features.pooled[:, now] if name == "pooled" else features.maps[name][:, :, now]
    weights = torch.linspace(-1, 1, chosen.numel(), dtype=torch.float64).view_as(chosen)
    (gradient,) = torch.autograd.grad((chosen * weights).sum(), clips)
    assert gradient[:, :, now + 1 :].abs().max() == 0
    assert gradient[:, :, : now + 1].abs().amax(dim=(0, 1, 3, 4, 5)).min() > 0


def test_eyes_see_each_other():
    encoder = _encoder().double()
    clips = _clips().double().requires_grad_()
    left = encoder(clips).predictions[:, 0, -1]
    (gradient,) = torch.autograd.grad((left * left).sum(), clips)
    assert gradient[:, 1].abs().max() > 0


def test_a_moved_world_is_predicted_moved():
    """By 4 px, one pixel of the top layer, and far from the borders, whose zeros do not move."""
    encoder = _encoder(eyes=1).double()
    world = _clips(eyes=1, batch=1, frames=3, size=(128, 132)).double()
    here, moved = encoder(world[..., :128]).predictions, encoder(world[..., 4:]).predictions
    # With each frame the border's zeros come in by a pixel for each 3 x 3 convolution on the way:
    # 1 + 1 + 1 at layer 0, 2 + 2 + 2 at layer 1, 4 + 4 at the top; 51 px after three frames.
    inner = slice(52, 76)
    torch.testing.assert_close(
        here[..., inner, 52 + 4 : 76 + 4], moved[..., inner, inner], rtol=0, atol=1e-12
    )
    assert (here - moved).abs().max() > 1e-3


def test_clips_do_not_mix():
    encoder, clips = _encoder(), _clips()
    alone, together = encoder(clips[1:]), encoder(clips)
    torch.testing.assert_close(together.pooled[1:], alone.pooled)
    torch.testing.assert_close(together.layer_errors[1:], alone.layer_errors)


def test_extrapolation_goes_on_from_its_own_predictions():
    encoder = _encoder().double()
    clips = _clips().double()
    with torch.no_grad():
        ahead = encoder.extrapolate(clips, 3)
        seen = clips
        for step in range(3):
            # Whatever frame follows, its prediction comes first, and is then taken for it.
            unseen = torch.rand_like(clips[:, :, :1])
            prediction = encoder(torch.cat([seen, unseen], dim=2)).predictions[:, :, -1:]
            torch.testing.assert_close(ahead[:, :, step : step + 1], prediction)
            seen = torch.cat([seen, prediction], dim=2)
    with pytest.raises(ValueError, match="at least 1 frame to predict, got 0"):
        encoder.extrapolate(clips, 0)


def test_gates_start_as_convolutions_of_their_own():
    """Glorot's bound is sqrt(6 / (fan in + fan out)), with the fan out of one gate."""
    layer = PredNet(PredNetConfig(eyes=1, widths=(32,))).layers[1]
    kernel = layer.gates.weight.detach()
    bound = (6 / (9 * kernel.shape[1] + 9 * 32)) ** 0.5
    for gate in kernel.chunk(4):
        assert 0.98 * bound < float(gate.abs().max()) <= bound
    assert layer.gates.bias.abs().max() == 0


def test_gates_are_those_of_keras():
    x = torch.tensor([-3.0, -2.5, 0.0, 1.0, 2.5, 3.0])
    torch.testing.assert_close(hard_sigmoid(x), torch.tensor([0.0, 0.0, 0.5, 0.7, 1.0, 1.0]))


def test_it_can_be_derived_twice():
    encoder = _encoder().double()
    clips = _clips(frames=3, size=(8, 8)).double().requires_grad_()
    features = encoder(clips)
    total = features.pooled.square().sum() + features.predictions.square().sum()
    (saliency,) = torch.autograd.grad(total, clips, create_graph=True)
    saliency.square().sum().backward()
    gradients = [each.grad for each in encoder.parameters()]
    assert all(each is not None and each.isfinite().all() for each in gradients)
    assert sum(float(each.abs().sum()) for each in gradients) > 0


def test_half_precision_convolves_and_full_precision_counts():
    encoder, clips = _encoder(), _clips()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = encoder(clips)
        half.layer_errors.sum().backward()
    whole = encoder(clips)
    assert half.layer_errors.dtype == torch.float32
    # bfloat16 has 8 bits: relative errors of 2^-8 in each product, more after four steps.
    torch.testing.assert_close(half.layer_errors, whole.layer_errors, rtol=0.1, atol=0.02)
    assert all(each.grad.isfinite().all() for each in encoder.parameters())


def test_wrong_clips_are_refused():
    encoder = _encoder()
    with pytest.raises(ValueError, match=r"expected clips of 2 eye\(s\), got 1; build"):
        encoder(_clips(eyes=1))
    with pytest.raises(ValueError, match="expected 3 channels, got 1"):
        encoder(_clips(channels=1))
    with pytest.raises(
        ValueError, match="divisible by 4, for each of the 3 .* got 16 x 18; choose"
    ):
        encoder(_clips(size=(16, 18)))


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="eyes to be 1 or 2, got 3"):
        PredNetConfig(eyes=3)
    with pytest.raises(ValueError, match="only positive numbers of channels"):
        PredNetConfig(widths=(4, 0))
    with pytest.raises(ValueError, match="expected 3 representation_widths"):
        PredNetConfig(widths=(4, 5), representation_widths=(3, 4))
    with pytest.raises(ValueError, match="pixel_max above 0"):
        PredNetConfig(pixel_max=0.0)
