"""Which directions of a population matter: its Fisher information.

A heart is a smooth function of T standard normals ε (`TRAITS_SIZE`). How much one voxel-wise
segmentation tells of them is the Fisher information E[g gᵀ], where g is the gradient in ε of the
log-probability of labels drawn from the heart's own class probabilities. Its leading eigenvectors
are the active subspace (Constantine 2015) in the metric of cross-entropy.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart import phantom
from srheart_demo.heart.population import TRAITS_SIZE, shapes


def informative_directions(
    M: int,
    population: str,
    hearts: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
    chunk: int = 8,
) -> tuple[Tensor, Tensor]:
    """The M orthonormal directions of ε that segmentations tell most of.

    Args:
        M: how many.
        population: whose hearts.
        hearts: draws over which the information is averaged; several times their number.
        seed: of the draws.
        progress: told how many draws are done.

    Returns:
        Directions (M, T), most informative first, and their information (M,), nats per heart.
    """
    rng = torch.Generator().manual_seed(seed)
    information = torch.zeros(TRAITS_SIZE, TRAITS_SIZE)
    for first in range(0, hearts, chunk):
        epsilon = torch.randn(
            min(chunk, hearts - first), TRAITS_SIZE, generator=rng
        ).requires_grad_()
        distances = phantom.on_lattice(shapes(epsilon, population), LATTICE_SHAPE)
        log_p = phantom.class_logits(distances).log_softmax(1)
        classes = log_p.detach().exp().movedim(1, -1).flatten(0, -2)
        labels = torch.multinomial(classes, 1, generator=rng)
        log_p.movedim(1, -1).flatten(0, -2).gather(1, labels).sum().backward()
        assert epsilon.grad is not None
        information += epsilon.grad.T @ epsilon.grad / hearts
        if progress:
            progress(first + len(epsilon))
    values, vectors = torch.linalg.eigh(information)
    return vectors.T.flip(0)[:M].contiguous(), values.flip(0)[:M].clone()
