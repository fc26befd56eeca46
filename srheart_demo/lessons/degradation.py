"""Lesson 2: what Eq. 1 does to a heart, its checks, and the motion layer that cannot learn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from srheart_demo.dashboard.theme import ESTIMATE, INK, MIDDLE, RUNS
from srheart_demo.frame import HALF_EXTENT, HR_SPACING, LATTICE_SHAPE, lattice_axes
from srheart_demo.heart import phantom
from srheart_demo.heart.population import draw
from srheart_demo.lessons.pictures import Labels, finish, middle, show_labels
from srheart_demo.lessons.results import same
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import Stack
from srheart_demo.solver.losses import cross_entropy

Move = Callable[[Tensor, Stack, Tensor], Tensor]


def heart_field(seed: int) -> Tensor:
    """A heart of the healthy population as class logits (1, 4, 32, 64, 64)."""
    return phantom.class_logits(phantom.on_lattice(draw(1, seed=seed), LATTICE_SHAPE))


def move_nearest(planes: Tensor, stack: Stack, d: Tensor) -> Tensor:
    """`degradation.move`, but by nearest neighbours: its gradient with respect to d is zero."""
    moved = stack.in_model_axes(d)
    return move.right(planes, stack, moved, mode="nearest", padding_mode="border")


def look_along(
    mover: Move, planes: Tensor, stack: Stack, S_LR: Tensor, k: int, positions: Sequence[float]
) -> tuple[list[float], list[float]]:
    """L_SA of slice k alone as it moves along its columns, and what autograd says of the slope.

    By `degradation.move` or another M_d, of logits (1, C, K, H', W') and labels (K, h, w), at
    `positions` along columns, mm. Losses are nats per pixel, slopes nats per pixel and mm.
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


def _fields() -> Cases:
    z = torch.tensor([-50.3, -31.0, -1.9, 0.7, 20.9, 47.5])
    stack = replace(Stack.from_hr(), z=z)

    def heights(n: int) -> Tensor:
        axis = torch.tensor(lattice_axes((n, 4, 5))[0], dtype=torch.float32)
        return axis[None, None, :, None, None].repeat(1, 1, 1, 4, 5)

    field = torch.randn(2, 4, 32, 6, 6, generator=torch.Generator().manual_seed(0))
    return {
        "a lattice of 32 planes": (heights(32), stack),
        "a lattice of 16 planes": (heights(16), stack),
        "a field of batch and classes": (field, replace(stack, z=z[1:] + 0.8)),
    }


@exercise(_fields)
def downsample(
    field: Tensor,
    stack: Stack,
    *,
    offset: float = -0.5,
    n: float = 0.0,
    weight: Callable[[Tensor], Tensor] = lambda w: w,
) -> Tensor:
    """Exercise 1: ↓_s by hand. Two fields hold the height of each node, so what a slice shows
    is its height."""
    i = (stack.z + 64) / (128 / (n or field.shape[2])) + offset
    low = i.floor().long().clamp(0, field.shape[2] - 2)
    w = weight(i - low)[:, None, None]
    return (1 - w) * field[:, :, low] + w * field[:, :, low + 1]


def _displaced() -> Cases:
    stack = Stack.from_hr(slices=3).crop(slice(34, 64), slice(50, 90))
    d = torch.tensor([[[3.0, -5.5], [0.0, 0.0], [-4.0, 7.0]]])
    axis = torch.tensor(lattice_axes((1, 64, 64))[1], dtype=torch.float32)
    places = torch.stack(torch.meshgrid(axis, axis, indexing="ij"))[None, :, None]
    places = places.repeat(1, 1, 3, 1, 1)
    rough = torch.randn(1, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return {
        "d = 0": (places, stack, torch.zeros(1, 3, 2)),
        "a d that is not 0": (places, stack, d),
        "rough planes": (rough, stack, d),
    }


@exercise(_displaced, gradient=("d",))
def move(
    planes: Tensor,
    stack: Stack,
    d: Tensor,
    *,
    half: float = HALF_EXTENT[1],
    turn: Callable[[Tensor], Tensor] = lambda grid: grid.flip(-1),
    **how: Any,
) -> Tensor:
    """Exercise 2: M_d by hand. Two sets of planes hold their nodes' positions."""
    grid = turn((stack.pixels() - d[0][:, None, None]) / half)
    how = {"align_corners": False, **how}
    return F.grid_sample(planes[0].transpose(0, 1), grid, **how).transpose(0, 1)[None]


@exercise(
    lambda: {"linspace(-1, 1, 13) over 64 planes of 2 mm": ()}, same=partial(same, absolute=0.01)
)
def linspace_step() -> float:
    """Exercise 3: linspace(-1, 1, 13) with aligned corners over 64 planes of 2 mm."""
    return 63 * 2 / 12


def picture_degradation(S_HR: Labels, stages: Mapping[str, Labels], stack: Stack, k: int) -> Figure:
    """A heart (64, 128, 128) and what becomes of it: cut along its length, and slice `k`.

    `stages` are title → (K, 128, 128) labels of the stack after another operator.
    """
    depth, height, width = HALF_EXTENT
    (_, row), z = middle(S_HR), stack.z.numpy()
    ends = (z[0] - stack.gap / 2, z[-1] + stack.gap / 2)
    shown = [("S_HR", S_HR, (-depth, depth), int((z[k] + depth) / HR_SPACING[0]))]
    shown += [(title, labels, ends, k) for title, labels in stages.items()]
    size = (2.5 * len(shown), 4.9)
    figure, axes = plt.subplots(2, len(shown), figsize=size, sharex=True, sharey="row")
    for (cut, flat), (title, labels, (low, high), at) in zip(axes.T, shown, strict=True):
        show_labels(cut, labels[:, row], extent=(-width, width, low, high), origin="lower")
        show_labels(flat, labels[at], extent=(-width, width, height, -height))
        cut.axhline(z[k], color=INK, lw=0.8, ls=":")
        flat.axhline((row + 0.5) * HR_SPACING[1] - height, color=INK, lw=0.8, ls=":")
        cut.set_title(title, fontsize=11)
        cut.set(xlim=(-66, 66), ylim=(-58, 60))
        flat.set(xlim=(-66, 66), ylim=(56, -56), xlabel="W, mm", xticks=[-50, 0, 50])
    for axis, name in zip(axes[:, 0], ("D, mm", "H, mm"), strict=True):
        axis.set(ylabel=name, yticks=[-50, 0, 50])
    return finish(figure)


def picture_corners(nodes: int, pitch: float) -> Figure:
    """Where `nodes` voxels of `pitch` mm lie, and where aligned corners put them."""
    half = nodes * pitch / 2
    figure, axis = plt.subplots(figsize=(8, 1.9))
    for face in np.linspace(-half, half, nodes + 1):
        axis.axvline(face, color=MIDDLE, lw=2.0 if abs(face) == half else 0.6)
    centres = (np.arange(nodes) + 0.5) * pitch - half
    axis.plot(centres, [1] * nodes, "o", color=ESTIMATE, ms=7, zorder=3)
    axis.plot(np.linspace(-half, half, nodes), [0] * nodes, "s", color=RUNS[1], ms=7, zorder=3)
    axis.set(yticks=[0, 1], yticklabels=["aligned corners", "centres of voxels"])
    axis.set(ylim=(-0.6, 1.6), xlabel="position, mm (grey: faces of the voxels)")
    axis.tick_params(left=False)
    axis.spines[:].set_visible(False)
    return finish(figure)
