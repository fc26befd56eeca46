"""Lesson 3: its checks, and a heart that no generator here has seen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.anatomy import LV, MYO, RV
from srheart_demo.course.verdict import Cases, exercise
from srheart_demo.frame import lattice_points


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
    mistakes=(
        (
            lambda m, v: _kl(m, v) / m.shape[1],
            "KL is a sum over the latents, not a mean; the latents are independent.",
        ),
        (lambda m, v: _kl(m, v) / len(m), "one number for each of 3 hearts; no mean of hearts."),
        (lambda m, v: 2 * _kl(m, v), "the half is missing."),
        (
            lambda m, v: -_kl(m, v),
            "the sign is wrong: KL is never negative, and 0 only for q = N(0, I).",
        ),
        (lambda m, v: _kl(m, 2 * v), "what you are given is ln σ², not ln σ."),
        (lambda m, v: _kl(m, v / 2), "what you are given is ln σ², not ln σ⁴: leave out the root."),
        (
            lambda m, v: _kl(m, v, one=0),
            "the −1 is missing: for q = N(0, I) all must cancel to 0.",
        ),
        (lambda m, v: _kl(m, v, one=-1), "the 1 has the wrong sign: it is taken off."),
        (
            lambda m, v: (m**2 + v.exp() - 1 + v).sum(1) / 2,
            "ln σ² has the wrong sign: it is taken off.",
        ),
        (
            lambda m, v: (m**2 + v.exp() - 1).sum(1) / 2,
            "ln σ² itself is missing; a q narrower than the prior costs, too.",
        ),
        (lambda m, v: _kl(m, v, squares=0), "the mean takes no part: q far from 0 costs, too."),
        (lambda m, v: (m + v.exp() - 1 - v).sum(1) / 2, "the mean is to be squared: μ²."),
        (lambda m, v: (m.abs() + v.exp() - 1 - v).sum(1) / 2, "the mean is to be squared: μ²."),
        (
            lambda m, v: _kl(m, v, variance=0),
            "σ² itself is missing; a q wider than the prior costs, too.",
        ),
        (
            lambda m, v: (m**2 + v - 1 - v.log()).sum(1) / 2,
            "there are NaNs: the variance comes as its logarithm; exp, not log.",
        ),
        (
            lambda m, v: _kl(m, v.log()),
            "there are NaNs: the variance comes as its logarithm; exp, not log.",
        ),
        (
            lambda m, v: (((1 + m**2) / v.exp()) - 1 + v).sum(1) / 2,
            "that is KL(N(0, I) ‖ q), the other way round.",
        ),
        (
            lambda m, v: _kl(m * (-v / 2).exp(), -v),
            "that is KL(N(0, I) ‖ q), the other way round.",
        ),
        (lambda m, v: (m**2 + v.exp() - 1 - v) / 2, "sum over the latents, axis 1."),
        (
            lambda m, v: (m**2 + v.exp() - 1 - v).sum(0) / 2,
            "that is one number a latent; sum over the latents, axis 1, and not over the hearts.",
        ),
    ),
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
    mistakes=(
        (
            lambda z, v, amount: z + amount * v,
            "that adds 2, the amount, to what z had along the direction; take that part out first.",
        ),
        (
            lambda z, v, amount: amount * v[None],
            "the rest of z is gone; only its part along the direction is to change.",
        ),
        (
            lambda z, v, amount: _along(z, v, 0.0),
            "you took the part along the direction out; now put the amount in.",
        ),
        (
            lambda z, v, amount: amount * _along(z, v, 0.0),
            "the part along the direction is gone; amount × vector is to be added there.",
        ),
        (lambda z, v, amount: _along(z, v, -amount), "the sign of the amount is wrong."),
        (
            lambda z, v, amount: z + (amount + z @ v)[:, None] * v,
            "the sign of the part that z has is wrong: it is taken off, and you double it.",
        ),
        (
            lambda z, v, amount: z - (amount + z @ v)[:, None] * v,
            "the sign of the amount is wrong.",
        ),
        (
            lambda z, v, amount: z - (amount - z @ v)[:, None] * v,
            "the sign is wrong: (amount − z @ vector) × vector is added to z.",
        ),
        (lambda z, v, amount: z, "nothing changes; the amount is not used."),
        (lambda z, v, amount: z * amount, "you stretch all of z; only one part is to change."),
        (
            lambda z, v, amount: (z @ v)[:, None] * v + 0 * amount,
            "that is the part that z has along the direction; replace it in z by the amount.",
        ),
        (
            lambda z, v, amount: z + amount - (z @ v)[:, None] * v,
            "the amount is added to every number of z; multiply it by the direction.",
        ),
    ),
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
    mistakes=(
        (
            lambda z: (_squared(z) / z.numel()) ** 0.5,
            "that is |z|/√M, 1 for a typical draw; count in standard deviations of |z|².",
        ),
        (
            lambda z: _squared(z) / z.numel(),
            "that is |z|²/M, 1 for a typical draw; take off the mean and divide by the SD.",
        ),
        (
            lambda z: (_squared(z) - z.numel()) / (2 * z.numel()),
            "divide by the SD, √(2M), not by the variance 2M.",
        ),
        (
            lambda z: (_squared(z) - z.numel()) / z.numel() ** 0.5,
            "the SD of |z|² is √(2M), not √M.",
        ),
        (lambda z: (_squared(z) - z.numel()) / 2 * z.numel() ** 0.5, "the SD is √(2M); brackets?"),
        (
            lambda z: _squared(z) - z.numel() / (2 * z.numel()) ** 0.5,
            "only the mean is divided by the SD; put |z|² − M in brackets.",
        ),
        (
            lambda z: _squared(z) - z.numel(),
            "that is still in units of |z|²; divide by its SD.",
        ),
        (
            lambda z: (z.numel() - _squared(z)) / (2 * z.numel()) ** 0.5,
            "the sign is wrong: farther out is more surprising.",
        ),
        (
            lambda z: abs(_squared(z) - z.numel()) / (2 * z.numel()) ** 0.5,
            "leave out abs(): a z that is too short lies below the mean, at a negative number.",
        ),
        (
            lambda z: _squared(z) / (2 * z.numel()) ** 0.5,
            "take the mean of |z|², which is M, off first.",
        ),
        (
            lambda z: (float(z.norm()) - z.numel()) / (2 * z.numel()) ** 0.5,
            "that takes |z| for |z|²; M and √(2M) are of |z|².",
        ),
        (
            lambda z: (_squared(z) - len(z)) / (2 * len(z)) ** 0.5,
            "M is z.numel(), the number of latents; len(z) counts the codes.",
        ),
        (
            lambda z: (_squared(z) - 128) / 256**0.5,
            "M = 128 stands in your code; take it from z, z.numel().",
        ),
    ),
)
def surprise(z: Tensor) -> float:
    """Exercise 3: how many standard deviations |z|² lies above what N(0, I) has."""
    return float((z.square().sum() - z.numel()) / (2 * z.numel()) ** 0.5)
