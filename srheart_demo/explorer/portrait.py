"""A picture of a heart in 3-D without a graphics card: the first tissue that each ray meets.

A server has no WebGL, plotly's export needs a Chrome beside it, and matplotlib does not know which
of two surfaces lies in front.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.frame import TISSUE_COLOURS, rgb
from srheart_demo.scan.degradation import sample

_REACH = 62.0  # Half of the side of the picture, mm
AZIMUTH, ELEVATION = 16.0, 18.0  # Degrees from which the heart is seen; RV left, base on top
GLASS = 0.55  # How much of the RV is seen where it lies before the LV


@torch.no_grad()
def portrait(field: Tensor, size: int = 120, depth: int = 72) -> NDArray[np.uint8]:
    """(size, size, 4) RGBA picture of a field (1, 4, 32, 64, 64), transparent beside the heart.

    Parallel rays, lit from above left.
    """
    a, e = np.radians([AZIMUTH, ELEVATION])
    right = np.array([0.0, np.sin(a), np.cos(a)])
    inward = np.array([-np.sin(e), -np.cos(e) * np.cos(a), np.cos(e) * np.sin(a)])
    up = np.cross(inward, right)
    up = up * np.sign(up[0])
    axis = np.linspace(-_REACH, _REACH, size)
    along = np.linspace(-1.2 * _REACH, 1.2 * _REACH, depth)
    points = (
        -axis[:, None, None, None] * up
        + axis[None, :, None, None] * right
        + along[None, None, :, None] * inward
    )
    logits = sample(field, torch.tensor(points, dtype=torch.float32))[0].numpy()
    steps = float(along[1] - along[0]), float(axis[1] - axis[0])
    solid = _surface(logits, (1, 2), steps)
    glass = _surface(logits, (3,), steps)
    # What of the RV lies before the LV is seen through.
    front = np.nan_to_num(glass[1], nan=np.inf) < np.nan_to_num(solid[1], nan=np.inf)
    behind = ~np.isnan(solid[1])
    share = np.where(front, np.where(behind, GLASS, 1.0), 0.0)[..., None]
    colours = share * glass[0] + (1 - share) * solid[0]
    opaque = 255.0 * (behind | front)[..., None]
    return np.concatenate([colours.clip(0, 255), opaque], axis=-1).astype(np.uint8)


def _surface(
    logits: NDArray[np.float32], labels: tuple[int, ...], steps: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lit colours (n, n, 3) of the first of some tissues on each ray, and its distance, mm."""
    others = [label for label in range(len(logits)) if label not in labels]
    tissue = logits[list(labels)].max(0) - logits[others].max(0)
    inside = tissue > 0
    hit, first = inside.any(-1), inside.argmax(-1)
    i, j = np.indices(first.shape)
    low, high = tissue[i, j, np.maximum(first - 1, 0)], tissue[i, j, first]
    exact = first - np.where(high > low, high / np.maximum(high - low, 1e-6), 0).clip(0, 1)
    distance = np.where(hit, exact * steps[0], np.nan)
    rows, columns = (np.nan_to_num(np.gradient(distance, steps[1], axis=k)) for k in (0, 1))
    light = (0.6 - 0.5 * rows - 0.35 * columns) / np.sqrt(1 + rows**2 + columns**2)
    shade = (0.62 + 0.45 * light.clip(0, 1))[..., None]
    palette = np.array([rgb(colour) for colour in TISSUE_COLOURS.values()], float)
    label = np.array(labels)[logits[list(labels)].argmax(0)[i, j, first]]
    return palette[label - 1] * shade, distance
