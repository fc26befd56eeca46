"""Lesson 8: its checks, and what is sure, what is wrong, and what was never seen in pictures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.dashboard.theme import AGREE, DISAGREE, INK
from srheart_demo.explorer.why import field_volumes_ml as field_volumes_ml
from srheart_demo.frame import HALF_EXTENT, HR_SPACING, TISSUE_COLOURS
from srheart_demo.lessons import pictures
from srheart_demo.lessons.prior import septal_defect as septal_defect
from srheart_demo.lessons.results import same
from srheart_demo.lessons.truth import Truth as Truth
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import simulate_stack as simulate_stack
from srheart_demo.solver.uncertainty import multi_start as multi_start
from srheart_demo.solver.uncertainty import probabilities as probabilities

_Rows = Sequence[tuple[float, float, int]]
"""Said, right and voxels of each bin, as `measures.reliability` has them."""


def _draws() -> Cases:
    rng = torch.Generator().manual_seed(0)
    draws = [100 + 20 * torch.randn(n, generator=rng).exp() for n in (400, 250)]
    return {f"{len(x)} draws": (x,) for x in draws}


def _around(x: Tensor, half: Tensor) -> tuple[float, float]:
    return float(x.mean() - half), float(x.mean() + half)


# There are many ways to interpolate quantiles.
@exercise(_draws, same=partial(same, absolute=0.75))
def interval(volumes: Tensor, *, low: float = 0.05, high: float = 0.95) -> tuple[float, float]:
    """Exercise 1: the central 90 % interval of draws."""
    return float(volumes.quantile(low)), float(volumes.quantile(high))


def _bins() -> Cases:
    bins = [(0.4, 0.5, 100), (0.6, 0.55, 300), (0.8, 0.9, 600), (0.95, 0.9, 4000)]
    return {
        "the test's bins": (bins,),
        "other bins": ([(0.3, 0.5, 1000), (0.7, 0.4, 20), (0.9, 0.95, 700)],),
    }


@exercise(_bins)
def calibration_error(rows: _Rows, *, size: Callable[[float], float] = abs) -> float:
    """Exercise 2: mean |said − right| over voxels, from bins."""
    return sum(n * size(said - right) for said, right, n in rows) / sum(n for *_, n in rows)


def _heights() -> Cases:
    heights = torch.tensor([-18.0, -13.0, -4.0, 1.0, 14.0, 19.0, 33.5, 41.0])
    return {
        "slices 10 and 20 mm apart": (heights, torch.tensor([-10.0, 0.0, 10.0, 30.0]), 3.5),
        "five slices": (heights[2:] - 6, torch.tensor([-9.0, -2.0, 8.0, 13.0, 21.0]), 5.5),
    }


@exercise(_heights)
def unseen(heights: Tensor, slices: Tensor, reach: float) -> Tensor:
    """Exercise 3: which heights no slice is near to."""
    return (heights[:, None] - slices).abs().amin(1) > reach


def picture_trust(
    truth: pictures.Labels,
    estimate: pictures.Labels,
    z: Sequence[float],
    confidence: NDArray[np.floating] | None = None,
    row: int | None = None,
) -> Figure:
    """An answer cut along its length beside the truth, how sure it is, and where it is wrong.

    All are (64, 128, 128); heights of the slices z, mm, are ticks at the sides, `confidence` is the
    probability of the estimate's labels. The cut's row is by default in the middle of the LV.
    """
    row = pictures.middle(truth)[1] if row is None else row
    true, said = (pictures.lengthwise(labels, row) for labels in (truth, estimate))
    kinds = np.where(true != said, 5, np.where(true > 0, 4, 0))
    unsure = [] if confidence is None else [0 * true]
    titles = ("truth", "answer", "wrong (pink)", "how sure")
    colours = (*pictures.HEART, AGREE, DISAGREE)
    figure, axes = pictures.grid({"": [true, said, kinds, *unsure]}, 2.7, titles, colours=colours)
    if confidence is not None:
        look: dict[str, Any] = {"cmap": pictures.SHADES.reversed(), "vmin": 0.4, "vmax": 1}
        image = axes[0, 3].imshow(pictures.lengthwise(confidence, row), **look)
        figure.colorbar(image, ax=axes[0, 3], fraction=0.04, label="probability")
    _mark_slices(axes[0], z)
    return pictures.finish(figure)


def picture_draws(fields: Tensor, truth: pictures.Labels, z: Sequence[float]) -> Figure:
    """Outlines of draws in one cut along the length, over the truth's.

    Class logits (n, 4, 64, 128, 128) at the voxels of the truth's labels (64, 128, 128); z are
    heights of the slices, mm.
    """
    _, row = pictures.middle(truth)
    true = pictures.lengthwise(truth, row)
    cuts = np.array([[pictures.lengthwise(x, row) for x in field] for field in fields.numpy()])
    figure, axes = pictures.grid({"": [0 * true] * 3}, 2.7, TISSUE_COLOURS)
    for label, (axis, colour) in enumerate(zip(axes[0], TISSUE_COLOURS.values(), strict=True), 1):
        for margin in cuts[:, label] - np.delete(cuts, label, axis=1).max(1):
            axis.contour(margin, [0.0], colors=colour, linewidths=0.9, alpha=0.55)
        pictures.outline(axis, true == label)
    _mark_slices(axes[0], z)
    return pictures.finish(figure)


def picture_reliability(tables: Mapping[str, _Rows]) -> Figure:
    """Calibration: of voxels said to be so sure, the share that is right; by title."""
    points = {title: np.array(rows).T for title, rows in tables.items()}
    said = {"as said": (0.25, 1.0)} | {title: x for title, (x, _, _) in points.items()}
    right = {"as said": (0.25, 1.0)} | {title: y for title, (_, y, _) in points.items()}
    names = {"xlabel": "said to be right, probability", "ylabel": "right, share of voxels"}
    look = {"colours": (INK, *pictures.COLOURS), "markers": ("", *"os^")}
    return pictures.lines({"lines": right, "x": said, **look, **names}, width=4.4)


def _mark_slices(axes: Iterable[Axes], z: Sequence[float]) -> None:
    """The heights of slices at both sides of cuts, and a scale."""
    heights = (HALF_EXTENT[0] - np.array(z)) / HR_SPACING[2] - 0.5
    look: dict[str, Any] = {"ls": "", "marker": "_", "ms": 12, "color": INK}
    for axis in axes:
        for side in (0.0, 1.0):
            axis.plot([side] * len(z), heights, transform=axis.get_yaxis_transform(), **look)
        pictures.scale_bar(axis)
