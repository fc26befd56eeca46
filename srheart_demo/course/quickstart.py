"""Checks of lesson 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from srheart_demo.course.verdict import NotYet, check, written
from srheart_demo.metrics import volumes_ml


@check
def unknowns(count: Callable[[int, int], int]) -> str:
    """Exercise 1: z has M numbers, d has two for each of K slices."""
    found = written(count(128, 13), "the number")
    if found == 128 + 13:
        raise NotYet("each slice is displaced in a plane: two numbers a slice, not one.")
    if found == 128 + 3 * 13:
        raise NotYet("slices move in their own plane only: two numbers a slice, not three.")
    if (found, count(64, 9)) != (154, 82):
        raise NotYet(f"with M = 128 and K = 13 you count {found}; z has 128 and d has 2 × 13.")
    return "154 for 128 latents and 13 slices, against 64 × 128 × 128 voxels."


@check
def without_common(centred: Callable[[Tensor], Tensor]) -> str:
    """Exercise 2: displacements up to one common translation."""
    d = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    found = written(centred(d), "the result")
    if found.shape != d.shape:
        raise NotYet(f"d is (9, 2), and your result is {tuple(found.shape)}.")
    if torch.allclose(found, d - d.mean(), atol=1e-5):
        raise NotYet("rows and columns have a mean each; you took one mean of all numbers.")
    if torch.allclose(found, d - d.mean(1, keepdim=True), atol=1e-5):
        raise NotYet("the mean is to be taken over the slices, axis 0, not over the components.")
    if torch.allclose(found, d - d[0], atol=1e-5):
        raise NotYet("that fixes the first slice; an error in it would move all the others.")
    if not torch.allclose(found, centred(d + torch.tensor([2.0, -3.0])), atol=1e-5):
        raise NotYet("d and d + (2, −3) mm are the same answer, and yours differ.")
    if not torch.allclose(found, d - d.mean(0), atol=1e-5):
        raise NotYet("your result forgets the translation, and changes more than that.")
    return "two answers that differ by a common translation are now one."


@check
def volume_ml(volume: Callable[[np.ndarray, int, tuple[float, float, float]], float]) -> str:
    """Exercise 3: voxels of one label times the volume of a voxel."""
    spacing = (2.0, 1.25, 1.25)
    labels = np.random.default_rng(0).integers(0, 4, (16, 24, 24)).astype(np.uint8)
    found = float(written(volume(labels, 1, spacing), "the volume"))
    right = volumes_ml(labels, spacing)["LV"]
    if np.isclose(found, 1000 * right):
        raise NotYet("that is in mm³; 1 ml has 1000 of them.")
    if np.isclose(found, (labels == 1).sum()):
        raise NotYet("that counts voxels; multiply by the volume of one.")
    if np.isclose(found, volumes_ml((labels > 0).astype(np.uint8), spacing)["LV"]):
        raise NotYet("that counts all tissues; compare the labels with `label`.")
    if not np.isclose(found, right):
        raise NotYet(f"a test map holds {right:.2f} ml and you find {found:.2f}.")
    return "voxels times the volume of one, in ml."
