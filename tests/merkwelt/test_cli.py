"""The commands as a person types them: what they print, leave behind and return."""

import errno
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from merkwelt.cli import main

RENDER = ("render", "--frames", "4", "--size", "24", "--shard-clips", "2")


@pytest.fixture(scope="module")
def clips(library, tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "clips"
    status = main([*RENDER, "--scene", "room", "--clips", "6", "--out", str(out), *_from(library)])
    assert status == 0
    return out


@pytest.fixture(scope="module")
def run(clips, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "sfa"
    words = ["train", "sfa", "--data", str(clips), "--out", str(out), "--steps", "3"]
    assert main([*words, "--batch", "2"]) == 0
    return out


def _from(library):
    return ["--library", str(library)]


def _refused(capsys, words, *expected, status=2):
    assert main(words) == status
    message = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in message
    assert message.count("error:") == 1
    for part in expected:
        assert part in message


def test_render_resumes_grows_and_verifies(library, clips, capsys):
    before = {p.name: p.read_bytes() for p in (clips / "shards").glob("*.tar")}
    words = [*RENDER, "--scene", "room", "--out", str(clips), *_from(library)]
    assert main([*words, "--clips", "8"]) == 0
    assert {n: (clips / "shards" / n).read_bytes() for n in before} == before
    assert main(["verify", str(clips)]) == 0
    assert "8 clips" in capsys.readouterr().out


def test_verify_names_a_damaged_shard(clips, tmp_path, capsys):
    copy = tmp_path / "clips"
    shutil.copytree(clips, copy)
    shard = sorted((copy / "shards").glob("*.tar"))[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    _refused(capsys, ["verify", str(copy)], "is damaged", shard.name, status=1)


def test_one_clip_is_the_one_of_the_data_set(library, clips, tmp_path):
    out = tmp_path / "one"
    words = [*RENDER, "--scene", "room", "--clips", "6", "--clip", "3", "--out", str(out)]
    assert main([*words, *_from(library)]) == 0
    from merkwelt.streams import ClipDataset
    from merkwelt.streams.video import decode_video

    left = next(path for path in out.iterdir() if "left" in path.name and "depth" not in path.name)
    assert np.array_equal(
        decode_video(left.read_bytes()).numpy(), ClipDataset(clips).read(3).video[0].numpy()
    )


def test_train_resumes_and_refuses_another_configuration(clips, run, capsys):
    words = ["train", "sfa", "--data", str(clips), "--out", str(run)]
    assert main([*words, "--steps", "3", "--batch", "2"]) == 0
    assert json.loads((run / "results.json").read_text())
    assert (run / "report.html").stat().st_size > 1000
    capsys.readouterr()
    _refused(capsys, [*words, "--steps", "3", "--batch", "4"], "batch_size")


def test_train_takes_another_runs_experiment_and_single_settings(clips, run, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["train", "--like", str(run), "--data", str(clips), "--out", str(out), "--steps", "2"]
    assert main([*words, "--set", "optimiser.learning_rate=3e-4", "ema=0.9"]) == 0
    assert "averaged" in capsys.readouterr().out
    there = json.loads((run / "config.json").read_text())["experiment"]
    here = json.loads((out / "config.json").read_text())["experiment"]
    assert here["optimiser"]["learning_rate"] == 3e-4
    assert here == {
        **there,
        "optimiser": {**there["optimiser"], "learning_rate": 3e-4},
        "ema": 0.9,
        "steps": 2,
    }
    assert "--set optimiser.learning_rate=3e-4 ema=0.9" in (out / "report.html").read_text()


def test_train_refuses_what_cannot_be_meant(clips, run, tmp_path, capsys):
    end = ["--data", str(clips), "--out", str(tmp_path / "run")]
    _refused(capsys, ["train", *end], "expected a recipe out of", "--like RUN")
    _refused(capsys, ["train", "predict", "--like", str(run), *end], "which is 'sfa'")
    _refused(capsys, ["train", "--like", str(clips), *end], "expected a training run")
    _refused(capsys, ["train", "sfa", *end, "--set", "optimiser.rate=1"], "learning_rate")
    _refused(capsys, ["train", "sfa", *end, "--set", "encoder.eyes=many"], "a whole number")
    assert not (tmp_path / "run").exists()


def test_evaluate_without_maps_says_that_these_are_no_human_maps(library, run, tmp_path, capsys):
    out = tmp_path / "scores"
    words = ["evaluate", str(run), "--out", str(out), "--scene", "room", *_from(library)]
    assert main([*words, "--size", "32"]) == 0
    printed = capsys.readouterr().out
    assert "not human maps" in printed
    assert "floor" in printed
    results = json.loads((out / "results.json").read_text())
    assert results["maps"]["are_human"] is False
    assert "not human maps" in (out / "report.html").read_text()


def test_evaluate_scores_the_real_pairs(shared_data, run, tmp_path, capsys):
    maps = shared_data / "clickme" / "clickme2_co3d_29.npz"
    out = tmp_path / "scores"
    words = ["evaluate", str(run), "--maps", str(maps), "--out", str(out), "--size", "32"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "n = 29" in printed
    assert "random-init network" in printed


def test_scene_list_and_show(library, capsys):
    assert main(["scene", "list", *_from(library)]) == 0
    assert "unscaled" in capsys.readouterr().out
    assert main(["scene", "show", "room", *_from(library)]) == 0
    assert "n04344873" in capsys.readouterr().out


def test_observer_show_cites_every_number(capsys):
    assert main(["observer", "show", "adult"]) == 0
    assert "Dodgson 2004" in capsys.readouterr().out


def test_help_and_unknown_words(capsys):
    assert main(["--help"]) == 0
    assert main(["scene", "train", "--help"]) == 0
    assert main(["sceen"]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("make", [lambda p: None, Path.mkdir, lambda p: p.write_text("x")])
def test_a_capture_without_poses_is_refused(make, tmp_path, library, capsys):
    capture = tmp_path / "capture"
    make(capture)
    words = ["scene", "train", str(capture), "--name", "new", *_from(library)]
    _refused(capsys, words, "capture")
    assert not (library / "new").exists()


def test_stereo_without_scale_is_refused_and_says_what_to_do(library, tmp_path, capsys):
    out = tmp_path / "clips"
    words = [*RENDER, "--scene", "unscaled", "--out", str(out), *_from(library)]
    _refused(capsys, words, "no metric scale", "--metres-per-unit")
    assert not out.exists()
    assert main([*words, "--no-stereo", "--clips", "1"]) == 0


def test_an_output_folder_that_holds_something_else_is_left_alone(library, tmp_path, capsys):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.tex").write_text("years of work")
    words = [*RENDER, "--scene", "room", "--out", str(out), *_from(library)]
    _refused(capsys, words, "thesis")
    assert [p.name for p in out.iterdir()] == ["chapter1.tex"]


def test_results_of_one_command_do_not_replace_those_of_another(library, clips, run, capsys):
    kept = (run / "results.json").read_text()
    here = ["--out", str(run)]
    scene = ["--scene", "room", *_from(library)]
    for words in (
        ["evaluate", str(run), *here, *scene],
        ["probe", str(run), *here, "--data", str(clips)],
        ["probe", str(run), *here, "--images", str(clips)],
        ["constancy", str(run), *here, *scene],
        ["observer", "check", "adult", *here, *scene],
        ["experiment", "compare", str(run), *here],
    ):
        _refused(capsys, words, "is the folder of a training run", "choose another folder")
    assert (run / "results.json").read_text() == kept


def test_a_scene_that_does_not_exist_lists_those_that_do(library, tmp_path, capsys):
    words = [*RENDER, "--scene", "kitchen", "--out", str(tmp_path / "c"), *_from(library)]
    _refused(capsys, words, "kitchen", "room")


def test_a_damaged_scene_is_named(library, tmp_path, capsys):
    shutil.copytree(library / "room", tmp_path / "room")
    field = tmp_path / "room" / "field.safetensors"
    field.write_bytes(field.read_bytes()[:40])
    words = ["scene", "show", "room", "--library", str(tmp_path)]
    _refused(capsys, words, "damaged", "field.safetensors")


def test_pickled_maps_are_refused_and_run_nothing(run, tmp_path, capsys):
    target = tmp_path / "owned"

    class Evil:
        def __reduce__(self):
            return (Path.touch, (target,))

    maps = tmp_path / "maps.npz"
    np.savez(maps, image=np.array([Evil()], dtype=object), heatmap_u8=np.zeros(1))
    words = ["evaluate", str(run), "--maps", str(maps), "--out", str(tmp_path / "s")]
    _refused(capsys, words, "maps.npz")
    maps.write_bytes(pickle.dumps(Evil()))
    _refused(capsys, words, "maps.npz")
    assert not target.exists()


def test_a_full_disk_is_one_message_and_leaves_nothing_half_written(
    library, tmp_path, capsys, monkeypatch
):
    from merkwelt.streams import shard

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shard.ShardWriter, "add", full, raising=False)
    out = tmp_path / "clips"
    words = [*RENDER, "--scene", "room", "--clips", "2", "--out", str(out), *_from(library)]
    _refused(capsys, words, "No space left", status=1)
    assert not list(out.rglob("*.tar"))
    assert not (out / "manifest.json").exists()
    monkeypatch.undo()
    assert main(words) == 0


def test_debug_shows_where_an_error_came_from(library, capsys):
    assert main(["scene", "show", "nothing", "--debug", *_from(library)]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_interruption_is_told_apart(library, capsys, monkeypatch):
    import merkwelt.scene_card_text as card_text

    def stop(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(card_text, "print_card", stop)
    assert main(["scene", "show", "room", *_from(library)]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_render_truth_by_choice(library, tmp_path, capsys):
    from merkwelt.streams import ClipDataset

    out = tmp_path / "clips"
    words = [*RENDER, "--scene", "room", "--clips", "2", "--out", str(out), *_from(library)]
    assert main([*words, "--truth", "flow", "disparity", "ids", "confidence"]) == 0
    assert main(["verify", str(out)]) == 0
    data = ClipDataset(out)
    held = {"flow_forward", "flow_backward", "disparity", "masks", "ids", "confidence"}
    assert held < set(data.streams)
    assert set(data[0].truth.held()) == held
    assert data[0].truth.objects[0] == "sofa"
    capsys.readouterr()
    _refused(capsys, words, "truth", "choose another folder")
    assert main([*words, "--truth", "smell"]) == 2
    assert "invalid choice 'smell'" in capsys.readouterr().err


def test_render_signals_by_choice(library, tmp_path, capsys):
    from merkwelt.streams import ClipDataset

    out = tmp_path / "clips"
    words = [*RENDER, "--scene", "room", "--clips", "1", "--out", str(out), *_from(library)]
    assert main([*words, "--signals"]) == 0
    assert main(["verify", str(out)]) == 0
    assert ClipDataset(out)[0].signals.rate_hz == pytest.approx(200)
    capsys.readouterr()
    _refused(capsys, words, "signals", "choose another folder")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--truth", "disparity", "--no-stereo"], "leave disparity out"),
        (["--truth", "flow", "--frames", "1"], "leave flow out"),
        (["--signals", "--frames", "1"], "leave signals out"),
        (["--truth", "ids", "--scene", "bare"], "leave ids out"),
        (["--truth", "confidence", "--scene", "bare"], "leave confidence out"),
    ],
)
def test_truth_that_cannot_be_had_is_refused(library, room, tmp_path, capsys, options, message):
    from dataclasses import replace

    from merkwelt.scenes.scene import Scene, save_scene

    bare = replace(room.card, name="bare", objects=(), world_from_training_camera=())
    save_scene(Scene(bare, room.field), tmp_path / "scenes" / "bare")
    shutil.copytree(library / "room", tmp_path / "scenes" / "room")
    scene = [] if "--scene" in options else ["--scene", "room"]
    out = tmp_path / "clips"
    words = [*RENDER, *scene, *options, "--out", str(out), *_from(tmp_path / "scenes")]
    _refused(capsys, words, message)
    assert not out.exists()
