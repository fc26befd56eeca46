"""Shape-based interpolation (SBI): outlines change steadily from one slice to the next.

Raya and Udupa, Shape-based interpolation of multidimensional objects, IEEE Transactions on Medical
Imaging 9(1):32-42, 1990, for several classes: each has a signed distance in every slice, distances
are interpolated linearly along D, and a voxel takes the class that it lies deepest in.
"""

import numpy as np
import torch

from srheart_demo.heart.distances import in_plane_distances
from srheart_demo.scan.degradation import Stack, hat, interpolate
from srheart_demo.solver.baselines import nearest


def restore(S_LR: np.ndarray, stack: Stack, grid: Stack) -> np.ndarray:
    """Each voxel takes the class of least signed distance, linear between neighbouring slices.

    Distances count up to one slice gap. So a slice is a gap away from a class that it lacks, and
    what only one of two neighbours shows ends about half way between them. Beyond the stack's
    ends their slices are repeated for half a gap, as in `nearest`.

    Args:
        S_LR: (K, h, w) labels.
        stack: where they lie.
        grid: where labels are wanted, K' planes of h' × w' pixels.

    Returns:
        (K', h', w') labels; voxels further than half a slice gap or half a pixel outside the
        stack are background.
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
        in_plane = interpolate(distances, stack, grid.pixels() + offset)
        between = torch.einsum("gk,kchw->gchw", weights[planes], in_plane[upwards])
        labels[planes.numpy()] = between.argmin(1).numpy()
    return labels * nearest.restore(np.ones_like(S_LR), stack, grid)
