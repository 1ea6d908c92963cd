"""One record of ClickMe 1.0: features to a pair, and a pair to features."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from .example_proto import Values, make_example
from .image_paths import split_folder
from .pairs import Pair
from .pictures import decode_grey, decode_rgb, encode_jpeg
from .provenance import Provenance
from .tfrecord import write_records
from .writing import new_file, new_folder

RECORDS_PER_SHARD = 1000
JPEG_QUALITY = 95
Encoding = Literal["jpeg", "raw"]
"""jpeg as public today (maps become 256 grey levels, and change a little); raw floats keep all."""
_CATEGORIES = b"categories"


def pair_of_record(features: Mapping[str, Values], *, name: str, split: str | None) -> Pair:
    """Return the pair of a record, JPEG or raw floats, of any size.

    Raw images in 0..1 are taken as such; others as 0..255, and rounded. A ``bbox`` is left alone.
    """
    image, heatmap = _bytes(features, "image"), _bytes(features, "heatmap")
    label = _integer(features, "label")
    side = math.isqrt(len(heatmap) // 4)
    if side and len(heatmap) == 4 * side**2 and len(image) == 12 * side**2:
        pixels = _raw_image(np.frombuffer(image, "<f4").reshape(side, side, 3))
        levels = np.frombuffer(heatmap, "<f4").reshape(side, side).astype(np.float32)
    else:
        pixels, levels = decode_rgb(image), decode_grey(heatmap).astype(np.float32)
    own_labels = _text(features, "label_set") == _CATEGORIES.decode()
    return Pair(
        name=_text(features, "name") or name,
        image=pixels,
        heatmap=levels,
        label=_text(features, "category") or f"ImageNet class {label}",
        class_id=None if own_labels else label,
        split=_text(features, "split") or split,
        click_count=_integer(features, "click_count") if "click_count" in features else None,
        provenance=_provenance(features),
    )


def record_of_pair(pair: Pair, label: int, *, encoding: Encoding) -> bytes:
    """Return a record that the public loaders read; what else is known goes beside."""
    features: dict[str, list[bytes] | list[int]] = {
        "label": [label],
        "name": [pair.name.encode()],
        "category": [pair.label.encode()],
    }
    if pair.split is not None:
        features["split"] = [pair.split.encode()]
    if pair.click_count is not None:
        features["click_count"] = [pair.click_count]
    if pair.provenance is not None:
        told = asdict(pair.provenance)
        features |= {key: [words.encode()] for key, words in told.items()}
    if pair.class_id is None:
        features["label_set"] = [_CATEGORIES]
    if encoding == "raw":
        if pair.image.shape[0] != pair.image.shape[1]:
            raise ValueError(
                f"expected square images for raw records, got {pair.image.shape[:2]} in "
                f"{pair.name}; use jpeg records, or resize them (--size)"
            )
        features["image"] = [pair.image.astype("<f4").tobytes()]
        features["heatmap"] = [pair.heatmap.astype("<f4").tobytes()]
    else:
        features["image"] = [encode_jpeg(pair.image, JPEG_QUALITY)]
        features["heatmap"] = [encode_jpeg(grey_levels(pair.heatmap), JPEG_QUALITY)]
    return make_example(features)


def grey_levels(heatmap: np.ndarray) -> np.ndarray:
    """Return a map as uint8: as it is if it holds such numbers, else scaled to 255 at its peak."""
    peak = float(heatmap.max())
    if peak <= 0 or (peak <= 255 and (heatmap == np.round(heatmap)).all()):
        return heatmap.astype(np.uint8)
    return np.round(heatmap * (255 / peak)).astype(np.uint8)


def write_tfrecords(pairs: Iterable[Pair], target: Path, *, encoding: Encoding = "jpeg") -> int:
    """Write pairs to one ``.tfrecords`` file, or else to shards of 1,000 in a new folder.

    Shards are ``<split>/<split>-<number>.tfrecords``, as the public ones (``all`` without splits).
    Images without an ImageNet class get the number of their category, in order of appearance.

    Raises:
        FileExistsError: there is something at ``target``.
    """
    labels: dict[str, int] = {}
    if target.suffix in (".tfrecord", ".tfrecords"):
        with new_file(target) as temporary:
            return write_records(temporary, _records(pairs, labels, encoding))
    with new_folder(target) as folder:
        return _write_shards(pairs, folder, labels, encoding)


def _write_shards(
    pairs: Iterable[Pair], folder: Path, labels: dict[str, int], encoding: Encoding
) -> int:
    waiting: dict[str, list[bytes]] = {}
    shards: dict[str, int] = {}
    count = 0
    for pair in pairs:
        split = split_folder(pair.split or "all")
        records = waiting.setdefault(split, [])
        records += _records([pair], labels, encoding)
        count += 1
        if len(records) == RECORDS_PER_SHARD:
            _write_shard(folder, split, shards, waiting.pop(split))
    for split, records in waiting.items():
        _write_shard(folder, split, shards, records)
    return count


def _write_shard(folder: Path, split: str, shards: dict[str, int], records: list[bytes]) -> None:
    number = shards.get(split, 0)
    shards[split] = number + 1
    (folder / split).mkdir(exist_ok=True)
    write_records(folder / split / f"{split}-{number}.tfrecords", records)


def _records(pairs: Iterable[Pair], labels: dict[str, int], encoding: Encoding) -> Iterator[bytes]:
    for pair in pairs:
        label = pair.class_id
        if label is None:
            label = labels.setdefault(pair.label, len(labels))
        yield record_of_pair(pair, label, encoding=encoding)


def _provenance(features: Mapping[str, Values]) -> Provenance | None:
    if not {"kind", "source", "licence"} <= set(features):
        return None
    kind, source, licence = (_text(features, key) for key in ("kind", "source", "licence"))
    return Provenance(kind=kind, source=source, licence=licence)


def _raw_image(pixels: np.ndarray) -> np.ndarray:
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 255:
        raise ValueError("expected image values in 0..1 or 0..255, found NaN or values beyond")
    scale = 255 if pixels.max() <= 1 else 1
    return np.round(pixels * scale).astype(np.uint8)


def _bytes(features: Mapping[str, Values], key: str) -> bytes:
    value = _one(features, key)
    if not isinstance(value, bytes):
        raise ValueError(f"expected bytes in feature '{key}', got {type(value).__name__}")
    return value


def _integer(features: Mapping[str, Values], key: str) -> int:
    value = _one(features, key)
    if not isinstance(value, int):
        raise ValueError(f"expected an integer in feature '{key}', got {type(value).__name__}")
    return value


def _text(features: Mapping[str, Values], key: str) -> str:
    return _bytes(features, key).decode("utf-8") if key in features else ""


def _one(features: Mapping[str, Values], key: str) -> bytes | float | int:
    values = tuple(islice(features.get(key, ()), 2))
    if len(values) != 1:
        raise ValueError(
            f"expected one value in feature '{key}', got {len(features.get(key, ()))}; features: "
            f"{', '.join(sorted(features)) or 'none'}"
        )
    return values[0]
