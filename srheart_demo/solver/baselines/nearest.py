"""Nearest-neighbour up-sampling ↑_s (NN), the paper's simplest baseline."""

import numpy as np
import torch

from srheart_demo.scan.degradation import Stack


def restore(S_LR: np.ndarray, stack: Stack, grid: Stack) -> np.ndarray:
    """Each voxel takes the label of the nearest pixel of the nearest slice.

    Args:
        S_LR: (K, h, w) labels.
        stack: where they lie.
        grid: where labels are wanted, K' planes of h' × w' pixels.

    Returns:
        (K', h', w') labels; voxels further than half a slice gap or half a pixel outside the
        stack are background.
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
