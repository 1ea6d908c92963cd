"""Streams: endless clips. Plans, shards, receipts, manifests, the local engine and the reader."""

from .engine import Rendered, render_dataset, render_one
from .manifest import Manifest, finalize
from .plan import Plan, Storage, make_plan
from .reader import ClipDataset
from .samples import Batch, Sample, collate
from .verify import Verification, verify_dataset

__all__ = [
    "Batch",
    "ClipDataset",
    "Manifest",
    "Plan",
    "Rendered",
    "Sample",
    "Storage",
    "Verification",
    "collate",
    "finalize",
    "make_plan",
    "render_dataset",
    "render_one",
    "verify_dataset",
]
