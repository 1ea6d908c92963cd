import pytest
import torch
from merkwelt.alignment.models.libraries import library_model, parse_library_name
from safetensors.torch import save_file


@pytest.fixture(scope="module")
def torchvision():
    from merkwelt.video_models.adapters.import_torchvision import torchvision_video_models

    try:
        torchvision_video_models()
    except ImportError as error:
        pytest.skip(str(error))


def test_what_a_name_means():
    name = parse_library_name("timm:resnet18.a1_in1k@pretrained")
    assert (name.library, name.network, name.state) == ("timm", "resnet18.a1_in1k", "pretrained")
    assert parse_library_name("torchvision:resnet18").state is None
    for wrong in ("timm:", "keras:resnet", "timm:resnet18@best", "timm:@random"):
        with pytest.raises(ValueError, match="expected timm:NAME or torchvision:NAME"):
            parse_library_name(wrong)


def test_weights_must_be_stated_once(tmp_path):
    with pytest.raises(ValueError, match="say timm:resnet18@pretrained"):
        library_model("timm:resnet18")
    with pytest.raises(ValueError, match="expected one source of weights"):
        library_model("torchvision:resnet18@random", weights=tmp_path / "w.safetensors")


def test_torchvision_networks_bring_their_preparation(torchvision, tmp_path):
    model = library_model("torchvision:shufflenet_v2_x0_5@random", seed=2)
    assert (model.preparation.size, model.preparation.crop_share) == (224, 224 / 256)
    assert model.preparation.interpolation == "bilinear"
    assert model.top1 is None
    assert model.classes is not None
    assert model.weights == "random"
    again = library_model("torchvision:shufflenet_v2_x0_5@random", seed=2)
    clip = torch.rand(1, 1, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model.encoder(clip).pooled, again.encoder(clip).pooled)
    assert model.untrained is not None
    assert not torch.equal(model.encoder(clip).pooled, model.untrained(clip).pooled)

    file = tmp_path / "weights.safetensors"
    save_file(model.encoder.network.state_dict(), file)
    loaded = library_model("torchvision:shufflenet_v2_x0_5", weights=file, seed=9)
    assert torch.equal(model.encoder(clip).pooled, loaded.encoder(clip).pooled)
    with pytest.raises(ValueError, match="expected the weights of torchvision:resnet18"):
        library_model("torchvision:resnet18", weights=file)


def test_names_that_do_not_exist_come_with_similar_ones(torchvision):
    with pytest.raises(ValueError, match=r"got 'resnet19'; similar names among \d+: .*resnet18"):
        library_model("torchvision:resnet19@random")


def test_timm_networks_bring_their_preparation(torchvision):
    pytest.importorskip("timm", reason="the extra 'vision' is not here")
    model = library_model("timm:mobilenetv3_small_050@random")
    assert (model.preparation.size, model.preparation.interpolation) == (224, "bicubic")
    with pytest.raises(ValueError, match="expected a classifier of timm, got 'mobilenetv9'"):
        library_model("timm:mobilenetv9@random")
