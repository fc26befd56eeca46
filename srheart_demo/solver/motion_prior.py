"""What is thought of displacements before they are seen: the prior on d, of slices and views.

Every slice and every long-axis view is a breath-hold of its own. What is common to all of them, a
translation of the heart along (H, W), is free: no breath-hold is the right one. What is left is
drawn from Student's t distribution in two dimensions, of a scale that all share and nobody knows:
a straight stack is held straight, a shaken one may move, and one breath-hold that went astray says
nothing of the others. The translation and the scale are those that fit d best.
"""

import torch
from torch import Tensor

from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings

ROUNDS = 30
"""Rounds of expectation and maximisation, at most, that find translation and scale."""
CLOSE = 1e-4  # A change of the scale below this share ends them


def motion_prior(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """−log p(d) up to a constant, (B,), nats; it is 0 for a straight stack.

    d (B, K + V, 2) is that of the slices, then of the views, mm.
    """
    r, b = _planes(d, p, settings)
    N, nu = len(b), settings.motion_tail
    least = settings.motion_mm**2 / (N + 1)
    with torch.no_grad():
        t, variance = _fitted(r, b, settings)
    apart = (r - torch.einsum("nij,bj->bni", b, t)).square().sum(2)
    if not nu:
        # What the general form comes to as its tails vanish.
        return (N + 1) * torch.log1p(apart.sum(1) / (2 * settings.motion_mm**2))
    far = torch.log1p(apart / (nu * variance[:, None])).sum(1) * (nu + 2) / 2
    return far + (N + 1) * (variance / least).log() + settings.motion_mm**2 * (1 / variance - 1 / least)


def motion_precision(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """The precision (2 N, 2 N) of the displacements of the N planes that may move, mm⁻².

    Of the Gaussian that the prior is a mixture of, at the scales that d (1, K + V, 2) suggests; a
    translation common to all has none.
    """
    r, b = _planes(d, p, settings)
    t, variance = _fitted(r, b, settings)
    apart = (r - torch.einsum("nij,bj->bni", b, t)).square().sum(2)
    weights = _weights(apart, variance, settings)[0] / variance[0]
    W = torch.diag(weights.repeat_interleave(2))
    B = b.flatten(0, 1)
    return W - W @ B @ torch.linalg.pinv(B.T @ W @ B) @ B.T @ W


def _planes(d: Tensor, p: Problem, settings: Settings) -> tuple[Tensor, Tensor]:
    """Of the N planes that may move d (B, N, 2), and what a translation adds to it (N, 2, 2)."""
    moves = p.moves(settings.moving_views)
    return d[:, moves], p.carried[moves].to(d.dtype)


def _fitted(r: Tensor, b: Tensor, settings: Settings) -> tuple[Tensor, Tensor]:
    """The common translation (B, 2), mm, and the variance (B,), mm², that fit best."""
    N = len(b)
    weights = r.new_ones(len(r), N)
    variance = r.new_zeros(len(r))
    for _ in range(ROUNDS if settings.motion_tail else 1):
        A = torch.einsum("bn,nij,nik->bjk", weights, b, b)
        t = torch.linalg.solve(A, torch.einsum("bn,nij,bni->bj", weights, b, r))
        apart = (r - torch.einsum("nij,bj->bni", b, t)).square().sum(2)
        before = variance
        variance = ((weights * apart).sum(1) / 2 + settings.motion_mm**2) / (N + 1)
        weights = _weights(apart, variance, settings)
        if ((variance - before).abs() < CLOSE * variance).all():
            break
    return t, variance


def _weights(apart: Tensor, variance: Tensor, settings: Settings) -> Tensor:
    """How much each plane's displacement counts, (B, N)."""
    nu = settings.motion_tail
    return (nu + 2) / (nu + apart / variance[:, None]) if nu else torch.ones_like(apart)
