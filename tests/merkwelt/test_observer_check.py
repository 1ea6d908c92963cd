"""The check of an observer, end to end in the analytic room."""

import json
import re

import pytest
from merkwelt.render.observer import load_observer

from merkwelt.cli import main
from merkwelt.observer_check import CheckSettings, check_as_data, check_observer, write_check


@pytest.fixture(scope="module")
def found(room):
    settings = CheckSettings(clips=4, seconds=4.0)
    told = []
    check = check_observer(
        load_observer("adult"), room, settings, progress=lambda done, note: told.append(done)
    )
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    return check


def test_a_check_judges_what_there_is_and_says_what_is_missing(found):
    verdicts = {s.key: f.verdict for s, f in found.findings}
    assert len(found.clips) == 4
    assert verdicts["step_hz_brisk"] == "too few data"
    assert verdicts["falls"] == "not applicable"
    assert verdicts["eccentricity"] == "no published value"
    assert verdicts["eye_limit"] == "within"
    assert found.count("within") > 3


def test_a_report_stands_alone_and_results_can_be_read(found, tmp_path):
    report = write_check(found, tmp_path / "out").read_text()
    for part in ("Verdicts", "Front Hum Neurosci 2019", "main sequence", "How it was measured"):
        assert part in report
    assert not re.findall(r"(?:src|href)=.https?:|\bnan\b", report)
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results == check_as_data(found)
    rows = {row["key"]: row for row in results["statistics"]}
    assert rows["step_hz"]["published"]["source"] == "Front Hum Neurosci 2019"
    assert rows["falls"]["value"] is None
    assert results["card"]["name"] == "adult"


def test_the_command_checks_a_static_observer(library, tmp_path, capsys):
    out = tmp_path / "static"
    words = ["observer", "check", "static", "--scene", "room", "--library", str(library)]
    assert main([*words, "--clips", "2", "--seconds", "3", "--out", str(out)]) == 0
    assert "within" in capsys.readouterr().out
    rows = json.loads((out / "results.json").read_text())["statistics"]
    by_key = {row["key"]: row["verdict"] for row in rows}
    assert by_key["vertical"] == by_key["heading_azimuth"] == "not applicable"
    assert (out / "report.html").is_file()


@pytest.mark.parametrize("name", ["toddler", "crawler", "mineault2021"])
def test_other_observers_are_checked_too(room, name, tmp_path):
    settings = CheckSettings(clips=2, seconds=3.0, views=1)
    check = check_observer(load_observer(name), room, settings)
    assert {s.key: f.verdict for s, f in check.findings}["vertical"] == "not applicable"
    assert write_check(check, tmp_path).is_file()


def test_a_scene_without_scale_is_refused(library, tmp_path, capsys):
    words = ["observer", "check", "adult", "--scene", "unscaled", "--library", str(library)]
    assert main([*words, "--out", str(tmp_path)]) == 2
    assert "metric" in capsys.readouterr().err


def test_checks_of_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one clip of at least one second"):
        CheckSettings(clips=0)
    with pytest.raises(ValueError, match="views and a seed"):
        CheckSettings(views=-1)
