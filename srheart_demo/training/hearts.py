"""Synthetic hearts to train on: drawn once, stored as class probabilities of 8 bits."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart import phantom
from srheart_demo.heart.population import SEEDS, TRAITS_SIZE, shapes

POPULATION = "everyone"
"""The population that generators learn."""

VALIDATION_SEED = SEEDS["validation"].start
"""Seeds of held-out hearts start here; training seeds lie below."""


@dataclass(frozen=True, eq=False)
class Hearts:
    """Stored hearts.

    Attributes:
        epsilon: (n, T) the standard normals that they were made of; see `population.shapes`.
        shares: (n, 3, 32, 64, 64) uint8, probability of LV, MYO and RV in 255ths, soft over 1 mm.
    """

    epsilon: Tensor
    shares: Tensor

    def __len__(self) -> int:
        return len(self.epsilon)

    def __getitem__(self, which: Tensor | slice) -> "Hearts":
        return Hearts(self.epsilon[which], self.shares[which])

    def probabilities(self) -> Tensor:
        """Class probabilities (n, 4, 32, 64, 64) to learn from or to encode."""
        tissues = self.shares.float() / 255
        background = (1 - tissues.sum(1, keepdim=True)).clamp_min(0)
        return torch.cat([background, tissues], dim=1)


def make_hearts(
    n: int, seed: int, progress: Callable[[int], None] | None = None, chunk: int = 16
) -> Hearts:
    """`n` hearts of `POPULATION`; the same seed gives the same hearts.

    `progress` is told after each `chunk` how many are made.
    """
    epsilon = torch.randn(n, TRAITS_SIZE, generator=torch.Generator().manual_seed(seed))
    shares = torch.empty(n, 3, *LATTICE_SHAPE, dtype=torch.uint8)
    for first in range(0, n, chunk):
        part = slice(first, first + chunk)
        distances = phantom.on_lattice(shapes(epsilon[part], POPULATION), LATTICE_SHAPE)
        probabilities = phantom.class_logits(distances).softmax(1)
        shares[part] = (probabilities[:, 1:] * 255).round().to(torch.uint8)
        if progress:
            progress(min(first + chunk, n))
    return Hearts(epsilon, shares)
