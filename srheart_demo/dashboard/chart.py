"""Charts drawn by a small script of our own: one message a picture, and numbers as binary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from srheart_demo.dashboard import sentences, texts, theme
from srheart_demo.dashboard.module import module
from srheart_demo.frame import rgb

if TYPE_CHECKING:
    from srheart_demo.explorer.history import Run
    from srheart_demo.explorer.moment import Moment


@dataclass(frozen=True)
class Axis:
    """One axis of a panel."""

    title: str  # with the unit
    range: tuple[float, float]  # first and last value shown
    log: bool = False  # logarithmic
    # where numbers may stand, written if they stand apart; none: the browser chooses
    ticks: tuple[float, ...] = ()
    grid: bool = True  # whether lines are drawn at the ticks
    zero: bool = False  # and at 0
    whole: bool = False  # only whole numbers are written
    names: Mapping[str, str] = field(default_factory=dict)  # what is written in place of numbers


@dataclass(frozen=True)
class Series:
    """Numbers drawn in one way; NaN parts a line."""

    x: ArrayLike  # (n,)
    y: ArrayLike  # (n,)
    colour: str
    kind: str = "line"  # "line", "points", "line+points", "rings", "crosses" or "bars"
    name: str = ""  # in the legend; "" for none. `<sub>` is understood.
    width: float = 2.5  # of lines, pixels
    dash: str = "solid"  # "solid", "dash", "dot" or "dashdot"
    size: float = 0.0  # of points, pixels
    tells: bool = True  # whether a point says its numbers when it is pointed at


@dataclass(frozen=True)
class Map:
    """Values on a grid, as colours: dark is low."""

    x: ArrayLike  # (n,) evenly spaced
    y: ArrayLike  # (m,) evenly spaced
    values: ArrayLike  # (m, n)
    range: tuple[float, float]  # of the values that are told apart
    title: str  # of the colours, with the unit


@dataclass(frozen=True)
class Panel:
    """Two axes and what stands in them."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    map: Map | None = None


class Chart(anywidget.AnyWidget):
    """Panels side by side that share their y axis; fills its place and follows the theme."""

    _esm = module("chart")

    drawing = traitlets.Dict().tag(sync=True)

    def show(self, *panels: Panel, title: str = "") -> None:
        """Draw anew; the legend stands above the panels, beside the title or the card's heading."""
        self.drawing = {"panels": [_message(panel) for panel in panels], "title": title}


def _message(panel: Panel) -> dict[str, Any]:
    return {
        "x": asdict(panel.x),
        "y": asdict(panel.y),
        "series": [vars(series) | _binary(series) for series in panel.series],
        "map": None if panel.map is None else _coloured(panel.map),
    }


def _binary(one: Series | Map) -> dict[str, Any]:
    return {n: np.asarray(getattr(one, n), np.float32).tobytes() for n in ("x", "y")}


def _coloured(one: Map) -> dict[str, Any]:
    """A map as pixels, its first row last, and the colours of its range."""
    stops, colours = zip(*DARK_IS_LOW, strict=True)
    shares = np.interp(np.asarray(one.values, float), one.range, (0, 1))[::-1]
    mixed = [np.interp(shares, stops, band) for band in zip(*map(rgb, colours), strict=True)]
    pixels = np.stack([*mixed, np.full_like(shares, 255)], -1).round().astype(np.uint8)
    known = {"range": one.range, "title": one.title, "colours": DARK_IS_LOW}
    return _binary(one) | known | {"pixels": pixels.tobytes()}


DARK_IS_LOW = [(1 - at, colour) for at, colour in reversed(theme.SEQUENTIAL)]


def around(values: ArrayLike, least: float, room: float = 1.1) -> float:
    """How far an axis around 0 must reach to show finite values, and at least to `least`."""
    sizes = np.abs(np.asarray(values, np.float32))
    return float(room * max(least, sizes[np.isfinite(sizes)].max(initial=0)))


# -- beside the heart: convergence, the latent code and the displacements ----------------------

TICKS = tuple(round(decade * step, 3) for decade in (0.001, 0.01, 0.1, 1, 10) for step in (1, 2, 5))
LOG_ROOM = 1.15  # Free factor above and below a curve on a logarithmic axis


def log_range(values: np.ndarray) -> tuple[float, float]:
    """What a logarithmic axis shows of positive values."""
    shown = values[np.isfinite(values) & (values > 0)]
    if not len(shown):
        return 0.1, 1.0
    return float(shown.min()) / LOG_ROOM, float(shown.max()) * LOG_ROOM


def _here(run: Run, x: float, y: float) -> Series:
    """The mark of what is looked at."""
    return Series([x], [y], theme.RUNS[run.colour], "rings", size=10, tells=False)


