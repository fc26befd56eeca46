"""Lesson 3: its checks, and a heart that no generator here has seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.anatomy import LV, MYO, RV
from srheart_demo.course.verdict import NotYet, check, written
from srheart_demo.frame import lattice_points
from srheart_demo.session.explore import along as along_direction


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


@check
def kl(mine: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Exercise 1: KL(q ‖ N(0, I)) of diagonal Gaussians, nats."""
    rng = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 3, 6, generator=rng)
    found = written(mine(mean, log_variance), "the result")
    if tuple(found.shape) != (3,):
        raise NotYet(f"one number for each of 3 hearts, (3,), and yours is {tuple(found.shape)}.")
    variance, squares = log_variance.exp(), mean**2
    right = (squares + variance - 1 - log_variance).sum(1) / 2
    known = {
        "KL is a sum over the latents, not a mean; the latents are independent.": right / 6,
        "the half is missing.": 2 * right,
        "the sign is wrong: KL is never negative, and 0 only for q = N(0, I).": -right,
        "what you are given is ln σ², not ln σ.": (
            (squares + (2 * log_variance).exp() - 1 - 2 * log_variance).sum(1) / 2
        ),
        "the −1 is missing: for q = N(0, I) all must cancel to 0.": right + 3,
        "the mean takes no part: q far from 0 costs, too.": right - squares.sum(1) / 2,
        "σ² itself is missing; a q wider than the prior costs, too.": right - variance.sum(1) / 2,
        "that is KL(N(0, I) ‖ q), the other way round.": (
            ((1 + squares) / variance - 1 + log_variance).sum(1) / 2
        ),
    }
    if found.isnan().any():
        raise NotYet("there are NaNs: the variance comes as its logarithm; exp, not log.")
    for why, wrong in known.items():
        if torch.allclose(found, wrong, atol=1e-4):
            raise NotYet(why)
    if not torch.allclose(found, right, atol=1e-4):
        raise NotYet(f"for the first of three it is {right[0]:.2f} nats, and yours {found[0]:.2f}.")
    return "0 for q = N(0, I), more for all others."


@check
def along(mine: Callable[[Tensor, Tensor, float], Tensor]) -> str:
    """Exercise 2: z with its part along a unit direction replaced."""
    rng = torch.Generator().manual_seed(1)
    z, vector = torch.randn(1, 8, generator=rng), torch.randn(8, generator=rng)
    vector = vector / vector.norm()
    found = written(mine(z, vector, 2.0), "the result")
    if tuple(found.shape) != (1, 8):
        raise NotYet(f"a code is (1, M), here (1, 8), and yours is {tuple(found.shape)}.")
    known = {
        "that adds 2 to whatever z had along the direction; take that part out first.": (
            z + 2.0 * vector
        ),
        "the rest of z is gone; only its part along the direction is to change.": (
            2.0 * vector[None]
        ),
        "you took the part along the direction out; now put the amount in.": (
            along_direction(z, vector, 0.0)
        ),
        "the sign of the amount is wrong.": along_direction(z, vector, -2.0),
    }
    for why, wrong in known.items():
        if torch.allclose(found, wrong, atol=1e-5):
            raise NotYet(why)
    part = float(found[0] @ vector)
    if abs(part - 2.0) > 1e-4:
        raise NotYet(f"the part along the direction is to be 2, and it is {part:.2f}.")
    if not torch.allclose(found, along_direction(z, vector, 2.0), atol=1e-5):
        raise NotYet("the part along the direction is right, but what is across it changed too.")
    return "2 standard deviations along the direction, and across it nothing changed."


@check
def surprise(mine: Callable[[Tensor], float]) -> str:
    """Exercise 3: how many standard deviations |z|² lies above what N(0, I) has."""
    z = 1.3 * torch.randn(1, 100, generator=torch.Generator().manual_seed(2))
    found = float(written(mine(z), "the result"))
    M, squared = 100, float(z.square().sum())
    known = {
        "that is |z|/√M, 1 for a typical draw; count in standard deviations of |z|².": (
            (squared / M) ** 0.5
        ),
        "that is |z|²/M, 1 for a typical draw; take off the mean and divide by the SD.": (
            squared / M
        ),
        "divide by the SD, √(2M), not by the variance 2M.": (squared - M) / (2 * M),
        "the SD of |z|² is √(2M), not √M.": (squared - M) / M**0.5,
        "that is still in units of |z|²; divide by its SD.": squared - M,
        "the sign is wrong: farther out is more surprising.": (M - squared) / (2 * M) ** 0.5,
        "take the mean of |z|², which is M, off first.": squared / (2 * M) ** 0.5,
    }
    for why, wrong in known.items():
        if abs(found - wrong) < 1e-3:
            raise NotYet(why)
    right = (squared - M) / (2 * M) ** 0.5
    if abs(found - right) > 1e-3:
        raise NotYet(f"for |z|² = {squared:.1f} and M = {M} it is {right:.2f}; yours {found:.2f}.")
    return "0 ± 1 for draws from the prior; 10 is no accident."
