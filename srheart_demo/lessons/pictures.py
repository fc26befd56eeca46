"""What lessons draw: label maps and curves, by matplotlib so that they show without running, and
`try_it`, which puts sliders beside a picture."""

import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import HTML, HBox, Image, Layout, VBox, interactive
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from srheart_demo.dashboard.theme import BACKGROUND, INK, MIDDLE, MUTED, RUNS, SEQUENTIAL
from srheart_demo.frame import HR_SPACING, TISSUE_COLOURS
from srheart_demo.heart.distances import tissue_box, widened

Labels = NDArray[np.uint8]
HEART = (BACKGROUND, *(TISSUE_COLOURS[tissue] for tissue in ("LV", "MYO", "RV")))
"""Colours of the labels."""
SHADES = LinearSegmentedColormap.from_list("shades", [str(colour) for _, colour in SEQUENTIAL])
COLOURS = (*RUNS, INK)
STYLES = ("-", "--", ":", "-.")
_WIDEST = 13.6  # Inches, of a row of slices
MOST_TICKS = 8
DPI = 110  # Of a picture beside sliders
PROJECTOR, ENLARGEMENT = "SRHEART_PROJECTOR", 1.35
"""Of the environment: pictures that a whole room can read; ``make lab PROJECTOR=1`` sets it."""


def scale() -> float:
    """How many times larger text and lines of a picture are to be, the picture staying as large."""
    return ENLARGEMENT if os.environ.get(PROJECTOR, "") not in ("", "0") else 1.0


def grid(
    rows: Mapping[str, Sequence[Labels]],
    side: float = 1.3,
    titles: Iterable[str] = (),
    captions: Mapping[str, Sequence[str]] | None = None,
    colours: Sequence[str] = HEART,
) -> tuple[Figure, NDArray[Any]]:
    """Label maps of square pixels in rows; the figure, to be finished, and its axes.

    `rows` are title, at the left → label maps, as many in each row, `side` inches wide; `captions`
    are title of a row → what stands below each of its pictures.
    """
    first = [pictures[0].shape for pictures in rows.values()]
    heights = [side * h / w + 0.2 for h, w in first]
    n = len(next(iter(rows.values())))
    size = (side * n + 1.1 * any(rows), sum(heights) + 0.3)
    figure, axes = plt.subplots(len(rows), n, figsize=size, height_ratios=heights, squeeze=False)
    for line, (title, pictures) in zip(axes, rows.items(), strict=True):
        for axis, labels in zip(line, pictures, strict=True):
            show_labels(axis, labels, colours=colours)
        for axis, caption in zip(line, (captions or {}).get(title, ()), strict=False):
            axis.set_xlabel(caption, fontsize=9)
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", labelpad=8)
    for axis, title in zip(axes[0], titles, strict=False):
        axis.set_title(title, fontsize=10)
    return figure, axes


def slices(
    rows: Mapping[str, Labels],
    every: int = 1,
    colours: Sequence[str] = HEART,
    what: str = "slice, from apex to base",
) -> Figure:
    """Label maps as rows of slices, cut to the tissue; empty ones are left out.

    `rows` are title → (K, h, w) labels, all of one shape; every so many-th slice is shown.
    """
    numbers = slices_of(list(rows.values()), every)
    window = window_of(list(rows.values()))
    shown = {title: [labels[k][window] for k in numbers] for title, labels in rows.items()}
    side = min(1.3, _WIDEST / len(numbers))
    last = {[*rows][-1]: [str(k + 1) for k in numbers]}
    figure, _ = grid(shown, side, captions=last, colours=colours)
    left_out = len(numbers) < len(range(0, len(next(iter(rows.values()))), every))
    figure.supxlabel(what + ("; empty ones are left out" if left_out else ""), fontsize=9)
    return finish(figure)


def cuts(maps: Mapping[str, Labels], spacing: tuple[float, float, float]) -> Figure:
    """Label maps (D, H, W) cut along their length through the middle of the LV, base on top."""
    _, row = middle(next(iter(maps.values())))
    shown = [lengthwise(labels, row, spacing) for labels in maps.values()]
    window = window_of([labels[None] for labels in shown])
    return finish(grid({"": [labels[window] for labels in shown]}, 2.6, maps)[0])


def lengthwise(
    heart: NDArray[Any], row: int, spacing: tuple[float, float, float] = HR_SPACING
) -> NDArray[Any]:
    """Values (D, H, W) cut along their length, in square pixels, base on top."""
    depth = (np.arange(0, len(heart) * spacing[0], spacing[2]) / spacing[0]).astype(int)
    return heart[depth[::-1], row]


def outline(axis: Axes, inside: NDArray[Any], **look: Any) -> None:
    """The border of a region, black; `look` as for `contour`."""
    axis.contour(inside, [0.5], **{"colors": INK, "linewidths": 1.1, **look})


def scale_bar(axis: Axes) -> None:
    """A bar of 50 mm at the lower left of a picture whose pixels are those of the HR grid."""
    end, bottom = 6 + 50 / HR_SPACING[2], axis.get_ylim()[0] - 6
    axis.plot([6, end], [bottom, bottom], color=MUTED, lw=2)
    axis.text(end + 4, bottom, "50 mm", fontsize=7, va="center", color=MUTED)


