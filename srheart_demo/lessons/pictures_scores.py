"""Pictures of scores for notebooks: one answer's, a cohort's, and means against a setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from srheart_demo.dashboard.theme import INK, MIDDLE, line_colours
from srheart_demo.experiments.summary import LinePlot, StripPlot
from srheart_demo.frame import TISSUE_COLOURS
from srheart_demo.heart.measures import dice, hd95, mean_dice, volumes_ml
from srheart_demo.lessons.pictures import Labels, finish, show_labels, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "os^Dv"
LINES = ("-", "--", "-.", ":")


def picture_scores(estimate: Labels, truth: Labels, spacing: tuple[float, float, float]) -> Figure:
    """An answer in the middle slice with the truth's outlines, and its three scores.

    Args:
        estimate, truth: (D, H, W) labels of the same voxels.
        spacing: voxel size, mm.
    """
    import matplotlib.pyplot as plt

    middle = int(np.nonzero(truth == 1)[0].mean())
    window = window_of([estimate[middle][None], truth[middle][None]])
    figure, (picture, overlap, distance, size) = plt.subplots(
        1, 4, figsize=(10.5, 2.9), width_ratios=(1.1, 1, 1, 1)
    )
    show_labels(picture, estimate[middle][window])
    for label in (1, 2, 3):
        mask = truth[middle][window] == label
        picture.contour(mask, [0.5], colors=INK, linewidths=1.2)
    picture.set_title("estimate; lines: truth", fontsize=10)
    _bars(overlap, dice(estimate, truth), "{:.2f}", "Dice", 1.1)
    _bars(distance, hd95(estimate, truth, spacing), "{:.1f}", "HD95, mm", 14)
    found, true = volumes_ml(estimate, spacing), volumes_ml(truth, spacing)
    error = {tissue: found[tissue] - true[tissue] for tissue in found}
    _bars(size, error, "{:+.0f}", "volume error, ml", 45, lowest=-45)
    return finish(figure)


def _bars(
    axis: Axes, values: Mapping[str, float], style: str, title: str, top: float, lowest: float = 0
) -> None:
    colours = [TISSUE_COLOURS[tissue] for tissue in values]
    bars = axis.bar([*values], [*values.values()], color=colours, width=0.65)
    axis.bar_label(bars, [style.format(value) for value in values.values()], padding=2, fontsize=9)
    axis.axhline(0, color=MIDDLE, lw=0.8)
    axis.set(ylim=(lowest, top))
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)


def picture_strips(
    strips: StripPlot, paper: Mapping[str, Mapping[str, tuple[float, float]]] | None = None
) -> Figure:
    """Every subject's figure as a dot, with the mean over subjects as a bar.

    Args:
        strips: what to show.
        paper: panel → method → mean and SD that the paper prints, shown as diamonds.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(strips.panels), figsize=(3.4 * len(strips.panels), 3.3), sharey=True, squeeze=False
    )
    for axis, (title, panel) in zip(axes[0], strips.panels.items(), strict=True):
        printed = (paper or {}).get(title, {})
        colours = line_colours([*panel])
        for x, ((method, values), colour) in enumerate(zip(panel.items(), colours, strict=True)):
            spread = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(1)
            axis.scatter(x + spread, values, s=14, color=colour, alpha=0.7, linewidths=0)
            axis.plot([x - 0.28, x + 0.28], [values.mean()] * 2, color=INK, lw=1.8)
            if method in printed:
                mean = printed[method][0]
                axis.scatter(x + 0.36, mean, s=26, marker="D", facecolors="none", edgecolors=INK)
        axis.set_xticks(range(len(panel)), [*panel])
        axis.set_title(title, fontsize=10)
        _quiet(axis)
    axes[0, 0].set_ylabel(strips.axis)
    note = "dots: subjects; bars: their mean" + ("; diamonds: the paper's mean" if paper else "")
    figure.supxlabel(note, fontsize=9, y=0.04)
    return finish(figure)


def picture_curves(curves: LinePlot) -> Figure:
    """Means with their SD against a setting, a panel beside the other."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(curves.panels), figsize=(4.6 * len(curves.panels), 3.3), sharey=True, squeeze=False
    )
    x = np.arange(len(curves.x))
    for axis, (title, lines) in zip(axes[0], curves.panels.items(), strict=True):
        colours = line_colours([*lines])
        for i, ((name, cells), colour) in enumerate(zip(lines.items(), colours, strict=True)):
            axis.errorbar(
                x + 0.05 * (i - (len(lines) - 1) / 2),
                [c.mean for c in cells],
                [c.sd for c in cells],
                color=colour,
                marker=MARKERS[i % len(MARKERS)],
                ls=LINES[i % len(LINES)],
                ms=6,
                capsize=2,
                label=name,
            )
        axis.set_xticks(x, curves.x)
        axis.set_xlabel(curves.x_axis)
        axis.set_title(title, fontsize=10)
        _quiet(axis)
    axes[0, 0].set_ylabel(curves.axis)
    axes[0, -1].legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return finish(figure)


def _quiet(axis: Axes) -> None:
    axis.grid(axis="y", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)


def dice_titles(maps: Mapping[str, Labels], truth: Labels) -> dict[str, Labels]:
    """The same maps, their titles with the mean Dice against the truth, and the truth last."""
    scored = {
        f"{name}\nDice {mean_dice(labels, truth):.2f}": labels for name, labels in maps.items()
    }
    return {**scored, "truth": truth}
