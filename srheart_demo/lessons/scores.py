"""Lesson 7: its checks, and scores in pictures: one answer's, a cohort's, means by a setting."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srheart_demo.dashboard.theme import INK, MIDDLE, line_colours
from srheart_demo.experiments.cases import Case
from srheart_demo.experiments.methods import method
from srheart_demo.experiments.runner import Experiment, measure_all
from srheart_demo.experiments.scoring import labels_at_truth
from srheart_demo.experiments.summary import LinePlot, Plot, StripPlot
from srheart_demo.experiments.tables import Results
from srheart_demo.files import read_toml
from srheart_demo.frame import TISSUE_COLOURS
from srheart_demo.heart.measures import dice, hd95, mean_dice, volumes_ml
from srheart_demo.lessons import pictures
from srheart_demo.lessons.pictures import Labels, finish, middle, outline, show_labels, window_of
from srheart_demo.lessons.verdict import Cases, exercise

MARKERS = "os^Dv"
_ROOM = 36  # Letters below a panel
Mask = NDArray[np.bool_]
_Values = NDArray[np.float64]
Levels = dict[str, dict[str, float]]  # Network → level of motion → mean Dice


def _masks() -> Cases:
    a, b = np.zeros((2, 6, 10, 10), dtype=bool)
    a[1:4, 2:6, 2:7] = True
    b[2:6, 3:8, 2:7] = True
    nothing = np.zeros_like(a)
    nothing[0, 0, 0] = True
    return {
        f"|A| = {a.sum()}, |B| = {b.sum()}, |A ∩ B| = {(a & b).sum()}": (a, b),
        "two masks that do not meet": (a, nothing),
        "two equal masks": (b, b.copy()),
    }


@exercise(_masks)
def overlap(A: Mask, B: Mask) -> float:
    """Exercise 1: Dice of two masks, 2|A ∩ B| / (|A| + |B|)."""
    return float(2 * (A & B).sum() / (A.sum() + B.sum()))


def _ways() -> Cases:
    rng = np.random.default_rng(0)
    there, back = rng.uniform(0, 4, 400), rng.uniform(0, 7, 150)
    back[:5] = 30.0
    return {
        "a test": (there, back),
        "the same with estimate and truth exchanged": (back, there),
        "another": (2 * there[:300], back[5:]),
    }


@exercise(_ways)
def far_off(there: _Values, back: _Values) -> float:
    """Exercise 2: the 95 % Hausdorff distance from the distances there and back."""
    return float(max(np.percentile(way, 95) for way in (there, back)))


_NETWORKS: dict[str, Levels] = read_toml(__file__, "networks.toml")
CHOICE, OTHERS = _NETWORKS["choice"], _NETWORKS["others"]


def _tables() -> Cases:
    turned = {name: dict(reversed(row.items())) for name, row in reversed(CHOICE.items())}
    return {"a table": (CHOICE,), "it in another order": (turned,), "another": (OTHERS,)}


@exercise(_tables)
def most_careful(table: Levels) -> str:
    """Exercise 3: the network with the best worst case."""
    return max(table, key=lambda name: min(table[name].values()))


def restored(case: Case, name: str, level: str) -> Labels:
    """A method's answer to a scan, at the truth's voxels after the common translation.

    Networks are those trained on motion of this level, if their name says no other.
    """
    return labels_at_truth(method(name, level)(case.scan), case)


def results_of(experiment: Experiment) -> Results:
    """The results of an experiment; they are not kept."""
    results = Results(None, experiment.figures)
    measure_all(experiment, results)
    return results


def picture_scores(estimate: Labels, truth: Labels, spacing: tuple[float, float, float]) -> Figure:
    """An answer (D, H, W) in the middle slice with the truth's outlines, and its three scores."""
    level, _ = middle(truth)
    window = window_of([estimate[level][None], truth[level][None]])
    widths = (1.1, 1, 1, 1)
    figure, (picture, *bars) = plt.subplots(1, 4, figsize=(10.5, 2.9), width_ratios=widths)
    show_labels(picture, estimate[level][window])
    for label in (1, 2, 3):
        outline(picture, truth[level][window] == label)
    picture.set_title("estimate; lines: truth", fontsize=10)
    found, true = volumes_ml(estimate, spacing), volumes_ml(truth, spacing)
    error = {tissue: found[tissue] - true[tissue] for tissue in found}
    scores = (
        (dice(estimate, truth), "{:.2f}", "Dice", 0, 1.1),
        (hd95(estimate, truth, spacing), "{:.1f}", "HD95, mm", 0, 14),
        (error, "{:+.0f}", "volume error, ml", -45, 45),
    )
    for axis, (values, style, title, low, high) in zip(bars, scores, strict=True):
        drawn = axis.bar([*values], [*values.values()], color=TISSUE_COLOURS.values(), width=0.65)
        axis.bar_label(drawn, map(style.format, values.values()), padding=2, fontsize=9)
        axis.axhline(0, color=MIDDLE, lw=0.8)
        axis.set(ylim=(low, high))
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    return finish(figure)


