"""Anaglyphs, coloured depth, contact sheets, film strips, overlays, encoders."""

import cv2
import numpy as np
import pytest

from merkwelt.report import anaglyph, colour_depth, contact_sheet, jpeg_bytes, png_bytes
from merkwelt.report.encode import as_rgb, data_uri
from merkwelt.report.filmstrip import MARGIN_PX, filmstrip
from merkwelt.report.maps import map_item, map_levels, map_over_image
from merkwelt.report.stereo import NO_DEPTH


def pictures(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_anaglyph_red_is_left_brightness_and_cyan_is_right():
    left, right = pictures(0, 6, 7, 3), pictures(1, 6, 7, 3)
    merged = anaglyph(left, right)
    for row in range(6):
        for column in range(7):
            red, green, blue = (float(v) for v in left[row, column])
            brightness = 0.299 * red + 0.587 * green + 0.114 * blue
            assert abs(float(merged[row, column, 0]) - brightness) <= 0.5 + 1e-9
            assert (merged[row, column, 1:] == right[row, column, 1:]).all()


def test_anaglyph_of_grey_twins_is_the_picture_itself():
    grey = np.repeat(pictures(0, 3, 5, 4, 1), 3, axis=-1)
    np.testing.assert_array_equal(anaglyph(grey, grey), grey)


def test_anaglyph_takes_clips_and_leaves_its_input():
    left, right = pictures(0, 4, 6, 7, 3), pictures(1, 4, 6, 7, 3)
    kept = right.copy()
    merged = anaglyph(left, right)
    np.testing.assert_array_equal(merged[2], anaglyph(left[2], right[2]))
    np.testing.assert_array_equal(right, kept)


def test_anaglyph_refuses_unequal_sizes():
    with pytest.raises(ValueError, match="equal size, got left"):
        anaglyph(np.zeros((4, 4, 3)), np.zeros((4, 5, 3)))


def test_depth_is_brighter_when_nearer():
    depth = np.geomspace(0.5, 8, 64).reshape(8, 8)
    brightness = colour_depth(depth).rgb.astype(float).sum(axis=-1).ravel()
    assert (np.diff(brightness) <= 3).all()
    assert brightness[0] - brightness[-1] > 400


def test_depth_without_a_value_is_grey():
    depth = np.ones((4, 4))
    depth[0] = [np.inf, np.nan, 0.0, -1.0]
    depth[1] = 3.0
    coloured = colour_depth(depth)
    assert (coloured.rgb[0] == NO_DEPTH).all()
    assert not (coloured.rgb[1:] == NO_DEPTH).all(axis=-1).any()
    assert coloured.missing_share == 0.25
    assert coloured.colour_bar("m").note == "grey: no depth"


@pytest.mark.parametrize(
    "depth", [np.full((3, 3), np.nan), np.full((3, 3), 2.0), np.array([[1e-6]])]
)
def test_depth_of_nothing_or_of_one_value_is_drawn(depth):
    coloured = colour_depth(depth)
    assert coloured.rgb.shape == (*depth.shape, 3)
    assert coloured.far > coloured.near > 0
    assert len(coloured.colour_bar("m").ticks) >= 2


def test_depth_scale_is_that_of_its_ticks():
    bar = colour_depth(np.array([[1.0, 4.0]]), near=1.0, far=4.0).colour_bar("metres")
    places = {text: place for place, text in bar.ticks}
    assert places["1"] == 0
    assert places["2"] == pytest.approx(0.5)
    assert bar.unit == "metres"
    assert bar.note == ""


def test_depth_refuses_a_range_that_is_none():
    with pytest.raises(ValueError, match="expected 0 < near <= far"):
        colour_depth(np.ones((2, 2)), near=2.0, far=1.0)


def test_contact_sheet_puts_frames_in_rows():
    frames = pictures(0, 5, 4, 6, 3)
    sheet = contact_sheet(frames, columns=3, gutter_px=2)
    assert sheet.shape == (4 * 2 + 2, 6 * 3 + 2 * 2, 3)
    np.testing.assert_array_equal(sheet[6:10, 8:14], frames[4])
    assert (sheet[6:10, 16:] == 255).all()
    with pytest.raises(ValueError, match="at least 1 column"):
        contact_sheet(frames, columns=0)


def test_filmstrip_holds_every_frame_where_it_says():
    frames = np.stack([np.full((90, 160, 3), 10 * n, np.uint8) for n in range(16)])
    strip = filmstrip(frames)
    image = decode(strip.uri)
    steps = strip.geometry
    for index in range(16):
        column, row = index % strip.columns, index // strip.columns
        x = (steps["first_x"] + column * steps["step_x"]) * image.shape[1]
        y = (steps["first_y"] + row * steps["step_y"]) * image.shape[0]
        window = image[round(y) : round(y) + 90, round(x) : round(x) + 160].astype(int)
        assert np.abs(window - 10 * index).max() <= 2
    assert steps["width"] * 160 == pytest.approx(image.shape[1], abs=0.01)


def test_filmstrip_enlarges_small_frames_by_whole_pixels():
    strip = filmstrip(pictures(0, 2, 32, 64, 3))
    assert (strip.frame_width_px, strip.frame_height_px) == (192, 96)
    assert decode(strip.uri).shape[0] == strip.rows * (96 + 2 * MARGIN_PX)


def test_filmstrip_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="show fewer or smaller frames"):
        filmstrip(np.zeros((40, 2000, 2000, 3), np.uint8))