def lines(*panels: Mapping[str, Any], width: float = 4.6) -> Figure:
    """Curves in panels side by side; each panel holds what `draw_lines` takes: lines, x, names."""
    size = (width * len(panels), 3.2)
    figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        draw_lines(axis, **panel)
    return finish(figure)


def slices_of(maps: Sequence[Labels], every: int = 1) -> list[int]:
    """The slices of stacks (K, h, w), every so many-th, in which any shows tissue."""
    numbers = range(0, len(maps[0]), every)
    return [k for k in numbers if any(labels[k].any() for labels in maps)]


def middle(labels: Labels) -> tuple[int, int]:
    """The slice and the row in the middle of the LV of a heart (D, H, W), or of its box."""
    inside = np.argwhere(labels == 1) if (labels == 1).any() else (np.array([labels.shape]) - 1) / 2
    level, row, _ = inside.mean(axis=0).astype(int).tolist()
    return level, row


def window_of(maps: Sequence[Labels]) -> tuple[slice, ...]:
    """The rows and columns in which any of some stacks (K, h, w) shows tissue, and four around."""
    tissue = np.any([labels.max(0) > 0 for labels in maps], axis=0)
    return widened(tissue_box(tissue), (4, 4))


def show_labels(
    axis: Axes, labels: Labels, aspect: float = 1.0, colours: Sequence[str] = HEART, **where: Any
) -> None:
    """A label map on an axis without a frame; `where`: extent and origin, as for `imshow`."""
    look: dict[str, Any] = {"cmap": ListedColormap(colours), "vmin": 0, "vmax": len(colours) - 1}
    axis.imshow(labels, interpolation="nearest", aspect=aspect, **look, **where)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def draw_lines(
    axis: Axes,
    lines: Mapping[str, ArrayLike],
    x: ArrayLike | Mapping[str, ArrayLike] | None = None,
    colours: Iterable[str] = COLOURS,
    markers: Sequence[str] = ("",),
    mark: float | None = None,
    **axes: Any,
) -> None:
    """Curves told apart by colour and dash, with a legend where there are several.

    `lines` are title → values, and stand over `x`, all or each by its title, or over their numbers
    from 0. Each has one of `colours` and `markers`; a dotted line stands at `mark`. `axes` are
    names, limits and scales, as for `axis.set`.
    """
    for i, ((title, y), colour) in enumerate(zip(lines.items(), colours, strict=False)):
        over = x.get(title) if isinstance(x, Mapping) else x
        over = np.arange(len(np.asarray(y))) if over is None else over
        look: dict[str, Any] = {"ls": STYLES[i % len(STYLES)], "marker": markers[i % len(markers)]}
        axis.plot(over, y, color=colour, lw=1.8, label=title, **look)
    axis.set(**axes)
    if mark is not None:
        axis.axvline(mark, color=MIDDLE, lw=1, ls=":")
    if len(lines) > 1:
        axis.legend(frameon=False, fontsize=9)


def finish(figure: Figure) -> Figure:
    """The figure laid out, at the `scale` of a projector, and not shown twice by a notebook."""
    # A smaller figure of finer dots is as large, and its text larger.
    width, height = figure.get_size_inches()
    figure.set_size_inches(width / scale(), height / scale())
    for axis in figure.axes:
        _number_decades(axis)
    below = sum(legend.get_window_extent().height for legend in figure.legends) / figure.bbox.height
    figure.tight_layout(rect=(0, below, 1, 1))
    plt.close(figure)
    figure.set_dpi(figure.dpi * scale())  # Closing resets it.
    return figure


def _number_decades(axes: Axes) -> None:
    """Plain numbers at 1, 2 and 5 on logarithmic axes: those of matplotlib run into one another."""
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


class TryIt(VBox):
    """A picture, and controls for the arguments of the function that draws it.

    Each may be as `ipywidgets.interactive` abbreviates it: (least, most, step), a list, a bool. It
    shows as widgets where a kernel runs, and as the first picture elsewhere.
    """

    def __init__(self, draw: Callable[..., Figure], **controls: Any) -> None:
        self._draw = draw
        # Of ipywidgets' own only the sliders: a picture that is replaced in place does not flicker.
        self._controls = interactive(draw, {"manual": True}, **controls).kwargs_widgets
        self._message = HTML()
        where = Layout(max_width="100%", align_self="flex-start")
        self._picture = Image(format="png", value=self._png(), layout=where)
        for control in self._controls:
            if hasattr(control, "continuous_update"):
                control.continuous_update = False
            control.style.description_width = "initial"
            control.observe(lambda _: self._show(), "value")
        row = HBox(self._controls, layout=Layout(flex_flow="row wrap"))
        super().__init__([row, self._picture, self._message])

    def _png(self) -> bytes:
        figure = self._draw(**{control.description: control.value for control in self._controls})
        drawn = BytesIO()
        figure.savefig(drawn, format="png", dpi=DPI * scale())
        return drawn.getvalue()

    def _show(self) -> None:
        try:
            self._picture.value, self._message.value = self._png(), ""
        except Exception as error:  # Of a learner's own function: to be read, not to end the page.
            self._message.value = f"<b>That did not work:</b> {type(error).__name__}: {error}"

    def _repr_mimebundle_(self, **more: Any) -> dict[str, Any]:
        still = {"text/plain": "controls, and a picture"}
        still["image/png"] = b64encode(self._picture.value).decode()
        return {**super()._repr_mimebundle_(**more), **still}


try_it = TryIt
