"""The demo, shortened, on the real bundled scene."""

import re

import pytest
from merkwelt.render.render_clip import ClipSettings

from merkwelt.demo import DemoSettings, run_demo
from merkwelt.object_views import ObjectViewSettings


@pytest.mark.slow
def test_the_demo_walks_the_whole_road_and_resumes(tmp_path, monkeypatch):
    monkeypatch.setenv("MERKWELT_LIBRARY", str(tmp_path / "nothing"))
    settings = DemoSettings(
        showcase=ClipSettings(frames=3, size=32),
        clip=ClipSettings(frames=4, size=24),
        clips=6,
        steps=2,
        batch=2,
        objects=ObjectViewSettings(size=32, per_object=1, tries=4),
    )
    notes = []
    done = run_demo(
        tmp_path / "demo", settings=settings, progress=lambda share, note: notes.append(share)
    )
    page = done.report.read_text()
    for title in ("What the observer saw", "The walk from above", "Learning", "Where it looks"):
        assert title in page
    assert "not human maps" in page
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert notes == sorted(notes)
    assert notes[-1] == pytest.approx(1.0)
    shards = {p: p.stat().st_mtime_ns for p in (tmp_path / "demo" / "clips").rglob("*.tar")}
    run_demo(tmp_path / "demo", settings=settings)
    assert {p: p.stat().st_mtime_ns for p in shards} == shards
