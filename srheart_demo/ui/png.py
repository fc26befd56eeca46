"""Label maps as small PNG pictures in the tissues' colours, without an imaging library."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from srheart_demo.palette import TISSUE_COLOURS, rgb

BACKGROUND = "#EEF1F5"
OUTLINE = "#1A2230"
PALETTE = b"".join(
    bytes(rgb(colour))
    for colour in (BACKGROUND, *(TISSUE_COLOURS[t] for t in ("LV", "MYO", "RV")), OUTLINE)
)
OUTLINE_LABEL = 4


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def label_png(labels: np.ndarray, zoom: int = 4, outline: np.ndarray | None = None) -> bytes:
    """A palette PNG of a label map.

    Args:
        labels: (h, w) of 0 to 3.
        zoom: pixels of the picture per voxel, so that borders stay sharp.
        outline: (h, w) label map whose borders are drawn on top as a thin line.
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
    height, width = big.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = np.concatenate([np.zeros((height, 1), np.uint8), big], axis=1)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", PALETTE),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)),
            _chunk(b"IEND", b""),
        ]
    )
