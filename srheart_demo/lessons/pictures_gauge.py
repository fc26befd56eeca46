"""Pictures of lesson 5: landscapes of a slice's shift, gauges, and what a prior charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from srheart_demo.dashboard.theme import INK, MUTED, RUNS, SEQUENTIAL
from srheart_demo.lessons.pictures import Labels, draw_slices, finish, show_labels, slices_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from srheart_demo.explorer.why import GaugeCurve, LossMap


def picture_landscapes(
    maps: Mapping[str, LossMap], minima: Sequence[NDArray[np.floating]]
) -> Figure:
    """L over the displacement of a slice, in maps side by side: dark is low.

    Args:
        maps: title → L with the way of a run, from a ring to a dot, and the truth, a cross.
        minima: (n, 2) local minima of each, mm along columns and rows; drawn as triangles.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("L", [str(stop[1]) for stop in SEQUENTIAL])
    figure, axes = plt.subplots(1, len(maps), figsize=(3.7 * len(maps) + 0.4, 3.6), squeeze=False)
    for axis, (title, found), low in zip(axes[0], maps.items(), minima, strict=True):
        drawn = axis.pcolormesh(
            found.x,
            found.y,
            found.L,
            cmap=colours.reversed(),
            vmax=float(np.quantile(found.L, 0.9)),
            rasterized=True,
        )
        axis.plot(*found.path.T, color="white", lw=2.6)
        axis.plot(*found.path.T, color=INK, lw=1.2, label="way of the run")
        dots = {"marker": "o", "mec": "white", "ms": 7, "ls": "none"}
        axis.plot(*found.path[0], **dots, mfc="none", label="its start")
        axis.plot(*found.path[-1], **dots | {"mec": INK}, mfc="white", label="its end")
        axis.plot(*low.T, "v", color="white", mec=INK, ms=8, ls="none", label="local minimum")
        axis.plot(*found.truth, "x", color="white", ms=9, mew=2, label="truth")
        axis.set(xlabel="d along columns, mm", ylabel="d along rows, mm", aspect="equal")
        axis.set_title(title, fontsize=10)
        axis.invert_yaxis()
        figure.colorbar(drawn, ax=axis, fraction=0.045, label="L of this slice, nats per pixel")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(),
        loc="lower center",
        ncols=5 if len(maps) > 1 else 3,
        facecolor=MUTED,  # the marks are white
        labelcolor="white",
        fontsize=9,
    )
    return finish(figure)


def picture_gauges(curves: Mapping[str, GaugeCurve]) -> Figure:
    """L_SA, and L_LA where there is one, as the heart moves one way and all slices the other."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(4.4 * len(curves), 3.1), sharey=True)
    for axis, (title, curve) in zip(np.atleast_1d(axes), curves.items(), strict=True):
        axis.plot(curve.amounts, curve.loss_sa, color=RUNS[0], lw=2, label="$L_{SA}$")
        axis.plot(curve.amounts, curve.loss_la, color=RUNS[1], lw=2, ls="--", label="$L_{LA}$")
        axis.set(xlabel="amount, mm", title=title, yscale="log")
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("loss, nats per voxel")
    first.legend(frameon=False)
    return finish(figure)


def picture_moved(hearts: Mapping[str, Labels], stacks: Mapping[str, Labels]) -> Figure:
    """Hearts cut along their length, base on top, above the stacks that they show.

    Args:
        hearts: title → (D, W) labels of a cut, 2 by 1.25 mm or alike.
        stacks: title → (K, h, w) labels.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(10.5, 5.2))
    halves = figure.add_gridspec(2, 1, height_ratios=[1.25, 1])
    above, below = (figure.add_subfigure(halves[i]) for i in (0, 1))
    for axis, (title, cut) in zip(above.subplots(1, len(hearts)), hearts.items(), strict=True):
        show_labels(axis, cut[::-1], aspect=1.6)
        axis.set_title(title, fontsize=10)
    shown = slices_of(list(stacks.values()))
    lines = below.subplots(len(stacks), len(shown), squeeze=False)
    below.subplots_adjust(left=0.17, right=0.99, wspace=0.06, hspace=0.08)
    draw_slices(lines, stacks, shown)
    plt.close(figure)
    return figure


def picture_price(
    rms: NDArray[np.floating], priors: Mapping[str, NDArray[np.floating]], gain: float
) -> Figure:
    """What priors on d charge for motion, beside what a run without a prior gained by it.

    Args:
        rms: (n,) motion, RMS over slices, mm.
        priors: title → (n,) price, nats.
        gain: nats.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 3.3))
    for (title, price), colour, style in zip(priors.items(), RUNS, ("-", "--", ":"), strict=False):
        axis.plot(rms, price, color=colour, ls=style, lw=2, label=title)
    axis.axhline(gain, color=MUTED, lw=1.2, ls="-.", label="what a false motion gains in L")
    axis.set(xlabel="motion, RMS over the slices, mm", ylabel="price, nats")
    axis.legend(frameon=False, fontsize=9)
    return finish(figure)