def test_map_levels_by_hand():
    levels = map_levels(np.linspace(-3, 5, 101))
    assert levels[1] == 0
    assert levels[99] == pytest.approx(1)
    assert levels[50] == pytest.approx(0.5)
    assert (map_levels(np.full((3, 3), 7.0)) == 0).all()
    assert (map_levels(np.full((3, 3), np.nan)) == 0).all()
    single = np.zeros((50, 50))
    single[3, 4] = 1
    assert map_levels(single)[3, 4] == 1


def test_map_over_image_shows_the_bare_image_where_the_map_is_zero():
    image = np.repeat(pictures(0, 8, 8, 1), 3, axis=-1)
    values = np.zeros((8, 8))
    values[:, 4:] = np.linspace(0.1, 1, 4)
    shown = map_over_image(image, values).astype(float)
    np.testing.assert_allclose(shown[:, :4], 0.72 * image[:, :4], atol=1)
    assert (np.ptp(shown[:, 7], axis=-1) > 60).all()
    with pytest.raises(ValueError, match="as high and wide as its image"):
        map_over_image(image, values[:4])


def test_map_item_keeps_order_and_numbers():
    image = pictures(0, 8, 8, 3)
    item = map_item("tv", image, {"people": np.eye(8), "model": np.eye(8)}, values={"model": "0.3"})
    assert [(cell.name, cell.value) for cell in item.cells] == [
        ("image", ""),
        ("people", ""),
        ("model", "0.3"),
    ]


def test_as_rgb():
    np.testing.assert_array_equal(
        as_rgb(np.array([[0.0, 0.5, 1.0, 2.0]]))[0, :, 0], [0, 128, 255, 255]
    )
    with pytest.raises(ValueError, match="got shape"):
        as_rgb(np.zeros((2, 3, 4), np.uint8))
    with pytest.raises(ValueError, match="got int64"):
        as_rgb(np.zeros((2, 3), np.int64))


def test_png_is_lossless_and_jpeg_keeps_colour_edges():
    image = pictures(0, 9, 11, 3)
    png = cv2.imdecode(np.frombuffer(png_bytes(image), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(png[..., ::-1], image)
    edge = np.zeros((16, 16, 3), np.uint8)
    edge[:, :7, 0], edge[:, 7:, 1:] = 200, 200
    back = cv2.imdecode(np.frombuffer(jpeg_bytes(edge), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(back.astype(int) - edge).max() < 60


def test_data_uri_refuses_other_bytes():
    with pytest.raises(ValueError, match="expected PNG or JPEG bytes"):
        data_uri(b"GIF89a")


def decode(uri):
    import base64

    data = base64.b64decode(uri.partition(",")[2])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
