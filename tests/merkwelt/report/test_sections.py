"""Ready-made sections: what they show, and what they say where something is missing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from merkwelt.report import (
    ClipPlayer,
    Details,
    FigureBlock,
    Gallery,
    Note,
    clip_section,
    evaluate_report,
    provenance_section,
    scene_section,
    train_report,
    training_section,
    trajectory_section,
)

from .section_blocks import html, notes, of


def test_scene_section_shows_preview_plan_and_objects(card, walkable):
    section = scene_section(card, np.zeros((40, 60, 3), np.uint8), walkable=walkable)
    assert "2 named objects, 1 of them ImageNet categories" in section.lead
    assert "28.4 dB" in section.lead
    assert len(of(section, Gallery)[0].figures) == 2
    objects = next(block for block in of(section, Details) if block.title == "Objects").table
    assert objects.rows[0][:3] == ("sofa", "studio couch", "n04344873")
    assert not of(section, Note)


def test_scene_section_says_what_is_missing(card):
    bare = replace(card, metres_per_unit=None, objects=())
    section = scene_section(bare)
    assert "no preview" in notes(section)
    assert "scale in metres is unknown" in notes(section)
    assert not of(section, FigureBlock)
    html(section)


def test_clip_section_shows_four_streams(clip, card):
    section = clip_section(clip, card)
    player = of(section, ClipPlayer)[0]
    names = [panel.name for panel in player.panels]
    assert names == ["Left eye", "Right eye", "Anaglyph, red left", "Depth"]
    np.testing.assert_array_equal(
        player.panels[1].frames[2], clip.video[1, 2].permute(1, 2, 0).numpy()
    )
    assert player.panels[3].bar.unit == "metres"
    assert player.frame_notes[5] == "saccade"
    assert player.frame_notes[8] == "blink"
    assert "Clip 3 of room, seed 0: 12 frames" in player.caption
    assert not of(section, Note)


def test_clip_section_says_which_streams_are_missing(mono_clip):
    section = clip_section(mono_clip)
    player = of(section, ClipPlayer)[0]
    assert len(player.panels) == 1
    assert player.wiggle is None
    assert "one eye" in notes(section)
    assert "without depth" in notes(section)
    assert "Wiggle</button>" not in html(section)


def test_clip_section_thins_out_long_clips(clip):
    times = 10
    trajectory = clip.trajectory
    arrays = {
        name: np.repeat(values, times, axis=1 if name == "world_from_eye" else 0)
        for name, values in trajectory.to_arrays().items()
    }
    arrays["time_s"] = np.arange(trajectory.frames * times) / 10
    long = replace(
        clip,
        video=clip.video.repeat_interleave(times, dim=1),
        depth=None,
        trajectory=type(trajectory).from_arrays(arrays),
    )
    player = of(clip_section(long), ClipPlayer)[0]
    assert len(player.time_s) == 48
    assert player.time_s[-1] == pytest.approx(11.9)
    assert "120 frames" in player.caption
    assert "Shown here: 48" in player.caption


def test_report_of_a_usual_clip_is_small(trajectory):
    import torch
    from merkwelt.render.clip import Clip
    from merkwelt.render.key import ClipKey

    arrays = {
        name: np.resize(
            values, (2, 16, 4, 4) if name == "world_from_eye" else (16, *values.shape[1:])
        )
        for name, values in trajectory.to_arrays().items()
    }
    arrays["time_s"] = np.arange(16) / 10
    noise = torch.randint(0, 256, (2, 16, 3, 160, 160), dtype=torch.uint8)
    clip = Clip(
        key=ClipKey(dataset_seed=0, scene="room", clip=0),
        video=noise,
        depth=torch.rand(2, 16, 160, 160) + 1,
        trajectory=type(trajectory).from_arrays(arrays),
    )
    assert len(html(clip_section(clip))) < 6_000_000  # noise: nothing is larger


def test_trajectory_section_says_how_far(trajectory, card, walkable):
    section = trajectory_section(trajectory, card, walkable)
    xy = trajectory.world_from_head[:, :2, 3]
    length = sum(float(np.hypot(*(b - a))) for a, b in zip(xy[:-1], xy[1:], strict=True))
    assert f"{length:.2f} metres in 1.1 seconds, with 2 fixations" in section.lead
    captions = [figure.caption for figure in of(section, Gallery)[0].figures]
    assert "Shaded: where the observer can stand" in captions[0]


def write_run(folder, entries):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"steps": len(entries)}))
    lines = [json.dumps({"step": step, **entry}) for step, entry in enumerate(entries)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_training_section_puts_floors_beside_curves(tmp_path):
    entries = [
        {
            "loss": 2 / (n + 1),
            "mse": 1 / (n + 1),
            "copy_last_mse": 0.4,
            "held_out/mse": 1.1 / (n + 1),
        }
        for n in range(5)
    ]
    entries[0]["untrained/mse"] = 0.9
    section = training_section({"predictive coding": write_run(tmp_path / "run", entries)})
    figures = of(section, Gallery)[0].figures
    assert [figure.title for figure in figures] == ["Error of the predicted next frame", "Loss"]
    drawn = [text.get_text() for text in figures[0].figure.axes[0].texts]
    assert drawn == ["prediction  0.2", "held out  0.22", "copy last frame  0.4", "untrained  0.9"]
    assert of(section, Details)[0].title == "Configuration of predictive coding"


def test_training_section_reads_the_log_of_the_training_loop(tmp_path):
    from merkwelt.training.metrics_log import MetricsLog

    log = MetricsLog(tmp_path)
    log.append(0, "untrained", {"delta": 1.5, "delta_pixels": 0.8})
    log.append(0, "held_out", {"delta": 1.5, "delta_pixels": 0.8})
    for step in (1, 2):
        log.append(step, "train", {"slowness": 4.0 / step, "loss": float("nan")}, seconds=1.0)
    log.append(2, "held_out", {"delta": 0.5, "delta_pixels": 0.8})
    figures = of(training_section({"slow": tmp_path}), Gallery)[0].figures
    slowness = figures[0].figure.axes[0]
    drawn = [text.get_text() for text in slowness.texts]
    assert drawn == ["held out, outputs  0.5", "untrained, outputs  1.5", "raw pixels  0.8"]
    assert figures[1].title == "Slowness while training"


def test_floors_of_held_out_clips_stand_beside_the_curves(tmp_path):
    entries = [{"held_out/copy_last_mse": 0.4, "held_out/mse": 0.3}]
    entries += [{"train/copy_last_mse": 0.9, "train/mse": 0.2}]
    section = training_section({"run": write_run(tmp_path / "run", entries)})
    drawn = [text.get_text() for text in of(section, Gallery)[0].figures[0].figure.axes[0].texts]
    assert drawn == ["train  0.2", "held out  0.3", "copy last frame  0.4"]


def test_training_section_of_unknown_measures_and_of_nothing(tmp_path):
    odd = write_run(tmp_path / "odd", [{"surprise": 1.0}, {"surprise": 2.0}])
    empty = write_run(tmp_path / "empty", [])
    section = training_section({"odd": odd, "empty": empty})
    assert [figure.title for figure in of(section, Gallery)[0].figures] == ["odd: surprise"]
    assert "empty: nothing was measured" in notes(section)
    html(section)


def test_provenance_section_names_versions_and_commands():
    section = provenance_section(
        commands=("merkwelt demo --out DIR",), facts={"Seeds": {"data": 0}}, texts={"plan": "{}"}
    )
    titles = [block.title for block in section.blocks]
    assert titles == ["Commands", "Seeds", "plan", "Versions"]
    assert section.blocks[1].facts == {"data": "0"}
    assert section.blocks[-1].facts["numpy"] == np.__version__


def test_whole_reports(results_of, tmp_path):
    run = write_run(tmp_path / "run", [{"loss": 1.0}, {"loss": 0.5}])
    evaluated = evaluate_report({"slow": results_of()}, runs={"slow": run})
    assert [section.title for section in evaluated.sections] == [
        "Where it looks",
        "Learning",
        "How to make this again",
    ]
    trained = train_report({"slow": run})
    assert trained.to_html() == train_report({"slow": run}).to_html()
