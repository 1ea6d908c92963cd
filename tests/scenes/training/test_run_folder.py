import numpy as np
import pytest
from merkwelt.scenes.training import TrainSettings, run_folder, train_scene
from merkwelt.scenes.training.run_folder import new_folder


def test_the_folder_appears_at_the_end(tmp_path):
    final = tmp_path / "deep" / "run"
    with new_folder(final) as working:
        (working / "a").write_text("x")
        assert not final.exists()
        assert working.parent == final.parent
    assert (final / "a").read_text() == "x"
    assert [p.name for p in final.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_an_interrupted_run(tmp_path, error):
    def interrupted():
        with new_folder(tmp_path / "run") as working:
            (working / "a").write_text("x")
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_other_peoples_folders_are_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for name in ("mine", "file"):
        with (
            pytest.raises(FileExistsError, match=f"{name} exists and holds something"),
            new_folder(tmp_path / name),
        ):
            pass
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as working:
        (working / "a").write_text("x")
    assert (tmp_path / "empty" / "a").exists()


def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "BYTES_NEEDED", 10**18)
    with pytest.raises(OSError, match="MB free, training needs"), new_folder(tmp_path / "run"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_hold_plain_numbers():
    plain = run_folder._plain({"lr": np.float64(0.5), "list": [np.int64(3)], "t": (1.0,)})
    assert plain == {"lr": 0.5, "list": [3], "t": (1.0,)}
    assert type(plain["lr"]) is float
    assert type(plain["list"][0]) is int


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"steps": 0}, "expected steps to be positive, got 0"),
        ({"learning_rate": float("nan")}, "expected learning_rate to be positive, got nan"),
        ({"downscale": 0}, "expected downscale to be 1 or more, got 0"),
        ({"metres_per_unit": -1.0}, "expected metres_per_unit to be positive, got -1"),
        ({"device": "tpu"}, "expected device auto, cpu or cuda, got 'tpu'"),
        ({"proposal_samples": (8,)}, "one entry of proposals per entry of proposal_samples"),
    ],
)
def test_settings_that_cannot_be_meant(entries, message):
    with pytest.raises(ValueError, match=message):
        TrainSettings(**entries)


def test_without_nerfstudio_the_extra_is_named(tmp_path, write_tiny_capture, quick, monkeypatch):
    import sys

    from merkwelt.scenes.captures import read_capture

    for name in ("nerfstudio", "nerfstudio.engine", "nerfstudio.engine.trainer"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("merkwelt.scenes.training.environment.import_torchvision", lambda: None)
    capture = read_capture(write_tiny_capture(tmp_path / "capture"))
    with pytest.raises(ImportError, match=r"install the extra 'merkwelt\[nerfstudio\]'"):
        train_scene(capture, tmp_path / "run", quick)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["capture"]
