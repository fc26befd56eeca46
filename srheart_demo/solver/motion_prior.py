"""What is thought of displacements before they are seen: the prior on d, of slices and views.

Every slice and every long-axis view is a breath-hold of its own. What is common to all, a
translation of the heart along (H, W), is free: no breath-hold is the right one. What is left is
Gaussian, of a variance that all share and nobody knows: a straight stack is held straight, a shaken
one may move. A few go astray: their variance is another, large one, so they say nothing of the
others'. The translation and the variance are those that fit d best.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings

ASTRAY_MM = 15.0  # Standard deviation of each component of d where a breath-hold went astray, mm
ROUNDS, CLOSE = 30, 1e-4
"""Rounds of expectation and maximisation, at most; a change of the variance below this share ends
them sooner."""


def motion_prior(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """−log p(d), (B,), nats, less that of a straight stack; d (B, K + V, 2) is mm.

    −log p(d) = min over t, σ² of −Σ log[(1 − q) N(d_i − t; σ²) + q N(d_i − t; `ASTRAY_MM`²)] +
    log σ² + `motion_mm`²/σ², where q is `settings.astray` and t counts along plane i's own axes.
    """
    r, b = _planes(d, p, settings)
    with torch.no_grad():
        t, variance, _ = _fitted(r, b, settings)
    return _negative_log(_apart(r, b, t), variance, settings) - _straight(len(b), r.dtype, settings)


@lru_cache(32)
def _straight(planes: int, dtype: torch.dtype, settings: Settings) -> Tensor:
    """What so many planes have that lie where they should, wherever that is, (1,), nats."""
    r, b = torch.zeros(1, planes, 2, dtype=dtype), torch.eye(2, dtype=dtype).expand(planes, 2, 2)
    return _negative_log(r[..., 0], _fitted(r, b, settings)[1], settings)


def motion_precision(
    d: Tensor, p: Problem, settings: Settings, left_open: Tensor | float = 0.0
) -> Tensor:
    """The precision (2 N, 2 N) of the displacements of the N planes that may move, mm⁻².

    Of the Gaussians that the prior mixes, at the variances that d (1, K + V, 2) suggests, and the
    mean square (N,), mm², of what is `left_open` of it; a translation common to all has none.
    """
    r, b = _planes(d, p, settings)
    _, variance, near = _fitted(r, b, settings, left_open)
    weights = near[0] / variance[0] + (1 - near[0]) / ASTRAY_MM**2
    W = torch.diag(weights.repeat_interleave(2))
    B = b.flatten(0, 1)
    return W - W @ B @ torch.linalg.pinv(B.T @ W @ B) @ B.T @ W


@torch.no_grad()
def astray(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """(K + V,) which planes' breath-holds went astray, as the prior of a run has it."""
    moves = p.moves(settings.seeks_views)
    lost = torch.zeros_like(moves)
    if settings.prior and "d" in settings.prior_of and settings.astray:
        lost[moves] = astray_among(*_planes(d, p, settings), settings)
    return lost


def astray_among(d: Tensor, carried: Tensor, settings: Settings) -> Tensor:
    """(N,) the same of N planes that move: d (1, N, 2), and `Problem.carried` of them."""
    return _fitted(d, carried, settings)[2][0] < 0.5


def _planes(d: Tensor, p: Problem, settings: Settings) -> tuple[Tensor, Tensor]:
    """Of the N planes that may move d (B, N, 2), and what a translation adds to it (N, 2, 2)."""
    moves = p.moves(settings.seeks_views)
    return d[:, moves], p.carried[moves].to(d.dtype)


def _apart(r: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """|d − t|², (B, N), mm²."""
    return (r - (t @ b.flatten(0, 1).T).view_as(r)).square().sum(2)


def _log_densities(apart: Tensor, variance: Tensor, settings: Settings) -> tuple[Tensor, Tensor]:
    """Of a breath-hold as the others and of one that went astray, (B, N), weighed by their shares;
    but for 2π."""
    near = math.log1p(-settings.astray) - variance.log()[:, None] - apart / (2 * variance[:, None])
    if not settings.astray:
        return near, torch.full_like(near, -torch.inf)
    far = math.log(settings.astray / ASTRAY_MM**2) - apart / (2 * ASTRAY_MM**2)
    return near, far


def _negative_log(apart: Tensor, variance: Tensor, settings: Settings) -> Tensor:
    together = torch.logaddexp(*_log_densities(apart, variance, settings)).sum(1)
    return variance.log() + settings.motion_mm**2 / variance - together


def _fitted(
    r: Tensor, b: Tensor, settings: Settings, left_open: Tensor | float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """The common translation (B, 2), mm, and the variance (B,), mm², that fit best, and how likely
    each breath-hold is one as the others, (B, N)."""
    near = r.new_ones(r.shape[:2])
    weights, variance = near, r.new_full((len(r),), torch.inf)
    B = b.flatten(0, 1)
    for _ in range(ROUNDS):
        # Normal equations of each stack's d on t
        weighed = (weights[..., None, None] * b).flatten(1, 2)
        t = torch.linalg.solve(weighed.mT @ B, (r.flatten(1)[:, None] @ weighed)[:, 0])
        apart, before = _apart(r, b, t) + left_open, variance
        variance = ((near * apart).sum(1) / 2 + settings.motion_mm**2) / (near.sum(1) + 1)
        if not settings.astray or ((variance - before).abs() < CLOSE * variance).all():
            break
        nearly, far = _log_densities(apart, variance, settings)
        near = (nearly - far).sigmoid()
        weights = near + (1 - near) * variance[:, None] / ASTRAY_MM**2
    return t, variance, near
