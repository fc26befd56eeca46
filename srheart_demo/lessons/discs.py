"""A small decoder with batch norm that a lesson trains: from (size, row, column) to a disc."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXELS = 32
RADIUS, PER_SD = 7.0, 2.0
"""A disc's mean radius, and what one standard deviation of each latent changes, pixels."""


def discs(z: Tensor) -> Tensor:
    """Distance (B, 32, 32) from the borders of discs of codes (B, 3), pixels; positive inside."""
    axis = torch.arange(PIXELS) - (PIXELS - 1) / 2
    size, row, column = (PER_SD * z).T[..., None, None]
    distance = torch.sqrt((axis[:, None] - row) ** 2 + (axis - column) ** 2)
    return RADIUS + size - distance


def disc_decoder(seed: int) -> nn.Sequential:
    """Codes (B, 3) → logits (B, 1, 32, 32), untrained: linear, then transposed convolutions with
    batch norm between them, as in the reference implementation."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(3, 32 * 16),
        nn.Unflatten(1, (32, 4, 4)),
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
        nn.BatchNorm2d(16),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
    )


def train(network: nn.Sequential, seed: int, steps: int = 300, batch: int = 32) -> nn.Sequential:
    """Teach the network discs of z ~ N(0, I); it is left in training mode."""
    rng = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(network.train().parameters(), lr=2e-3)
    for _ in range(steps):
        z = torch.randn(batch, 3, generator=rng)
        loss = F.binary_cross_entropy_with_logits(network(z)[:, 0], (2 * discs(z)).sigmoid())
        adam.zero_grad()
        loss.backward()
        adam.step()
    return network.requires_grad_(False)
