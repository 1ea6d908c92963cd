"""``merkwelt render``: many scenes, splits, clips rendered again from a plan, estimates."""

import json
import shutil
import tarfile
from dataclasses import replace

import pytest
from merkwelt.scenes.fingerprint import field_fingerprint
from merkwelt.scenes.scene import Scene, save_scene
from merkwelt.streams import ClipDataset
from merkwelt.streams.expected import Estimate
from merkwelt.streams.folder import read_plan
from merkwelt.streams.splits import SplitShares, require_disjoint, split_of

from merkwelt.cli import main
from merkwelt.estimating import estimate_lines

RENDER = ("render", "--frames", "2", "--size", "8", "--shard-clips", "4", "--workers", "1")


def _dimmed(scene, name, times):
    """Return a scene whose field is another one."""
    tensors = scene.field.tensors()
    dimmed = tensors | {"colours": tensors["colours"] * times}
    return Scene(replace(scene.card, name=name), type(scene.field).from_tensors(dimmed))


@pytest.fixture(scope="module")
def scenes(room, tmp_path_factory):
    """Return a library of two rooms, and one of them under another name."""
    folder = tmp_path_factory.mktemp("scenes")
    save_scene(room, folder / "room")
    save_scene(_dimmed(room, "dim", 0.5), folder / "dim")
    save_scene(Scene(replace(room.card, name="twin"), room.field), folder / "twin")
    return folder


