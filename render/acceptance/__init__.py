"""What generated motion is like, measured from its poses, beside what was published of people."""

from .body_statistics import BODY_STATISTICS, CAMERA_STATISTICS
from .eye_statistics import EYE_STATISTICS
from .measure import Samples, measure_clip
from .statistics import Statistic, Subject, finding_of
from .verdict import Finding, Published, Verdict, find

__all__ = [
    "BODY_STATISTICS",
    "CAMERA_STATISTICS",
    "EYE_STATISTICS",
    "Finding",
    "Published",
    "Samples",
    "Statistic",
    "Subject",
    "Verdict",
    "find",
    "finding_of",
    "measure_clip",
]
