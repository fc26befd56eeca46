"""Lesson 3: its checks, and a heart that no generator here has seen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.frame import lattice_points
from srheart_demo.heart.anatomy import LV, MYO, RV
from srheart_demo.lessons.verdict import Cases, exercise


def septal_defect(S_HR: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """A heart with a hole of `radius` mm in the wall between its ventricles.

    Args:
        S_HR: (64, 128, 128) labels with a LV, myocardium and RV.
        radius: of the ball about the middle of the wall within which myocardium becomes LV, mm.
    """
    points = lattice_points(S_HR.shape)
    left, right = points[S_HR == LV].mean(0), points[S_HR == RV].mean(0)
    wall, towards = points[S_HR == MYO], (right - left) / np.linalg.norm(right - left)
    ahead = (wall - left) @ towards
    aside = np.linalg.norm(wall - left - ahead[:, None] * towards, axis=1)
    centre = wall[(aside < 4.0) & (ahead > 0)].mean(0)
    hole = (np.linalg.norm(points - centre, axis=-1) < radius) & (S_HR == MYO)
    return np.where(hole, np.uint8(LV), S_HR)


def _gaussians() -> Cases:
    rng = torch.Generator().manual_seed(0)
    return {
        "three hearts of six latents": tuple(torch.randn(2, 3, 6, generator=rng)),
        "five hearts of four latents": tuple(torch.randn(2, 5, 4, generator=rng)),
    }


def _kl(
    mean: Tensor, log_variance: Tensor, squares: float = 1, variance: float = 1, one: float = 1
) -> Tensor:
    """KL with some of its parts left out."""
    parts = squares * mean**2 + variance * log_variance.exp() - one - log_variance
    return parts.sum(1) / 2


@exercise(
    _gaussians,
    "0 for q = N(0, I), more for all others.",
    shape="one number for each of 3 hearts",
)
def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Exercise 1: KL(q ‖ N(0, I)) of diagonal Gaussians, nats."""
    return _kl(mean, log_variance)


def _walks() -> Cases:
    rng = torch.Generator().manual_seed(1)
    z, vector = torch.randn(2, 1, 8, generator=rng), torch.randn(2, 8, generator=rng)
    vector = vector / vector.norm(dim=1, keepdim=True)
    return {"an amount of 2": (z[0], vector[0], 2.0), "an amount of −1": (z[1], vector[1], -1.0)}


def _along(z: Tensor, vector: Tensor, amount: float, keep: float = 0.0) -> Tensor:
    return z + (amount - (1 - keep) * z @ vector)[:, None] * vector


def _part(found: Tensor, right: Tensor, z: Tensor, vector: Tensor, amount: float) -> str:
    part = float(found[0] @ vector)
    if abs(part - amount) > 1e-4:
        return f"the part along the direction is to be {amount:g}, and it is {part:.2f}"
    return "the part along the direction is right, but what is across it changed too"


@exercise(
    _walks,
    "2 standard deviations along the direction, and across it nothing changed.",
    shape="a code is (1, M)",
    otherwise=_part,
)
def along(z: Tensor, vector: Tensor, amount: float) -> Tensor:
    """Exercise 2: z with its part along a unit direction replaced."""
    return _along(z, vector, amount)


def _codes() -> Cases:
    rng = torch.Generator().manual_seed(2)
    return {
        "M = 100, a long z": (1.3 * torch.randn(1, 100, generator=rng),),
        "M = 64, a short z": (0.6 * torch.randn(1, 64, generator=rng),),
    }


def _squared(z: Tensor) -> float:
    return float(z.square().sum())


@exercise(
    _codes,
    "0 ± 1 for draws from the prior; 10 is no accident.",
)
def surprise(z: Tensor) -> float:
    """Exercise 3: how many standard deviations |z|² lies above what N(0, I) has."""
    return float((z.square().sum() - z.numel()) / (2 * z.numel()) ** 0.5)
