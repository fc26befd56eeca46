"""EDSR (Lim et al. 2017) in three dimensions, the paper's learnt baseline (Fig. S1B).

A supervised network: from degraded labels straight to the whole heart. It knows nothing of the
scan but the labels, and has one set of weights for each level of motion it was trained on.
"""

from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from srheart_demo.files import as_shipped
from srheart_demo.frame import N_CLASSES
from srheart_demo.heart.generator import WEIGHTS, planes_at, read_weights
from srheart_demo.scan.degradation import HR_GRID, Stack, interpolator, move, one_hot_field

EDSR_WEIGHTS = WEIGHTS / "edsr"
UP = 5  # Up-sampling along D, the inverse of the paper's s = [5, 1, 1]
FOLD = 4  # Pixels that are folded into channels along rows and columns, to see far at little cost
OUT_FOLD = 2  # Pixels to a node of the answer's lattice, along rows and columns


@dataclass(frozen=True)
class EDSRArchitecture:
    """Number of residual blocks; channels in these and, finer, after up-sampling."""

    width: int = 48
    blocks: int = 8
    fine_width: int = 16


class ResidualBlock(nn.Module):
    """x + conv(ReLU(conv(x))), without batch norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        convolution = partial(nn.Conv3d, width, width, 3, padding=1)
        self.inner = nn.Sequential(convolution(), nn.ReLU(), convolution())

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, K, h, w), unchanged in shape."""
        return x + self.inner(x)


class EDSR(nn.Module):
    """One-hot SA labels → class logits, five planes for each slice."""

    def __init__(self, architecture: EDSRArchitecture | None = None) -> None:
        super().__init__()
        self.architecture = a = architecture or EDSRArchitecture()
        self.head = nn.Conv3d(N_CLASSES * FOLD**2, a.width, 3, padding=1)
        self.body = nn.Sequential(
            *(ResidualBlock(a.width) for _ in range(a.blocks)),
            nn.Conv3d(a.width, a.width, 3, padding=1),
        )
        self.unfold = (FOLD // OUT_FOLD, a.fine_width)
        spread = a.fine_width * UP * self.unfold[0] ** 2
        self.spread = nn.Conv3d(a.width, spread, 3, padding=1)
        self.tail = nn.Conv3d(a.fine_width, N_CLASSES, 3, padding=1)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Labels (B, 4, K, h, w) → logits (B, 4, 5 K, h / 2, w / 2); h and w multiples of 4."""
        coarse = self.head(fold(one_hot, FOLD))
        coarse = coarse + self.body(coarse)
        return self.tail(unfold(self.spread(coarse), UP, self.unfold[0]))


def fold(x: Tensor, n: int) -> Tensor:
    """n × n pixels into channels: (B, C, K, h, w) → (B, C n², K, h / n, w / n)."""
    slices = F.pixel_unshuffle(x.transpose(1, 2), n)
    return slices.transpose(1, 2)


def unfold(x: Tensor, up: int, n: int) -> Tensor:
    """Channels into planes and pixels: (B, C up n², K, h, w) → (B, C, up K, n h, n w)."""
    batch, channels, K, h, w = x.shape
    slices = F.pixel_shuffle(x.transpose(1, 2), n)
    planes = slices.reshape(batch, K, channels // (up * n**2), up, n * h, n * w)
    return planes.permute(0, 2, 1, 3, 4, 5).flatten(2, 3)


def read_edsr(path: Path) -> EDSR:
    """Read a network that `save_weights` wrote, ready for use in float32 and frozen."""
    _, sizes, _, tensors = read_weights(path)
    with torch.random.fork_rng(devices=()):  # Weights that are not kept are drawn.
        model = EDSR(EDSRArchitecture(**sizes))
    model.load_state_dict(tensors)
    return model.eval().requires_grad_(False)


@cache
def load_edsr(level: str) -> EDSR:
    """The shipped network that was trained on a level of motion."""
    path = EDSR_WEIGHTS / f"{level}.safetensors"
    if not path.exists():
        raise KeyError(f"no EDSR was trained on motion {level!r}")
    return read_edsr(as_shipped(path, EDSR_WEIGHTS.parent))


@torch.no_grad()
def restore(
    S_LR: NDArray[np.uint8], stack: Stack, grid: Stack, level: str = "none"
) -> NDArray[np.uint8]:
    """The labels that the network trained on `level` gives at a grid.

    It was trained on slices 10 mm apart and looks at pixels of 1.25 mm; others are resampled
    within their planes, and what it sees is five planes for each slice, whatever their distance.
    There must be two slices or more, from apex to base. Planes further than half a gap outside the
    stack are background.
    """
    if stack.K < 2:
        raise ValueError("EDSR interpolates between slices; one slice is not enough")
    classes = one_hot_field(S_LR)[0].transpose(0, 1)
    labels = interpolator(stack, HR_GRID.pixels())(classes).argmax(1)
    logits = _network(labels.to(torch.uint8).numpy().tobytes(), tuple(labels.shape), level)
    planes, covered = _at_planes(logits, stack.z, grid.z)
    found = move(planes, grid, torch.zeros(1, grid.K, 2))[0].argmax(0) * covered[:, None, None]
    return found.numpy().astype(np.uint8)


@lru_cache(maxsize=1)
def _network(labels: bytes, shape: tuple[int, ...], level: str) -> Tensor:
    """The network's answer to labels (K, h, w), kept to be looked at on several grids."""
    seen = one_hot_field(np.frombuffer(bytearray(labels), np.uint8).reshape(shape))
    return load_edsr(level)(seen)


def _at_planes(logits: Tensor, z: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """The network's planes, interpolated along D, and which of those wanted it covers.

    The logits (1, 4, 5 K, h, w) have five planes from each slice at z (K,) towards the next, mm.
    """
    slices, at = z.double().numpy(), wanted.double().numpy()
    first_gap, last_gap = np.diff(slices)[[0, -1]]
    ends = [*slices, slices[-1] + last_gap]
    knots = np.interp(np.arange(UP * len(slices)) / UP, np.arange(len(ends)), ends)
    covered = (at >= slices[0] - first_gap / 2 - 1e-6) & (at <= slices[-1] + last_gap / 2 + 1e-6)
    index = torch.as_tensor(np.interp(at, knots, np.arange(len(knots))), dtype=logits.dtype)
    return planes_at(logits, index), torch.as_tensor(covered)