def picture_plot(plot: Plot) -> Figure:
    """Any plot of an experiment."""
    return picture_strips(plot) if isinstance(plot, StripPlot) else picture_curves(plot)


def picture_strips(
    strips: StripPlot, paper: Mapping[str, Mapping[str, tuple[float, float]]] | None = None
) -> Figure:
    """Every subject's figure as a dot, with the mean over subjects as a bar.

    `paper` are mean and SD that it prints, by panel and method, shown as diamonds.
    """
    figure, axes = _panels(len(strips.panels), 3.4)
    for axis, (title, panel) in zip(axes, strips.panels.items(), strict=True):
        printed = (paper or {}).get(title, {})
        colours = line_colours([*panel])
        for x, ((name, values), colour) in enumerate(zip(panel.items(), colours, strict=True)):
            spread = np.linspace(-0.16, 0.16, len(values)) * (len(values) > 1)
            axis.scatter(x + spread, values, s=14, color=colour, alpha=0.7, linewidths=0)
            if len(values):  # not where all that was to be measured failed
                axis.plot([x - 0.28, x + 0.28], [values.mean()] * 2, color=INK, lw=1.8)
            if name in printed:
                look: dict[str, Any] = {"marker": "D", "facecolors": "none", "edgecolors": INK}
                axis.scatter(x + 0.36, printed[name][0], s=26, **look)
        _name(axis, np.arange(len(panel)), [*panel])
        axis.set_title(title, fontsize=10)
    axes[0].set_ylabel(strips.axis)
    note = "dots: subjects; bars: their mean" + ("; diamonds: the paper's mean" if paper else "")
    figure.supxlabel(note, fontsize=9, y=0.04)
    return finish(figure)


def picture_curves(curves: LinePlot) -> Figure:
    """Means with their SD against a setting, a panel beside the other."""
    figure, axes = _panels(len(curves.panels), 4.6, shared=bool(curves.axis))
    x = np.arange(len(curves.x))
    for axis, (title, lines) in zip(axes, curves.panels.items(), strict=True):
        colours = line_colours([*lines])
        for i, ((name, cells), colour) in enumerate(zip(lines.items(), colours, strict=True)):
            at = x + 0.05 * (i - (len(lines) - 1) / 2)
            look: dict[str, Any] = {"color": colour, "marker": MARKERS[i % len(MARKERS)]}
            mean, sd = [c.mean for c in cells], [c.sd for c in cells]
            look |= {"ls": pictures.STYLES[i % 4], "ms": 6, "capsize": 2}
            axis.errorbar(at, mean, sd, label=name, **look)
        _name(axis, x, curves.x)
        axis.set_xlabel(curves.x_axis)
        axis.set_title(title, fontsize=10)
    axes[0].set_ylabel(curves.axis)
    named = (axis.get_legend_handles_labels() for axis in axes)
    shown = {name: handle for each in named for handle, name in zip(*each, strict=True)}
    look = {"frameon": False, "fontsize": 9, "loc": "center left", "bbox_to_anchor": (1, 0.5)}
    axes[-1].legend(shown.values(), shown, **look)
    return finish(figure)


def _name(axis: Axes, at: _Values | NDArray[np.int_], names: Sequence[str]) -> None:
    """Names along the x axis, aslant where they would run into one another."""
    crowded = sum(map(len, names)) > _ROOM
    axis.set_xticks(at, names, rotation=40 * crowded, ha="right" if crowded else "center")


def _panels(n: int, width: float, shared: bool = True) -> tuple[Figure, list[Axes]]:
    figure, axes = plt.subplots(1, n, figsize=(width * n, 3.3), sharey=shared, squeeze=False)
    for axis in axes[0]:
        axis.grid(axis="y", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes[0])


def dice_titles(maps: Mapping[str, Labels], truth: Labels) -> dict[str, Labels]:
    """The same maps, their titles with the mean Dice against the truth, and the truth last."""
    scored = {
        f"{name}\nDice {mean_dice(labels, truth):.2f}": labels for name, labels in maps.items()
    }
    return {**scored, "truth": truth}
