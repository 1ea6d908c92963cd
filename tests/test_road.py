"""The whole road on real photographs, shortened."""

import importlib.util
import sys

import pytest


@pytest.fixture
def road(repository):
    spec = importlib.util.spec_from_file_location("road", repository / "benchmarks" / "road.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["road"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["road"]


@pytest.mark.road
@pytest.mark.slow
@pytest.mark.needs_nerfstudio
@pytest.mark.timeout(1500)
# nerfstudio 1.1.5 and what it imports are of their time.
@pytest.mark.filterwarnings("default")
def test_the_road_from_photographs_to_a_score(road, shared_data, tmp_path):
    stages = road.walk(
        road.Road(
            capture=shared_data / "noncommercial" / "fox",
            maps=shared_data / "clickme" / "clickme2_co3d_29.npz",
            out=tmp_path / "road",
            scene_steps=300,
            clips=5,
            size=32,
            frames=8,
            steps=20,
            smooth=0,
        )
    )
    assert stages["photographs"]["missing"] == 17
    # 300 steps are few: a blurred fox, but far above the 12 dB of a grey picture.
    assert stages["scene"]["held_out_psnr_db"] > 15
    assert stages["clips"]["clips"] + stages["clips"]["skipped"] == 5
    assert stages["clips"]["clips"] >= 4
    assert stages["clips"]["whole"]
    for name in road.RECIPES:
        score = stages[f"score {name}"]
        assert "29" in score["name"]
        assert any(key.startswith("floor") for key in score)
        for part in ("results.json", "report.html"):
            assert (tmp_path / "road" / "scores" / name / part).stat().st_size > 1000
