import torch
from merkwelt.alignment import FeatureNorm, HumanMaps, ScoredModel, recipe_for, score_model
from merkwelt.alignment.models.imagenet import imagenet_words, words_for
from merkwelt.alignment.models.scoring import settings_for
from merkwelt.alignment.models.untrained import untrained_copy
from merkwelt.alignment.saliency.methods import Gradient
from torch import nn


def _small(classes: int = 4) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.Tanh(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, classes),
    )


class WithToken(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.ones(3, 1, 1))
        self.body = _small()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.body(images + self.token)


def test_any_module_is_scored_beside_its_floors(toy_maps):
    model = ScoredModel.from_module(_small(), size=16, crop_share=1.0, name="small")
    results = score_model(model, toy_maps, recipe=recipe_for(model, Gradient()))
    assert results.settings["size"] == 16
    assert results.settings["crop_share"] == 1.0
    assert "random-init network" in {floor.name for floor in results.main.floors}
    assert results.recipe["target"]["type"] == "ClassLogit"
    assert model.parameters == 3 * 6 * 9 + 6 + 12 + 24 * 4 + 4
    assert not any(each.requires_grad for each in model.encoder.parameters())


def test_images_are_normalised_as_the_module_expects():
    model = ScoredModel.from_module(nn.Flatten(), mean=(0.5, 0.25, 0.0), sd=(0.5, 1.0, 2.0))
    clip = torch.ones(1, 1, 1, 3, 1, 1)
    out = model.encoder(clip).pooled[0, 0]
    torch.testing.assert_close(out, torch.tensor([1.0, 0.75, 0.5]))


def test_an_untrained_copy_is_drawn_anew_and_leaves_the_rest_alone():
    torch.manual_seed(0)
    network = _small()
    network(torch.rand(8, 3, 8, 8))  # batch norm has seen something
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    copy, again = untrained_copy(network, seed=5), untrained_copy(network, seed=5)
    assert copy is not None
    assert again is not None
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    assert not torch.equal(copy[0].weight, network[0].weight)
    assert torch.equal(copy[0].weight, again[0].weight)
    assert torch.equal(copy[1].running_mean, torch.zeros(6))


def test_what_cannot_be_drawn_anew_has_no_untrained_copy_unless_one_is_given():
    assert untrained_copy(WithToken(), seed=0) is None
    assert ScoredModel.from_module(WithToken()).untrained is None
    assert ScoredModel.from_module(WithToken(), untrained=WithToken()).untrained is not None


def test_object_masks_are_compared_over_the_whole_image():
    masks = HumanMaps(
        images=torch.zeros(2, 20, 30, 3, dtype=torch.uint8).numpy(),
        maps=torch.zeros(2, 20, 30).numpy(),
        names=("a", "b"),
        labels=("x", "y"),
        kind="masks",
        are_human=False,
        source="",
        licence="",
    )
    classifier = ScoredModel.from_module(_small(), size=16)
    assert settings_for(classifier, masks).size == 16
    assert settings_for(classifier, masks).crop_share == 1.0
    run = ScoredModel(
        name="run",
        encoder=classifier.encoder,
        preparation=classifier.preparation,
        weights="",
        is_classifier=False,
        clip_frames=8,
    )
    assert settings_for(run, masks).size == 20
    assert settings_for(run, masks, size=12).size == 12
    assert recipe_for(run, Gradient()).target == FeatureNorm(centred=True)
    assert recipe_for(run, Gradient()).clip_frames == 8


def test_imagenets_words_are_those_of_the_label_file_without_background(shared_data):
    lines = (shared_data / "models_tflite" / "imagenet_labels.txt").read_text().splitlines()
    assert lines[0] == "background"
    assert imagenet_words() == tuple(lines[1:])
    assert len(imagenet_words()) == 1000
    assert words_for(51) is None
