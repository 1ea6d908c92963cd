"""ClickMe 1.0 shards: both encodings, damage, and what the public loaders leave out."""

import numpy as np
import pytest
from merkwelt.alignment import read_maps
from merkwelt.alignment.maps import clickme1_records
from merkwelt.alignment.maps.clickme1 import open_shards
from merkwelt.alignment.maps.clickme1_records import (
    grey_levels,
    pair_of_record,
    record_of_pair,
    write_tfrecords,
)
from merkwelt.alignment.maps.example_proto import make_example, parse_example
from merkwelt.alignment.maps.npz import write_portable_npz
from merkwelt.alignment.maps.read_maps import ReadOptions
from merkwelt.alignment.maps.tfrecord import framed, write_records

from .map_files import smooth_pair


def _public(index: int) -> bytes:
    """A record with nothing but what public shards hold."""
    features = parse_example(record_of_pair(smooth_pair(index), index, encoding="jpeg"))
    kept = {key: features[key] for key in ("image", "heatmap", "label")}
    return make_example(kept)


def _shards(folder, split: str, counts: list[int]):
    (folder / split).mkdir(parents=True)
    first = 0
    for number, count in enumerate(counts):
        records = [_public(first + i) for i in range(count)]
        write_records(folder / split / f"{split}-{number}.tfrecords", records)
        first += count
    return folder


def test_public_records_are_read(tmp_path):
    maps = read_maps(_shards(tmp_path / "shards", "val", [2, 1]))
    assert maps.names == ("val-0 record 0", "val-0 record 1", "val-1 record 0")
    assert maps.classes == (0, 1, 2)
    assert maps.labels[1] == "ImageNet class 1"
    assert maps.splits == ("val",) * 3
    assert maps.kind == "ClickMe 1.0 maps"
    pair = smooth_pair(1)
    # JPEG of quality 95 on smooth pictures moves values by a few levels at most.
    assert np.abs(maps.images[1].astype(int) - pair.image).max() <= 6
    assert np.abs(maps.maps[1] - pair.heatmap).max() <= 6


def test_shards_are_read_by_number_and_not_by_spelling(tmp_path):
    maps = read_maps(_shards(tmp_path, "val", [1] * 12))
    assert maps.classes == tuple(range(12))


@pytest.mark.parametrize(("side", "scale"), [(8, 1), (224, 1), (8, 255)])
def test_raw_floats_of_any_size(side, scale):
    pair = smooth_pair(3, side=side, image=np.full((side, side, 3), 51, np.uint8))
    features = {
        "image": [(pair.image / np.float32(scale)).astype("<f4").tobytes()],
        "heatmap": [pair.heatmap.astype("<f4").tobytes()],
        "label": [7],
        "click_count": [12],
        "bbox": [1, 2, 3, 4],
    }
    found = pair_of_record(parse_example(make_example(features)), name="one", split=None)
    np.testing.assert_array_equal(found.image, pair.image)
    np.testing.assert_array_equal(found.heatmap, pair.heatmap)
    assert (found.class_id, found.click_count, found.name) == (7, 12, "one")


def test_our_raw_records_come_back_exactly(tmp_path):
    pairs = [
        smooth_pair(i, heatmap=smooth_pair(i).heatmap / 7, class_id=None, label=f"cup {i}", split=s)
        for i, s in enumerate(["train", "val", None])
    ]
    assert write_tfrecords(pairs, tmp_path / "out", encoding="raw") == 3
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("*.tfrec*"))
    assert files == ["all/all-0.tfrecords", "train/train-0.tfrecords", "val/val-0.tfrecords"]
    found = {pair.name: pair for pair in open_shards(tmp_path / "out").pairs}
    for pair in pairs:
        again = found[pair.name]
        np.testing.assert_array_equal(again.image, pair.image)
        np.testing.assert_array_equal(again.heatmap, pair.heatmap)
        assert (again.label, again.class_id, again.split) == (pair.label, None, pair.split)


def test_long_collections_become_several_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(clickme1_records, "RECORDS_PER_SHARD", 10)
    tiny = smooth_pair(0, side=2)
    pairs = (smooth_pair(0, side=2, image=tiny.image, name=f"{i}") for i in range(11))
    write_tfrecords(pairs, tmp_path / "out", encoding="raw")
    shards = sorted((tmp_path / "out/val").iterdir())
    assert [shard.name for shard in shards] == ["val-0.tfrecords", "val-1.tfrecords"]
    assert sum(1 for _ in open_shards(shards[0]).pairs) == 10


def test_maps_become_grey_levels_that_keep_their_order():
    whole = np.array([[0, 255], [3, 7]], np.float32)
    np.testing.assert_array_equal(grey_levels(whole), whole)
    np.testing.assert_array_equal(grey_levels(whole / 1000), [[0, 255], [3, 7]])
    assert not grey_levels(np.zeros((2, 2), np.float32)).any()


def test_the_public_loaders_read_one_shard_too_few_and_drop_the_rest(tmp_path):
    folder = _shards(tmp_path, "val", [1] * 18)
    everything = read_maps(folder)
    assert len(everything) == 18
    published = read_maps(folder, options=ReadOptions(compat="published", batch_size=5))
    # 17 shards of one record make three batches of five; two records are dropped.
    assert published.names == everything.names[:15]
    assert set(published.left_out) == {"val-17.tfrecords", "val-15 record 0", "val-16 record 0"}
    assert published.left_out["val-17.tfrecords"].startswith(
        "the public loader reads shards 0 to 16"
    )
    assert "drops the last 2 < 5" in published.left_out["val-16 record 0"]


