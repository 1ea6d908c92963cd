"""Reading trained Gaussians from ``.ply`` files, as the training programs write them.

One element ``vertex`` with scalar properties: position ``x y z``, colour harmonics ``f_dc_0..2``
and ``f_rest_*`` (all of red, then green, then blue), ``opacity`` as a logit, ``scale_0..2`` as
logarithms, ``rot_0..3`` as a quaternion with its real part first. Others are passed over.
"""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .raw import RawGaussians

TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"}
TYPES |= {"float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2"}
TYPES |= {"uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8"}
ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
NEEDED = ("x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity")
NEEDED += ("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3")
LONGEST_HEADER = 1 << 16
REST_TERMS = {0: 0, 9: 3, 24: 8, 45: 15}
"""Harmonics above degree 0, by the number of ``f_rest`` properties."""


@dataclass(kw_only=True)
class _Element:
    name: str
    count: int
    properties: list[tuple[str, str]]
    has_lists: bool = False


def read_ply(path: Path) -> RawGaussians:
    """Return the Gaussians of a ``.ply`` file: binary of either byte order, or text.

    Raises:
        ValueError: no ply file, no trained Gaussians, or a truncated file; says what is missing.
    """
    data = path.read_bytes()
    layout, elements, start = _header(data, path)
    vertex = _read_vertices(data, layout, elements, start, path)
    names = vertex.dtype.names or ()
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise ValueError(
            f"{path}: expected trained Gaussians, the properties {', '.join(missing)} are missing "
            f"(found {', '.join(names[:12])}); point clouds, meshes and compressed splats are not "
            "read"
        )
    with np.errstate(over="ignore"):
        scales = np.exp(_columns(vertex, "scale_0", "scale_1", "scale_2"))
        opacities = 1 / (1 + np.exp(-_columns(vertex, "opacity")[:, 0]))
    return RawGaussians(
        positions=_columns(vertex, "x", "y", "z"),
        scales=scales,
        quaternions=_columns(vertex, "rot_0", "rot_1", "rot_2", "rot_3"),
        opacities=opacities,
        colours=None,
        harmonics=_harmonics(vertex, path),
    )


def _columns(vertex: np.ndarray, *names: str) -> np.ndarray:
    return np.stack([vertex[name].astype(np.float64) for name in names], axis=1)


def _harmonics(vertex: np.ndarray, path: Path) -> np.ndarray:
    first = _columns(vertex, "f_dc_0", "f_dc_1", "f_dc_2")[:, None]
    found = {name for name in vertex.dtype.names or () if name.startswith("f_rest_")}
    terms = REST_TERMS.get(len(found))
    if terms is None or found != {f"f_rest_{i}" for i in range(len(found))}:
        raise ValueError(
            f"{path}: expected f_rest_0 to f_rest_8, _23 or _44 (harmonics of degree 1, 2 or 3) "
            f"or none, found {len(found)}"
        )
    if terms == 0:
        return first
    rest = _columns(vertex, *(f"f_rest_{i}" for i in range(3 * terms)))
    return np.concatenate([first, rest.reshape(-1, 3, terms).transpose(0, 2, 1)], axis=1)


def _header(data: bytes, path: Path) -> tuple[str, list[_Element], int]:
    """Return the layout, the elements and where the body starts."""
    end = data.find(b"end_header", 0, LONGEST_HEADER)
    newline = data.find(b"\n", max(end, 0))
    if not data.startswith(b"ply") or end < 0 or newline < 0:
        raise ValueError(f"{path} is no .ply file, or its header is cut off")
    layout, elements = "", []
    for line in data[:end].decode("ascii", errors="replace").splitlines():
        match line.split():
            case ["format", name, *_]:
                layout = name
            case ["element", name, count] if count.isdigit():
                elements.append(_Element(name=name, count=int(count), properties=[]))
            case ["property", "list", *_] if elements:
                elements[-1].has_lists = True
            case ["property", kind, name] if elements and kind in TYPES:
                elements[-1].properties.append((name, TYPES[kind]))
            case ["property" | "element", *_]:
                raise ValueError(f"{path}: cannot read the header's line {line!r}")
            case _:
                pass
    if layout not in ORDERS:
        raise ValueError(f"{path}: expected the format to be one of {list(ORDERS)}, got {layout!r}")
    return layout, elements, newline + 1


def _read_vertices(
    data: bytes, layout: str, elements: list[_Element], start: int, path: Path
) -> np.ndarray:
    """Return the element ``vertex`` as a structured array, after skipping what stands before it."""
    names = [element.name for element in elements]
    if "vertex" not in names:
        raise ValueError(f"{path}: expected an element 'vertex', found {names}")
    before, vertex = elements[: names.index("vertex")], elements[names.index("vertex")]
    if any(element.has_lists for element in (*before, vertex)):
        raise ValueError(f"{path}: lists of properties up to the vertices are not supported")
    if len({name for name, _ in vertex.properties}) < len(vertex.properties):
        raise ValueError(f"{path}: a property of the vertices is named twice")
    if layout == "ascii":
        return _read_text(data[start:], sum(e.count for e in before), vertex, path)
    types = [_dtype(element, ORDERS[layout]) for element in (*before, vertex)]
    start += sum(e.count * t.itemsize for e, t in zip(before, types, strict=False))
    needed, there = vertex.count * types[-1].itemsize, max(len(data) - start, 0)
    if there < needed:
        raise ValueError(
            f"{path} is truncated: {vertex.count} Gaussians need {needed} bytes, {there} are there"
        )
    return np.frombuffer(data, dtype=types[-1], count=vertex.count, offset=start)


def _read_text(body: bytes, skipped: int, vertex: _Element, path: Path) -> np.ndarray:
    lines = body.splitlines()[skipped : skipped + vertex.count]
    if len(lines) < vertex.count:
        raise ValueError(
            f"{path} is truncated: {vertex.count} Gaussians announced, {len(lines)} lines are there"
        )
    if vertex.count == 0:
        return np.zeros(0, dtype=_dtype(vertex, "="))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = np.loadtxt(io.BytesIO(b"\n".join(lines)), ndmin=2)
        if table.shape != (vertex.count, len(vertex.properties)):
            raise ValueError(f"{table.shape[1]} numbers in a line of {len(vertex.properties)}")
    except (ValueError, UserWarning) as error:
        raise ValueError(f"{path}: cannot read its Gaussians as text: {error}") from error
    names = [(name, "f8") for name, _ in vertex.properties]
    return np.ascontiguousarray(table).view(np.dtype(names))[:, 0]


def _dtype(element: _Element, order: str) -> np.dtype:
    return np.dtype([(name, order + kind) for name, kind in element.properties])
