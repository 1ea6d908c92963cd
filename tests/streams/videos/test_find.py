import json

import cv2
import numpy as np
import pytest
from merkwelt.streams.videos.find import find_sources
from merkwelt.streams.videos.pairs import paired
from merkwelt.streams.videos.pictures import picture_size, read_rgb
from merkwelt.streams.videos.times import picture_times_s
from PIL import Image


def _touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return {source.name: source for source in find_sources(folder).sources}


def test_pictures_are_in_the_order_of_their_numbers(tmp_path):
    hidden = (".hidden.mp4", "._c.mp4", ".d/e.mp4")
    sources = _touch(tmp_path, "a/f10.png", "a/f9.png", "a/f2.png", "b.mp4", *hidden)
    assert list(sources) == ["a/f#.png", "b.mp4"]
    assert sources["a/f#.png"].numbers == (2, 9, 10)
    assert [path.name for path in sources["a/f#.png"].paths] == ["f2.png", "f9.png", "f10.png"]


def test_what_is_no_recording_is_said(tmp_path):
    _touch(tmp_path, "cover.png", "f1.png", "f01.png", "notes.txt")
    found = find_sources(tmp_path)
    assert found.sources == ()
    assert "without a number" in found.skipped["cover.png"]
    assert "f01.png and f1.png have the same number" in found.skipped["f#.png"]
    assert found.others == {".txt": 1}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("left.mp4", "right.mp4"),
        ("walk_left.mkv", "walk_right.mkv"),
        ("walk/Left/0.png", "walk/Right/0.png"),
        ("run_L.mp4", "run_R.mp4"),
        ("image_l/000000.png", "image_r/000000.png"),
        ("seq/image_02/data/0000000000.png", "seq/image_03/data/0000000000.png"),
        ("image_0/000000.png", "image_1/000000.png"),
        ("mav0/cam0/data/1.png", "mav0/cam1/data/1.png"),
        ("left_7.jpg", "right_7.jpg"),
    ],
)
def test_names_that_differ_in_the_eye_are_pairs(tmp_path, left, right):
    names = list(_touch(tmp_path, left, right))
    assert len(names) == 2
    assert paired(_touch(tmp_path)) == {names[0]: names[1]}


@pytest.mark.parametrize(
    "names",
    [
        ("left.mp4", "right.mkv"),
        ("left.mp4", "middle.mp4"),
        ("cam0/1.png", "cam1/1.png", "cam2/1.png"),
        ("image_1/0.png", "image_2/0.png"),
        ("walk_l1.mp4", "walk_r2.mp4"),
    ],
)
def test_other_names_are_no_pairs(tmp_path, names):
    assert paired(_touch(tmp_path, *names)) == {}


def test_times_beside_pictures(tmp_path):
    sources = _touch(tmp_path, *[f"image_02/data/{k:010d}.png" for k in range(3)])
    source = sources["image_02/data/#.png"]
    np.testing.assert_allclose(picture_times_s(source, 10.0), [0, 0.1, 0.2])
    listed = {
        "frames": [{"file": f"{k:010d}.png", "t_ns": 10**18 + 50_000_001 * k} for k in range(3)]
    }
    (tmp_path / "image_02/data/meta.json").write_text(json.dumps(listed))
    np.testing.assert_allclose(
        picture_times_s(source, None), [0, 0.050000001, 0.100000002], atol=1e-9
    )
    # KITTI's raw recordings, past midnight.
    (tmp_path / "image_02/timestamps.txt").write_text(
        "2011-09-26 23:59:59.950000001\n2011-09-27 00:00:00.050000002\n2011-09-27 00:00:00.15\n\n"
    )
    np.testing.assert_allclose(picture_times_s(source, None), [0, 0.100000001, 0.2], atol=1e-7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\n0.1\n", "2 times for 3 pictures"),
        ("0\n0.1\n0.1\n", "do not ascend"),
        ("0\nnan\n1\n", "do not ascend"),
        ("a\nb\nc\n", "something else than times"),
        (None, "give the rate of their numbers"),
    ],
)
def test_times_that_do_not_fit_are_refused(tmp_path, text, message):
    (source,) = _touch(tmp_path, "1.png", "2.png", "3.png").values()
    if text is not None:
        (tmp_path / "times.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        picture_times_s(source, None)


def test_pictures_of_all_kinds_are_read_upright_in_colour(tmp_path):
    values = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3) * 3
    cv2.imwrite(str(tmp_path / "c.png"), values[..., ::-1])
    assert (read_rgb(tmp_path / "c.png") == values).all()
    cv2.imwrite(str(tmp_path / "g.png"), values[..., 0])
    assert (read_rgb(tmp_path / "g.png") == values[..., :1]).all()
    cv2.imwrite(str(tmp_path / "d.png"), values[..., 0].astype(np.uint16) * 256 + 255)
    assert (read_rgb(tmp_path / "d.png") == values[..., :1]).all()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright (TIFF 6.0, Orientation)
    Image.fromarray(values).save(tmp_path / "o.png", exif=exif)
    assert (read_rgb(tmp_path / "o.png") == np.rot90(values, -1)).all()
    assert picture_size(tmp_path / "o.png") == (4, 6)
    (tmp_path / "half.png").write_bytes((tmp_path / "c.png").read_bytes()[:-30])
    with pytest.raises(RuntimeError, match=r"cannot read .*half\.png.*take it out"):
        read_rgb(tmp_path / "half.png")
