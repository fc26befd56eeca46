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
    signed = np.where(inside, np.float32(-reach), np.float32(reach))
    near = _near_the_border(inside, spacing, reach)
    outwards = distance_transform_edt(~inside[near], sampling=spacing)
    distance = outwards - distance_transform_edt(inside[near], sampling=spacing)
    distance -= np.sign(distance) * min(spacing) / 2
    signed[near] = distance.clip(-reach, reach)
    return signed


def _near_the_border(
    inside: NDArray[np.bool_], spacing: tuple[float, ...], reach: float
) -> tuple[slice, ...]:
    """A box beyond which everything is further than `reach` from a region's border."""
    box = []
    for axis, mm in enumerate(spacing):
        others = tuple(other for other in range(inside.ndim) if other != axis)
        # The border lies about the region, and about what lacks it: the smaller of the two.
        lines = [np.flatnonzero(region.any(axis=others)) for region in (inside, ~inside)]
        first, last = min(((at[0], at[-1]) for at in lines), key=lambda ends: ends[1] - ends[0])
        margin = int(np.ceil(reach / mm)) + 1
        box.append(slice(max(first - margin, 0), last + margin + 1))
    return tuple(box)


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
