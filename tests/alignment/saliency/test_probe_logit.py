import pytest
import torch
from merkwelt.alignment import ProbeLogit, Readout, SaliencyRecipe, saliency_maps
from merkwelt.video_models.encoder import Features
from torch import nn

WEIGHT = torch.randn(3, 4, generator=torch.Generator().manual_seed(2))
BIAS = torch.tensor([0.5, -1.0, 2.0])


class _Mixing(nn.Module):
    """Pooled features: four fixed mixtures of all pixels of a clip of one frame."""

    eyes = 1

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(6)
        self.mixture = nn.Parameter(torch.randn(4, 3, 12, 12, generator=generator))

    def forward(self, clips: torch.Tensor) -> Features:
        pooled = torch.einsum("bchw,kchw->bk", clips[:, 0, -1], self.mixture)
        return Features(maps={}, pooled=pooled[:, None])


def _expected(classes: list[int], encoder: _Mixing) -> torch.Tensor:
    """The gradient of a logit that is linear in pixels is its row of ``W M``."""
    rows = torch.einsum("lk,kchw->lchw", WEIGHT, encoder.mixture.detach())
    return rows.abs().amax(dim=1)[classes]


def test_saliency_of_a_linear_probe_on_linear_features(images):
    encoder = _Mixing()
    target = ProbeLogit(weight=WEIGHT, bias=BIAS, classes=(2, 0, 1, 1, 2))
    recipe = SaliencyRecipe(target=target, clip_frames=1)
    maps = saliency_maps(encoder, images, ("a",) * 5, recipe).maps
    torch.testing.assert_close(maps, _expected([2, 0, 1, 1, 2], encoder))


def test_a_bias_moves_no_map(images):
    encoder = _Mixing()
    maps = [
        saliency_maps(
            encoder,
            images,
            ("a",) * 5,
            SaliencyRecipe(
                target=ProbeLogit(weight=WEIGHT, bias=bias, classes=(0,) * 5), clip_frames=1
            ),
        ).maps
        for bias in (None, BIAS)
    ]
    assert torch.equal(maps[0], maps[1])


def test_labels_choose_the_class_and_unknown_ones_are_named(images):
    encoder = _Mixing()
    target = ProbeLogit(weight=WEIGHT, bias=BIAS, class_names=("car", "cat", "dog"))
    labels = ("dog", "cat", "teapot", "car", "dog")
    recipe = SaliencyRecipe(target=target, clip_frames=1)
    saliency = saliency_maps(encoder, images, labels, recipe)
    assert saliency.undefined == {2: "the probe has no class 'teapot'"}
    torch.testing.assert_close(saliency.maps[[0, 1, 3, 4]], _expected([2, 1, 0, 2], encoder))
    assert saliency.maps[2].isnan().all()


def test_without_classes_the_probe_answers_itself(images):
    encoder = _Mixing()
    recipe = SaliencyRecipe(target=ProbeLogit(weight=WEIGHT, bias=BIAS), clip_frames=1)
    vectors = encoder(images[:, None, None]).pooled[:, 0].detach()
    answers = (vectors @ WEIGHT.T + BIAS).argmax(dim=1).tolist()
    maps = saliency_maps(encoder, images, ("a",) * 5, recipe).maps
    torch.testing.assert_close(maps, _expected(answers, encoder))


def test_bad_probes_are_refused(images):
    with pytest.raises(ValueError, match=r"weight \[class, channel\], got \[4\]"):
        ProbeLogit(weight=WEIGHT[0])
    with pytest.raises(ValueError, match=r"bias for each of 3 classes, got \[2\]"):
        ProbeLogit(weight=WEIGHT, bias=BIAS[:2])
    with pytest.raises(ValueError, match="got both"):
        ProbeLogit(weight=WEIGHT, classes=(0,), class_names=("a", "b", "c"))
    with pytest.raises(ValueError, match=r"label of its own for each of 3 classes, got \['a', 'a'"):
        ProbeLogit(weight=WEIGHT, class_names=("a", "a", "b"))
    with pytest.raises(ValueError, match=r"classes from 0 to 2, got \[0, 3\]"):
        ProbeLogit(weight=WEIGHT, classes=(3, 0))
    recipe = SaliencyRecipe(target=ProbeLogit(weight=WEIGHT, classes=(0, 1)), clip_frames=1)
    with pytest.raises(ValueError, match="one class for each of 5 images, got 2"):
        saliency_maps(_Mixing(), images, ("a",) * 5, recipe)
    narrow = ProbeLogit(weight=WEIGHT[:, :2], readout=Readout(time="mean"))
    with pytest.raises(ValueError, match="expected 2 channels, as the probe was trained on, got 4"):
        saliency_maps(_Mixing(), images, ("a",) * 5, SaliencyRecipe(target=narrow))
