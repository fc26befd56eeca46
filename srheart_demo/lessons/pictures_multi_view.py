"""Pictures of lesson 6: where the views cut each other, and what they show of several hearts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from srheart_demo.dashboard.theme import INK, RUNS
from srheart_demo.lessons.multi_view import crossing
from srheart_demo.lessons.pictures import Labels, finish, show_labels, window_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from srheart_demo.solver.problem import Problem

STYLES = ("-", "--", ":")


def picture_views(p: Problem, slices: Sequence[int]) -> Figure:
    """The LA view with lines where SA slices cut it, and these with a line where it cuts them.

    Args:
        p: a problem with an LA view.
        slices: three at most, from 0 at the apex.
    """
    import matplotlib.pyplot as plt

    if p.S_LA is None:
        raise ValueError("this problem has no long-axis view")
    S_LA, S_LR = p.S_LA.numpy(), p.S_LR.numpy()
    n = 1 + len(slices)
    figure, (view, *others) = plt.subplots(1, n, figsize=(3.0 * n, 3.2))
    show_labels(view, S_LA)
    for axis, k, style in zip(others, slices, STYLES, strict=False):
        rows, pixels = crossing(p, k)
        view.plot(rows, color=INK, lw=1.8, ls=style)
        show_labels(axis, S_LR[k])
        axis.plot(pixels[:, 1], pixels[:, 0], color=INK, lw=1.8, ls=style)
        height, width = S_LR[k].shape
        axis.set(xlim=(0, width - 1), ylim=(height - 1, 0), title=f"SA slice {k + 1}")
    rows_shown, columns_shown = window_of([S_LA[None]])
    view.set(
        xlim=(columns_shown.start, columns_shown.stop),
        ylim=(rows_shown.start, rows_shown.stop),
        title="LA view, base on top",
    )
    return finish(figure)


def picture_along(maps: Mapping[str, Labels]) -> Figure:
    """Label maps (h, w) on the plane of the LA view, rows from apex to base; base on top.

    The borders of the first are drawn on the others.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(maps), figsize=(2.4 * len(maps), 2.9), squeeze=False)
    window, first = window_of([labels[None] for labels in maps.values()]), next(iter(maps.values()))
    for axis, (title, labels) in zip(axes[0], maps.items(), strict=True):
        show_labels(axis, labels[window][::-1])
        for tissue in () if labels is first else (1, 2, 3):
            border = (first == tissue).astype(float)[window][::-1]
            axis.contour(border, levels=[0.5], colors=INK, linewidths=0.9)
        axis.set_title(title, fontsize=10)
    return finish(figure)


def picture_sweep(gammas: Sequence[float], dice: Sequence[float], error: Sequence[float]) -> Figure:
    """Dice of the heart and error of d (mm) for several γ, the first of which is 0."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.0))
    places = range(len(gammas))
    for axis, values, name in ((left, dice, "mean Dice"), (right, error, "motion error, mm")):
        axis.plot(places, values, color=RUNS[0], marker="o", lw=1.8)
        axis.set_xticks(places, [f"{gamma:g}" for gamma in gammas])
        axis.set(xlabel="γ", ylabel=name)
    return finish(figure)
