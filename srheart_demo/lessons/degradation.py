"""Lesson 2: its checks, and the motion layer that cannot learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT, lattice_axes
from srheart_demo.lessons.verdict import Cases, NotYet, exercise, same
from srheart_demo.scan import degradation
from srheart_demo.scan.degradation import Stack
from srheart_demo.solver.losses import cross_entropy

Move = Callable[[Tensor, Stack, Tensor], Tensor]


def move_nearest(planes: Tensor, stack: Stack, d: Tensor) -> Tensor:
    """M_d by nearest neighbours; its gradient with respect to d is zero.

    Args:
        planes: (1, C, K, H', W') from `degradation.downsample`.
        stack: where the slices lie.
        d: (1, K, 2) along rows and columns, mm.

    Returns:
        (1, C, K, h, w).
    """
    shown = stack.pixels() - stack.in_model_axes(d)[0, :, None, None]
    grid = (shown / torch.tensor(HALF_EXTENT[1:])).flip(-1)
    images = planes[0].transpose(0, 1)
    moved = F.grid_sample(images, grid, mode="nearest", padding_mode="border", align_corners=False)
    return moved.transpose(0, 1)[None]


def look_along(
    mover: Move, planes: Tensor, stack: Stack, S_LR: Tensor, k: int, positions: Sequence[float]
) -> tuple[list[float], list[float]]:
    """L_SA of slice k alone as it moves along its columns, and what autograd says of the slope.

    Args:
        mover: `degradation.move` or another M_d.
        planes: (1, C, K, H', W').
        stack: where the slices lie.
        S_LR: (K, h, w) labels.
        k: the slice.
        positions: displacements along columns, mm; along rows it stays at 0.

    Returns:
        Losses, nats per pixel, and gradients, nats per pixel and mm.
    """
    one = stack.slices([k])
    losses, slopes = [], []
    for position in positions:
        d = torch.tensor([[[0.0, position]]], requires_grad=True)
        L = cross_entropy(mover(planes[:, :, k : k + 1], one, d), S_LR[k : k + 1]).sum()
        (slope,) = torch.autograd.grad(L, d)
        losses.append(L.item())
        slopes.append(float(slope[0, 0, 1]))
    return losses, slopes


def _slices() -> Stack:
    z = torch.tensor([-50.3, -31.0, -1.9, 0.7, 20.9, 47.5])
    return replace(Stack.from_hr(), z=z)


def _fields() -> Cases:
    field = torch.randn(2, 4, 32, 6, 6, generator=torch.Generator().manual_seed(0))
    return {
        "a lattice of 32 planes": (_heights(32), _slices()),
        "a lattice of 16 planes": (_heights(16), _slices()),
        "a field of batch and classes": (field, replace(_slices(), z=_slices().z[1:] + 0.8)),
    }


def _planes(
    field: Tensor,
    stack: Stack,
    offset: float = -0.5,
    n: float = 0.0,
    weight: Callable[[Tensor], Tensor] = lambda w: w,
) -> Tensor:
    """↓_s by hand, with room for mistakes."""
    i = (stack.z + 64) / (128 / (n or field.shape[2])) + offset
    low = i.floor().long().clamp(0, field.shape[2] - 2)
    w = weight(i - low)[:, None, None]
    return (1 - w) * field[:, :, low] + w * field[:, :, low + 1]


def _height_shown(found: Tensor, right: Tensor, field: Tensor, stack: Stack) -> str:
    heights = found[0, 0, :, 0, 0]
    if len(field) > 1:
        return ""
    k = int((heights - stack.z).abs().argmax())
    n = field.shape[2]
    return (
        f"on a lattice of {n} planes the slice at {stack.z[k]:.1f} mm shows what lies at "
        f"{heights[k]:.1f} mm"
    )


_HALF = "node i lies at (i + ½) · pitch − 64 mm."


@exercise(
    _fields,
    "it equals the library's, for any stack and any lattice.",
    shape="the result is (B, C, K, H′, W′)",
    hint=f"{_HALF[:-1]}, so solve that for i",
    otherwise=_height_shown,
)
def downsample(field: Tensor, stack: Stack) -> Tensor:
    """Exercise 1: ↓_s by hand. Two fields hold the height of each node, so what a slice shows
    is its height."""
    return degradation.downsample(field, stack)


def _displaced() -> Cases:
    stack = Stack.from_hr(slices=3).crop(slice(34, 64), slice(50, 90))
    d = torch.tensor([[[3.0, -5.5], [0.0, 0.0], [-4.0, 7.0]]])
    rough = torch.randn(1, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return {
        "d = 0": (_positions(), stack, torch.zeros(1, 3, 2)),
        "a d that is not 0": (_positions(), stack, d),
        "rough planes": (rough, stack, d),
    }


def _moved(
    planes: Tensor,
    stack: Stack,
    d: Tensor,
    half: float = 80.0,
    turn: Callable[[Tensor], Tensor] = lambda grid: grid.flip(-1),
    **how: Any,
) -> Tensor:
    """M_d by hand, with room for mistakes."""
    grid = turn((stack.pixels() - d[0][:, None, None]) / half)
    how = {"align_corners": False, **how}
    return F.grid_sample(planes[0].transpose(0, 1), grid, **how).transpose(0, 1)[None]


def _place_shown(found: Tensor, right: Tensor, planes: Tensor, stack: Stack, d: Tensor) -> str:
    """What of two planes that hold positions is shown, in mm."""
    if planes.shape[1] != 2:
        return ""
    off, at = found - right, f"under d = ({d[0, 0, 0]:g}, {d[0, 0, 1]:g}) mm"
    if same(off, off[..., :1, :1].expand_as(off), 1e-3):
        rows, columns = off[0, :, 0, 0, 0].tolist()
        return (
            f"{at} all is {rows:+.2f} mm off along H and {columns:+.2f} mm off along W; a pixel "
            "has 1.25 mm, a node 2.5 mm, and d is in mm"
        )
    (wanted, shown), pixel = (x[0, :, 0, 0, 0].tolist() for x in (right, found)), "pixel (0, 0)"
    return (
        f"{at} {pixel} should show the place ({wanted[0]:.1f}, {wanted[1]:.1f}) mm, and shows "
        f"({shown[0]:.1f}, {shown[1]:.1f}) mm"
    )


def _has_gradient(mine: Move) -> None:
    planes, stack, d = list(_displaced().values())[1]
    x = d.clone().requires_grad_()
    moved = mine(planes, stack, x).sum()
    if not moved.requires_grad or not torch.autograd.grad(moved, x)[0].any():
        raise NotYet("no gradient reaches d; do not detach it or take its values out.")


@exercise(
    _displaced,
    "it equals the library's, and a gradient reaches d.",
    shape="the result is (1, C, K, h, w)",
    hint="divide mm by half the box, 80, turn (H, W) into (W, H), and interpolate bilinearly",
    otherwise=_place_shown,
    also=_has_gradient,
)
def move(planes: Tensor, stack: Stack, d: Tensor) -> Tensor:
    """Exercise 2: M_d by hand. Two sets of planes hold their nodes' positions."""
    return degradation.move(planes, stack, d)


@exercise(
    lambda: {"linspace(-1, 1, 13) over 64 planes of 2 mm": ()},
    "10.5 mm: twelve such steps end 6 mm from where twelve of 10 mm do.",
    otherwise=lambda found, right: (
        f"{float(found):g} mm is not it; 12 steps lead from the first plane to the last"
    ),
    same=partial(same, absolute=0.01),
)
def linspace_step() -> float:
    """Exercise 3: linspace(-1, 1, 13) with aligned corners over 64 planes of 2 mm."""
    return 63 * 2 / 12


def _heights(n: int) -> Tensor:
    """A field (1, 1, n, 4, 5) of each node's position along D, mm."""
    axis = torch.tensor(lattice_axes((n, 4, 5))[0], dtype=torch.float32)
    return axis[None, None, :, None, None].repeat(1, 1, 1, 4, 5)


def _positions() -> Tensor:
    """Planes (1, 2, 3, 64, 64) of each node's position along H and W, mm."""
    axis = torch.tensor(lattice_axes((1, 64, 64))[1], dtype=torch.float32)
    here = torch.stack(torch.meshgrid(axis, axis, indexing="ij"))
    return here[None, :, None].repeat(1, 1, 3, 1, 1)
