"""Lesson 2: its checks, and the motion layer that cannot learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo import degradation
from srheart_demo.course.verdict import NotYet, check, written
from srheart_demo.degradation import Stack
from srheart_demo.frame import HALF_EXTENT, lattice_axes
from srheart_demo.losses import cross_entropy

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


@check
def downsample(mine: Callable[[Tensor, Stack], Tensor]) -> str:
    """Exercise 1: ↓_s by hand.

    A field whose value is the height of each node must come out as the heights of the slices.
    """
    z = torch.tensor([-50.3, -31.0, -1.9, 0.7, 20.9, 47.5])
    stack = replace(Stack.from_hr(), z=z)
    found = _shaped(mine(_heights(32), stack), (1, 1, 6, 4, 5), "(B, C, K, H′, W′)")[0, 0, :, 0, 0]
    nodes = torch.tensor(lattice_axes((32, 4, 5))[0], dtype=torch.float32)
    low = nodes[torch.searchsorted(nodes, z) - 1]
    if _close(found, -z):
        raise NotYet("the stack is upside down: D runs from apex to base, so node 0 is the lowest.")
    if _close(found, 2 * low + 4 - z):
        raise NotYet("the two weights are exchanged: the nearer node must weigh more.")
    if _close(found, z * 31 / 32):
        raise NotYet(
            "the outer nodes lie half a pitch inside the box's faces, and you put them on the "
            "faces (aligned corners); so the heart is stretched by 32/31."
        )
    if _all_among(found, nodes):
        raise NotYet("these are values of single nodes; weigh the two nodes around each slice.")
    if not _close(found, z) and _close(found - z, (found - z)[0]):
        raise NotYet(
            f"all slices are {float((found - z)[0]):+.0f} mm off, and a node's pitch is 4 mm: "
            "node i lies at (i + ½) · pitch − 64 mm."
        )
    if not _close(found, z):
        k = int((found - z).abs().argmax())
        raise NotYet(f"the slice at {z[k]:.1f} mm shows what lies at {found[k]:.1f} mm.")
    if not _close(mine(_heights(16), stack)[0, 0, :, 0, 0], z):
        raise NotYet("on a lattice of 16 planes it goes wrong; take their number from the field.")
    field = torch.randn(2, 4, 32, 6, 6, generator=torch.Generator().manual_seed(0))
    if not _close(mine(field, stack), degradation.downsample(field, stack)):
        raise NotYet("for one heart it is right; mind that a field has batch and classes too.")
    return "it equals the library's, for any stack and any lattice."


@check
def move(mine: Move) -> str:
    """Exercise 2: M_d by hand.

    Planes whose values are their nodes' positions must show each pixel's position, less d.
    """
    whole = Stack.from_hr(slices=3)
    stack = whole.crop(slice(34, 64), slice(50, 90))
    pixels = stack.pixels().movedim(-1, 0)[:, None].expand(2, 3, 30, 40)
    still = torch.zeros(1, 3, 2)
    found = _shaped(mine(_positions(), stack, still), (1, 2, 3, 30, 40), "(1, C, K, h, w)")[0]
    if _close(found, pixels.flip(0)):
        raise NotYet("rows and columns are exchanged: grid_sample wants (W, H), x before y.")
    if _close(found, pixels * 63 / 64):
        raise NotYet(
            "at d = 0 the picture is stretched by 64/63: you take ±1 for the outer nodes "
            "(align_corners=True); in our frame it is the box's faces."
        )
    axis = torch.tensor(lattice_axes((1, 64, 64))[1], dtype=torch.float32)
    if _all_among(found, axis):
        raise NotYet("these are values of single nodes: nearest neighbours. Bilinear, please.")
    offset = (found - pixels)[:, 0, 0, 0]
    if not _close(found, pixels):
        if _close(found - pixels, offset[:, None, None, None]):
            raise NotYet(
                f"at d = 0 all is {float(offset[0]):+.2f} mm off along H and "
                f"{float(offset[1]):+.2f} mm along W; a pixel has 1.25 mm, a node 2.5 mm."
            )
        raise NotYet("at d = 0 each pixel should show its own place, and it does not.")
    d = torch.tensor([[[3.0, -5.5], [0.0, 0.0], [-4.0, 7.0]]])
    shift = d[0].T[:, :, None, None]
    by = pixels - mine(_positions(), stack, d)[0]
    if _close(by, 0 * shift):
        raise NotYet("nothing moves; d is not used.")
    if _close(by, -shift):
        raise NotYet("the sign is wrong: a slice displaced by d shows at x what lies at x − d.")
    if _close(by, shift.flip(0)):
        raise NotYet("d is (rows, columns), in the order of (H, W); yours is taken the other way.")
    if _close(by, shift[:, :1].expand_as(shift)):
        raise NotYet("all slices move as the first does; each has its own d.")
    if not _close(by, shift):
        raise NotYet(
            f"a slice displaced by ({d[0, 0, 0]:g}, {d[0, 0, 1]:g}) mm is moved by "
            f"({by[0, 0].mean():.2f}, {by[1, 0].mean():.2f}) mm; d is in mm, a grid in half boxes."
        )
    x = d.clone().requires_grad_()
    moved = mine(_positions(), stack, x).sum()
    if not moved.requires_grad or not torch.autograd.grad(moved, x)[0].any():
        raise NotYet("no gradient reaches d; do not detach it or take its values out.")
    planes = torch.randn(1, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    if not _close(mine(planes, stack, d), degradation.move(planes, stack, d)):
        raise NotYet("on smooth planes it is right, on rough ones not; interpolate bilinearly.")
    return "it equals the library's, and a gradient reaches d."


@check
def linspace_step(mm: float) -> str:
    """Exercise 3: linspace(-1, 1, 13) with aligned corners over 64 planes of 2 mm."""
    found = float(mm)
    known = {
        10.0: "10 mm would be every fifth plane, what was meant; count what linspace does.",
        128 / 12: "±1 are the centres of the outer planes here, not the box's faces: 126 mm.",
        126 / 13: "13 points have 12 steps between them.",
        128 / 13: "13 points have 12 steps, and ±1 are the centres of the outer planes.",
        5.25: "that is in planes; a plane has 2 mm.",
    }
    for wrong, why in known.items():
        if abs(found - wrong) < 0.01:
            raise NotYet(why)
    if abs(found - 10.5) > 0.01:
        raise NotYet(f"{found:g} mm is not it; 12 steps lead from the first plane to the last.")
    return "10.5 mm: twelve such steps end 6 mm from where twelve of 10 mm do."


def _heights(n: int) -> Tensor:
    """A field (1, 1, n, 4, 5) of each node's position along D, mm."""
    axis = torch.tensor(lattice_axes((n, 4, 5))[0], dtype=torch.float32)
    return axis[None, None, :, None, None].expand(1, 1, n, 4, 5)


def _positions() -> Tensor:
    """Planes (1, 2, 3, 64, 64) of each node's position along H and W, mm."""
    axis = torch.tensor(lattice_axes((1, 64, 64))[1], dtype=torch.float32)
    here = torch.stack(torch.meshgrid(axis, axis, indexing="ij"))
    return here[None, :, None].expand(1, 2, 3, 64, 64)


def _shaped(found: Tensor, shape: tuple[int, ...], meaning: str) -> Tensor:
    found = written(found, "the result")
    if tuple(found.shape) != shape:
        raise NotYet(f"the result should be {meaning} = {shape}, and it is {tuple(found.shape)}.")
    return found


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b.expand_as(a), atol=1e-3)


def _all_among(found: Tensor, values: Tensor) -> bool:
    return bool(((found[..., None] - values).abs().amin(-1) < 1e-3).all())
