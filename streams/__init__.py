"""Streams: endless clips. Plans, shards, receipts, manifests, the local engine and the reader."""

from .engine import Rendered, render_dataset, render_one
from .expected import Estimate
from .loader import BatchPlaces, Share
from .manifest import Manifest, finalize
from .open_clips import open_clips
from .plan import Plan, Storage, make_plan
from .reader import ClipDataset
from .samples import Batch, Sample, collate
from .splits import Split, SplitShares, require_disjoint, split_of
from .verify import Verification, verify_dataset
from .videos import ClipCut, VideoClips
from .windows import WindowedClips, Windows

__all__ = [
    "Batch",
    "BatchPlaces",
    "ClipCut",
    "ClipDataset",
    "Estimate",
    "Manifest",
    "Plan",
    "Rendered",
    "Sample",
    "Share",
    "Split",
    "SplitShares",
    "Storage",
    "Verification",
    "VideoClips",
    "WindowedClips",
    "Windows",
    "collate",
    "finalize",
    "make_plan",
    "open_clips",
    "render_dataset",
    "render_one",
    "require_disjoint",
    "split_of",
    "verify_dataset",
]