def _run(run: Run, x: np.ndarray, y: np.ndarray, **look: Any) -> Series:
    """Something of a run, in its colour and its dashes."""
    return Series(x, y, theme.RUNS[run.colour], dash=theme.DASHES[run.colour], **look)


def losses(now: Moment) -> Panel:
    """L of every run against the iteration, and its parts in the one that is looked at, with a mark
    where that is."""
    runs, (loss, *parts) = now.runs, now.losses[now.active]
    what = f"{texts.LOSS}, " if len(runs) == 1 else ""
    whole = [losses[0] for losses in now.losses]
    series = [
        _run(run, np.arange(len(L)), L, name=what + sentences.run_name(run))
        for run, L in zip(runs, whole, strict=True)
    ]
    looks = (texts.LOSS_SA, "dashdot"), (texts.LOSS_LA, "dot")
    for (part, dash), values in zip(looks, parts, strict=True):
        thin = partial(Series, name=part, dash=dash, width=1.6)
        series.append(thin(np.arange(len(values)), values, theme.MIDDLE))
    series.append(_here(now.run, now.at, loss[now.at]))
    last = max(map(len, whole)) - 1
    x = Axis(texts.ITERATION, (0, max(10, 1.02 * last)), grid=False, whole=True)
    y = Axis(texts.LOSS_AXIS, log_range(np.concatenate([*whole, *parts])), log=True, ticks=TICKS)
    return Panel(x, y, tuple(series))


def latent_code(z: np.ndarray, colour: int) -> Panel:
    """z (M,) as bars in a run's colour, in standard deviations of the prior."""
    reach = around(z, 2.0)
    x = Axis(texts.LATENT_AXIS, (0.2, len(z) + 0.8), grid=False, whole=True)
    y = Axis(texts.LATENT_VALUE, (-reach, reach), zero=True)
    return Panel(x, y, (Series(np.arange(1, len(z) + 1), z, theme.RUNS[colour], kind="bars"),))


def latent_paths(now: Moment) -> Panel:
    """z of every run on its way, along the two directions that change hearts most, with a mark
    where the active one is looked at."""
    runs, paths = now.runs, now.paths
    dotted = partial(_run, kind="line+points", size=4)
    lines = [dotted(run, *path.T) for run, path in zip(runs, paths, strict=True) if len(path)]
    mark = _here(now.run, *paths[now.active][now.at].tolist())
    way = np.concatenate(paths)
    room = 0.08 * np.ptp(way, axis=0) + 0.05
    ends = zip((way.min(0) - room).tolist(), (way.max(0) + room).tolist(), strict=True)
    names = texts.PATH_X, texts.PATH_Y
    x, y = (Axis(name, end, zero=True) for name, end in zip(names, ends, strict=True))
    return Panel(x, y, (*lines, mark))


def slice_shifts(now: Moment) -> list[Panel]:
    """Displacements along rows and columns, estimated and true, of each slice that shows tissue,
    base on top, and of each view above it."""
    shifts, scene, colour = now.shifts, now.scene, theme.RUNS[now.run.colour]
    views = len(scene.view_names)
    apart = ceil(scene.of / max(7.5 - views, 1.0))  # rows between names, in the least room
    top = scene.of + apart * np.arange(1, views + 1)
    rows = scene.of + apart * views
    known = np.concatenate([shifts.tissue, np.ones(len(top), bool)])
    slices = np.concatenate([scene.slices + 1, top])[known]
    truth, estimate = shifts.truth[known], shifts.estimate[known]
    reach = around([truth, estimate], 2.0, 1.12)
    names = dict(zip(map(str, top), scene.view_names, strict=True))
    ticks = *range(1, scene.of + 1), *map(int, top)
    numbers = Axis(texts.SLICE_AXIS, (0.3, rows + 0.7), ticks=ticks, names=names)
    true = partial(Series, kind="rings", name=texts.TRUE_SHIFT, width=2, size=10)
    found = partial(Series, kind="points", name=texts.ESTIMATED_SHIFT, size=6)
    gap = np.full(len(slices), np.nan)
    panels = []
    for i, title in enumerate((texts.ROW_SHIFT, texts.COLUMN_SHIFT)):
        between = np.stack([truth[:, i], estimate[:, i], gap], 1).ravel()
        series = (
            Series(between, np.repeat(slices, 3), theme.MIDDLE, width=1.5, tells=False),
            true(truth[:, i], slices, theme.MIDDLE),
            found(estimate[:, i], slices, colour),
        )
        panels.append(Panel(Axis(title, (-reach, reach), zero=True), numbers, series))
    return panels
