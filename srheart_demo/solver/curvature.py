"""How much data tell of each latent: Gauss-Newton matrices of the cross-entropy.

H = Jᵀ (diag p − p pᵀ) J, summed over voxels, with p the class probabilities and J the derivative
of their logits. It is the Fisher information of labels drawn from p, and the Hessian of the
cross-entropy where p explains them.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT, LATTICE_SHAPE
from srheart_demo.solver.problem import Generator, Problem

CERTAIN = 0.999  # Voxels whose class is this probable have no curvature to speak of
DIFFERENCE = 0.05  # Step of z for the decoder's derivatives; N(0, I) has SD 1


@torch.no_grad()
def gauss_newton(
    predict: Callable[[Tensor], Tensor],
    x: Tensor,
    differences: Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    """H (n, n), nats, of predicted class logits (1, C, ...) at a point x (1, n).

    `differences` (n,) are the steps of each number for its derivative; `weights` (...) are of the
    voxels, 1 by default.
    """
    logits = predict(x)[0].flatten(1)
    p = logits.softmax(0)
    border = p.amax(0) < CERTAIN
    p = p[:, border]
    J = torch.stack(
        [(predict(x + step)[0].flatten(1) - logits)[:, border] for step in differences.diag()]
    )
    # In place: where no voxel is certain, each copy takes 0.13 GB.
    J -= (p * J).sum(1, keepdim=True)
    J /= differences[:, None, None]
    J *= (p if weights is None else p * weights.flatten()[border]).sqrt()
    return J.flatten(1) @ J.flatten(1).T


def information(G: Generator, codes: Tensor) -> Tensor:
    """Information of a look at the whole lattice on z, (M, M), averaged over codes (N, M)."""
    step = torch.full((G.latent_size,), DIFFERENCE)
    return torch.stack([gauss_newton(G.decode, z, step) for z in codes.split(1)]).mean(0)


def whitening(H: Tensor) -> Tensor:
    """Steps of unit curvature: rows U (n, n) with U H Uᵀ = I."""
    return torch.linalg.inv(torch.linalg.cholesky(H))


def units(p: Problem, patch_mm2: float) -> Tensor:
    """Rows (M, M): steps of z along which the objective curves alike, for L-BFGS.

    The curvature is what a look at the whole lattice tells, thinned out to the stack's planes and
    to patches, and the prior's; a heart of its own, a view or an error of d are not in it.
    """
    planes, rows, columns = LATTICE_SHAPE
    area = 4 * HALF_EXTENT[1] * HALF_EXTENT[2] / (rows * columns)
    share = p.stack.K * area / (planes * patch_mm2)
    return whitening(share * p.G.information + torch.eye(p.G.latent_size))
