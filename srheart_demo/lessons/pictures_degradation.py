"""Pictures of lesson 2: what Eq. 1 does to a heart, and why it must do so smoothly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from srheart_demo.dashboard.theme import ESTIMATE, INK, MIDDLE, RUNS
from srheart_demo.frame import HALF_EXTENT, HR_SPACING
from srheart_demo.lessons.pictures import Labels, finish, show_labels
from srheart_demo.scan.degradation import Stack

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture_degradation(S_HR: Labels, stages: Mapping[str, Labels], stack: Stack, k: int) -> Figure:
    """A heart and what becomes of it: cut along its length, and one slice.

    Args:
        S_HR: (64, 128, 128) the heart.
        stages: title → (K, 128, 128) labels of the stack after another operator.
        stack: where its slices lie.
        k: the slice to show.
    """
    import matplotlib.pyplot as plt

    depth, height, width = HALF_EXTENT
    row = int(np.nonzero(S_HR == 1)[1].mean())
    z = stack.z.numpy()
    ends = (z[0] - stack.gap / 2, z[-1] + stack.gap / 2)
    plane = int((z[k] + depth) / HR_SPACING[0])
    shown = [("S_HR", S_HR, (-depth, depth), plane)]
    shown += [(title, labels, ends, k) for title, labels in stages.items()]
    figure, axes = plt.subplots(
        2, len(shown), figsize=(2.5 * len(shown), 4.9), sharex=True, sharey="row"
    )
    for (cut, flat), (title, labels, (low, high), at) in zip(axes.T, shown, strict=True):
        show_labels(cut, labels[:, row], extent=(-width, width, low, high), origin="lower")
        show_labels(flat, labels[at], extent=(-width, width, height, -height))
        cut.axhline(z[k], color=INK, lw=0.8, ls=":")
        flat.axhline((row + 0.5) * HR_SPACING[1] - height, color=INK, lw=0.8, ls=":")
        cut.set_title(title, fontsize=11)
        cut.set(xlim=(-66, 66), ylim=(-58, 60))
        flat.set(xlim=(-66, 66), ylim=(56, -56), xlabel="W, mm")
        flat.set_xticks([-50, 0, 50])
    for axis, name in ((axes[0, 0], "D, mm"), (axes[1, 0], "H, mm")):
        axis.set_ylabel(name)
        axis.set_yticks([-50, 0, 50])
    return finish(figure)


def picture_slopes(
    x: Sequence[float], looks: Mapping[str, tuple[Sequence[float], Sequence[float]]], truth: float
) -> Figure:
    """L over one displacement, and its gradient, for several ways to move.

    Args:
        x: displacements, mm.
        looks: name → losses and gradients.
        truth: where the slice is, mm.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.1))
    for (name, (losses, slopes)), colour, style in zip(
        looks.items(), (ESTIMATE, RUNS[1]), ("-", "--"), strict=False
    ):
        left.plot(x, losses, style, color=colour, label=name)
        right.plot(x, slopes, style, color=colour, label=name)
    for axis in (left, right):
        axis.axvline(truth, color=MIDDLE, lw=1, ls=":")
        axis.set_xlabel("d along columns, mm (dotted: truth)")
    left.set(ylabel="L_SA, nats per pixel", title="loss")
    right.set(ylabel="∂L/∂d, nats per pixel and mm", title="its gradient")
    right.legend(frameon=False)
    return finish(figure)


def picture_corners(nodes: int, pitch: float) -> Figure:
    """Where `nodes` voxels of `pitch` mm lie, and where aligned corners put them."""
    import matplotlib.pyplot as plt

    half = nodes * pitch / 2
    ours = (np.arange(nodes) + 0.5) * pitch - half
    figure, axis = plt.subplots(figsize=(8, 1.9))
    for face in np.linspace(-half, half, nodes + 1):
        axis.axvline(face, color=MIDDLE, lw=2.0 if abs(face) == half else 0.6)
    axis.scatter(ours, np.ones(nodes), color=ESTIMATE, s=46, zorder=3)
    axis.scatter(np.linspace(-half, half, nodes), np.zeros(nodes), color=RUNS[1], s=46, marker="s",
                 zorder=3)  # fmt: skip
    axis.set(yticks=[0, 1], yticklabels=["aligned corners", "centres of voxels"])
    axis.set(ylim=(-0.6, 1.6), xlabel="position, mm (grey: faces of the voxels)")
    axis.tick_params(left=False)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return finish(figure)
