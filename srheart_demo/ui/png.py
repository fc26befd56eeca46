"""Label maps and pictures as small PNG files, without an imaging library."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from srheart_demo.palette import TISSUE_COLOURS, rgb

BACKGROUND = "#EEF1F5"
OUTLINES = {"light": "#1A2230", "dark": "#FFFFFF"}
AGREE, DISAGREE = "#B9C1CC", "#D1478C"
PALETTE = (BACKGROUND, *(TISSUE_COLOURS[t] for t in ("LV", "MYO", "RV")), OUTLINES["light"])
OUTLINE_LABEL = 4
COMPARED = (BACKGROUND, AGREE, DISAGREE)
"""Colours of a disagreement: background in both, the same tissue, not the same."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def label_png(
    labels: np.ndarray, zoom: int = 4, outline: np.ndarray | None = None, dark: bool = False
) -> bytes:
    """A palette PNG of a label map; its background is the page's.

    Args:
        labels: (h, w) of 0 to 3.
        zoom: pixels of the picture per voxel, so that borders stay sharp.
        outline: (h, w) label map whose borders are drawn on top as a thin line.
        dark: whether that line is for a dark page.
    """
    big = np.repeat(np.repeat(labels, zoom, 0), zoom, 1).astype(np.uint8)
    if outline is not None:
        other = np.repeat(np.repeat(outline, zoom, 0), zoom, 1)
        border = np.zeros(other.shape, bool)
        rows, columns = other[1:] != other[:-1], other[:, 1:] != other[:, :-1]
        border[1:] |= rows
        border[:-1] |= rows
        border[:, 1:] |= columns
        border[:, :-1] |= columns
        big[border] = OUTLINE_LABEL
    return _indexed(big, (*PALETTE[:4], OUTLINES["dark" if dark else "light"]))


def compared_png(a: np.ndarray, b: np.ndarray, zoom: int = 4) -> bytes:
    """A palette PNG of where two label maps (h, w) differ."""
    kinds = np.where(a != b, 2, np.where(a > 0, 1, 0))
    return _indexed(np.repeat(np.repeat(kinds, zoom, 0), zoom, 1).astype(np.uint8), COMPARED)


def _indexed(pixels: np.ndarray, colours: tuple[str, ...]) -> bytes:
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = b"".join(bytes(rgb(colour)) for colour in colours)
    return _file(header, pixels, _chunk(b"PLTE", palette) + _chunk(b"tRNS", b"\x00"))


def rgba_png(picture: np.ndarray) -> bytes:
    """A PNG of a picture (h, w, 4), uint8."""
    height, width, _ = picture.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return _file(header, picture.reshape(height, -1), b"")


def _file(header: bytes, rows: np.ndarray, between: bytes) -> bytes:
    lines = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows], axis=1)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            between,
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 1)),
            _chunk(b"IEND", b""),
        ]
    )
