"""Files of Gaussians: written by hand here, byte for byte, and broken in every way."""

import struct

import numpy as np
import pytest
import torch
from merkwelt.scenes.splats.ply_file import read_ply
from merkwelt.scenes.splats.raw import to_gaussians
from merkwelt.scenes.splats.splat_file import read_splat

DC = 0.28209479


def record(position=(1.0, 2.0, 3.0), scale=(0.1, 0.2, 0.3), rgba=(255, 0, 51, 204), q=None):
    q = q or (128 + 127, 128, 128, 128)
    return struct.pack("<6f8B", *position, *scale, *rgba, *q)


def write_ply(path, rows, names, layout="binary_little_endian", extra="", kinds="float"):
    header = f"ply\nformat {layout} 1.0\ncomment made by hand\n{extra}element vertex {len(rows)}\n"
    header += "".join(f"property {kinds} {name}\n" for name in names) + "end_header\n"
    table = np.asarray(rows, dtype=np.float64).reshape(len(rows), len(names))
    if layout == "ascii":
        body = "".join(" ".join(f"{v:.9g}" for v in row) + "\n" for row in table).encode()
    else:
        order = "<" if layout.endswith("little_endian") else ">"
        body = table.astype(order + {"float": "f4", "double": "f8"}[kinds]).tobytes()
    path.write_bytes(header.encode() + body)
    return path


def names_of(degree):
    rest = [f"f_rest_{i}" for i in range(3 * ((degree + 1) ** 2 - 1))]
    normals = ["nx", "ny", "nz"]
    scales, rotations = [f"scale_{i}" for i in range(3)], [f"rot_{i}" for i in range(4)]
    dc = ["f_dc_0", "f_dc_1", "f_dc_2"]
    return ["x", "y", "z", *normals, *dc, *rest, "opacity", *scales, *rotations]


def row_of(names, **values):
    plain = {"rot_0": 1.0, "opacity": 1.0}
    return [values.get(name, plain.get(name, 0.0)) for name in names]


def test_a_splat_record_means_what_its_bytes_say(tmp_path):
    path = tmp_path / "one.splat"
    path.write_bytes(record(q=(128, 128 + 64, 128, 128 - 64)))
    one = to_gaussians(read_splat(path), path)
    np.testing.assert_allclose(one.positions[0], [1, 2, 3])
    np.testing.assert_allclose(one.scales[0], [0.1, 0.2, 0.3], rtol=1e-6)
    np.testing.assert_allclose(one.opacities[0], 0.8, rtol=1e-6)
    np.testing.assert_allclose(one.rotations[0], [0, 0.5**0.5, 0, -(0.5**0.5)], atol=1e-6)
    colour = one.colours(torch.tensor([[1.0, 0.0, 0.0]]))[0]
    np.testing.assert_allclose(colour, [1.0, 0.0, 0.2], atol=1e-6)


@pytest.mark.parametrize("layout", ["binary_little_endian", "binary_big_endian", "ascii"])
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_a_ply_row_means_what_training_programs_write(tmp_path, layout, degree):
    names = names_of(degree)
    terms = (degree + 1) ** 2 - 1
    rest = {f"f_rest_{i}": 0.01 * i for i in range(3 * terms)}
    values = {"x": 1.5, "y": -2.0, "z": 0.25, "f_dc_0": 0.4, "f_dc_1": -0.3, "f_dc_2": 0.1}
    values |= {"opacity": np.log(0.3 / 0.7), "scale_0": np.log(0.5), "scale_1": np.log(0.01)}
    values |= {"scale_2": np.log(0.2), "rot_0": 0.0, "rot_2": 3.0, "rot_3": 4.0, **rest}
    path = write_ply(tmp_path / "a.ply", [row_of(names, **values)], names, layout)
    one = to_gaussians(read_ply(path), path)
    assert one.degree == degree
    np.testing.assert_allclose(one.positions[0], [1.5, -2.0, 0.25])
    np.testing.assert_allclose(one.scales[0], [0.5, 0.01, 0.2], rtol=1e-5)
    np.testing.assert_allclose(one.opacities[0], 0.3, rtol=1e-5)
    np.testing.assert_allclose(one.rotations[0], [0, 0, 0.6, 0.8], atol=1e-6)
    np.testing.assert_allclose(one.harmonics[0, 0], [0.4, -0.3, 0.1], rtol=1e-6)
    for term in range(terms):
        expected = [0.01 * (channel * terms + term) for channel in range(3)]
        np.testing.assert_allclose(one.harmonics[0, 1 + term], expected, rtol=1e-5)


