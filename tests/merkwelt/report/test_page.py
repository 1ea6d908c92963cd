"""The page parses, escapes, refers to nothing outside itself, and is written whole or not."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from merkwelt.report import (
    ClipPlayer,
    Column,
    Details,
    FigureBlock,
    GridCell,
    GridItem,
    ImageGrid,
    Interval,
    KeyFigure,
    KeyFigures,
    Note,
    Panel,
    Report,
    Section,
    Table,
    clip_section,
    plan_plot,
    trajectory_section,
    write_report,
)
from merkwelt.report.blocks import Gallery
from merkwelt.report.views import cell_text, paragraphs, view_of

EVIL = "<script>alert('x')</script> & \"quotes\""
VOID = {"meta", "img", "input", "br", "hr", "link"}


class Checked(HTMLParser):
    """Collects tags and attributes, and fails on tags that do not close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def parse(html):
    checked = Checked()
    checked.feed(html)
    checked.close()
    assert not checked.open
    return checked


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def every_block(card):
    frames = np.stack([picture(n) for n in range(5)])
    columns = (Column(name=EVIL), Column(name="score", unit="rho", best="max"))
    return (
        FigureBlock(figure=plan_plot(card), caption=EVIL, title=EVIL),
        FigureBlock(figure=picture(), caption="picture"),
        Gallery(figures=(FigureBlock(figure=plan_plot(card), caption="again"),)),
        ClipPlayer(
            panels=(Panel(name=EVIL, frames=frames), Panel(name="right", frames=frames)),
            time_s=(0.0, 0.1, 0.2, 0.3, 0.4),
            caption=EVIL,
            frame_notes=("", EVIL, "", "", ""),
            wiggle=(0, 1),
        ),
        ImageGrid(
            items=(GridItem(title=EVIL, cells=(GridCell(name=EVIL, image=picture(), value="1"),)),),
            caption=EVIL,
        ),
        Table(columns=columns, rows=((EVIL, 0.5), ("b", None)), caption=EVIL),
        KeyFigures(figures=(KeyFigure(value="0.31", meaning=EVIL, unit="dB", floor=EVIL),)),
        Note(text=EVIL, kind="warning"),
        Details(title=EVIL, facts={EVIL: EVIL}, text=EVIL),
    )


@pytest.fixture
def page(card):
    sections = tuple(
        Section(title=EVIL, lead=f"{EVIL}\n\nsecond", blocks=every_block(card)) for _ in range(3)
    )
    return Report(title=EVIL, subtitle=EVIL, sections=sections).to_html()


def test_page_parses_and_escapes_every_text(page):
    checked = parse(page)
    assert checked.tags.count("script") == 1  # the player's own
    assert page.count("alert(") > 20
    assert "<script>alert" not in page
    assert checked.tags.count("h2") == 3


def test_page_is_self_contained(page, clip, card):
    sections = (clip_section(clip, card), trajectory_section(clip.trajectory, card))
    for html in (page, Report(title="a", sections=sections).to_html()):
        assert not re.search(r"https?:|file:|//[a-z0-9.-]+\.[a-z]{2,}/|@import", html)
        for tag, name, value in parse(html).attributes:
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "#")), (tag, name, value[:40])
            assert not name.startswith("on")


