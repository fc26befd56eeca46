"""Pictures of lesson 4: what a run explains, several runs side by side, discs and batch norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from srheart_demo.dashboard.theme import DASHES, INK, RUNS, TRUTH
from srheart_demo.lessons.pictures import finish

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from srheart_demo.solver.algorithm import Step

COLOURS = (*RUNS, INK)
LINES = {"solid": "-", "dash": "--", "dot": ":"}
STYLES = [LINES[dash] for dash in DASHES] + ["-."]


def picture_runs(
    runs: Mapping[str, Sequence[Step]], truth: Mapping[str, Sequence[float]]
) -> Figure:
    """What runs see, their loss, beside what they do not see, the error of d; by iteration.

    Args:
        runs: title → all steps of a run.
        truth: title → the motion error at each step, mm.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4))
    for (name, steps), colour, style in zip(runs.items(), COLOURS, STYLES, strict=False):
        iterations = [step.iteration for step in steps]
        look = {"color": colour, "ls": style, "lw": 1.8, "label": name}
        look |= {"marker": "o", "markevery": [-1], "ms": 5}
        left.semilogy(iterations, [step.loss for step in steps], **look)
        right.plot(iterations, truth[name], **look)
    left.set(xlabel="iteration", ylabel="L, nats per voxel", title="what the run sees")
    right.set(xlabel="iteration", ylabel="motion error, mm", title="what it does not see")
    right.legend(frameon=False, fontsize=9)
    return finish(figure)


def picture_loss(runs: Mapping[str, Sequence[float]]) -> Figure:
    """Losses, nats per voxel, by iteration: title → one number for each."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 3.0))
    for (name, losses), colour, style in zip(runs.items(), COLOURS, STYLES, strict=False):
        axis.semilogy(losses, color=colour, ls=style, lw=1.8, label=name)
    axis.set(xlabel="iteration", ylabel="L, nats per voxel")
    axis.legend(frameon=False, fontsize=9)
    return finish(figure)


def picture_discs(rows: Mapping[str, Sequence[NDArray[np.floating]]], of: Sequence[str]) -> Figure:
    """Discs in rows, each with its area and with the border of the first row's disc.

    Args:
        rows: title → signed pictures (h, w), positive inside.
        of: title of each column.
    """
    import matplotlib.pyplot as plt

    first = next(iter(rows.values()))
    size = (1.5 * len(of) + 1.3, 1.65 * len(rows))
    figure, axes = plt.subplots(len(rows), len(of), figsize=size, squeeze=False)
    for line, (title, pictures) in zip(axes, rows.items(), strict=True):
        for axis, picture, true in zip(line, pictures, first, strict=True):
            axis.contourf(picture, levels=[0, np.inf], colors=[RUNS[0]], alpha=0.75)
            axis.contour(true, levels=[0], colors=[INK], linewidths=1.2, linestyles="--")
            axis.set(xticks=[], yticks=[], aspect="equal")
            axis.set_xlabel(f"{int((picture > 0).sum())} pixels", fontsize=9)
            for spine in axis.spines.values():
                spine.set_color(TRUTH)
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", labelpad=8)
    for axis, title in zip(axes[0], of, strict=True):
        axis.set_title(title, fontsize=10)
    return finish(figure)
