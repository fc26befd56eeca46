"""Signed distances to the borders of labels: negative inside, positive outside, in mm."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects

from srheart_demo.frame import N_CLASSES

Spacing = tuple[float, float, float]  # Of voxels along D, H and W, mm


def tissue_box(labels: NDArray) -> tuple[slice, ...]:
    """The smallest box that holds all that is not 0; there must be something."""
    (box,) = find_objects((labels != 0).view(np.uint8))
    return tuple(box)


def widened(box: Iterable[slice], margins: Iterable[int]) -> tuple[slice, ...]:
    """A box with so many voxels more on either side, as far as there are any."""
    sides = zip(box, margins, strict=True)
    return tuple(slice(max(ends.start - n, 0), ends.stop + n) for ends, n in sides)


def signed_distance(inside: np.ndarray, spacing: Sequence[float], reach: float) -> np.ndarray:
    """Signed distance of every pixel or voxel to the border of a region, at most `reach`.

    A border lies half of the smallest side from the centres on either side of it. Where there is
    none, a map that the region fills is −`reach` and one that lacks it +`reach` throughout.
    `spacing` and `reach` are mm.
    """
    if inside.all() or not inside.any():
        return np.full(inside.shape, -reach if inside.all() else reach, np.float32)
    signed = np.full(inside.shape, reach, np.float32)
    near = widened(tissue_box(inside), [int(np.ceil(reach / mm)) + 1 for mm in spacing])
    outwards = distance_transform_edt(~inside[near], sampling=spacing)
    distance = outwards - distance_transform_edt(inside[near], sampling=spacing)
    distance -= np.sign(distance) * min(spacing) / 2
    signed[near] = distance.clip(-reach, reach)
    return signed


def in_plane_distances(
    labels: np.ndarray, spacing: Sequence[float], reach: float, classes: int = N_CLASSES
) -> NDArray[np.float32]:
    """`signed_distance` to each class within each slice, to rounding.

    Background is a class like the others: its distance is the negative of the heart's, so no film
    of background lies where two tissues meet (see `phantom.class_logits`). Labels (K, h, w) give
    (K, `classes`, h, w), mm.
    """
    distances = np.full((len(labels), classes, *labels.shape[1:]), reach, np.float32)
    distances[:, 0] = -reach
    margins = [int(np.ceil(reach / mm)) + 1 for mm in spacing]
    for of, shown in zip(distances, labels, strict=True):
        if shown.any():
            near = widened(tissue_box(shown), margins)
            of[:, *near] = _of_one_slice(shown[near], spacing, reach, classes)
    return distances


def _of_one_slice(
    labels: np.ndarray, spacing: Sequence[float], reach: float, classes: int
) -> NDArray[np.float32]:
    """The same of one slice (h, w), for all classes at once: first along columns, then along rows.

    Only as many pixels off as `reach` asks for: a third of the time of exact transforms.
    """
    side = float(min(spacing))
    squares = [
        np.square(np.arange(int((reach + side / 2) / mm) + 2) * (mm / side)) for mm in spacing
    ]
    # Of square pixels these are whole numbers, and small ones.
    small = spacing[0] == spacing[1] and 2 * squares[0][-1] < 256
    along_columns, along_rows = (of.astype(np.uint8 if small else np.float32) for of in squares)
    far = along_columns[-1]
    h, w = labels.shape
    # Rows one after the other, with empty pixels between: no step aside wraps into another row.
    room = len(along_rows)
    line = np.zeros((h, w + room), np.uint8)
    line[:, :w] = labels
    inside = line.ravel() == np.arange(classes, dtype=np.uint8)[:, None]
    nearer = np.zeros(inside.shape, far.dtype)
    for rows, square in enumerate(along_columns[1:h], 1):
        n = rows * (w + room)
        border = (inside[:, n:] != inside[:, :-n]) * (far - square)
        for way in (nearer[:, n:], nearer[:, :-n]):
            np.maximum(way, border, out=way)
    # First to the nearest pixel inside, then to the nearest outside: one of the two is 0.
    within_column = (far - nearer) * np.stack([~inside, inside])
    within_column.reshape(2, classes, h, w + room)[..., w:] = far
    nearest = within_column.copy()
    for n, square in enumerate(along_rows[1:w], 1):
        aside = within_column + square
        np.minimum(nearest[..., n:], aside[..., :-n], out=nearest[..., n:])
        np.minimum(nearest[..., :-n], aside[..., n:], out=nearest[..., :-n])
    distance = np.sqrt(nearest[0] + nearest[1], dtype=np.float32) * side - side / 2
    signed = (distance * (1 - 2 * inside.astype(np.float32))).clip(-reach, reach)
    return signed.reshape(classes, h, w + room)[..., :w]
