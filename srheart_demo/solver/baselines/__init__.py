"""What latent optimisation is compared with; each baseline restores a heart from its SA stack.

A baseline takes S_LR (K, h, w), where it lies, and a grid of K' planes of h' × w' pixels where
labels are wanted, and gives them, (K', h', w'). It knows nothing of motion, so its answer goes with
displacements of zero.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from srheart_demo.heart.distances import in_plane_distances
from srheart_demo.scan.degradation import MOTION_LEVELS, Stack, hat, interpolator
from srheart_demo.solver.baselines import edsr

Restore = Callable[[np.ndarray, Stack, Stack], np.ndarray]


def nearest_neighbour(S_LR: np.ndarray, stack: Stack, grid: Stack) -> np.ndarray:
    """↑_s (NN), the paper's simplest: the label of the nearest pixel of the nearest slice.

    Voxels further than half a slice gap or half a pixel outside the stack are background.
    """
    stack, grid = stack.to(torch.float64), grid.to(torch.float64)
    slices = stack.nearest_slice(grid.z)
    # Planes that lie alike over their slices, as all do at right angles, share their pixels.
    apart, which = (grid.offsets - stack.offsets[slices]).unique(dim=0, return_inverse=True)
    pixels = stack.nearest_pixel(grid.pixels() + apart[:, None, None])
    rows, columns = pixels[which].unbind(-1)
    labels = torch.as_tensor(S_LR.astype(np.int64))[slices[:, None, None], rows, columns]
    covered = (slices >= 0)[:, None, None] & (rows >= 0)
    return (labels * covered).numpy().astype(np.uint8)


def shape_based(S_LR: np.ndarray, stack: Stack, grid: Stack) -> np.ndarray:
    """Shape-based interpolation (SBI): outlines change steadily from one slice to the next.

    Raya and Udupa (IEEE Transactions on Medical Imaging 9(1):32-42, 1990), for several classes:
    each voxel takes the class of least signed distance, linear between neighbouring slices.

    Distances count up to one slice gap. So a slice is a gap away from a class that it lacks, and
    what only one of two neighbours shows ends about half way between them. Beyond the stack's
    ends their slices are repeated for half a gap, as in `nearest_neighbour`.
    """
    # A single slice has no gap, but outlines all the same.
    reach = max(stack.gap, *stack.spacing)
    distances = torch.from_numpy(in_plane_distances(S_LR, stack.spacing, reach))
    upwards = stack.z.argsort()
    position = np.interp(grid.z, stack.z[upwards], np.arange(stack.K))
    weights = hat(torch.from_numpy(position).to(distances.dtype), stack.K)
    offsets, which = grid.offsets.unique(dim=0, return_inverse=True)
    labels = np.empty((grid.K, *grid.shape), np.uint8)
    for i, offset in enumerate(offsets):
        planes = which == i
        in_plane = interpolator(stack, grid.pixels() + offset)(distances)
        between = torch.einsum("gk,kchw->gchw", weights[planes], in_plane[upwards])
        labels[planes.numpy()] = between.argmin(1).numpy()
    return labels * nearest_neighbour(np.ones_like(S_LR), stack, grid)


BASELINES: dict[str, Restore] = {
    "NN": nearest_neighbour,
    "SBI": shape_based,
    **{f"EDSR ({level})": partial(edsr.restore, level=level) for level in MOTION_LEVELS},
}
"""Baselines by their name in the paper; an EDSR with the motion that it was trained on."""
