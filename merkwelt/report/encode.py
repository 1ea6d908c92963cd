"""Pictures as text: data URIs and inline SVG, so that a page needs no other file."""

import base64
import io
import re

import cv2
import numpy as np
from matplotlib.figure import Figure

from .theme import LIGHT, themed

JPEG_QUALITY = 90
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def as_rgb(image: np.ndarray) -> np.ndarray:
    """Return a picture as uint8 ``[height, width, 3]``.

    Args:
        image: uint8 in 0..255 or floating in [0, 1]; ``[height, width]`` grey, or with 3 channels.

    Raises:
        ValueError: another shape or dtype.
    """
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    if pixels.ndim != 3 or pixels.shape[-1] != 3 or not pixels.size:
        raise ValueError(
            f"expected a picture [height, width] or [height, width, 3], got shape {pixels.shape}"
        )
    if np.issubdtype(pixels.dtype, np.floating):
        levels = np.nan_to_num(np.clip(pixels, 0, 1) * 255)
        pixels = np.round(levels).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise ValueError(f"expected a picture of uint8 or floats in [0, 1], got {pixels.dtype}")
    return np.ascontiguousarray(pixels)


def png_bytes(image: np.ndarray) -> bytes:
    """Return a picture as PNG."""
    return _encode(image, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def jpeg_bytes(image: np.ndarray, *, quality: int = JPEG_QUALITY) -> bytes:
    """Return a picture as JPEG with full chroma, without which red-cyan anaglyphs fall apart."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return _encode(image, ".jpg", options)


def _encode(image: np.ndarray, kind: str, options: list[int]) -> bytes:
    done, encoded = cv2.imencode(kind, as_rgb(image)[..., ::-1], options)
    if not done:
        raise RuntimeError(f"could not encode a picture of shape {image.shape} as {kind}")
    return encoded.tobytes()


def data_uri(encoded: bytes) -> str:
    """Return the ``data:`` address of PNG or JPEG bytes."""
    if encoded.startswith(_PNG_MAGIC):
        kind = "png"
    elif encoded.startswith(_JPEG_MAGIC):
        kind = "jpeg"
    else:
        raise ValueError(f"expected PNG or JPEG bytes, got bytes that start {encoded[:8]!r}")
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def figure_png(figure: Figure, *, dots_per_inch: int = 200) -> bytes:
    """Return a figure as PNG on the light theme's paper, for slides and documents."""
    target = io.BytesIO()
    with themed():
        _settle(figure)
        figure.savefig(
            target,
            format="png",
            dpi=dots_per_inch,
            facecolor=LIGHT["paper"],
            metadata={"Software": None},
        )
    return target.getvalue()


def _settle(figure: Figure) -> None:
    """Lay a figure out once and for all: each further pass would move its axes by a hair."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def figure_svg(figure: Figure, *, identity: str) -> str:
    """Return a figure as inline SVG that takes fonts and theme colours from the page.

    Args:
        figure: drawn in the theme's light colours.
        identity: prefix of the drawing's inner ids; unique within the page.
    """
    target = io.StringIO()
    with themed():
        _settle(figure)
        figure.savefig(target, format="svg", metadata=_NO_METADATA)
    drawing = target.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>\s*", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'\s(xmlns(:\w+)?|version)="[^"]*"', "", drawing)
    drawing = re.sub(r'^(<svg[^>]*?)\s(?:width|height)="[^"]*"', r"\1", drawing)
    drawing = re.sub(r'^(<svg[^>]*?)\s(?:width|height)="[^"]*"', r"\1", drawing)
    drawing = drawing.replace("xlink:href=", "href=")
    drawing = re.sub(r'\b(id=")', rf"\1{identity}-", drawing)
    drawing = re.sub(r'(url\(#|href="#)', rf"\1{identity}-", drawing)
    drawing = re.sub(r"'DejaVu Sans'(, sans-serif)?", "var(--sans)", drawing)
    for name, value in LIGHT.items():
        drawing = drawing.replace(value, f"var(--{name})")
    return drawing
