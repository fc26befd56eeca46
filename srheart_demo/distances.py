"""Signed distances to the borders of labels: negative inside, positive outside, in mm."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from srheart_demo.frame import N_CLASSES


def signed_distance(
    inside: NDArray[np.bool_], spacing: tuple[float, ...], reach: float
) -> NDArray[np.float32]:
    """Signed distance of every pixel or voxel to the border of a region, at most `reach`.

    A border lies half of the smallest side from the centres on either side of it. Where there is
    none, a map that the region fills is −`reach` and one that lacks it +`reach` throughout.

    Args:
        inside: (...) whether a voxel belongs to the region.
        spacing: voxel size along each axis, mm.
        reach: mm.

    Returns:
        (...) mm.
    """
    if inside.all() or not inside.any():
        return np.full(inside.shape, -reach if inside.all() else reach, np.float32)
    outwards = distance_transform_edt(~inside, sampling=spacing)
    distance = outwards - distance_transform_edt(inside, sampling=spacing)
    distance -= np.sign(distance) * min(spacing) / 2
    return distance.clip(-reach, reach).astype(np.float32)


def in_plane_distances(
    labels: NDArray[np.integer],
    spacing: tuple[float, float],
    reach: float,
    classes: int = N_CLASSES,
) -> NDArray[np.float32]:
    """`signed_distance` to each class within each slice.

    Background is a class like the others: its distance is the negative of the heart's, so no film
    of background lies where two tissues meet (see `phantom.class_logits`).

    Args:
        labels: (K, h, w).
        spacing: of rows and columns, mm.
        reach: mm.
        classes: how many there are, C.

    Returns:
        (K, C, h, w), mm.
    """
    distances = np.empty((len(labels), classes, *labels.shape[1:]), np.float32)
    for k, c in np.ndindex(*distances.shape[:2]):
        distances[k, c] = signed_distance(labels[k] == c, spacing, reach)
    return distances
