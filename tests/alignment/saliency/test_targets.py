import pytest
import torch
from merkwelt.alignment import ClassLogit, FeatureNorm, PrototypeCosine, Readout
from merkwelt.video_models.encoder import Features
from torch.nn import functional


def _features(vectors: torch.Tensor) -> Features:
    """Two time steps: zeros, then the vectors."""
    pooled = torch.stack([torch.zeros_like(vectors), vectors], dim=1)
    maps = {"deep": vectors[:, :, None, None, None] * torch.tensor([1.0, 3.0]).view(1, 1, 2, 1, 1)}
    return Features(maps=maps, pooled=pooled)


@pytest.fixture
def vectors() -> torch.Tensor:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


LABELS = ("a", "b", "a", "b", "b", "c")


def test_readout_reads_where_it_says(vectors):
    features = _features(vectors)
    torch.testing.assert_close(Readout().vectors(features), vectors)
    torch.testing.assert_close(Readout(time="mean").vectors(features), vectors / 2)
    torch.testing.assert_close(Readout(layer="deep").vectors(features), 3 * vectors)
    deep_mean = Readout(layer="deep", time="mean")
    torch.testing.assert_close(deep_mean.vectors(features), 2 * vectors)
    assert deep_mean.name == "deep averaged over time"


def test_an_unknown_layer_is_named(vectors):
    with pytest.raises(ValueError, match=r"layers \['deep'\] to read, got 'shallow'"):
        Readout(layer="shallow").vectors(_features(vectors))


def test_feature_norm_by_hand_without_running_the_encoder():
    def never() -> torch.Tensor:
        raise AssertionError("not needed")

    fitted = FeatureNorm().fit(never, ["a"])
    value = fitted.function(_features(torch.tensor([[3.0, 4.0]])), torch.tensor([0]))
    assert value.tolist() == [5.0]
    assert not fitted.undefined


def test_centred_feature_norm_ignores_a_common_offset(vectors):
    index = torch.arange(6)
    plain = FeatureNorm(centred=True).fit(lambda: vectors, LABELS)
    moved = FeatureNorm(centred=True).fit(lambda: vectors + 9, LABELS)
    torch.testing.assert_close(
        plain.function(_features(vectors), index),
        moved.function(_features(vectors + 9), index),
        rtol=1e-4,
        atol=1e-5,
    )


def _reference_prototype_cosine(vectors: torch.Tensor, i: int) -> torch.Tensor:
    others = [vectors[j] for j in range(6) if j != i]
    same = [vectors[j] for j in range(6) if j != i and LABELS[j] == LABELS[i]]
    origin = torch.stack(others).mean(dim=0)
    prototype = torch.stack(same).mean(dim=0)
    return functional.cosine_similarity(vectors[i] - origin, prototype - origin, dim=0)


def test_prototype_cosine_equals_a_loop_and_leaves_the_image_out(vectors):
    fitted = PrototypeCosine().fit(lambda: vectors, LABELS)
    index = torch.tensor([4, 0, 3])
    values = fitted.function(_features(vectors[index]), index)
    expected = torch.stack([_reference_prototype_cosine(vectors, int(i)) for i in index])
    torch.testing.assert_close(values, expected)
    assert dict(fitted.undefined) == {5: "no other image of category 'c' to make a prototype from"}


def test_one_category_has_no_prototype(vectors):
    fitted = PrototypeCosine().fit(lambda: vectors, ["a"] * 6)
    assert sorted(fitted.undefined) == list(range(6))


def test_class_logit_keeps_the_class_of_the_clean_image(vectors):
    fitted = ClassLogit().fit(lambda: vectors, LABELS)
    index = torch.tensor([2, 5])
    noisy = vectors[index] - 10 * functional.one_hot(vectors[index].argmax(dim=1), 4)
    values = fitted.function(_features(noisy), index)
    torch.testing.assert_close(values, vectors[index].amax(dim=1) - 10)


def test_class_logit_of_given_classes(vectors):
    target = ClassLogit(classes=(0, 1, 2, 3, 0, 1))
    values = target.fit(lambda: vectors, LABELS).function(
        _features(vectors[3:5]), torch.tensor([3, 4])
    )
    torch.testing.assert_close(values, torch.stack([vectors[3, 3], vectors[4, 0]]))
    assert target.name == "true-class logit"
    with pytest.raises(ValueError, match="one class for each of 2 images, got 6"):
        target.fit(lambda: vectors, ["a", "b"])
