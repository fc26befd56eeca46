"""Synthetic hearts to train on, drawn once and stored in 8 bits, and simulated scans of them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT, LATTICE_SHAPE
from srheart_demo.heart import phantom
from srheart_demo.heart.population import SEEDS, TRAITS_SIZE, shapes
from srheart_demo.scan.degradation import AMPLITUDE_MEAN, AMPLITUDE_SD, MOTION_LEVELS, degrade
from srheart_demo.scan.evidence import lattice_stack, on_planes

VALIDATION_SEED = SEEDS["validation"].start
"""Seeds of held-out hearts start here; training seeds lie below."""

SPACING = (6.0, 12.0)  # Range of the distance between slices, mm
MOST_NOISE = 0.2  # Greatest share ε of nodes that take a neighbour's labels
_AT_ONCE = 16  # Hearts made at once
MISSING = 10.0  # Greatest extent without slices at either end of the box, mm
Told = Callable[[int, int], None]  # How much of how much is done


@dataclass(frozen=True, eq=False)
class StoredHearts:
    """Hearts as class probabilities, soft over 1 mm."""

    epsilon: Tensor  # (n, T) standard normals that they were made of; see `population.shapes`
    shares: Tensor  # (n, 3, 32, 64, 64) uint8, probability of LV, MYO and RV in 255ths

    def __len__(self) -> int:
        return len(self.epsilon)

    def __getitem__(self, which: Tensor | slice) -> "StoredHearts":
        return StoredHearts(self.epsilon[which], self.shares[which])

    def probabilities(self) -> Tensor:
        """Class probabilities (n, 4, 32, 64, 64) to learn from or to encode."""
        tissues = self.shares.float() / 255
        background = (1 - tissues.sum(1, keepdim=True)).clamp_min(0)
        return torch.cat([background, tissues], dim=1)


def make_hearts(
    n: int, seed: int, population: str = "everyone", progress: Told | None = None
) -> StoredHearts:
    """`n` hearts of `population`; the same seed gives the same hearts."""
    epsilon = torch.randn(n, TRAITS_SIZE, generator=torch.Generator().manual_seed(seed))
    shares = torch.empty(n, 3, *LATTICE_SHAPE, dtype=torch.uint8)
    for first in range(0, n, _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        distances = phantom.on_lattice(shapes(epsilon[part], population), LATTICE_SHAPE)
        probabilities = phantom.class_logits(distances).softmax(1)
        shares[part] = (probabilities[:, 1:] * 255).round().to(torch.uint8)
        if progress:
            progress(min(first + _AT_ONCE, n), n)
    return StoredHearts(epsilon, shares)


def simulated_scans(hearts: Tensor, rng: torch.Generator) -> Tensor:
    """Scans (Eq. 1) of hearts as `evidence.evidence` shows them; both (B, 4, 32, 64, 64).

    Hearts are class probabilities. One spacing and position of the slices for the batch;
    displacements, from none to severe, and errors of each slice for itself.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=rng))

    spacing = uniform(*SPACING)
    first = -HALF_EXTENT[0] + uniform(0, MISSING) + uniform(0, spacing)
    z = torch.arange(first, HALF_EXTENT[0] - uniform(0, MISSING), spacing)
    batch, K = len(hearts), len(z)
    d = displacements(MOTION_LEVELS["severe"] * torch.rand(batch, 1, generator=rng), K, rng)
    slices = degrade(hearts, lattice_stack(z), d)
    wrong = torch.rand(batch, 1, *slices.shape[2:], generator=rng) < uniform(0, MOST_NOISE)
    axis = 3 + int(torch.randint(2, (), generator=rng))
    slices = torch.where(wrong, slices.roll(1 if uniform(0, 1) < 0.5 else -1, axis), slices)
    return on_planes(slices, z)


def displacements(level: Tensor, K: int, rng: torch.Generator) -> Tensor:
    """As `degradation.Motion` draws them, but for a batch: (B, 1) factors → d (B, K, 2), mm."""
    size = len(level), K
    amplitude = level * (AMPLITUDE_MEAN + AMPLITUDE_SD * torch.randn(size, generator=rng))
    direction = 2 * torch.pi * torch.rand(size, generator=rng)
    return torch.stack([amplitude * direction.cos(), amplitude * direction.sin()], dim=-1)
