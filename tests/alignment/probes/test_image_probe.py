from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from merkwelt.alignment.maps.read_maps import read_maps
from merkwelt.alignment.models.scored import Preparation, ScoredModel
from merkwelt.alignment.prepare import Preparation as ImagePreparation
from merkwelt.alignment.probes.image_probe import ImageProbeSettings, probe_images
from merkwelt.alignment.probes.labelled_images import image_folder, images_of_maps
from merkwelt.alignment.probes.linear_probe import LinearProbe
from merkwelt.video_models.encoder import Features

SIZE = 16


class Colours:
    """Sees the mean colour of the last frame; has four dimensions, one of which is constant."""

    eyes = 2

    def __init__(self, *, blind=False):
        self.blind = blind

    def __call__(self, clips):
        last = clips[:, 1].mean(dim=(-2, -1))
        seen = torch.zeros_like(last) if self.blind else last
        seen = torch.cat([seen, torch.ones_like(seen[..., :1])], dim=-1)
        return Features(maps={"colour": seen.transpose(1, 2)[..., None, None]}, pooled=seen)


def model(**changes):
    made = ScoredModel(
        name="colours",
        encoder=Colours(),
        untrained=Colours(blind=True),
        preparation=Preparation(size=SIZE, crop_share=1.0),
        weights="none",
        clip_frames=3,
    )
    return replace(made, **changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for place, name in enumerate(("blue", "green", "red")):
        (root / name).mkdir()
        for number in range(6):
            picture = rng.integers(0, 120, (20, 24, 3), dtype=np.uint8)
            picture[..., place] += 100
            cv2.imwrite(str(root / name / f"{number}.png"), picture)
    return root


@pytest.mark.parametrize("method", ["least_squares", "softmax", "sgd"])
def test_classes_of_a_folder_are_told_by_colour_and_not_by_the_blind(folder, method):
    done = probe_images(model(), image_folder(folder), ImageProbeSettings(method=method))
    assert done.probe.classes == ("blue", "green", "red")
    assert done.probe.accuracy.mean == 1
    assert done.floors["the same network untrained"].mean <= 0.5
    assert done.probe.chance == pytest.approx(1 / 3)


def test_a_probe_is_written_and_read_without_pickle(folder, tmp_path):
    done = probe_images(model(), image_folder(folder))
    done.probe.save(tmp_path / "probe.safetensors")
    read = LinearProbe.load(tmp_path / "probe.safetensors")
    np.testing.assert_array_equal(read.weights, done.probe.weights)
    assert read.to_dict() == done.probe.to_dict()
    (tmp_path / "other").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ValueError, match="safetensors"):
        LinearProbe.load(tmp_path / "other")


def test_its_logit_is_a_target_of_saliency(folder):
    images = image_folder(folder)
    target = probe_images(model(), images).probe.target()
    stills = images.batch(range(18), ImagePreparation(size=SIZE, crop_share=1.0))
    features = Colours()(stills[:, None, None].expand(-1, 2, 3, -1, -1, -1))
    fitted = target.fit(lambda: features.pooled[:, -1], images.labels)
    logits = fitted.function(features, torch.arange(18))
    assert logits.shape == (18,)
    assert not fitted.undefined
    # The logit of the true class beats that of another one.
    wrong = target.fit(lambda: features.pooled[:, -1], images.labels[6:] + images.labels[:6])
    assert (logits > wrong.function(features, torch.arange(18))).all()
    unknown = target.fit(lambda: features.pooled[:, -1], ["zebra"] * 18)
    assert "zebra" in unknown.undefined[0]


def test_what_is_no_folder_of_classes_is_refused(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="folder of images by class"):
        image_folder(tmp_path / "none")
    with pytest.raises(ValueError, match="two or more classes"):
        image_folder(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "broken.png").write_bytes(b"no picture")
    with pytest.raises(RuntimeError, match="broken.png is no image"):
        image_folder(tmp_path).read(0, ImagePreparation(size=SIZE))


def test_co3d_views_of_one_object_are_held_out_together(shared_data):
    maps = read_maps(shared_data / "clickme/clickme2_co3d_29.npz")
    images = images_of_maps(maps)
    assert len(images) == 29
    assert len(set(images.groups)) == 27
    training = images_of_maps(maps, "train")
    assert len(training) == 10
    with pytest.raises(ValueError, match="constancy"):
        images_of_maps(maps, "holdout")
    done = probe_images(model(), images)
    assert "kite" in done.left_out
    assert "tv" in done.left_out  # two views, but of one object
    assert done.probe.accuracy.count == len({"bottle", "broccoli", "orange"}) + 4
