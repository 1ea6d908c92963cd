"""What a section shows, for tests to look at."""

from merkwelt.report import Note, Report


def of(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def notes(section):
    return " ".join(note.text for note in of(section, Note))


def html(section):
    return Report(title="a", sections=(section,)).to_html()
