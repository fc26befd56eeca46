"""What makes an iteration fast: no more of G(z) than the slices show, and fewer of their voxels.

`Slicer` computes ↓_s G(z) without the rest of G(z). `downsample` is linear and so is the decoder's
last layer: together they are one convolution within each slice's plane, of the three nearest
planes before that layer. And a slice shows only a window of its plane, so the last two layers
compute no more than that.

`thin` keeps all voxels near the borders seen in a stack and few of those far off. Three quarters
are deep in a tissue or far out in the background; they hold some 2 % of the cross-entropy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart.doubling import interleaved, plane_kernels
from srheart_demo.scan.degradation import Stack, lattice_index

_NEAR = 5.0
"""A voxel counts as near a border with other labels this far off along rows or columns, mm."""
EVERY = 4  # Of the others one in so many rows and columns is kept
Window = tuple[range, ...]  # Nodes of a lattice along H and W

_FINE, _MIDDLE, _COARSE = (tuple(range(n // by) for n in LATTICE_SHAPE[1:]) for by in (1, 2, 4))
"""All nodes of G(z), before the last layer and before the last but one."""


class Slicer:
    """A generator's decoder, with its weights as they are now, for the slices of one stack."""

    def __init__(self, decoder: nn.Sequential, stack: Stack) -> None:
        self._stack = stack
        self._first, self._activation = decoder[:5], decoder[6]
        self._middle, last = (cast(nn.ConvTranspose3d, decoder[i]) for i in (5, 7))
        index = lattice_index(stack.z.to(last.weight.dtype), 0, LATTICE_SHAPE[0])
        self._planes, self._kernels = plane_kernels(last.weight.detach(), index)
        self._bias = cast(Tensor, last.bias).detach().repeat_interleave(4).repeat(stack.K)

    def planes(self, z: Tensor, d: Tensor | None = None) -> Tensor:
        """↓_s G(z) of codes (B, M): (B, C, K, 64, 64).

        With d (B, K, 2), mm, what slices displaced by it do not show may be zeros.
        """
        wanted = _MIDDLE if d is None else _map(_halved, self._window(d))
        around = _map(_grown, wanted)
        middle = _map(_halved, _map(_inside, around, _MIDDLE))
        x = self._first(z)
        x = _fit(x, _COARSE, _map(_grown, middle))
        # This padding drops the outermost outputs, which lack what a neighbour adds.
        x = F.conv_transpose3d(x, self._middle.weight, self._middle.bias, 2, (1, 3, 3))
        x = _fit(self._activation(x), _map(_doubled, middle), around, planes=1)
        x = x[:, :, self._planes].permute(0, 2, 3, 1, 4, 5).flatten(1, 3)
        x = F.conv2d(x, self._kernels, self._bias, groups=self._stack.K)
        x = interleaved(x).unflatten(1, (self._stack.K, -1))
        return _fit(x, _map(_doubled, wanted), _FINE).transpose(1, 2)

    def _window(self, d: Tensor) -> Window:
        """Nodes of G(z) between which the pixels of displaced slices lie."""
        # A run that diverges must not fail here.
        extent = self._stack.extent(d.detach()).nan_to_num()
        low, high = (
            [lattice_index(x[i], 1 + i, LATTICE_SHAPE[1 + i]) for i in (0, 1)] for x in extent
        )
        rows, columns = (range(int(a), int(b) + 2) for a, b in zip(low, high, strict=True))
        return _map(_inside, (rows, columns), _FINE)


def _fit(x: Tensor, have: Window, want: Window, planes: int = 0) -> Tensor:
    """Cut or filled up with zeros from one window to another, and by so many planes along D."""
    rows, columns = ((a.start - b.start, b.stop - a.stop) for a, b in zip(have, want, strict=True))
    return F.pad(x, (*columns, *rows, planes, planes))


def _map(f: Callable[..., range], *windows: Window) -> Window:
    return tuple(map(f, *windows))


def _doubled(nodes: range) -> range:
    return range(2 * nodes.start, 2 * nodes.stop)


def _halved(nodes: range) -> range:
    """What doubled covers these."""
    return range(nodes.start // 2, -(-nodes.stop // 2))


def _grown(nodes: range) -> range:
    return range(nodes.start - 1, nodes.stop + 1)


def _inside(nodes: range, lattice: range) -> range:
    return range(max(nodes.start, lattice.start), min(nodes.stop, lattice.stop))


@dataclass(frozen=True, eq=False)
class Voxels:
    """N of a stack's voxels."""

    k: Tensor  # (N,) slice
    pixels: Tensor  # (N, 2) position (H, W) among `Stack.pixels`, mm
    labels: Tensor  # (N,) int64
    weights: Tensor  # (N,) share of each in a mean over all voxels; the sum is 1


def thin(S_LR: Tensor, stack: Stack) -> Voxels:
    """The voxels that stand for all of a stack (K, h, w); of its far ones a regular grid."""
    weights = thinned_weights(S_LR, stack)
    k, row, column = kept = weights.nonzero().unbind(1)
    return Voxels(k, stack.pixels()[row, column], S_LR[kept], weights[kept])


def thinned_weights(S_LR: Tensor, stack: Stack) -> Tensor:
    """(K, h, w) share of each voxel in a mean over all; 0 of those that are left out."""
    near = _near_a_border(S_LR, stack)
    grid = torch.zeros(S_LR.shape, dtype=torch.bool)
    grid[:, EVERY // 2 :: EVERY, EVERY // 2 :: EVERY] = True
    each = (~near).sum() / (grid & ~near).sum()  # stands for so many
    weights = torch.where(near, 1.0, torch.where(grid, each, 0.0)).to(stack.z.dtype)
    return weights / weights.sum()


def _near_a_border(S_LR: Tensor, stack: Stack) -> Tensor:
    """Where other labels lie so near, (K, h, w)."""
    labels = S_LR.int()  # in torch, as the page's graphs trace it
    lowest = highest = labels
    for axis, mm in enumerate(stack.spacing, 1):
        lowest = _within(lowest, round(_NEAR / mm), axis, torch.minimum)
        highest = _within(highest, round(_NEAR / mm), axis, torch.maximum)
    return lowest != highest


def _within(x: Tensor, n: int, axis: int, pick: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The least or the greatest of so many to either side, over windows twice as wide each time: a
    seventh of the time of pooling."""
    size = x.shape[axis]
    x = x.index_select(axis, torch.arange(-n, size + n).clamp(0, size - 1))
    for wide in range((2 * n + 1).bit_length()):
        step = min(2**wide, 2 * n + 1 - 2**wide)
        left = x.shape[axis] - step
        if step > 0:
            x = pick(x.narrow(axis, 0, left), x.narrow(axis, step, left))
    return x
