"""What is true of a clip, as plain facts, and captions that say nothing else."""

from .caption import caption_of
from .describe import describe
from .description import Description

__all__ = ["Description", "caption_of", "describe"]
