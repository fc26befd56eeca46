"""Eqs. 3-5: how well a code z and displacements d explain what was seen; and the priors.

What a run minimises is `objective`: L of Eq. 5, with the negative log-priors where asked for.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.scan.degradation import move, move_at
from srheart_demo.scan.long_axis import long_axis_view
from srheart_demo.solver.problem import Decoded, Problem
from srheart_demo.solver.settings import Settings


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """CE: mean over voxels, nats. Logits (B, C, ...) against labels (...); returns (B,).

    >>> logits = sr.degrade(G.decode(step.z), problem.stack, step.d)
    >>> sr.cross_entropy(logits, problem.S_LR).shape
    torch.Size([1])
    """
    # `move` lays its slices out before its classes; softmax is quickest in that order.
    logits = logits.transpose(1, 2)
    seen = labels.expand(len(logits), *labels.shape).unsqueeze(2)
    return -logits.log_softmax(2).gather(2, seen).flatten(1).mean(1)


def short_axis_loss(planes: Tensor, d: Tensor, p: Problem, thinned: bool = False) -> Tensor:
    """Eq. 3: L_SA(z, d) = CE(M_d(↓_s G(z)), S_LR), with `planes` = ↓_s G(z); (B,).

    >>> sr.short_axis_loss(problem.decode(step.z).planes, step.d, problem).shape
    torch.Size([1])

    `thinned` takes the mean over voxels from fewer; see `fast.thin`.
    """
    if not thinned:
        return cross_entropy(move(planes, p.stack, d), p.S_LR)
    some = p.voxels
    logits = move_at(planes, p.stack, d, some.k, some.pixels)
    seen = some.labels.expand(len(logits), -1)
    return F.cross_entropy(logits, seen, reduction="none") @ some.weights


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

    L, L_SA and L_LA are (B,) each; without an LA view L_LA is NaN and takes no part.
    """
    L_SA = short_axis_loss(heart.planes, d, p, thinned)
    if p.plane is None or heart.field is None:
        return L_SA, L_SA, torch.full_like(L_SA, torch.nan)
    L_LA = long_axis_loss(heart.field, p)
    return L_SA + gamma * L_LA, L_SA, L_LA


def objective(
    z: Tensor, d: Tensor, p: Problem, settings: Settings, heart: Decoded | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """What is minimised, (B,), and its parts L, L_SA and L_LA (Eqs. 3-5); `heart` may be G(z)."""
    heart = heart or p.decode(z, d)
    losses = multi_view_loss(heart, d, p, settings.gamma, settings.thinned)
    if not settings.prior:
        return losses[0], losses
    prior = negative_log_prior(z, d, p, settings) / observations(p, settings)
    return losses[0] + prior, losses


def negative_log_prior(z: Tensor, d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """−log p(z) − log p(d) up to a constant, (B,), nats.

    z ~ N(0, I). The components of d, less their mean over the slices with tissue (the stack's
    position is arbitrary), are Gaussian with an unknown common variance, which an inverse-gamma
    distribution of shape 1 and scale `motion_mm`² integrates out: a straight stack is held
    straight, a shaken one may move. One that `prior_of` does not name has no part in it.
    """
    n = 2 * int(p.tissue.sum())
    of_z = (z**2).sum(1) / 2 if "z" in settings.prior_of else torch.zeros(len(z))
    if "d" not in settings.prior_of:
        return of_z
    return of_z + (n / 2 + 1) * torch.log1p(_spread(d, p, settings))


def _spread(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """Σ |d − mean|² over slices with tissue in units of 2 `motion_mm`², (B,)."""
    seen = d[:, p.tissue]
    squares = (seen - seen.mean(1, keepdim=True)) ** 2
    return squares.flatten(1).sum(1) / (2 * settings.motion_mm**2)


def motion_precision(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """The prior's precision of d (2 T, 2 T), of T slices with tissue, at the motion's own scale.

    That is the Gaussian which the prior is a mixture of, at the variance that this d suggests.
    """
    T = int(p.tissue.sum())
    weight = (T + 1) / (settings.motion_mm**2 * (1 + _spread(d, p, settings)))
    centring = torch.eye(T) - 1 / T
    return weight * torch.kron(centring, torch.eye(2))


def observations(p: Problem, settings: Settings) -> float:
    """Number of independent observations in the SA stack: its area in patches."""
    row, column = p.stack.spacing
    return p.S_LR.numel() * row * column / settings.patch_mm2
