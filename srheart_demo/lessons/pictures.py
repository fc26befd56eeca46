"""Pictures for notebooks that show without running: label maps and curves, by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srheart_demo.dashboard.projector import scale
from srheart_demo.dashboard.theme import BACKGROUND, ESTIMATE, INK, RUNS
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from srheart_demo.solver.algorithm import Step

Labels = NDArray[np.uint8]
WIDEST = 13.6
"""Inches, of a row of slices."""
MOST_TICKS = 8


def picture_slices(rows: Mapping[str, Labels], every: int = 1) -> Figure:
    """Label maps as rows of slices from apex to base, cut to the tissue; empty ones are left out.

    Args:
        rows: title → (K, h, w) labels, all of one shape.
        every: show every so many-th slice.
    """
    import matplotlib.pyplot as plt

    shown = slices_of(list(rows.values()), every)
    side = min(1.3, WIDEST / len(shown))
    size = (side * len(shown) + 0.9, 1.1 * side * len(rows))
    figure, axes = plt.subplots(len(rows), len(shown), figsize=size, squeeze=False)
    draw_slices(axes, rows, shown)
    for k, axis in zip(shown, axes[-1], strict=True):
        axis.set_xlabel(f"{k + 1}", fontsize=9)
    left_out = len(shown) < len(range(0, len(next(iter(rows.values()))), every))
    said = "slice, from apex to base" + ("; empty ones are left out" if left_out else "")
    figure.supxlabel(said, fontsize=9)
    return finish(figure)


def slices_of(maps: Sequence[Labels], every: int = 1) -> list[int]:
    """The slices of stacks (K, h, w), every so many-th, in which any shows tissue."""
    numbers = range(0, len(maps[0]), every)
    return [k for k in numbers if any(labels[k].any() for labels in maps)]


def draw_slices(axes: NDArray[Any], rows: Mapping[str, Labels], shown: Sequence[int]) -> None:
    """Slices of stacks (K, h, w) in rows of axes, each with its title at the left."""
    window = window_of(list(rows.values()))
    for line, (title, labels) in zip(axes, rows.items(), strict=True):
        for axis, k in zip(line, shown, strict=True):
            show_labels(axis, labels[k][window])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", labelpad=8)


def picture_cuts(maps: Mapping[str, Labels], spacing: tuple[float, float, float]) -> Figure:
    """Label maps (D, H, W) cut along their length through the middle of the LV, base on top."""
    import matplotlib.pyplot as plt

    first = next(iter(maps.values()))
    row = int(np.nonzero(first == 1)[1].mean())
    figure, axes = plt.subplots(1, len(maps), figsize=(2.6 * len(maps), 2.7), squeeze=False)
    window = window_of([labels[:, row][None] for labels in maps.values()])
    for axis, (title, labels) in zip(axes[0], maps.items(), strict=True):
        show_labels(axis, labels[:, row][window][::-1], aspect=spacing[0] / spacing[2])
        axis.set_title(title, fontsize=10)
    return finish(figure)


def picture_convergence(
    steps: Sequence[Step], d_true: NDArray[np.floating], tissue: NDArray[np.bool_]
) -> Figure:
    """Losses and the displacement of every slice (estimate and truth, mean removed), by iteration.

    Args:
        steps: all steps of a run.
        d_true: (K, 2) true displacements, mm.
        tissue: (K,) which slices show tissue; the others say nothing of their d.
    """
    import matplotlib.pyplot as plt

    d = np.array([s.d[0].numpy()[tissue] for s in steps])
    d -= d.mean(1, keepdims=True)
    truth = d_true[tissue] - d_true[tissue].mean(0)
    iterations = [s.iteration for s in steps]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 2.9))
    left.semilogy(iterations, [s.loss for s in steps], color=INK)
    left.set(xlabel="iteration", ylabel="L, nats per voxel", title="loss")
    for axis, component, name in ((middle, 0, "rows"), (right, 1, "columns")):
        axis.plot(iterations, d[..., component], color=ESTIMATE, lw=1)
        axis.scatter([iterations[-1]] * len(truth), truth[:, component], color=INK, s=14, zorder=3)
        axis.set(xlabel="iteration", ylabel="d, mm", title=f"d along {name} (dots: truth)")
    return finish(figure)


def picture_reliability(tables: Mapping[str, Sequence[tuple[float, float, int]]]) -> Figure:
    """Calibration: of voxels said to be so sure, the share that is right.

    Args:
        tables: title → rows of `metrics.reliability`.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(4.2, 3.8))
    axis.plot([0.25, 1], [0.25, 1], color=INK, lw=1, ls=":", label="as said")
    for (title, rows), marker, colour in zip(tables.items(), "os^", RUNS, strict=False):
        said, right, _ = zip(*rows, strict=True)
        axis.plot(said, right, marker=marker, ms=5, lw=1, color=colour, label=title)
    axis.set(xlabel="said to be right, probability", ylabel="right, share of voxels")
    axis.legend(frameon=False)
    return finish(figure)


def show_labels(axis: Axes, labels: Labels, aspect: float = 1.0, **where: Any) -> None:
    """A label map on an axis without a frame; `where`: extent and origin, as for `imshow`."""
    from matplotlib.colors import ListedColormap

    colours = ListedColormap([BACKGROUND, *(TISSUE_COLOURS[t] for t in ("LV", "MYO", "RV"))])
    axis.imshow(
        labels, cmap=colours, vmin=0, vmax=3, interpolation="nearest", aspect=aspect, **where
    )
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)


def window_of(maps: Sequence[Labels], margin: int = 4) -> tuple[slice, slice]:
    """The rows and columns in which any of some stacks (K, h, w) shows tissue."""
    tissue = np.any([labels.max(0) > 0 for labels in maps], axis=0)
    rows, columns = (np.flatnonzero(tissue.any(axis)) for axis in (1, 0))
    return (
        slice(max(0, rows[0] - margin), rows[-1] + margin + 1),
        slice(max(0, columns[0] - margin), columns[-1] + margin + 1),
    )


def number_decades(axes: Axes) -> None:
    """Plain numbers at 1, 2 and 5 on logarithmic axes: those of matplotlib run into one another."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        if getattr(axis.get_transform(), "base", 0) != 10:
            continue
        low, high = sorted(axis.get_view_interval())
        for find in (LogLocator(), LogLocator(subs=(1, 2, 5)), MaxNLocator(5)):
            ticks = [tick for tick in find.tick_values(low, high) if low <= tick <= high]
            if len(ticks) > 2:
                break
        axis.set_ticks(ticks[:: -(-len(ticks) // MOST_TICKS) or 1])
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def finish(figure: Figure) -> Figure:
    """The figure laid out, at the size of `projector.scale`, and not shown twice by a notebook."""
    import matplotlib.pyplot as plt

    # A smaller figure of finer dots is as large, and its text larger.
    width, height = figure.get_size_inches()
    figure.set_size_inches(width / scale(), height / scale())
    for axis in figure.axes:
        number_decades(axis)
    below = sum(legend.get_window_extent().height for legend in figure.legends) / figure.bbox.height
    figure.tight_layout(rect=(0, below, 1, 1))
    plt.close(figure)
    figure.set_dpi(figure.dpi * scale())  # Closing resets it.
    return figure
