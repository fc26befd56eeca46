"""Eqs. 3-5: how well a latent code z and displacements d explain what was seen."""

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.scan.degradation import move, move_at
from srheart_demo.scan.long_axis import long_axis_view
from srheart_demo.solver.problem import Decoded, Problem


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """CE: mean over voxels, nats. Logits (B, C, ...) against labels (...); returns (B,)."""
    # `move` lays its slices out before its classes; softmax is quickest in that order.
    logits = logits.transpose(1, 2)
    seen = labels.expand(len(logits), *labels.shape).unsqueeze(2)
    return -logits.log_softmax(2).gather(2, seen).flatten(1).mean(1)


def short_axis_loss(planes: Tensor, d: Tensor, p: Problem, thinned: bool = False) -> Tensor:
    """Eq. 3: L_SA(z, d) = CE(M_d(↓_s G(z)), S_LR), with `planes` = ↓_s G(z); (B,).

    >>> sr.short_axis_loss(problem.decode(step.z).planes, step.d, problem).shape
    torch.Size([1])

    `thinned` takes the mean over voxels from fewer; see `thinning`.
    """
    if not thinned:
        return cross_entropy(move(planes, p.stack, d), p.S_LR)
    some = p.voxels
    logits = move_at(planes, p.stack, d, some.k, some.pixels)
    return (
        F.cross_entropy(logits, some.labels.expand(len(logits), -1), reduction="none")
        @ some.weights
    )


def long_axis_loss(field: Tensor, p: Problem) -> Tensor:
    """Eq. 4: L_LA(z) = CE(R⊙G(z), S_LA), with `field` = G(z); (B,).

    >>> scan = sr.load_sample("healthy_1").scan("severe", long_axis=True)
    >>> problem = sr.Problem.of(scan, G)
    >>> sr.long_axis_loss(G.decode(step.z), problem).shape
    torch.Size([1])

    Printed as L_LA(z, d), but R⊙G(z) does not depend on d.
    """
    if p.plane is None or p.S_LA is None:
        raise ValueError("this problem has no long-axis view")
    return cross_entropy(long_axis_view(field, p.plane), p.S_LA)


def multi_view_loss(
    heart: Decoded, d: Tensor, p: Problem, gamma: float, thinned: bool = False
) -> tuple[Tensor, ...]:
    """Eq. 5: L(z, d) = L_SA(z, d) + γ L_LA(z), with `heart` = G(z).

    >>> scan = sr.load_sample("healthy_1").scan("severe", long_axis=True)
    >>> problem = sr.Problem.of(scan, G)
    >>> heart = problem.decode(step.z)
    >>> L, L_SA, L_LA = sr.multi_view_loss(heart, step.d, problem, gamma=0.5)
    >>> bool(L == L_SA + 0.5 * L_LA)
    True

    Returns:
        L, L_SA and L_LA, (B,) each; without an LA view L_LA is NaN and takes no part.
    """
    L_SA = short_axis_loss(heart.planes, d, p, thinned)
    if p.plane is None or heart.field is None:
        return L_SA, L_SA, torch.full_like(L_SA, torch.nan)
    L_LA = long_axis_loss(heart.field, p)
    return L_SA + gamma * L_LA, L_SA, L_LA
