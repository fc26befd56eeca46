"""Eqs. 3-5: how well a latent code z and displacements d explain what was seen."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from srheart_demo.degradation import degrade
from srheart_demo.views import long_axis_view

if TYPE_CHECKING:
    from srheart_demo.problem import Problem


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """CE: mean over voxels, nats. Logits (B, C, ...) against labels (...); returns (B,)."""
    # `degrade` lays its slices out before its classes; softmax is quickest in that order.
    logits = logits.transpose(1, 2)
    seen = labels.expand(len(logits), *labels.shape).unsqueeze(2)
    return -logits.log_softmax(2).gather(2, seen).flatten(1).mean(1)


def short_axis_loss(field: Tensor, d: Tensor, p: "Problem") -> Tensor:
    """Eq. 3: L_SA(z, d) = CE(M_d(↓_s G(z)), S_LR), with `field` = G(z); (B,)."""
    return cross_entropy(degrade(field, p.stack, d), p.S_LR)


def long_axis_loss(field: Tensor, p: "Problem") -> Tensor:
    """Eq. 4: L_LA(z) = CE(R⊙G(z), S_LA), with `field` = G(z); (B,).

    Printed as L_LA(z, d), but R⊙G(z) does not depend on d.
    """
    if p.plane is None or p.S_LA is None:
        raise ValueError("this problem has no long-axis view")
    return cross_entropy(long_axis_view(field, p.plane), p.S_LA)


def multi_view_loss(z: Tensor, d: Tensor, p: "Problem", gamma: float) -> tuple[Tensor, ...]:
    """Eq. 5: L(z, d) = L_SA(z, d) + γ L_LA(z).

    Returns:
        L, L_SA and L_LA, (B,) each; without an LA view L_LA is NaN and takes no part.
    """
    field = p.G.decode(z)
    L_SA = short_axis_loss(field, d, p)
    if p.plane is None:
        return L_SA, L_SA, torch.full_like(L_SA, torch.nan)
    L_LA = long_axis_loss(field, p)
    return L_SA + gamma * L_LA, L_SA, L_LA
