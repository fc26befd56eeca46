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
    signed = np.where(inside, np.float32(-reach), np.float32(reach))
    # The border lies about the region, and about what lacks it: in the smaller box of the two.
    boxes = zip(tissue_box(inside), tissue_box(~inside), strict=True)
    smaller = (min(pair, key=lambda ends: ends.stop - ends.start) for pair in boxes)
    near = widened(smaller, [int(np.ceil(reach / mm)) + 1 for mm in spacing])
    outwards = distance_transform_edt(~inside[near], sampling=spacing)
    distance = outwards - distance_transform_edt(inside[near], sampling=spacing)
    distance -= np.sign(distance) * min(spacing) / 2
    signed[near] = distance.clip(-reach, reach)
    return signed


def in_plane_distances(
    labels: np.ndarray, spacing: Sequence[float], reach: float, classes: int = N_CLASSES
) -> NDArray[np.float32]:
    """`signed_distance` to each class within each slice.

    Background is a class like the others: its distance is the negative of the heart's, so no film
    of background lies where two tissues meet (see `phantom.class_logits`). Labels (K, h, w) give
    (K, `classes`, h, w), mm.
    """
    distances = np.empty((len(labels), classes, *labels.shape[1:]), np.float32)
    for k, c in np.ndindex(*distances.shape[:2]):
        distances[k, c] = signed_distance(labels[k] == c, spacing, reach)
    return distances
