"""Charts drawn by a small script of our own: one message a picture, and numbers as binary.

Four plotly figures took a browser half a second a picture; these take some milliseconds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from srheart_demo.dashboard import theme
from srheart_demo.dashboard.module import module
from srheart_demo.frame import rgb


@dataclass(frozen=True)
class Axis:
    """One axis of a panel.

    Attributes:
        title: with the unit.
        range: first and last value shown.
        log: logarithmic.
        ticks: where numbers may stand; none: the browser chooses. It writes as many as stand
            apart, and at least two.
        grid, zero: whether lines are drawn at the ticks, and at 0.
        whole: only whole numbers are written.
    """

    title: str
    range: tuple[float, float]
    log: bool = False
    ticks: tuple[float, ...] = ()
    grid: bool = True
    zero: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Series:
    """Numbers drawn in one way; NaN parts a line.

    Attributes:
        x, y: (n,).
        kind: "line", "points", "line+points", "rings", "crosses" or "bars".
        name: in the legend; "" for none. `<sub>` is understood.
        width: of lines, pixels.
        dash: "solid", "dash", "dot" or "dashdot".
        size: of points, pixels.
        tells: whether a point says its numbers when it is pointed at.
    """

    x: ArrayLike
    y: ArrayLike
    colour: str
    kind: str = "line"
    name: str = ""
    width: float = 2.5
    dash: str = "solid"
    size: float = 0.0
    tells: bool = True


@dataclass(frozen=True)
class Map:
    """Values on a grid, as colours: dark is low.

    Attributes:
        x, y: (n,), (m,) evenly spaced.
        values: (m, n).
        range: of the values that are told apart.
        title: of the colours, with the unit.
    """

    x: ArrayLike
    y: ArrayLike
    values: ArrayLike
    range: tuple[float, float]
    title: str


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
