"""Lesson 8: its checks, and what is sure, what is wrong, and what was never seen in pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.dashboard.theme import AGREE, BACKGROUND, DISAGREE, INK
from srheart_demo.explorer.why import field_volumes_ml as field_volumes_ml
from srheart_demo.frame import HALF_EXTENT, TISSUE_COLOURS
from srheart_demo.lessons.pictures import (
    COLOURS,
    SHADES,
    Labels,
    finish,
    lines,
    middle_row,
    outline,
    show_labels,
)
from srheart_demo.lessons.prior import septal_defect as septal_defect
from srheart_demo.lessons.results import same
from srheart_demo.lessons.truth import Truth as Truth
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import simulate_stack as simulate_stack
from srheart_demo.solver.uncertainty import multi_start as multi_start
from srheart_demo.solver.uncertainty import probabilities as probabilities

_Rows = Sequence[tuple[float, float, int]]
"""Said, right and voxels of each bin, as `measures.reliability` has them."""
LENGTHWISE: dict[str, Any] = {
    "extent": (-HALF_EXTENT[2], HALF_EXTENT[2], -HALF_EXTENT[0], HALF_EXTENT[0]),
    "origin": "lower",
}
"""Where a cut along the length of the HR box lies."""


def _draws() -> Cases:
    rng = torch.Generator().manual_seed(0)

    def skewed(n: int) -> Tensor:
        return 100 + 20 * torch.randn(n, generator=rng).exp()

    return {"400 draws": (skewed(400),), "250 draws": (skewed(250),)}


def _between(x: Tensor, low: float, high: float) -> tuple[float, float]:
    return float(x.quantile(low)), float(x.quantile(high))


def _around(x: Tensor, half: Tensor) -> tuple[float, float]:
    return float(x.mean() - half), float(x.mean() + half)


# There are many ways to interpolate quantiles.
@exercise(_draws, same=partial(same, absolute=0.75))
def interval(volumes: Tensor) -> tuple[float, float]:
    """Exercise 1: the central 90 % interval of draws."""
    return _between(volumes, 0.05, 0.95)


def _bins() -> Cases:
    bins = [(0.4, 0.5, 100), (0.6, 0.55, 300), (0.8, 0.9, 600), (0.95, 0.9, 4000)]
    return {
        "the test's bins": (bins,),
        "other bins": ([(0.3, 0.5, 1000), (0.7, 0.4, 20), (0.9, 0.95, 700)],),
    }


def _over(rows: _Rows, gap: Callable[[float], float] = abs) -> float:
    """The mean over voxels of some measure of said − right."""
    return sum(n * gap(said - right) for said, right, n in rows) / sum(n for *_, n in rows)


@exercise(_bins)
def calibration_error(rows: _Rows) -> float:
    """Exercise 2: mean |said − right| over voxels, from bins."""
    return _over(rows)


def _heights() -> Cases:
    heights = torch.tensor([-18.0, -13.0, -4.0, 1.0, 14.0, 19.0, 33.0, 41.0])
    return {
        "slices 10 and 20 mm apart": (heights, torch.tensor([-10.0, 0.0, 10.0, 30.0]), 3.5),
        "five slices": (heights[2:] - 6, torch.tensor([-9.0, -2.0, 8.0, 13.0, 21.0]), 5.5),
    }


@exercise(_heights)
def unseen(heights: Tensor, z: Tensor, reach: float) -> Tensor:
    """Exercise 3: which heights no slice is near to."""
    return (heights[:, None] - z).abs().amin(1) > reach


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
    row = middle_row(truth) if row is None else row
    true, said = truth[:, row], estimate[:, row]
    kinds = np.where(true != said, 2, np.where(true > 0, 1, 0)).astype(np.uint8)
    panels = 3 if confidence is None else 4
    figure, (*axes, bar) = plt.subplots(
        1, panels + 1, figsize=(2.7 * panels + 0.6, 2.9), width_ratios=[1] * panels + [0.06]
    )
    show_labels(axes[0], true, **LENGTHWISE)
    show_labels(axes[1], said, **LENGTHWISE)
    show_labels(axes[2], kinds, colours=(BACKGROUND, AGREE, DISAGREE), **LENGTHWISE)
    if confidence is None:
        bar.set_axis_off()
    else:
        shades = SHADES.reversed()
        image = axes[3].imshow(confidence[:, row], shades, vmin=0.4, vmax=1, **LENGTHWISE)
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
    row = middle_row(truth)
    cut = fields[:, :, :, row]
    figure, axes = plt.subplots(1, 3, figsize=(8.6, 2.9), sharey=True)
    tissues = enumerate(zip(axes, TISSUE_COLOURS.items(), strict=True), start=1)
    for label, (axis, (tissue, colour)) in tissues:
        axis.set_facecolor(BACKGROUND)
        others = torch.cat([cut[:, :label], cut[:, label + 1 :]], dim=1).amax(1)
        look: dict[str, Any] = {"colors": colour, "linewidths": 0.9, "alpha": 0.55}
        for margin in (cut[:, label] - others).numpy():
            axis.contour(margin, [0.0], **look, **LENGTHWISE)
        outline(axis, truth[:, row] == label, **LENGTHWISE)
        axis.set_title(tissue, fontsize=10)
        axis.set_aspect("equal")
        _frame(axis, z)
    axes[0].set_ylabel("D, mm (ticks: slices)")
    return finish(figure)


def picture_reliability(tables: Mapping[str, _Rows]) -> Figure:
    """Calibration: of voxels said to be so sure, the share that is right.

    Args:
        tables: title → rows of `measures.reliability`.
    """
    points = {title: np.array(rows).T for title, rows in tables.items()}
    said = {"as said": (0.25, 1.0)} | {title: x for title, (x, _, _) in points.items()}
    right = {"as said": (0.25, 1.0)} | {title: y for title, (_, y, _) in points.items()}
    names = {"xlabel": "said to be right, probability", "ylabel": "right, share of voxels"}
    look = {"colours": (INK, *COLOURS), "markers": ("", *"os^")}
    return lines({"lines": right, "x": said, **look, **names}, width=4.4)


def _frame(axis: Axes, z: Sequence[float]) -> None:
    """Axes in mm, and the heights of the slices as ticks at both sides."""
    axis.set(xlim=(-66, 66), ylim=(-60, 60), xlabel="W, mm")
    axis.set(xticks=[-50, 0, 50], yticks=[-50, 0, 50])
    axis.spines[:].set_visible(False)
    look: dict[str, Any] = {"ls": "", "marker": "_", "ms": 12, "color": INK}
    for side in (0.0, 1.0):
        axis.plot([side] * len(z), z, transform=axis.get_yaxis_transform(), **look)
