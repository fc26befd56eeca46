"""The reference method's network and loop, rebuilt from the paper and its public code.

Same sizes, same operations, same order, in our own words. Differences between paper and code are
settled in favour of the code: motion and down-sampling are one ``grid_sample`` (the paper describes
two layers, which would take longer), and d is in units of half the box. One fault is mended, to its
advantage: slices are read where they lie, not 5.25 planes apart.

The network at full resolution, `decoder`, is not trained: it tells what an iteration costs. What
the loop finds is told by the paper's β-VAE that the library ships, its field up-sampled to the
same voxels (`UpSampled`).
"""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srheart_demo.experiments.methods import PAPERS
from srheart_demo.frame import HR_SHAPE, HR_SPACING
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.degradation import Stack

LATENTS = 64
WIDTHS = (32, 16, 8, 4)
COARSE = (4, 8, 8)
"""The decoder's first grid; four doublings lead to the full 64 × 128 × 128."""
HALF_BOX = (HR_SHAPE[1] - 1) * HR_SPACING[1] / 2
"""The loop's unit of d: from the box's middle to its outermost pixel centres, mm."""


def decoder() -> nn.Sequential:
    """z (B, 64) → class logits (B, 4, 64, 128, 128), the mirror image of the encoder.

    A fully connected layer, then transposed convolutions of kernel 4 and stride 2 with batch
    norm and leaky ReLU between them. The encoder takes no part in latent optimisation.
    """
    coarse_voxels = COARSE[0] * COARSE[1] * COARSE[2]
    layers: list[nn.Module] = [
        nn.Linear(LATENTS, WIDTHS[0] * coarse_voxels),
        nn.Unflatten(1, (WIDTHS[0], *COARSE)),
    ]
    for wide, narrow in pairwise(WIDTHS):
        layers += [
            nn.ConvTranspose3d(wide, narrow, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm3d(narrow),
            nn.LeakyReLU(0.2),
        ]
    layers.append(nn.ConvTranspose3d(WIDTHS[-1], 4, kernel_size=4, stride=2, padding=1))
    return nn.Sequential(*layers)


class UpSampled(nn.Module):
    """The shipped β-VAE's decoder, z (1, 64) → class logits (1, 4, 64, 128, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.network = deepcopy(load_generator(PAPERS).decoder)

    def forward(self, z: Tensor) -> Tensor:
        """Trilinear, as the library reads a field between the nodes of its lattice."""
        return F.interpolate(self.network(z), HR_SHAPE, mode="trilinear", align_corners=False)


class MotionLayer(nn.Module):
    """Reads a volume at the voxels of a stack whose slices are shifted in their planes.

    The parameter ``d`` (K, 2), order (H, W), is added to a mesh grid of K × h × w points in
    [-1, 1]³, at which the full volume is sampled in three dimensions.
    """

    def __init__(self, stack: Stack, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self.d = nn.Parameter(torch.zeros(stack.K, 2))
        along = stack.z / ((HR_SHAPE[0] - 1) * HR_SPACING[0] / 2)
        in_plane = [torch.linspace(-1, 1, n) for n in stack.shape]
        grid = torch.stack(torch.meshgrid(along, *in_plane, indexing="ij"), dim=-1)
        self.register_buffer("grid", grid)

    def forward(self, volume: Tensor) -> Tensor:
        shift = F.pad(self.d, (1, 0))[:, None, None, :]
        points = (self.get_buffer("grid") + shift).flip(-1)[None]
        return F.grid_sample(volume, points, mode=self.mode, align_corners=True)


class ReferenceLoop:
    """The public code's loop: per iteration a step of d, then, decoded anew, a step of z.

    Two Adams (0.1 for d, 0.2 for z), both halved every 100 iterations; batch norm stays in
    training mode and the network's weights collect gradients that nobody uses, as there.

    Args:
        S_LR: (K, h, w) labels, int64, on whole planes of the HR grid.
        stack: where they lie.
        mode: "nearest" as in the published demonstration, where the gradient with respect to
            d is zero, or "bilinear" as in the paper.
        frozen: whether to spare the weights' gradients, which the public code does not.
        network: maps z to logits; the untrained decoder by default, which suffices for timing.
    """

    def __init__(
        self,
        S_LR: Tensor,
        stack: Stack,
        mode: str = "bilinear",
        frozen: bool = False,
        network: nn.Module | None = None,
    ) -> None:
        self.target = S_LR[None]
        self.decoder = (network or decoder()).requires_grad_(not frozen)
        self.motion = MotionLayer(stack, mode)
        self.z = torch.zeros(1, LATENTS, requires_grad=True)
        self.optimisers = [
            torch.optim.Adam(self.motion.parameters(), lr=0.1),
            torch.optim.Adam([self.z], lr=0.2),
        ]
        self.schedules = [
            torch.optim.lr_scheduler.StepLR(optimiser, step_size=100, gamma=0.5)
            for optimiser in self.optimisers
        ]

    @property
    def d(self) -> Tensor:
        """(1, K, 2) the displacements of the slices, mm, as the library signs them."""
        return -HALF_BOX * self.motion.d.detach()[None]

    def iterate(self) -> float:
        """One iteration; returns the loss before the step of z."""
        for optimiser in self.optimisers:
            optimiser.zero_grad()
            loss = F.cross_entropy(self.motion(self.decoder(self.z)), self.target)
            loss.backward()
            optimiser.step()
        for schedule in self.schedules:
            schedule.step()
        return loss.item()
