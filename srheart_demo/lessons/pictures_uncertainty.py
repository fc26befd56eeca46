"""Pictures of lesson 8: what is sure, what is wrong, and what was never seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.dashboard.theme import AGREE, BACKGROUND, DISAGREE, INK, SEQUENTIAL
from srheart_demo.frame import HALF_EXTENT, TISSUE_COLOURS, TISSUES
from srheart_demo.lessons.pictures import Labels, finish, show_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def picture_trust(
    truth: Labels,
    estimate: Labels,
    z: Sequence[float],
    confidence: NDArray[np.floating] | None = None,
    row: int | None = None,
) -> Figure:
    """An answer cut along its length beside the truth, how sure it is, and where it is wrong.

    Args:
        truth, estimate: (64, 128, 128) labels.
        z: heights of the slices, mm; they are ticks at the sides.
        confidence: (64, 128, 128) probability of the estimate's labels.
        row: of the cut; by default through the middle of the LV.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap

    row = int(np.nonzero(truth == 1)[1].mean()) if row is None else row
    true, said = truth[:, row], estimate[:, row]
    panels = 3 if confidence is None else 4
    figure, axes = plt.subplots(
        1, panels + 1, figsize=(2.7 * panels + 0.6, 2.9), width_ratios=[1] * panels + [0.06]
    )
    *axes, bar = axes
    place: dict[str, Any] = {"extent": _extent(), "origin": "lower"}
    show_labels(axes[0], true, **place)
    show_labels(axes[1], said, **place)
    kinds = np.where(true != said, 2, np.where(true > 0, 1, 0))
    compared = ListedColormap([BACKGROUND, AGREE, DISAGREE])
    axes[2].imshow(kinds, cmap=compared, vmin=0, vmax=2, interpolation="nearest", **place)
    if confidence is None:
        bar.set_axis_off()
    else:
        shades = LinearSegmentedColormap.from_list(
            "sure", [str(c) for _, c in reversed(SEQUENTIAL)]
        )
        image = axes[3].imshow(
            confidence[:, row], cmap=shades, vmin=0.4, vmax=1, interpolation="nearest", **place
        )
        figure.colorbar(image, cax=bar, label="probability")
        bar.set_box_aspect(12)
    titles = ("truth", "answer", "wrong (pink)", "how sure")
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title, fontsize=10)
        _frame(axis, z)
    axes[0].set_ylabel("D, mm (ticks: slices)")
    return finish(figure)


def picture_draws(fields: Tensor, truth: Labels, z: Sequence[float]) -> Figure:
    """Outlines of draws in one cut along the length, over the truth's.

    Args:
        fields: (n, 4, 64, 128, 128) class logits at the truth's voxels.
        truth: labels (64, 128, 128).
        z: heights of the slices, mm.
    """
    import matplotlib.pyplot as plt

    row = int(np.nonzero(truth == 1)[1].mean())
    cut = fields[:, :, :, row]
    figure, axes = plt.subplots(1, 3, figsize=(8.6, 2.9), sharey=True)
    place: dict[str, Any] = {"extent": _extent(), "origin": "lower"}
    for label, (axis, tissue) in enumerate(zip(axes, TISSUES[1:], strict=True), start=1):
        axis.set_facecolor(BACKGROUND)
        others = torch.cat([cut[:, :label], cut[:, label + 1 :]], dim=1).amax(1)
        for margin in (cut[:, label] - others).numpy():
            axis.contour(
                margin, [0.0], colors=TISSUE_COLOURS[tissue], linewidths=0.9, alpha=0.55, **place
            )
        axis.contour(truth[:, row] == label, [0.5], colors=INK, linewidths=1.1, **place)
        axis.set_title(tissue, fontsize=10)
        axis.set_aspect("equal")
        _frame(axis, z)
    axes[0].set_ylabel("D, mm (ticks: slices)")
    return finish(figure)


def _extent() -> tuple[float, float, float, float]:
    depth, _, width = HALF_EXTENT
    return -width, width, -depth, depth


def _frame(axis: Axes, z: Sequence[float]) -> None:
    axis.set(xlim=(-66, 66), ylim=(-60, 60), xlabel="W, mm")
    axis.set_xticks([-50, 0, 50])
    axis.set_yticks([-50, 0, 50])
    for spine in axis.spines.values():
        spine.set_visible(False)
    for side in (0.0, 1.0):
        axis.plot([side] * len(z), z, ls="", marker="_", ms=12, color=INK, clip_on=True,
                  transform=axis.get_yaxis_transform())  # fmt: skip
