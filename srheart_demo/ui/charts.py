"""The 2-D figures beside the heart: convergence, the latent code and the displacements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from srheart_demo.ui import texts, theme
from srheart_demo.ui.shared_plotly import Figure

if TYPE_CHECKING:
    from srheart_demo.session import Curves, Shifts


TICKS = [round(decade * step, 3) for decade in (0.001, 0.01, 0.1, 1, 10) for step in (1, 2, 5)]
LEGEND = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "bgcolor": theme.PAPER}


def _here(**more: Any) -> go.Scatter:
    """The mark of what is looked at."""
    return go.Scatter(
        mode="markers",
        marker={"size": 10, "color": theme.PAPER, "line": {"width": 2.5, "color": theme.RUNS[0]}},
        hoverinfo="skip",
        showlegend=False,
        **more,
    )


def _run_lines(**more: Any) -> list[go.Scatter]:
    """A line for each run that is kept."""
    return [
        go.Scatter(mode="lines", line={"color": colour, "width": 2.5, "dash": dash}, **more)
        for colour, dash in zip(theme.RUNS, theme.DASHES, strict=True)
    ]


class ConvergenceChart(Figure):
    """L of every run against the iteration, and its parts in the one that is looked at."""

    def __init__(self) -> None:
        runs = _run_lines(name=texts.LOSS, hovertemplate="%{y:.4f}")
        parts = [
            go.Scatter(
                name=name,
                mode="lines",
                line={"color": theme.MIDDLE, "width": 1.6, "dash": dash},
                hovertemplate="%{y:.4f}",
            )
            for name, dash in ((texts.LOSS_SA, "solid"), (texts.LOSS_LA, "dot"))
        ]
        layout = theme.layout(
            xaxis=theme.axis(texts.ITERATION, rangemode="tozero", showgrid=False),
            yaxis=theme.axis(
                texts.LOSS_AXIS, type="log", tickvals=TICKS, ticktext=[*map(str, TICKS)]
            ),
            hovermode="x unified",
            showlegend=True,
            legend=LEGEND | {"yanchor": "top"},
        )
        super().__init__([*runs, *parts, _here()], layout)

    def show_curves(self, curves: tuple[Curves, ...], at: int) -> None:
        """Draw the history of all runs, with a mark at an iteration of the active one."""
        active = next(run for run in curves if run.active)
        by_colour = {run.colour: run for run in curves}
        with self.batch_update():
            for colour, trace in enumerate(self.data[:3]):
                run = by_colour.get(colour)
                trace.visible = run is not None
                if run is not None:
                    trace.x, trace.y = run.iteration, run.loss
                    trace.name = texts.LOSS if len(curves) == 1 else texts.run_name(run)
            for trace, values in zip(self.data[3:5], (active.loss_sa, active.loss_la), strict=True):
                trace.x, trace.y = active.iteration, values
            _mark(self.data[5], active, active.iteration[at], active.loss[at])
            last = max(int(run.iteration[-1]) for run in curves)
            self.layout.xaxis.range = [0, max(10, 1.02 * last)]


def _mark(trace: go.Scatter, run: Curves, x: float, y: float) -> None:
    trace.x, trace.y = [float(x)], [float(y)]
    trace.marker.line.color = theme.RUNS[run.colour]


class LatentChart(Figure):
    """The latent code as bars, in standard deviations of the prior."""

    def __init__(self) -> None:
        bars = go.Bar(
            marker={"color": theme.ESTIMATE, "line": {"width": 0}},
            hovertemplate=texts.LATENT_HOVER,
        )
        layout = theme.layout(
            xaxis=theme.axis(texts.LATENT_AXIS, showgrid=False, nticks=8),
            yaxis=theme.axis(texts.LATENT_VALUE, range=[-3.2, 3.2], nticks=4),
            bargap=0.25,
        )
        super().__init__([bars], layout)

    def show_latent(self, z: np.ndarray, colour: int) -> None:
        """Draw z (M,) in a run's colour."""
        reach = max(2.0, 1.1 * float(np.abs(z).max(initial=0)))
        with self.batch_update():
            self.data[0].x = np.arange(1, len(z) + 1, dtype=np.int32)
            self.data[0].y = z
            self.data[0].marker.color = theme.RUNS[colour]
            self.layout.xaxis.range = [0.2, len(z) + 0.8]
            self.layout.yaxis.range = [-reach, reach]


