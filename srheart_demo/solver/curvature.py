"""How much data tell of each latent: Gauss-Newton matrices of the cross-entropy.

H = Jᵀ (diag p − p pᵀ) J, summed over voxels, with p the class probabilities and J the derivative
of their logits. It is the Fisher information of labels drawn from p, and the Hessian of the
cross-entropy where p explains them.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT, LATTICE_SHAPE, lattice_axes
from srheart_demo.scan.degradation import hat, lattice_index, move
from srheart_demo.scan.evidence import lattice_stack
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import Settings

CERTAIN = 0.999  # Voxels whose class is this probable have no curvature to speak of
DIFFERENCE = 0.05  # Step of z for the decoder's derivatives; N(0, I) has SD 1
DIFFERENCE_MM = 0.1  # Step of d
PLANE_MM = 0.25  # Step of a plane of the lattice, whose nodes are 2.5 mm apart
STIFFNESS = 4.0  # Of a plane of which nobody knows how much its labels tell of its d, nats/mm²
BELIEVED = (1.0, 0.95, 0.9, 0.8, 0.6, 0.0)
"""Factors of the cross terms of z and d, tried until the matrix is positive definite: a stack's
planes are not quite the share of the lattice that they are counted as."""
_AREA = 4 * HALF_EXTENT[1] * HALF_EXTENT[2] / (LATTICE_SHAPE[1] * LATTICE_SHAPE[2])  # mm², a node's


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


def coupling(G: Generator, codes: Tensor) -> Tensor:
    """How a displacement of each plane of the lattice would be told, averaged over codes (N, M).

    (D', M + 2, 2), of displacements along H and W: Gauss-Newton's products with z, per mm, and
    with themselves, per mm². A heart that leans looks like displaced planes; this says how much.
    """
    planes, M = LATTICE_SHAPE[0], G.latent_size
    stack = lattice_stack(torch.as_tensor(lattice_axes(LATTICE_SHAPE)[0]).float())

    def predict(x: Tensor) -> Tensor:
        return move(G.decode(x[:, :M]), stack, x[:, M:].view(1, planes, 2))

    step = torch.full((M + 2 * planes,), PLANE_MM)
    step[:M] = DIFFERENCE
    at = torch.cat([codes, codes.new_zeros(len(codes), 2 * planes)], dim=1)
    H = torch.stack([gauss_newton(predict, x, step) for x in at.split(1)]).mean(0)
    with_z = H[:M, M:].view(M, planes, 2).transpose(0, 1)
    own = H[M:, M:].view(planes, 2, planes, 2)[range(planes), :, range(planes)]
    return torch.cat([with_z, own], dim=1)


def whitening(H: Tensor) -> Tensor:
    """Steps of unit curvature: rows U (n, n) with U H Uᵀ = I."""
    return torch.linalg.inv(torch.linalg.cholesky(H))


def units(p: Problem, settings: Settings) -> Tensor:
    """Rows (n, n), n = M + 2 (K + V): steps of z and d along which the objective curves alike.

    For L-BFGS. The curvature is what a look at the whole lattice tells of z, thinned out to the
    stack's planes and to patches, what each slice tells of its d, what the two share, and the
    priors'; a heart of its own, a view or errors of d are not in it.
    """
    M, K, n = p.G.latent_size, p.stack.K, len(p.carried)
    patches = _AREA / settings.patch_mm2
    of_z = patches * K / LATTICE_SHAPE[0] * p.G.information + torch.eye(M)
    of_d = STIFFNESS * torch.eye(2).repeat(n, 1, 1)
    shared = torch.zeros(n, M, 2)
    known = getattr(p.G, "coupling", None)
    if known is not None and known.any():
        shares = hat(lattice_index(p.stack.z, 0, LATTICE_SHAPE[0]), LATTICE_SHAPE[0])
        there = patches * torch.tensordot(shares, known, 1)
        there = there @ torch.linalg.inv(p.carried[:K])
        shared[:K] = there[:, :M] * p.sought(settings.seeks_views)[:K, None, None]
        turned = torch.linalg.inv(p.carried[:K]).mT @ there[:, M:]
        of_d[:K] = turned + torch.eye(2) / settings.motion_mm**2
    corner = shared.transpose(0, 1).flatten(1)
    for share in BELIEVED:
        H = torch.block_diag(of_z, *of_d)
        H[:M, M:], H[M:, :M] = share * corner, share * corner.T
        if not torch.linalg.cholesky_ex(H).info:
            break
    return whitening(H)