def test_properties_may_be_doubles_in_any_order_and_elements_may_stand_before(tmp_path):
    names = names_of(0)[::-1]
    extra = "element camera 2\nproperty uchar a\nproperty int b\n"
    path = write_ply(tmp_path / "a.ply", [row_of(names, x=7.0)], names, extra=extra, kinds="double")
    data = path.read_bytes()
    at = data.index(b"end_header\n") + len(b"end_header\n")
    path.write_bytes(data[:at] + b"\xff" * 10 + data[at:])
    assert float(to_gaussians(read_ply(path), path).positions[0, 0]) == 7.0


def test_infinite_logits_are_full_and_no_opacity_and_no_scale_is_flat(tmp_path):
    names = names_of(0)
    rows = [row_of(names, opacity=np.inf, scale_1=-np.inf), row_of(names, opacity=-np.inf)]
    path = write_ply(tmp_path / "a.ply", rows, names)
    both = to_gaussians(read_ply(path), path)
    np.testing.assert_array_equal(both.opacities, [1, 0])
    np.testing.assert_allclose(both.scales[0], [1, 1e-3, 1])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no Gaussians"),
        (record() + b"123", "35 bytes are no multiple of 32, 3 are left over"),
        (record()[:-1], "no multiple of 32"),
        (record(q=(128, 128, 128, 128)), "1 of 1 Gaussians have a quaternion of zero length"),
        (record() + record(position=(0, np.nan, 0)), "1 of 2 .* position .* NaN.*is number 1"),
        (record(scale=(0.1, np.inf, 0.1)), "scale that is NaN or Inf"),
        (record(scale=(0.1, -0.1, 0.1)), "negative scale"),
        (record(scale=(0, 0, 0)), "no extent at all"),
        (record(rgba=(9, 9, 9, 0)) * 3, "all 3 Gaussians of .* are transparent"),
    ],
)
def test_a_broken_splat_file_says_what_is_wrong(tmp_path, data, message):
    path = tmp_path / "broken.splat"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as raised:
        to_gaussians(read_splat(path), path)
    assert "broken.splat" in str(raised.value)


NAMES = names_of(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:-1], r"is truncated: 2 Gaussians need 208 bytes, 207 are there"),
        (lambda d: d[: d.index(b"end_header")], "its header is cut off"),
        (lambda d: b"glTF" + d, "is no .ply file"),
        (lambda d: d.replace(b"float opacity", b"float opacitz"), "properties opacity are missing"),
        (lambda d: d.replace(b"float f_rest_8", b"float f_tail_8"), "f_rest_0 .* found 8"),
        (lambda d: d.replace(b"float x", b"float y"), "named twice"),
        (lambda d: d.replace(b"float x", b"half x"), "cannot read the header's line"),
        (lambda d: d.replace(b"float x", b"list uchar int x"), "lists of properties"),
        (lambda d: d.replace(b"little_endian", b"middle_endian"), "expected the format"),
        (lambda d: d.replace(b"element vertex", b"element point"), "an element 'vertex'"),
        (lambda d: d.replace(b"element vertex 2", b"element vertex 0"), "holds no Gaussians"),
    ],
)
def test_a_broken_ply_file_says_what_is_wrong(tmp_path, change, message):
    path = write_ply(tmp_path / "broken.ply", [row_of(NAMES)] * 2, NAMES)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as raised:
        to_gaussians(read_ply(path), path)
    assert "broken.ply" in str(raised.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"x": np.nan}, "position that is NaN"),
        ({"opacity": np.nan}, "opacity that is NaN"),
        ({"scale_1": np.inf}, "scale that is NaN or Inf"),
        ({"scale_1": 200.0}, "scale that is NaN or Inf"),
        ({"f_rest_3": -np.inf}, "colour that is NaN or Inf"),
        ({"rot_0": 0.0}, "quaternion of zero length"),
        ({"opacity": -9.0}, "all 1 Gaussians of .* are transparent"),
    ],
)
def test_values_that_no_gaussian_can_have_are_refused(tmp_path, values, message):
    path = write_ply(tmp_path / "a.ply", [row_of(NAMES, **values)], NAMES)
    with pytest.raises(ValueError, match=message):
        to_gaussians(read_ply(path), path)


@pytest.mark.parametrize(
    ("lines", "message"), [(1, "truncated: 2 Gaussians announced"), (2, "as text")]
)
def test_broken_text_says_what_is_wrong(tmp_path, lines, message):
    path = write_ply(tmp_path / "a.ply", [row_of(NAMES)] * 2, NAMES, "ascii")
    body = path.read_bytes().splitlines(keepends=True)
    if lines == 1:
        path.write_bytes(b"".join(body[:-1]))
    else:
        path.write_bytes(b"".join(body[:-1]) + b"1 2 three\n")
    with pytest.raises(ValueError, match=message):
        read_ply(path)
