"""Nearest-neighbour up-sampling ↑_s, the paper's simplest baseline."""

import numpy as np
import torch

from srheart_demo.degradation import Stack
from srheart_demo.frame import HR_SHAPE, lattice_axes


def restore(S_LR: np.ndarray, stack: Stack) -> np.ndarray:
    """Each HR voxel takes the label of the nearest pixel of the nearest slice.

    Args:
        S_LR: (K, h, w) labels.
        stack: where they lie.

    Returns:
        (64, 128, 128) labels; voxels further than half a slice gap or half a pixel outside the
        stack are background.
    """
    axes = [torch.tensor(axis, dtype=torch.float64) for axis in lattice_axes(HR_SHAPE)]
    distance = (axes[0][:, None] - stack.z.double()).abs()
    nearest = distance.argmin(1)
    gap = float(stack.z.diff().abs().median()) if stack.K > 1 else 0.0
    covered = distance.amin(1) <= gap / 2 + 1e-6

    steps = torch.stack([stack.row_step, stack.column_step]).double()
    h, w = torch.meshgrid(axes[1], axes[2], indexing="ij")
    in_plane = torch.stack([h, w], dim=-1) - stack.origin.double()
    index = (in_plane @ torch.linalg.inv(steps)).round().long()
    inside = ((index >= 0) & (index < torch.tensor(stack.shape))).all(-1)
    rows, columns = (index * inside[..., None]).unbind(-1)

    labels = torch.as_tensor(S_LR.astype(np.int64))[nearest][:, rows, columns]
    labels = labels * inside * covered[:, None, None]
    return labels.numpy().astype(np.uint8)