def test_ids_are_unique_and_references_meet_them(page):
    checked = parse(page)
    ids = [value for _, name, value in checked.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for _, name, value in checked.attributes:
        if name == "href" and value.startswith("#"):
            assert value[1:] in ids
        for reference in re.findall(r"url\(#([^)]+)\)", value):
            assert reference in ids


def test_page_follows_light_and_dark(page):
    assert "prefers-color-scheme: dark" in page
    drawing = page[page.index("<svg") : page.index("</svg>")]
    assert "var(--floor)" in drawing
    assert "#8b9299" not in drawing


def test_same_report_gives_same_bytes(card, clip, walkable):
    def build():
        walk = trajectory_section(clip.trajectory, card, walkable)
        return Report(title="a", sections=(clip_section(clip, card), walk))

    report = build()
    assert report.to_html() == report.to_html() == build().to_html()


def test_first_frame_stands_without_javascript(clip, card):
    html = Report(title="a", sections=(clip_section(clip, card),)).to_html()
    assert '<div class="controls" hidden>' in html
    uri = re.search(r'class="frame".*?src="data:image/jpeg;base64,([^"]+)"', html).group(1)
    strip = cv2.imdecode(np.frombuffer(base64.b64decode(uri), np.uint8), cv2.IMREAD_COLOR)
    style = re.search(r"width: ([\d.]+)%; transform: translate\((-[\d.]+)%, (-[\d.]+)%\)", html)
    width_px = strip.shape[1] / (float(style.group(1)) / 100)
    left = -float(style.group(2)) / 100 * strip.shape[1]
    top = -float(style.group(3)) / 100 * strip.shape[0]
    height_px = width_px * 24 / 32
    window = strip[round(top) : round(top + height_px), round(left) : round(left + width_px), ::-1]
    first = clip.video[0, 0].permute(1, 2, 0).numpy()
    shown = cv2.resize(window, (32, 24), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(shown - first).mean() < 8


def test_write_report_is_whole_or_nothing(tmp_path, monkeypatch):
    path = write_report(Report(title="one"), tmp_path / "report.html")
    assert path.read_text() == Report(title="one").to_html()
    write_report(Report(title="two"), path)
    assert "two" in path.read_text()

    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_report(Report(title="three"), path)
    assert "two" in path.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_write_report_names_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the folder .*none to exist"):
        write_report(Report(title="one"), tmp_path / "none" / "report.html")


def test_table_aligns_and_emphasises_the_best_that_is_no_floor():
    table = Table(
        columns=(Column(name="model"), Column(name="score", decimals=2, best="max")),
        rows=(("a", 0.25), ("b", Interval(value=0.5, low=0.4, high=0.6)), ("floor", 0.9)),
        caption="",
        floor_rows=frozenset({2}),
    )
    view = view_of(table, "t")
    assert [head["numeric"] for head in view["heads"]] == [False, True]
    assert [row["cells"][1]["best"] for row in view["rows"]] == [False, True, False]
    assert [row["cells"][1]["text"] for row in view["rows"]] == [
        "0.25",
        "0.50 [0.40, 0.60]",
        "0.90",
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "\N{EN DASH}"),
        (-0.5, "\N{MINUS SIGN}0.50"),
        (12345, "12\N{NARROW NO-BREAK SPACE}345"),
        (float("nan"), "not a number"),
        ("word-word", "word-word"),
    ],
)
def test_cell_text(cell, text):
    assert cell_text(cell, Column(name="a", decimals=2)) == text


def test_lowest_is_best_and_ties_share():
    table = Table(
        columns=(Column(name="error", best="min"),),
        rows=((2.0,), (1.0,), (1.0,), (float("nan"),)),
        caption="",
    )
    best = [row["cells"][0]["best"] for row in view_of(table, "t")["rows"]]
    assert best == [False, True, True, False]


def test_paragraphs():
    assert paragraphs("a\n\n\n b \n\n") == ["a", "b"]


def test_blocks_refuse_what_does_not_fit():
    frames = np.zeros((3, 4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="expected 2 frames"):
        ClipPlayer(panels=(Panel(name="a", frames=frames),), time_s=(0.0, 0.1), caption="")
    with pytest.raises(ValueError, match="expected 3 frame notes, got 1"):
        ClipPlayer(
            panels=(Panel(name="a", frames=frames),),
            time_s=(0.0, 0.1, 0.2),
            caption="",
            frame_notes=("x",),
        )
    with pytest.raises(ValueError, match="table row 0: expected 1 cells, got 2"):
        Table(columns=(Column(name="a"),), rows=((1, 2),), caption="")
