"""How a latent space is filled: does z ~ N(0, I) give hearts, and do hearts give N(0, I)?"""

import torch
from torch import Tensor

from srheart_demo.experiments.generators import EVALUATION_SEED, Figures
from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart import anatomy, phantom
from srheart_demo.heart.generator import to_labels
from srheart_demo.heart.population import VOLUME_RANGES, draw
from srheart_demo.solver.best_code import Encoder
from srheart_demo.solver.problem import Generator
from srheart_demo.training.hearts import POPULATION

ACTIVE = 0.01
"""Variance of q(z|x)'s mean over hearts from which a dimension is active (Burda et al. 2016)."""


@torch.no_grad()
def posterior(G: Encoder, seed: int) -> tuple[Tensor, Tensor]:
    """Mean and variance (1, M) of q(z|x) for an unseen heart of the population trained on."""
    shape = draw(1, EVALUATION_SEED + seed, POPULATION)
    distances = phantom.on_lattice(shape, LATTICE_SHAPE)
    mean, log_variance = G.encode(phantom.class_logits(distances).softmax(1))
    return mean, log_variance.exp()


def latent_statistics(means: Tensor, variances: Tensor) -> Figures:
    """How far the aggregate posterior, the mean of q(z|x) over hearts, is from N(0, I).

    Its first two moments tell: KL is that of a Gaussian with these moments to N(0, I). Of it, n
    hearts alone would give M (M + 3) / 4n, were they draws of N(0, I).

    Args:
        means, variances: (n, M) of q(z|x).
    """
    mean = means.mean(0)
    covariance = torch.cov(means.T, correction=0) + variances.mean(0).diag()
    sd = covariance.diagonal().sqrt()
    kl = (covariance.trace() + mean @ mean - len(mean) - covariance.logdet()) / 2
    return {
        "posterior: mean SD": float(variances.sqrt().mean()),
        "aggregate posterior: mean farthest from 0": float(mean.abs().max()),
        "aggregate posterior: least SD": float(sd.min()),
        "aggregate posterior: greatest SD": float(sd.max()),
        "aggregate posterior: KL to N(0, I), nats": float(kl),
        "active dimensions": int((means.var(0) > ACTIVE).sum()),
    }


def interpolations(ends: Tensor, points: int = 5) -> Tensor:
    """Codes (n points, M) evenly spread between the first and second of pairs (n, 2, M)."""
    t = torch.linspace(0, 1, points + 2)[1:-1, None]
    return torch.lerp(ends[:, None, 0], ends[:, None, 1], t).flatten(0, 1)


@torch.no_grad()
def soundness(G: Generator, z: Tensor) -> Figures:
    """Whether a code (1, M) gives a heart without `anatomy.faults` on the HR grid: 1 or 0."""
    return {
        "sound hearts": float(not anatomy.faults(to_labels(G.decode(z)), volumes=VOLUME_RANGES))
    }