def test_training_ends_at_shard_317(tmp_path):
    (tmp_path / "train").mkdir()
    for number in (316, 317, 318):
        write_records(tmp_path / f"train/train-{number}.tfrecords", [_public(number)])
    published = open_shards(tmp_path, compat="published", batch_size=1)
    assert [pair.class_id for pair in published.pairs] == [316, 317]
    assert [pair.class_id for pair in open_shards(tmp_path).pairs] == [316, 317, 318]


def _damaged(tmp_path):
    """Four records: a flipped bit, a picture that is none, a whole one, and a cut one."""
    flipped = bytearray(framed(_public(0)))
    flipped[200] ^= 4
    no_picture = make_example({"image": [b"no"], "heatmap": [b"no"], "label": [1]})
    path = tmp_path / "val-3.tfrecords"
    path.write_bytes(
        bytes(flipped) + framed(no_picture) + framed(_public(2)) + framed(_public(3))[:-9]
    )
    return path


def test_damage_is_an_error_that_names_the_record(tmp_path):
    with pytest.raises(ValueError, match=r"val-3\.tfrecords: wrong checksum of record 0"):
        read_maps(_damaged(tmp_path))


def test_damage_is_left_out_by_name_on_request(tmp_path):
    maps = read_maps(_damaged(tmp_path), options=ReadOptions(damaged="skip"))
    assert maps.names == ("val-3 record 2",)
    assert list(maps.left_out) == ["val-3 record 0", "val-3 record 1", "val-3 record 3 and after"]
    reasons = list(maps.left_out.values())
    assert "wrong checksum of record 0" in reasons[0]
    assert "record 1: expected a JPEG or PNG picture" in reasons[1]
    assert "record 3 is cut off" in reasons[2]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({}, "one value in feature 'image', got 0; features: none"),
        (
            {"image": [b"x"], "heatmap": [b"x"], "label": [1, 2]},
            "one value in feature 'label', got 2",
        ),
        ({"image": [1], "heatmap": [b"x"], "label": [1]}, "bytes in feature 'image', got int"),
        ({"image": [b"x"], "heatmap": [b"x"], "label": [b"cat"]}, "integer in feature 'label'"),
    ],
)
def test_records_without_what_is_needed(features, message):
    with pytest.raises(ValueError, match=message):
        pair_of_record(parse_example(make_example(features)), name="one", split=None)


def test_raw_values_that_are_none():
    bad = np.full((2, 2, 3), np.nan, "<f4").tobytes()
    record = {"image": [bad], "heatmap": [np.ones((2, 2), "<f4").tobytes()], "label": [1]}
    with pytest.raises(ValueError, match="found NaN or values beyond"):
        pair_of_record(parse_example(make_example(record)), name="one", split=None)
    good = np.ones((2, 2, 3), "<f4").tobytes()
    record |= {"image": [good], "heatmap": [np.full((2, 2), np.nan, "<f4").tobytes()]}
    with pytest.raises(ValueError, match="finite map values of at least 0 in one"):
        pair_of_record(parse_example(make_example(record)), name="one", split=None)


def test_classes_beyond_imagenet_are_refused():
    with pytest.raises(ValueError, match="ImageNet class of 0 to 999 in one, got 1000"):
        smooth_pair(0, name="one", class_id=1000)


def test_constant_maps_are_kept(tmp_path):
    flat = smooth_pair(0, heatmap=np.zeros((32, 32), np.float32))
    write_tfrecords([flat], tmp_path / "one.tfrecords")
    assert read_maps(tmp_path / "one.tfrecords").maps.max() == 0


def test_pictures_of_several_sizes_are_resized_on_request(tmp_path):
    pairs = [smooth_pair(0), smooth_pair(1, side=48)]
    write_tfrecords(pairs, tmp_path / "two.tfrecords")
    with pytest.raises(ValueError, match=r"one size, got .32, 32. in picture 0 and .48, 48."):
        read_maps(tmp_path / "two.tfrecords")
    maps = read_maps(tmp_path / "two.tfrecords", options=ReadOptions(size_px=16))
    assert maps.images.shape == (2, 16, 16, 3)


def test_limit_and_nothing_replaced(tmp_path):
    path = tmp_path / "some.tfrecords"
    write_tfrecords([smooth_pair(i) for i in range(4)], path)
    assert len(read_maps(path, options=ReadOptions(limit=2))) == 2
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="exists; choose another name"):
        write_tfrecords([smooth_pair(0)], path)
    assert path.read_bytes() == before


def test_a_failed_write_leaves_nothing(tmp_path):
    def breaking():
        yield smooth_pair(0)
        raise RuntimeError("broken")

    for target in ("one.tfrecords", "folder"):
        with pytest.raises(RuntimeError, match="broken"):
            write_tfrecords(breaking(), tmp_path / target)
    assert not list(tmp_path.iterdir())


def test_only_shards_have_some_that_the_public_loaders_leave_out(tmp_path):
    shards = _shards(tmp_path / "shards", "val", [2])
    write_portable_npz(read_maps(shards), tmp_path / "maps.npz")
    with pytest.raises(ValueError, match="expected TFRecord shards.*got portable npz"):
        read_maps(tmp_path / "maps.npz", options=ReadOptions(compat="published"))
