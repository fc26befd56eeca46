"""Checks of lesson 1."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from srheart_demo.course.verdict import Cases, exercise


@exercise(
    lambda: {
        "M = 128 and K = 13": (128, 13),
        "M = 64 and K = 9": (64, 9),
        "M = 30 and K = 4": (30, 4),
    },
    "154 for 128 latents and 13 slices, against 64 × 128 × 128 voxels.",
    mistakes=(
        (lambda M, K: M + K, "each slice is displaced in a plane: two numbers a slice, not one."),
        (lambda M, K: M + 3 * K, "slices move in their own plane only: two numbers, not three."),
        (lambda M, K: M, "these are the numbers in z alone; each slice's d has two more."),
        (lambda M, K: 2 * K, "these are the numbers in d alone; z has M more."),
        (lambda M, K: M + 2, "that is z and the d of one slice; there are K slices."),
        (lambda M, K: M + 2 * (K - 1), "every slice has its own d: 2 × K, not 2 × (K − 1)."),
        (lambda M, K: 2 * (M + K), "only d has two numbers a slice; z has M in all."),
        (lambda M, K: 2 * M * K, "z is one code for all slices: add what d has, do not multiply."),
        (lambda M, K: M * K, "z is one code for all slices: add what d has, do not multiply."),
        (lambda M, K: 2 * M + K, "two numbers a slice, and one a latent: M + 2 K."),
    ),
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
    mistakes=(
        (lambda d: d, "d and d + (2, −3) mm are the same answer, and yours differ."),
        (
            lambda d: d - d.mean(),
            "rows and columns have a mean each; you took one mean of all numbers.",
        ),
        (
            lambda d: d - d.mean(1, keepdim=True),
            "the mean is to be taken over the slices, axis 0, not over the components.",
        ),
        (lambda d: d - d[0], "that fixes the first slice; an error in it would move all others."),
        (lambda d: d - d[-1], "that fixes the last slice; an error in it would move all others."),
        (lambda d: d[0] - d, "that fixes the first slice, and turns the sign as well."),
        (
            lambda d: d - d.median(0).values,
            "that is the median; what all slices share is their mean.",
        ),
        (lambda d: d - d.sum(0), "divide the sum by the number of slices: their mean."),
        (lambda d: d + d.mean(0), "the sign is wrong: take the mean off."),
        (lambda d: d.mean(0) - d, "the sign is wrong: d less its mean, not the mean less d."),
        (
            lambda d: d.mean(0),
            "that is the translation that all share, (2,); take it off d, (9, 2).",
        ),
        (
            lambda d: (d - d.mean(0)) / d.std(0),
            "the mean is gone, but you divided by the SD too; displacements stay in mm.",
        ),
        (
            lambda d: 0 * d,
            "your result forgets the translation, and changes more than that: all is 0.",
        ),
    ),
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
    mistakes=(
        (
            lambda labels, label, s: (labels == label).sum() * np.prod(s),
            "that is in mm³; 1 ml has 1000 of them.",
        ),
        (
            lambda labels, label, s: (labels == label).sum() * np.prod(s) / 10,
            "1 ml is 1000 mm³, a cube of 10 mm; you divide by 10.",
        ),
        (
            lambda labels, label, s: (labels == label).sum() * np.prod(s) / 100,
            "1 ml is 1000 mm³, a cube of 10 mm; you divide by 100.",
        ),
        (
            lambda labels, label, s: (labels == label).sum(),
            "that counts voxels; multiply by the volume of one.",
        ),
        (
            lambda labels, label, s: (labels == label).sum() / 1000,
            "that counts voxels; multiply by the volume of one.",
        ),
        (
            lambda labels, label, s: (labels > 0).sum() * np.prod(s) / 1000,
            "that counts all tissues; compare the labels with `label`.",
        ),
        (
            lambda labels, label, s: labels.size * np.prod(s) / 1000,
            "that is the volume of the whole box; compare the labels with `label`.",
        ),
        (
            lambda labels, label, s: (labels * (labels == label)).sum() * np.prod(s) / 1000,
            "you add up the labels themselves; count the voxels that have the label.",
        ),
        (
            lambda labels, label, s: labels.sum() * np.prod(s) / 1000,
            "you add up the labels themselves; count the voxels that have the label.",
        ),
        (
            lambda labels, label, s: (labels == label).sum() * sum(s) / 1000,
            "the volume of a voxel is the product of its sides, not their sum.",
        ),
        (
            lambda labels, label, s: (labels == label).sum() * s[0] ** 3 / 1000,
            "a voxel is no cube: multiply its three sides, each as it is.",
        ),
        (
            lambda labels, label, s: (labels == 1).sum() * np.prod(s) / 1000,
            "label 1 stands in your code; count the voxels of `label`.",
        ),
        (
            lambda labels, label, s: (labels == label).sum() * 2 * 1.25 * 1.25 / 1000,
            "the spacing stands in your code as the numbers of the text; use `spacing`.",
        ),
    ),
)
def volume_ml(labels: np.ndarray, label: int, spacing: tuple[float, float, float]) -> float:
    """Exercise 3: voxels of one label times the volume of a voxel."""
    height, row, column = spacing
    return float((labels == label).sum()) * height * row * column / 1000
