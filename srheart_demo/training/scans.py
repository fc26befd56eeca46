"""Simulated scans for the encoder to learn from: Eq. 1 on the lattice, a new one at each step."""

import torch
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT
from srheart_demo.scan.degradation import AMPLITUDE_MEAN, AMPLITUDE_SD, MOTION_LEVELS, degrade
from srheart_demo.scan.evidence import lattice_stack, on_planes

SPACING = (6.0, 12.0)
"""Range of the distance between slices, mm."""
NOISE = 0.2
"""Greatest share ε of nodes that take a neighbour's labels."""
MISSING = 10.0
"""Greatest extent without slices at either end of the box, mm."""


def scan(hearts: Tensor, rng: torch.Generator) -> Tensor:
    """Hearts (B, 4, 32, 64, 64) as `encoding.evidence` would show their scans.

    One spacing and position of the slices for the batch; displacements, from none to severe, and
    errors of each slice for itself.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=rng))

    spacing = uniform(*SPACING)
    first = -HALF_EXTENT[0] + uniform(0, MISSING) + uniform(0, spacing)
    z = torch.arange(first, HALF_EXTENT[0] - uniform(0, MISSING), spacing)
    batch, K = len(hearts), len(z)
    d = displacements(MOTION_LEVELS["severe"] * torch.rand(batch, 1, generator=rng), K, rng)
    slices = degrade(hearts, lattice_stack(z), d)
    wrong = torch.rand(batch, 1, *slices.shape[2:], generator=rng) < uniform(0, NOISE)
    axis = 3 + int(torch.randint(2, (), generator=rng))
    slices = torch.where(wrong, slices.roll(1 if uniform(0, 1) < 0.5 else -1, axis), slices)
    return on_planes(slices, z)


def displacements(level: Tensor, K: int, rng: torch.Generator) -> Tensor:
    """As `degradation.Motion` draws them, but for a batch: (B, 1) factors → d (B, K, 2), mm."""
    size = len(level), K
    amplitude = level * (AMPLITUDE_MEAN + AMPLITUDE_SD * torch.randn(size, generator=rng))
    direction = 2 * torch.pi * torch.rand(size, generator=rng)
    return torch.stack([amplitude * direction.cos(), amplitude * direction.sin()], dim=-1)
