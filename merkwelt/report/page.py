"""The report: one self-contained HTML file of titled sections."""

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from .blocks import Block
from .theme import DARK, LIGHT, css_variables
from .views import paragraphs, view_of

_TEMPLATES = ("report.html", "blocks.html", "player.html")


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled part of a report: what is shown, in a paragraph, then the blocks that show it."""

    title: str
    lead: str = ""
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report; the same report gives the same bytes."""

    title: str
    subtitle: str = ""
    sections: tuple[Section, ...] = ()

    def to_html(self) -> str:
        """Return the page, which refers to nothing outside itself."""
        sections = [
            {
                "id": anchor,
                "title": section.title,
                "lead": paragraphs(section.lead),
                "blocks": [
                    view_of(block, f"s{number}b{place}")
                    for place, block in enumerate(section.blocks)
                ],
            }
            for number, (anchor, section) in enumerate(
                zip(_anchors(self.sections), self.sections, strict=True)
            )
        ]
        page = _environment().get_template("report.html")
        return page.render(
            title=self.title,
            subtitle=self.subtitle,
            sections=sections,
            style=Markup(_text("report.css")),
            light=Markup(css_variables(LIGHT)),
            dark=Markup(css_variables(DARK)),
        )


def write_report(report: Report, path: Path) -> Path:
    """Write a report, whole or not at all, and return its path.

    Raises:
        FileNotFoundError: the folder it should lie in does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write the report {path}: expected the folder {path.parent} to exist; create it"
        )
    page = report.to_html().encode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def _anchors(sections: tuple[Section, ...]) -> Iterator[str]:
    """Yield a readable and unique anchor for each section."""
    used: set[str] = set()
    for number, section in enumerate(sections, start=1):
        anchor = re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-") or "section"
        anchor = f"{anchor}-{number}" if anchor in used else anchor
        used.add(anchor)
        yield anchor


def _environment() -> jinja2.Environment:
    loader = jinja2.DictLoader({name: _text(name) for name in _TEMPLATES})
    return jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _text(name: str) -> str:
    return resources.files(__name__.rpartition(".")[0]).joinpath(name).read_text(encoding="utf-8")
