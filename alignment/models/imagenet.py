"""The words of ImageNet's thousand classes, in the order of nearly every classifier's logits."""

import functools
from pathlib import Path


@functools.cache
def imagenet_words() -> tuple[str, ...]:
    """Return the words of each class, such as ``tench, Tinca tinca`` for the first.

    Source: the label file of TensorFlow's hosted MobileNets (Apache-2.0), without its "background".
    """
    return tuple((Path(__file__).parent / "imagenet_words.txt").read_text("utf-8").splitlines())


def words_for(outputs: int) -> tuple[str, ...] | None:
    """Return ImageNet's words for a classifier of a thousand outputs, and None for any other."""
    words = imagenet_words()
    return words if outputs == len(words) else None