class PathChart(Figure):
    """z of every run on its way, along the two directions that change hearts most."""

    def __init__(self) -> None:
        lines = [
            line.update(mode="lines+markers", marker={"size": 4})
            for line in _run_lines(hovertemplate="%{x:.2f}, %{y:.2f} SD<extra></extra>")
        ]
        layout = theme.layout(
            xaxis=theme.axis(texts.PATH_X, zeroline=True),
            yaxis=theme.axis(texts.PATH_Y, zeroline=True, nticks=4),
        )
        super().__init__([*lines, _here()], layout)

    def show_paths(self, curves: tuple[Curves, ...], at: int) -> None:
        """Draw all ways, with a mark where the active one is looked at."""
        by_colour = {run.colour: run for run in curves}
        with self.batch_update():
            for colour, trace in enumerate(self.data[:3]):
                run = by_colour.get(colour)
                trace.visible = run is not None
                if run is not None:
                    trace.x, trace.y = np.ascontiguousarray(run.path.T)
            active = next(run for run in curves if run.active)
            _mark(self.data[3], active, *active.path[at])


class ShiftChart(Figure):
    """Each slice's displacement along rows and columns, estimated and true, base on top."""

    def __init__(self) -> None:
        traces = []
        for x_axis in ("x", "x2"):
            traces += [
                go.Scatter(
                    xaxis=x_axis,
                    mode="lines",
                    line={"color": theme.MIDDLE, "width": 1.5},
                    hoverinfo="skip",
                    showlegend=False,
                ),
                go.Scatter(
                    xaxis=x_axis,
                    mode="markers",
                    name=texts.TRUE_SHIFT,
                    marker={
                        "size": 10,
                        "color": theme.PAPER,
                        "line": {"color": theme.MIDDLE, "width": 2},
                    },
                    hovertemplate=texts.SHIFT_HOVER,
                    showlegend=x_axis == "x",
                ),
                go.Scatter(
                    xaxis=x_axis,
                    mode="markers",
                    name=texts.ESTIMATED_SHIFT,
                    marker={"size": 6, "color": theme.ESTIMATE},
                    hovertemplate=texts.SHIFT_HOVER,
                    showlegend=x_axis == "x",
                ),
            ]
        layout = theme.layout(
            xaxis=theme.axis(texts.ROW_SHIFT, domain=[0, 0.48], zeroline=True),
            xaxis2=theme.axis(texts.COLUMN_SHIFT, domain=[0.52, 1], zeroline=True, anchor="y"),
            yaxis=theme.axis(texts.SLICE_AXIS, dtick=3, tick0=1, zeroline=False),
            showlegend=True,
            legend=LEGEND | {"yanchor": "bottom"},
            margin={"l": 46, "r": 10, "t": 24, "b": 34},
        )
        super().__init__(traces, layout)

    def show_shifts(self, shifts: Shifts, colour: int) -> None:
        """Draw estimated and true displacements of the slices that show tissue."""
        kept = shifts.tissue
        slices = shifts.slices[kept].astype(np.int32)
        gap = np.full(len(slices), np.nan, np.float32)
        shown = np.concatenate([shifts.truth[kept], shifts.estimate[kept]]).ravel()
        reach = 1.12 * max(2.0, float(np.abs(shown[np.isfinite(shown)]).max(initial=0)))
        with self.batch_update():
            for component in range(2):
                true, estimate = shifts.truth[kept, component], shifts.estimate[kept, component]
                error, truth, guess = self.data[3 * component : 3 * component + 3]
                error.x = np.stack([true, estimate, gap], 1).ravel().astype(np.float32)
                error.y = np.repeat(slices, 3)
                truth.x, truth.y = true.astype(np.float32), slices
                guess.x, guess.y = estimate.astype(np.float32), slices
                guess.marker.color = theme.RUNS[colour]
            self.layout.xaxis.range = self.layout.xaxis2.range = [-reach, reach]
            self.layout.yaxis.range = [0.3, shifts.of + 0.7]
            self.layout.yaxis.dtick = 3 if shifts.of <= 16 else 5
