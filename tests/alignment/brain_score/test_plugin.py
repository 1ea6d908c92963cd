import ast
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from merkwelt.alignment.brain_score.plugin import Plugin, identifier_of, regions_by_depth
from merkwelt.alignment.brain_score.plugin_text import init_text, model_text
from merkwelt.alignment.brain_score.shown import (
    ShownStill,
    ShownVideo,
    image_tensors,
    map_names,
    video_tensor,
)
from merkwelt.alignment.brain_score.write import write_plugin
from merkwelt.alignment.prepare import Preparation


@pytest.fixture
def plugin() -> Plugin:
    return Plugin(
        identifier="little",
        kind="video",
        layers=("layers.conv", "layers.pooled"),
        formats={"layers.conv": "CTHW", "layers.pooled": "C"},
        regions={"V1": "layers.conv", "IT": "layers.pooled"},
        preparation=Preparation(size=16),
        frames=4,
        loader="somewhere:load",
        source='a "quoted" \\ name\n',
    )


class _Video:
    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames

    def to_numpy(self) -> np.ndarray:
        return self.frames


def test_texts_are_python_and_import_brain_score_late(plugin) -> None:
    for each in (plugin, replace(plugin, kind="image", formats={})):
        ast.parse(init_text(each, "1.0"))
        tree = ast.parse(model_text(each, "1.0"))
        early = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert early == ["pathlib"]
        assert "\\" not in (ast.get_docstring(tree) or "")


def test_frames_become_values_in_0_to_1() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    shown = video_tensor(_Video(frames), size=8)
    np.testing.assert_allclose(shown.numpy(), frames.transpose(0, 3, 1, 2) / 255, atol=1e-6)
    assert video_tensor(_Video(frames), size=4).shape == (3, 3, 4, 4)
    # A whole frame of another shape is squashed, not cut: its mean stays.
    wide = np.zeros((1, 8, 16, 3), dtype=np.uint8)
    wide[:, :, 8:] = 255
    assert video_tensor(_Video(wide), size=8).mean() == pytest.approx(0.5, abs=0.01)
    with pytest.raises(ValueError, match=r"expected a video \[time"):
        video_tensor(_Video(frames[0]), size=8)


def test_pictures_are_read_as_rgb(tmp_path) -> None:
    picture = np.zeros((20, 10, 3), dtype=np.uint8)
    picture[..., 0] = 200
    cv2.imwrite(str(tmp_path / "red.png"), picture[..., ::-1])
    (shown,) = image_tensors([tmp_path / "red.png"], Preparation(size=5, crop_share=1.0))
    assert shown.shape == (3, 5, 5)
    np.testing.assert_allclose(shown.mean(dim=(1, 2)).numpy(), [200 / 255, 0, 0], atol=1e-6)
    (tmp_path / "no.png").write_text("no")
    with pytest.raises(ValueError, match="could not read"):
        image_tensors([tmp_path / "no.png"], Preparation(size=5))


def test_layers_hear_what_the_encoder_returns(small_net) -> None:
    small_net.eval()
    videos = torch.rand(2, 4, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    clips = videos[:, None].expand(-1, 2, -1, -1, -1, -1)
    heard = {}
    shown = ShownVideo(small_net, map_names(small_net, 12, 4))
    shown.layers["conv"].register_forward_hook(lambda *each: heard.update(conv=each[2]))
    pooled = shown(videos)
    features = small_net(clips)
    torch.testing.assert_close(heard["conv"], features.maps["conv"])
    torch.testing.assert_close(pooled, features.pooled.mean(dim=1))
    still = ShownStill(small_net, ["conv"], frames=4)
    still.layers["conv"].register_forward_hook(lambda *each: heard.update(still=each[2]))
    still(videos[:, 0])
    expected = small_net(clips[:, :, :1].expand(-1, -1, 4, -1, -1, -1)).maps["conv"].mean(dim=2)
    torch.testing.assert_close(heard["still"], expected)


def test_regions_follow_depth() -> None:
    four = {"V1": "a", "V2": "b", "V4": "c", "IT": "d"}
    assert regions_by_depth(["a", "b", "c", "d"]) == four
    assert regions_by_depth(["a"]) == dict.fromkeys(("V1", "V2", "V4", "IT"), "a")
    assert regions_by_depth(list("abcdefg"))["IT"] == "g"


def test_identifiers_are_package_names(plugin) -> None:
    assert identifier_of("sfa run-3") == "sfa_run_3"
    assert identifier_of("3d") == "model_3d"
    for bad in ("a-b", "3d", "", "a/../b"):
        with pytest.raises(ValueError, match="identifier of letters"):
            replace(plugin, identifier=bad)


def test_refuses_what_brain_score_could_not_use(plugin) -> None:
    with pytest.raises(ValueError, match="V1=layers.no"):
        replace(plugin, regions={"V1": "layers.no"})
    with pytest.raises(ValueError, match="format of each layer"):
        replace(plugin, formats={})
    with pytest.raises(ValueError, match="at least one layer"):
        replace(plugin, layers=(), regions={})


def test_writes_all_or_nothing(plugin, tmp_path) -> None:
    folder = write_plugin(plugin, tmp_path, {"weights": b"1"})
    assert sorted(path.name for path in folder.iterdir()) == [
        "__init__.py",
        "model.py",
        "requirements.txt",
        "weights",
    ]
    with pytest.raises(FileExistsError, match="another --identifier"):
        write_plugin(plugin, tmp_path, {})
    with pytest.raises(TypeError):
        write_plugin(replace(plugin, identifier="half"), tmp_path, {"weights": "text"})  # type: ignore[dict-item]
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["little"]
