import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.alignment import HumanMaps, read_maps
from merkwelt.objectives import HarmonisedConfig, HarmonizerConfig
from merkwelt.objectives.harmonizer.presets import PRESETS

from merkwelt.commands.learn import train as train_command
from merkwelt.harmonising import HarmonizerRequest, harmonised, open_maps, stills_of
from merkwelt.names import HarmonizerName
from merkwelt.recipes import recipe
from merkwelt.training import load_experiment, train
from merkwelt.training.config_file import from_plain, to_plain
from merkwelt.training.stills import HumanMapStills, StillSettings, random_cut

from .drifting import drifting_clips, small_experiment
from .test_loop import Killed, assert_same_bits, kill_at, lines_of

CPU = torch.device("cpu")


def _human_maps(count=10, height=30, width=33):
    """Images whose red channel is the human map, so that one tells where the other was cut."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    images, maps = [], []
    for _ in range(count):
        row, column = rng.uniform(8, height - 8), rng.uniform(8, width - 8)
        bump = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 40)
        image = rng.integers(0, 90, (height, width, 3))
        image[..., 0] = np.round(255 * bump)
        images.append(image.astype(np.uint8))
        maps.append((image[..., 0] / 255).astype(np.float32))
    labels = [("cup", "ball", "door")[i % 3] for i in range(count)]
    return HumanMaps(
        images=np.stack(images),
        maps=np.stack(maps),
        names=tuple(f"image{i}" for i in range(count)),
        labels=tuple(labels),
        kind="test maps",
        are_human=False,
        source="made here",
        licence="none",
    )


def _stills(*, seed=0, maps=None, **settings):
    chosen = StillSettings(**({"size_px": 24, "per_step": 4} | settings))
    return HumanMapStills(maps or _human_maps(), chosen, seed=seed)


def test_images_are_held_out_and_never_trained_on():
    stills = _stills()
    assert len(stills.held_out_ids) == 2
    assert sorted([*stills.held_out_ids, *stills.training_ids]) == list(range(10))
    assert stills.classes == ("ball", "cup", "door")
    held_out = stills.held_out(CPU)
    assert held_out["stills"].shape == (2, 3, 24, 24)
    assert held_out["still_maps"].shape == (2, 24, 24)
    names = [("cup", "ball", "door")[i % 3] for i in stills.held_out_ids]
    assert [stills.classes[label] for label in held_out["still_labels"]] == names
    assert len(stills.training(CPU)["stills"]) == 8
    assert _stills(seed=1).held_out_ids != stills.held_out_ids
    # Over two steps of four, each of eight training images comes once.
    labels = torch.cat([stills.batch(step, CPU)["still_labels"] for step in (0, 1)])
    expected = stills.training(CPU)["still_labels"]
    assert sorted(labels.tolist()) == sorted(expected.tolist())


def test_image_and_map_are_cut_together():
    stills = _stills()
    for step in range(6):
        batch = stills.batch(step, CPU)
        red, maps = batch["stills"][:, 0], batch["still_maps"]
        # Bicubic and bilinear shrinking of a smooth bump differ by little.
        assert (red - maps).abs().max() < 0.08
        assert batch["still_tokens"].tolist() == [1, 1, 1, 1]
        assert batch["stills"].min() >= 0
        assert batch["stills"].max() <= 1


def test_a_step_depends_on_the_seed_and_the_step_alone():
    first, second = _stills(), _stills()
    second.batch(0, CPU)
    for name, each in first.batch(3, CPU).items():
        assert torch.equal(each, second.batch(3, CPU)[name])
    assert not torch.equal(first.batch(3, CPU)["stills"], first.batch(5, CPU)["stills"])
    assert not torch.equal(first.batch(3, CPU)["stills"], _stills(seed=1).batch(3, CPU)["stills"])


def test_without_cuts_and_mirrors_steps_show_what_is_measured():
    stills = _stills(least_area=1.0, mirror=False, per_step=8)
    batch, whole = stills.batch(0, CPU), stills.training(CPU)
    shown = {image.numpy().tobytes() for image in batch["stills"]}
    assert shown == {image.numpy().tobytes() for image in whole["stills"]}


def test_cuts_lie_inside_and_have_their_share():
    draw = np.random.default_rng(0)
    for _ in range(200):
        rows, columns = random_cut(40, 50, 0.3, draw)
        assert 0 <= rows.start < rows.stop <= 40
        assert 0 <= columns.start < columns.stop <= 50
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        # Sides are rounded, and a side that does not fit is shortened.
        assert 0.27 * 2000 < area <= 2000
    assert random_cut(1, 1, 0.1, draw) == (slice(0, 1), slice(0, 1))


def test_a_constant_map_is_no_map():
    maps = _human_maps()
    maps.maps[:9] = 0.0
    stills = _stills(maps=maps, held_out_share=0.1)
    tokens = stills.training(CPU)["still_tokens"]
    assert tokens.sum() + stills.held_out(CPU)["still_tokens"].sum() == 1
    maps.maps[:] = 0.0
    with pytest.raises(ValueError, match="vary over the image, got constant ones only"):
        _stills(maps=maps)


def test_the_identity_changes_with_all_that_changes_the_batches():
    identities = {_stills().identity, _stills(seed=1).identity, _stills(per_step=3).identity}
    other = _human_maps()
    other.maps[0, 3, 3] += 1
    relabelled = replace(_human_maps(), labels=("cup",) * 10)
    identities |= {_stills(maps=other).identity, _stills(maps=relabelled).identity}
    assert len(identities) == 5
    assert _stills().identity == _stills().identity


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="at least 2 images with human maps"):
        _stills(maps=_human_maps(1))
    with pytest.raises(ValueError, match="size of at least 1 px"):
        StillSettings(size_px=0)
    with pytest.raises(ValueError, match="least area in"):
        StillSettings(least_area=0.0)


def _harmonised_experiment(name="sfa", *, map_weight=5.0, **changes):
    request = HarmonizerRequest(map_weight=map_weight, frames=1)
    return harmonised(small_experiment(name, **changes), request, classes=3)


@pytest.mark.parametrize("name", ["sfa", "predict"])
def test_a_killed_and_resumed_run_has_the_same_bits(tmp_path, name):
    experiment, clips, stills = _harmonised_experiment(name), drifting_clips(), _stills()
    train(experiment, clips, tmp_path / "whole", stills=stills, device="cpu")
    with pytest.raises(Killed):
        train(
            experiment,
            clips,
            tmp_path / "cut",
            stills=stills,
            device="cpu",
            progress=kill_at(5),
        )
    summary = train(experiment, clips, tmp_path / "cut", stills=stills, device="cpu")
    assert_same_bits(tmp_path / "whole", tmp_path / "cut")
    for split in ("train", "held_out", "untrained"):
        assert lines_of(tmp_path / "cut", split) == lines_of(tmp_path / "whole", split)
    assert {"stills_alignment", "stills_alignment_centre"} <= set(summary.held_out)
    assert load_experiment(tmp_path / "whole") == experiment
    with pytest.raises(FileExistsError, match="data.stills: .* there, .* now"):
        train(experiment, clips, tmp_path / "cut", stills=_stills(per_step=3), device="cpu")


def test_without_stills_a_run_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="labelled stills with human maps .*--maps"):
        train(_harmonised_experiment(), drifting_clips(), tmp_path / "run", device="cpu")


def test_any_recipe_is_harmonised_and_survives_its_file():
    assert set(PRESETS) == set(HarmonizerName.__args__)
    plain = recipe("predict")
    for preset in HarmonizerName.__args__:
        request = HarmonizerRequest(preset=preset, weight=0.5)
        experiment = harmonised(plain, request, classes=7)
        assert isinstance(experiment.objective, HarmonisedConfig)
        assert experiment.objective.objective == plain.objective
        assert experiment.objective.harmonizer == PRESETS[preset]()
        assert from_plain(json.loads(json.dumps(to_plain(experiment)))) == experiment
        assert replace(experiment, objective=plain.objective) == plain
    assert harmonised(experiment, HarmonizerRequest(), classes=7) == experiment
    with pytest.raises(ValueError, match="with 7 labels, .* got 5"):
        harmonised(experiment, HarmonizerRequest(), classes=5)
    weighed = harmonised(plain, HarmonizerRequest(map_weight=3.0), classes=7)
    assert weighed.objective.harmonizer == HarmonizerConfig(map_weight=3.0)


def test_options_of_the_harmonizer_need_maps(tmp_path):
    with pytest.raises(ValueError, match="need human maps; name them with --maps"):
        train_command(
            "sfa",
            data="nowhere",
            out=tmp_path,
            harmonizer=HarmonizerRequest(preset="co3d_fel"),
        )


@pytest.mark.parametrize(("asked", "size_px"), [(None, 20), (32, 32)])
def test_stills_are_as_large_as_asked_or_as_the_clips(asked, size_px):
    experiment = replace(small_experiment("sfa"), image_size_px=20)
    request = HarmonizerRequest(size=asked)
    stills = stills_of(_human_maps(), request, experiment, drifting_clips())
    assert stills.settings.size_px == size_px
    with pytest.raises(ValueError, match="size of at least 1 px"):
        stills_of(_human_maps(), HarmonizerRequest(size=0), experiment, drifting_clips())


def test_clickme_maps_are_read_as_they_are_scored(shared_data):
    path = shared_data / "clickme" / "clickme2_co3d_29.npz"
    request = HarmonizerRequest()
    joined = open_maps(path, replace(recipe("sfa"), image_size_px=32), request)
    stills = stills_of(joined.maps, request, joined.experiment, drifting_clips())
    assert joined.experiment.objective.classes == len(stills.classes) == 23
    assert len(stills.training_ids) == 23
    batch = stills.batch(0, CPU)
    assert batch["stills"].shape == (8, 3, 32, 32)
    assert batch["still_tokens"].tolist() == [1] * 8
    maps = read_maps(path)
    labels = [maps.labels[i] for i in stills.held_out_ids]
    assert [stills.classes[i] for i in stills.held_out(CPU)["still_labels"]] == labels
