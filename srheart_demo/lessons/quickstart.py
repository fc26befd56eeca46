"""Checks of lesson 1."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from srheart_demo.lessons.verdict import Cases, exercise


@exercise(
    lambda: {
        "M = 128 and K = 13": (128, 13),
        "M = 64 and K = 9": (64, 9),
        "M = 30 and K = 4": (30, 4),
    },
    "154 for 128 latents and 13 slices, against 64 × 128 × 128 voxels.",
)
def unknowns(M: int, K: int) -> int:
    """Exercise 1: z has M numbers, d has two for each of K slices."""
    return M + 2 * K


def _displacements() -> Cases:
    d = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    return {"nine slices": (d,), "six slices, 2 mm and −3 mm off": (d[:6] + torch.tensor([2, -3]),)}


@exercise(
    _displacements,
    "two answers that differ by a common translation are now one.",
    shape="d has two numbers a slice",
)
def without_common(d: Tensor) -> Tensor:
    """Exercise 2: displacements up to one common translation."""
    return d - d.mean(0)


def _maps() -> Cases:
    labels = np.random.default_rng(0).integers(0, 4, (16, 24, 24)).astype(np.uint8)
    return {
        "the LV in voxels of 2 × 1.25 × 1.25 mm": (labels, 1, (2.0, 1.25, 1.25)),
        "the RV in voxels of 8 × 1.5 × 1.4 mm": (labels[:9], 3, (8.0, 1.5, 1.4)),
    }


@exercise(
    _maps,
    "voxels times the volume of one, in ml.",
)
def volume_ml(labels: np.ndarray, label: int, spacing: tuple[float, float, float]) -> float:
    """Exercise 3: voxels of one label times the volume of a voxel."""
    height, row, column = spacing
    return float((labels == label).sum()) * height * row * column / 1000
