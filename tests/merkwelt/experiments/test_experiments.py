"""Each experiment from its command to its files, resumed and refused."""

import shutil

import cv2
import numpy as np
import pytest
import torch
from merkwelt.alignment.models.published_models import read_published_models

from merkwelt.cli import main
from merkwelt.experiments.compare import entries_of, relations_of
from merkwelt.experiments.folder import identity_of_files
from merkwelt.experiments.streamed import Streaming, stream
from merkwelt.training.clips import MemoryClips

from .conftest import SMALL, bump_maps


def _refused(capsys, words, *expected):
    assert main([str(word) for word in words]) == 2
    message = " ".join(capsys.readouterr().err.split())
    for part in expected:
        assert part in message, message


@pytest.fixture(scope="module")
def harmonized(maps_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("harmonized") / "out"
    assert main(_harmonized(maps_file, out)) == 0
    return out


def _harmonized(maps_file, out):
    words = ["experiment", "harmonized", "--maps", str(maps_file), "--out", str(out)]
    return [*words, *SMALL, "--folds", "2"]


def test_a_network_and_its_twin_are_compared_held_out(harmonized, results_of):
    found = results_of(harmonized)
    assert found["experiment"] == "harmonized"
    parts = {each.name for each in (harmonized / "parts").iterdir()}
    assert parts == {f"{kind}-seed0-fold{i}" for kind in ("with", "without") for i in (0, 1)}
    held_out = found["per_image"]
    first = found["differences"][0]
    by_hand = np.mean(
        [
            held_out["with maps, held out"][name] - held_out["without maps, held out"][name]
            for name in held_out["untrained"]
        ]
    )
    assert first["where"] == "images held out"
    assert first["interval"]["mean"] == pytest.approx(by_hand, abs=1e-12)
    assert first["interval"]["low"] <= by_hand <= first["interval"]["high"]
    assert first["interval"]["count"] == 5  # six images, two of them views of one object
    floors = {row["name"] for row in found["rows"] if row["is_floor"]}
    assert {"untrained", "centred Gaussian", "other images' human maps"} <= floors
    page = (harmonized / "report.html").read_text(encoding="utf-8")
    assert found["verdict"].split(":")[0] in page
    assert "people" in page


def test_views_of_one_object_are_held_out_together(harmonized):
    import json

    held_out = [
        json.loads((part / "run" / "config.json").read_text())["data"]["stills"].split("held out")[
            1
        ]
        for part in sorted((harmonized / "parts").glob("with-*"))
    ]
    sets = [set(json.loads(each)) for each in held_out]
    assert sets[0] | sets[1] == set(range(6))
    assert not sets[0] & sets[1]
    assert any({0, 1} <= each for each in sets)


def test_finished_networks_are_not_made_again(harmonized, maps_file, tmp_path, results_of):
    copy = tmp_path / "out"
    shutil.copytree(harmonized, copy)
    # One network is lost whole and one is trained but not scored.
    shutil.rmtree(copy / "parts" / "with-seed0-fold1")
    (copy / "parts" / "without-seed0-fold0" / "results.json").unlink()
    kept = copy / "parts" / "with-seed0-fold0" / "results.json"
    before = kept.stat().st_mtime_ns
    assert main(_harmonized(maps_file, copy)) == 0
    assert kept.stat().st_mtime_ns == before
    assert results_of(copy) == results_of(harmonized)


def test_another_experiment_in_the_folder_is_refused(harmonized, maps_file, capsys, tmp_path):
    words = _harmonized(maps_file, harmonized)
    words[words.index("--steps") + 1] = "4"
    _refused(capsys, words, "other settings", "learning")
    (tmp_path / "notes.txt").write_text("mine")
    _refused(capsys, _harmonized(maps_file, tmp_path), "something else")
    _refused(capsys, _harmonized(tmp_path / "none.npz", tmp_path / "new"), "none.npz")


def test_more_maps_are_shown_step_by_step(maps_file, tmp_path, results_of, capsys):
    out = tmp_path / "out"
    words = ["experiment", "annotations", "--maps", str(maps_file), "--out", str(out), *SMALL]
    words += ["--folds", "2", "--shares", "0", "0.5"]
    assert main(words) == 0
    found = results_of(out)
    assert [share for share, _ in found["curve"]] == [0, 0.5]
    assert len(found["differences"]) == 1
    means = {row["name"]: row["interval"]["mean"] for row in found["rows"]}
    assert len({means["no maps"], means["maps of 50 % of the objects"]}) == 2
    assert "<svg" in (out / "report.html").read_text(encoding="utf-8")
    words[words.index("--shares") + 1] = "0.25"
    _refused(capsys, words, "ascending shares from 0")
    # An eighth of two or three objects is none: said before anything is trained.
    words[words.index("--shares") + 1] = "0"
    words[words.index("0.5")] = "0.125"
    words[words.index("--out") + 1] = str(tmp_path / "new")
    _refused(capsys, words, "an object at least", "0.125")
    assert not (tmp_path / "new").exists()
    compared = entries_of(out)
    assert [each.untrained for each in compared] == [means["random-init network"]] * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("classes")
    maps = bump_maps(10, seed=1)
    for i, (image, label) in enumerate(zip(maps.images, maps.labels, strict=True)):
        (root / label).mkdir(exist_ok=True)
        cv2.imwrite(str(root / label / f"{i}.png"), image)
    return root


def test_a_classifier_is_scored_on_maps_it_never_saw(
    maps_file, folder, tmp_path, results_of, capsys
):
    out = tmp_path / "out"
    words = ["experiment", "baseline", "--maps", str(maps_file), "--images", str(folder)]
    words += ["--out", str(out), *SMALL]
    assert main(words) == 0
    found = results_of(out)
    assert "logit of the network's own class" in found["recipe"]
    assert "10 of 2 classes" in found["facts"]["pictures"]
    assert found["parameters"] > 1000
    assert found["rows"][0]["interval"]["count"] == 5
    _refused(capsys, [*words, "--target", "true_class"], "own_class or norm")
    one = folder / "cup"
    _refused(capsys, [*words[:5], one, *words[6:]], "two or more classes")


def test_a_scene_s_objects_are_told_apart(maps_file, library, tmp_path, results_of):
    out = tmp_path / "out"
    words = ["experiment", "baseline", "--maps", str(maps_file), "--images", "scene:room"]
    words += ["--library", str(library), "--per-object", "2", "--out", str(out), *SMALL]
    assert main(words) == 0
    found = results_of(out)
    assert found["rows"][0]["name"] == "small classifier"
    # Objects are not photographed again, nor networks made again.
    words[words.index("--library") + 1] = str(tmp_path / "gone")
    assert main(words) == 0
    assert results_of(out) == found


def _drifting():
    generator = torch.Generator().manual_seed(0)
    walls = torch.randint(0, 256, (5, 2, 3, 24, 40), generator=generator, dtype=torch.uint8)
    videos = [
        torch.stack([wall[..., 2 * t : 2 * t + 24] for t in range(6)], dim=1) for wall in walls
    ]
    return MemoryClips(videos, frame_rate_hz=10.0)


def test_a_network_is_scored_before_and_after_a_stream(maps_file, tmp_path, results_of):
    out = tmp_path / "out"
    settings = Streaming(steps=3, batch=2, seeds=2, size=24)
    done = stream(maps_file, _drifting, "drifting", out, streaming=settings)
    found = results_of(out)
    images = found["per_image"]
    by_hand = np.mean([images["after"][each] - images["before"][each] for each in images["after"]])
    assert found["differences"][0]["interval"]["mean"] == pytest.approx(by_hand, abs=1e-12)
    assert len(found["differences"][0]["per_seed"]) == 2
    assert "after less before" in " ".join(done.lines)

    def gone():
        raise AssertionError("finished networks need no clips")

    again = stream(maps_file, gone, "drifting", out, streaming=settings)
    assert again.lines == done.lines
    with pytest.raises(FileExistsError, match="shown"):
        stream(maps_file, gone, "drifting", out, streaming=settings, shown={"seed": 1})


def test_a_stream_that_is_rendered_otherwise_is_another_experiment(maps_file, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["experiment", "stream", "--maps", maps_file, "--scene", "none", "--out", out]
    _refused(capsys, words, "none")
    _refused(capsys, [*words, "--stream.seed", "1"], "other settings", "shown")


def test_a_stream_needs_clips(maps_file, tmp_path, capsys):
    words = ["experiment", "stream", "--maps", maps_file, "--out", tmp_path / "out"]
    _refused(capsys, words, "either --data DIR or --scene NAME")
    _refused(capsys, [*words, "--data", tmp_path / "no"], "folder of clips", "no")


def test_a_folder_of_other_files_is_another_stream(maps_file, tmp_path, capsys):
    clips, out = tmp_path / "clips", tmp_path / "out"
    (clips / "deep").mkdir(parents=True)
    (clips / "deep" / "a").write_bytes(b"12")
    words = ["experiment", "stream", "--maps", maps_file, "--data", clips, "--out", out]
    _refused(capsys, words, "clips")  # which are none
    for change in (lambda: (clips / "deep" / "a").write_bytes(b"123"), (clips / "b").touch):
        before = identity_of_files(clips)
        change()
        assert identity_of_files(clips) != before
        _refused(capsys, words, "other settings", "shown")


def test_results_are_compared(harmonized, maps_file, tmp_path, results_of, capsys):
    out, scored = tmp_path / "out", tmp_path / "scored"
    run = harmonized / "parts" / "with-seed0-fold0" / "run"
    words = ["evaluate", run, "--maps", maps_file, "--size", "24", "--out", scored]
    assert main([str(word) for word in words]) == 0
    table = tmp_path / "published.csv"
    rows = ["model,top1,spearman_raw,params_M,precision"]
    rows += [f"m{i},{60 + i},{0.5 - 0.1 * i},{i + 1},exact" for i in range(4)]
    table.write_text("\n".join(rows) + "\n")
    words = ["experiment", "compare", harmonized, scored, "--published", table, "--out", out]
    assert main([str(each) for each in [*words, "--accuracy", "run=40"]]) == 0
    found = results_of(out)
    names = [each["name"] for each in found["entries"]]
    assert len(names) == 3
    assert names[2] == "run"
    assert found["entries"][2]["top1_percent"] == 40
    relations = {each["name"]: each["rho"] for each in found["relations"]}
    assert relations["alignment with accuracy, published ones"] == pytest.approx(-1)
    assert relations["alignment with accuracy, these networks"] is None
    picture = cv2.imread(str(out / "compare.png"))
    assert min(picture.shape[:2]) > 400
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "other images and another recipe" in " ".join(page.split())
    kept = (harmonized / "results.json").read_bytes()
    _refused(capsys, [*words[:-1], harmonized], "is the folder of an experiment")
    assert (harmonized / "results.json").read_bytes() == kept
    assert main([str(each) for each in words]) == 0  # one's own folder is drawn anew
    _refused(capsys, [*words, "--accuracy", "nobody=3"], "nobody")
    _refused(capsys, [*words, "--accuracy", "run"], "NAME=PERCENT")
    _refused(capsys, ["experiment", "compare", tmp_path, "--out", out], "found none")
    (tmp_path / "results.json").write_text("{}")
    _refused(capsys, ["experiment", "compare", tmp_path, "--out", out], "format")


def test_published_accuracy_and_alignment_fall_apart(shared_data):
    published = read_published_models(shared_data / "clickme" / "published_alignment.csv")
    relation = relations_of([], published)[2]
    # Linsley 2025: the 367 exact rows.
    assert relation.networks == 367
    assert relation.rho == pytest.approx(-0.7692, abs=5e-5)


def test_an_experiment_counts_where_it_was_not_trained(harmonized):
    entries = entries_of(harmonized)
    assert [each.name.split(": ")[1][:12] for each in entries] == ["trained with", "trained on l"]
    assert all(each.untrained is not None for each in entries)
