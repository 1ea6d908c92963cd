"""Reports: pages, figures and ready-made sections, in one self-contained HTML file."""

from .alignment_section import alignment_section
from .blocks import (
    ClipPlayer,
    Column,
    Details,
    FigureBlock,
    Gallery,
    GridCell,
    GridItem,
    ImageGrid,
    Interval,
    KeyFigure,
    KeyFigures,
    Note,
    Panel,
    Table,
)
from .compose import evaluate_report, train_report
from .encode import figure_png, jpeg_bytes, png_bytes
from .floor_plan import plan_plot, walkable_of
from .page import Report, Section, write_report
from .sections import clip_section, provenance_section, scene_section, trajectory_section
from .stereo import anaglyph, colour_depth, contact_sheet
from .training_section import training_section
from .trajectory_plot import timeline_plot, trajectory_plot
from .truth_section import truth_figure, truth_section

__all__ = [
    "ClipPlayer",
    "Column",
    "Details",
    "FigureBlock",
    "Gallery",
    "GridCell",
    "GridItem",
    "ImageGrid",
    "Interval",
    "KeyFigure",
    "KeyFigures",
    "Note",
    "Panel",
    "Report",
    "Section",
    "Table",
    "alignment_section",
    "anaglyph",
    "clip_section",
    "colour_depth",
    "contact_sheet",
    "evaluate_report",
    "figure_png",
    "jpeg_bytes",
    "plan_plot",
    "png_bytes",
    "provenance_section",
    "scene_section",
    "timeline_plot",
    "train_report",
    "training_section",
    "trajectory_plot",
    "trajectory_section",
    "truth_figure",
    "truth_section",
    "walkable_of",
    "write_report",
]
