"""Which heart of the parametric family is nearest to given labels.

The fit checks the family: what it cannot hold, no generator that learns from it can be expected to.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.heart import phantom
from srheart_demo.heart.phantom import HeartShape
from srheart_demo.heart.population import TRAITS_SIZE, shapes

PRIOR = 0.02
"""Weight of |ε|²/2 against the cross-entropy on the lattice, whose nodes are far from
independent."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted heart.

    Attributes:
        shape: the heart, one of a batch of one.
        epsilon: (1, T) its standard normals in the population that it was sought in.
        cross_entropy: what is left of KL(target ‖ heart), nats on the lattice.
    """

    shape: HeartShape
    epsilon: Tensor
    cross_entropy: float


def fit(
    target: Tensor,
    population: str = "everyone",
    iterations: int = 300,
    learning_rate: float = 0.15,
    progress: Callable[[int, int], None] | None = None,
) -> Fit:
    """The heart whose class probabilities on the lattice are nearest to `target`.

    Adam on ε from the population's mean, with a cosine rate and a weak prior.

    Args:
        target: class probabilities (1, 4, D', H', W'), as `evidence.whole_heart` gives them.
        population: whose standard normals are sought; see `population.shapes`.
        iterations: of Adam; each takes the phantom forwards and backwards.
        learning_rate: at the start, SDs of ε.
        progress: told the iterations done and their number.
    """
    lattice = (target.shape[2], target.shape[3], target.shape[4])
    epsilon = torch.zeros(1, TRAITS_SIZE, requires_grad=True)
    optimiser = torch.optim.Adam([epsilon])
    for i in range(iterations):
        optimiser.param_groups[0]["lr"] = (
            learning_rate * (1 + math.cos(math.pi * i / iterations)) / 2
        )
        optimiser.zero_grad()
        distances = phantom.on_lattice(shapes(epsilon, population), lattice)
        log_p = phantom.class_logits(distances).log_softmax(1)
        difference = F.kl_div(log_p, target, reduction="sum")
        (difference + PRIOR * epsilon.square().sum() / 2).backward()
        optimiser.step()
        if progress:
            progress(i + 1, iterations)
    found = epsilon.detach()
    return Fit(shapes(found, population), found, float(difference.detach()))
