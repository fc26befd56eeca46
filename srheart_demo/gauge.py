"""What the data cannot tell, and scoring that does not punish it.

A common shift of all slices with the opposite shift of the heart leaves every SA slice, hence
L_SA, as it was. Scores are therefore given up to one common translation, the same for all
tissues, and never the best shift per tissue.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.degradation import sample
from srheart_demo.problem import Problem


def centred(d: Tensor, p: Problem) -> tuple[Tensor, Tensor]:
    """The same answer where d averages zero over the slices with tissue: the stack as scanned.

    With a long-axis view, which shows where the heart lies, the answer stays as it is.

    Args:
        d: (1, K, 2), mm.
        p: the problem that z and d solve.

    Returns:
        (1, K, 2) displacements, and the (2,) translation of the heart along (H, W) that goes with
        them, mm. Slices without tissue keep d = 0.
    """
    if p.plane is not None or not p.tissue.any():
        return d, d.new_zeros(2)
    common = common_translation(d, torch.zeros_like(d), p.tissue)
    return (d - common.unsqueeze(-2)) * p.tissue[:, None], p.stack.in_model_axes(common)[0]


def common_translation(d: Tensor, d_true: Tensor, tissue: Tensor) -> Tensor:
    """Mean difference of two sets of displacements over the slices with tissue.

    Args:
        d, d_true: (..., K, 2), mm.
        tissue: (K,) which slices count.

    Returns:
        (..., 2), mm; zero where no slice shows tissue.
    """
    difference = (d - d_true)[..., tissue, :]
    if not difference.shape[-2]:
        return torch.zeros_like(difference.sum(-2))
    return difference.mean(-2)


def motion_error(d: Tensor, d_true: Tensor, tissue: Tensor) -> float:
    """RMS length of d − d_true over slices with tissue, after their common translation, mm."""
    common = common_translation(d, d_true, tissue).unsqueeze(-2)
    return raw_motion_error(d - common, d_true, tissue)


def unsheared_motion_error(d: Tensor, d_true: Tensor, z: Tensor, tissue: Tensor) -> float:
    """`motion_error` after removing what grows linearly along the stack as well, mm.

    A shear of the slices looks like a leaning heart: in SA slices only the prior tells them apart.

    Args:
        d, d_true: (1, K, 2), mm.
        z: (K,) positions of the slices along D, mm.
        tissue: (K,) which slices count.
    """
    error, along = (d - d_true)[0, tissue].double(), z[tissue].double()
    shear = torch.stack([torch.ones_like(along), along - along.mean()], dim=1)
    left = error - shear @ torch.linalg.pinv(shear) @ error
    return float((left**2).sum(-1).mean().sqrt())


def raw_motion_error(d: Tensor, d_true: Tensor, tissue: Tensor) -> float:
    """RMS length of d − d_true over slices with tissue, as they stand, mm."""
    length2 = ((d - d_true)[..., tissue, :] ** 2).sum(-1)
    return float(length2.mean().sqrt())


def labels_at(field: Tensor, points: Tensor, shift: Tensor | None = None) -> NDArray[np.uint8]:
    """Segmentation of a field (1, 4, ...) at physical points, after moving the heart in-plane.

    Args:
        field: class logits over the HR box.
        points: (..., 3), mm in the model's frame.
        shift: (2,) translation of the heart along (H, W), mm.

    Returns:
        (...) labels.
    """
    if shift is not None:
        points = torch.cat([points[..., :1], points[..., 1:] - shift.to(points.dtype)], dim=-1)
    return sample(field, points)[0].numpy().argmax(0).astype(np.uint8)
