"""Lesson 9's scan: a shipped subject, stored as a stranger might store it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from srheart_demo.scan.volume import LabelVolume

ACDC = np.array([0, 3, 2, 1], np.uint8)
"""Our label → ACDC's: 3 LV, 2 MYO, 1 RV."""
AXES = np.array([[1, -1], [2, 1], [0, -1]])
"""Where D, H and W go, and which run backwards, as `nibabel.orientations` has it."""


def disguised(
    frames: Sequence[LabelVolume],
    path: Path,
    affine: NDArray[np.float64] | None = None,
) -> Path:
    """Store a stack with its axes in another order and ACDC's labels, voxels where they were.

    Args:
        frames: one stack, or several of one shape and place, which become a fourth axis.
        path: of the NIfTI file.
        affine: what the stacks' own is replaced by, for a file that says something wrong.

    Returns:
        The path.
    """
    labels = np.stack([ACDC[stack.labels] for stack in frames], axis=-1)
    if len(frames) == 1:
        labels = labels[..., 0]
    true = frames[0].affine if affine is None else affine
    image = nibabel.Nifti1Image(labels, true).as_reoriented(AXES)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def shrunk(stack: LabelVolume, factor: float) -> LabelVolume:
    """A stack whose heart is smaller within each slice, about the middle of its tissue."""
    tissue = np.argwhere(stack.labels)[:, 1:]
    middle = (tissue.min(0) + tissue.max(0)) / 2
    rows, columns = (
        np.rint((np.arange(n) - m) / factor + m).astype(int).clip(0, n - 1)
        for n, m in zip(stack.shape[1:], middle, strict=True)
    )
    return LabelVolume(stack.labels[:, rows][:, :, columns], stack.affine)


def mirrored(affine: NDArray[np.float64], columns: int) -> NDArray[np.float64]:
    """An affine that runs the columns (axis 2) the other way over the same place: a common slip."""
    wrong = affine.copy()
    wrong[:3, 3] += (columns - 1) * affine[:3, 2]
    wrong[:3, 2] *= -1
    return wrong
