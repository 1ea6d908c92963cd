import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.streams import make_plan
from merkwelt.streams.live import LiveOptions
from merkwelt.streams.videos.cut import ClipCut

from merkwelt.cli import main
from merkwelt.stream_request import StreamRequest, source_of
from merkwelt.training import StreamClips

SMALL = ClipSettings(frames=3, size=16, depth=False)


def test_scenes_by_name_become_a_plan(library):
    request = StreamRequest(library=library, settings=SMALL, observer="toddler", seed=3)
    source = source_of("stream:room", request)
    assert isinstance(source, StreamClips)
    plan = source.plan
    assert [scene.name for scene in plan.scenes] == ["room"]
    assert (plan.observer["name"], plan.seed) == ("toddler", 3)
    assert plan.settings["size"] == 16
    assert source.name_in_commands == "stream:room"


def test_a_stream_follows_an_existing_plan(library, room, tmp_path):
    plan = make_plan([room], load_observer("adult"), ClipSettings(frames=3, size=16), clips=5)
    file = tmp_path / "plan.json"
    file.write_text(plan.to_json())
    live = LiveOptions(reuse=2)
    source = source_of(f"stream:{file}", StreamRequest(library=library, live=live))
    assert isinstance(source, StreamClips)
    assert source.plan.id == plan.id
    assert source.options == live
    with pytest.raises(ValueError, match="says what its clips are; leave out the options"):
        source_of(f"stream:{file}", StreamRequest(library=library, seed=1))
    file.write_text(replace(plan, code_version="0.0.1").to_json())
    with pytest.raises(ValueError, match=r"was made by merkwelt 0.0.1, this is"):
        source_of(f"stream:{file}", StreamRequest(library=library))


def test_words_that_name_nothing_are_refused(library, tmp_path):
    with pytest.raises(ValueError, match="expected stream:SCENE, stream:SCENE,SCENE or"):
        source_of("stream:", StreamRequest())
    with pytest.raises(FileNotFoundError, match="attic"):
        source_of("stream:attic", StreamRequest(library=library))
    with pytest.raises(FileNotFoundError, match="the plan of a data set at"):
        source_of(f"stream:{tmp_path}/plan.json", StreamRequest())
    with pytest.raises(ValueError, match=r"options --stream.* and clips is a folder"):
        source_of("clips", StreamRequest(seed=1))
    with pytest.raises(ValueError, match=r"options --cut.* say how clips are cut from videos"):
        source_of("stream:room", StreamRequest(library=library), ClipCut(frames=4))
    with pytest.raises(ValueError, match="looks at pixels alone"):
        StreamRequest(settings=ClipSettings(frames=3, size=16, truth=("flow",)))


def test_the_command_trains_on_a_stream(library, tmp_path, capsys):
    threads = torch.get_num_threads()
    run = tmp_path / "run"
    words = f"train predict --data stream:room --out {run} --steps 1 --batch 2 --device cpu"
    words += f" --stream.library {library} --stream.frames 3 --stream.size 24 --stream.window 2"
    words += " --stream.reuse 1 --stream.held-out-clips 1 --stream.ahead 0"
    assert main(words.split()) == 0
    told = capsys.readouterr().out
    assert "1 steps" in told
    assert torch.get_num_threads() == threads
    results = json.loads((run / "results.json").read_text())
    assert results["stream"]["reuse"] == 1
    report = Path(run / "report.html").read_text()
    assert "--data stream:room" in report
    assert "Rendered while training" in report