@pytest.fixture(scope="module")
def clips(scenes, tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "clips"
    words = [*RENDER, "--scene", "room", "dim", "--weights", "2", "1", "--clips", "8"]
    assert main([*words, "--out", str(out), "--library", str(scenes)]) == 0
    return out


def _refused(capsys, words, *expected):
    capsys.readouterr()
    assert main(words) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert message.count("error:") == 1
    for part in expected:
        assert part in message


def test_weights_are_those_of_the_plan(clips):
    plan = read_plan(clips)
    assert {scene.name: scene.weight for scene in plan.scenes} == {"room": 2.0, "dim": 1.0}
    names = [plan.scene_of(clip).name for clip in range(300)]
    assert abs(names.count("dim") - 100) <= 2


def test_what_is_no_request_is_refused(scenes, tmp_path, capsys):
    out = tmp_path / "c"
    library = ["--out", str(out), "--library", str(scenes)]
    _refused(
        capsys,
        [*RENDER, "--scene", "room", "dim", "--weights", "2", *library],
        "expected a weight for each scene, got 1 weights [2.0] for 2 scenes ['room', 'dim']",
    )
    _refused(capsys, [*RENDER, *library], "expected --scene NAME, or --plan FILE")
    _refused(capsys, [*RENDER, "--scene", "room", "room", *library], "expected each scene once")
    words = [*RENDER, "--scene", "room", "dim", *library]
    _refused(capsys, [*words, "--weights", "0", "1"], "expected positive weights")
    _refused(capsys, [*words, "--test-scenes", "dim"], "expected --split out of", "--test-scenes")
    _refused(capsys, [*words, "--dollars-per-hour", "2"], "expected --estimate beside")
    _refused(
        capsys, [*words, "--estimate", "--dollars-per-hour", "-2"], "a price of at least 0 dollars"
    )
    _refused(capsys, [*words, "--estimate", "--clip", "3"], "got --clip too")
    assert not out.exists()


def test_splits_by_hash_hold_the_scenes_that_are_theirs(room, scenes, tmp_path, capsys):
    # A seed that puts the two fields into two splits is looked for, not assumed.
    fields = {n: field_fingerprint(Scene.load(n, library=scenes).field) for n in ("room", "dim")}
    shares = {"train": 0.5, "validation": 0.0, "test": 0.5}

    def dealt(seed):
        return [split_of(fields[n], SplitShares(**shares), seed) for n in ("room", "dim")]

    seed = next(seed for seed in range(100) if dealt(seed) == ["test", "train"])
    words = [*RENDER, "--scene", "room", "dim", "twin", "--weights", "1", "2", "3"]
    words += ["--clips", "2", "--library", str(scenes), "--split-seed", str(seed)]
    words += ["--split-shares", "0.5", "0", "0.5"]
    train, test = tmp_path / "train", tmp_path / "test"
    assert main([*words, "--split", "train", "--out", str(train)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "scenes of each split: train: dim; validation: none; test: room, twin" in told
    assert main([*words, "--split", "test", "--out", str(test)]) == 0
    held = [{s.name: s.weight for s in ClipDataset(folder).plan.scenes} for folder in (train, test)]
    assert held == [{"dim": 2.0}, {"room": 1.0, "twin": 3.0}]
    require_disjoint(ClipDataset(train), ClipDataset(test))
    assert main(["verify", str(test), "--disjoint-from", str(train)]) == 0
    assert f"no scene in common with {train}" in " ".join(capsys.readouterr().out.split())
    _refused(capsys, ["verify", str(test), "--disjoint-from", str(test)], "found 4", "'twin'")
    assert read_plan(test).split.name == "test"
    _refused(
        capsys,
        [*words, "--split", "validation", "--out", str(tmp_path / "none")],
        "no scene is left for --split validation (train: dim; validation: none; test: room, twin)",
        "--validation-scenes room",
    )
    assert not (tmp_path / "none").exists()


def test_scenes_are_pinned_with_all_their_names(scenes, tmp_path, capsys):
    words = [*RENDER, "--scene", "room", "dim", "twin", "--clips", "1", "--library", str(scenes)]
    pins = ["--test-scenes", "twin", "--train-scenes", str(scenes / "dim")]
    out = ["--out", str(tmp_path / "c")]
    by_path = [str(scenes / "dim") if word == "dim" else word for word in words]
    assert main([*by_path, *pins, "--split", "test", *out]) == 0
    plan = read_plan(tmp_path / "c")
    assert [scene.name for scene in plan.scenes] == ["room", "twin"]
    assert plan.split.pinned == ("room", "twin")
    assert "test: room (pinned), twin (pinned)" in " ".join(capsys.readouterr().err.split())
    _refused(capsys, [*words, "--split", "train", "--train-scenes", "dimm", *out], "'dimm'")
    both = ["--train-scenes", "dim", "--test-scenes", "dim"]
    _refused(capsys, [*words, "--split", "train", *both, *out], "each scene in one split")
    two = ["--train-scenes", "room", "--test-scenes", "twin"]
    _refused(capsys, [*words, "--split", "train", *two, *out], "same field under two names")


def _members(folder, clip):
    found = {}
    for shard in sorted((folder / "shards").glob("*.tar")):
        with tarfile.open(shard) as tar:
            for info in tar.getmembers():
                name, _, member = info.name.partition(".")
                if int(name) == clip:
                    found[member] = tar.extractfile(info).read()
    return found


def test_a_clip_of_a_plan_is_rendered_again_to_the_byte(scenes, clips, tmp_path):
    clip = int(ClipDataset(clips).clip_ids[-1])
    alone = tmp_path / "library"
    # Only the scene of that clip is needed.
    name = read_plan(clips).scene_of(clip).name
    shutil.copytree(scenes / name, alone / name)
    words = ["render", "--clip", str(clip), "--library", str(alone)]
    for number, place in enumerate((clips, clips / "plan.json")):
        out = tmp_path / str(number)
        assert main([*words, "--plan", str(place), "--out", str(out)]) == 0
        again = {path.name: path.read_bytes() for path in out.iterdir()}
        assert again == _members(clips, clip)


def test_any_id_of_a_plan_can_be_rendered(scenes, clips, tmp_path):
    words = ["render", "--plan", str(clips), "--library", str(scenes)]
    for clip in (18331002, 10**12):
        out = tmp_path / str(clip)
        assert main([*words, "--clip", str(clip), "--out", str(out)]) == 0
        meta = json.loads((out / "meta.json").read_text())
        assert (meta["clip"], meta["key"]) == (clip, f"{clip:09d}")
    assert main([*words, "--clip", "-1", "--out", str(tmp_path / "c")]) == 2


def test_a_data_set_is_rendered_again_from_its_plan(scenes, clips, tmp_path):
    out = tmp_path / "again"
    words = ["render", "--plan", str(clips), "--workers", "1", "--out", str(out)]
    assert main([*words, "--library", str(scenes)]) == 0
    shards = [sorted((folder / "shards").glob("*.tar")) for folder in (clips, out)]
    assert [p.read_bytes() for p in shards[0]] == [p.read_bytes() for p in shards[1]]
    assert (out / "plan.json").read_bytes() == (clips / "plan.json").read_bytes()


def test_plans_that_cannot_be_rendered_again_are_refused(room, scenes, clips, tmp_path, capsys):
    words = ["render", "--plan", str(clips), "--clip", "0", "--out", str(tmp_path / "c")]
    _refused(capsys, [*words, "--size", "16"], "--plan says what to render", "settings")
    _refused(capsys, [*words, "--library", str(tmp_path)], "the plan needs a scene", "--library")
    changed = tmp_path / "changed"
    for name in ("room", "dim"):
        save_scene(_dimmed(room, name, 0.25), changed / name)
    _refused(capsys, [*words, "--library", str(changed)], "is not the one that was planned")
    # A scene that lies elsewhere can be named.
    place = [str(scenes / name) for name in ("room", "dim")]
    assert main([*words, "--library", str(tmp_path), "--scene", *place]) == 0
    _refused(capsys, [*words[:2], str(tmp_path / "no.json"), *words[3:]], "does not exist")
    (tmp_path / "thesis.tex").write_text("chapter 1")
    _refused(capsys, [*words[:2], str(tmp_path / "thesis.tex"), *words[3:]], "is not a plan")


def test_plans_of_other_versions_give_clips_with_a_warning_and_no_sets(
    scenes, clips, tmp_path, capsys
):
    old = tmp_path / "old.json"
    old.write_text(replace(read_plan(clips), code_version="0.0.1").to_json())
    words = ["render", "--plan", str(old), "--library", str(scenes), "--out", str(tmp_path / "c")]
    _refused(capsys, words, "was rendered by merkwelt 0.0.1", "install that version")
    assert main([*words, "--clip", "0"]) == 0
    assert "the clip may not be the same" in " ".join(capsys.readouterr().err.split())


def test_estimate_says_what_it_will_take_and_writes_nothing(scenes, tmp_path, capsys):
    out, file = tmp_path / "c", tmp_path / "figures.json"
    words = [*RENDER, "--scene", "room", "dim", "--clips", "8", "--out", str(out)]
    words += ["--library", str(scenes)]
    asked = ["--estimate", "--calibrate-s", "0.2", "--dollars-per-hour", "36"]
    assert main([*words, *asked, "--json", str(file)]) == 0
    told = capsys.readouterr().out
    assert not out.exists()
    assert "8 clips to render in 2 shards" in told
    assert "2 of 2 scenes, timed and thrown away" in told
    assert "x $36.00 per hour" in told
    figures = json.loads(file.read_text())
    assert figures["dollars"] == pytest.approx(figures["seconds"] / 100)
    assert main(words) == 0
    assert figures["bytes"] == pytest.approx(ClipDataset(out).manifest.bytes, rel=0.3)
    assert main([*words, *asked]) == 0
    assert "nothing is missing of this part of 8 clips" in capsys.readouterr().out


def test_estimate_shows_its_arithmetic(tmp_path):
    said = Estimate(
        planned_clips=720,
        clips=720,
        shards=45,
        workers=2,
        timed_clips=6,
        scenes=1,
        timed_scenes=1,
        plan_s=1.0,
        render_s=8.5,
        encode_s=0.5,
        start_up_s=10.0,
        seconds=3610.0,
        uncertain=0.0,
        skipped=0.0,
        bytes_per_clip=5e5,
        bytes=3.6e8,
        rays_per_clip=131072,
    )
    lines = "\n".join(estimate_lines(said, tmp_path / "c"))
    assert "60 min (10 s + 720 clips x 10 s / 2 workers, whole shards each" in lines
    assert "cost       1 h of the machine: $1.00 if that is $1.00 per hour" in lines
    assert "0.2 clips/s, 2.62e+04 rays/s" in lines
    assert "size       360 MB" in lines
    assert "differ much: +-40 %" in "\n".join(
        estimate_lines(replace(said, uncertain=0.4), tmp_path)
    )
    days = replace(said, seconds=86400.0 * 30, bytes=3.2e12, skipped=0.25)
    lines = "\n".join(estimate_lines(days, tmp_path / "c", 2.5))
    assert "30.0 days" in lines
    assert "size       3.2 TB" in lines
    assert "$1800.00 = 720 h x $2.50 per hour" in lines
    assert "skipped    25 %" in lines
