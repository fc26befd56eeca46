"""The 2-D figures: convergence, the latent code and the displacements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from srheart_demo.ui import texts, theme
from srheart_demo.ui.shared_plotly import Figure

if TYPE_CHECKING:
    from srheart_demo.session import Curves, Shifts


TICKS = [round(decade * step, 3) for decade in (0.001, 0.01, 0.1, 1, 10) for step in (1, 2, 5)]


class ConvergenceChart(Figure):
    """L, L_SA and L_LA against the iteration."""

    def __init__(self) -> None:
        lines = [
            (texts.LOSS, {"color": theme.INK, "width": 2.5}),
            (texts.LOSS_SA, {"color": theme.ESTIMATE, "width": 2}),
            (texts.LOSS_LA, {"color": theme.LONG_AXIS, "width": 2, "dash": "dash"}),
        ]
        traces = [
            go.Scatter(name=name, line=line, mode="lines", hovertemplate="%{y:.4f}")
            for name, line in lines
        ]
        layout = theme.layout(
            xaxis=theme.axis(texts.ITERATION, rangemode="tozero", showgrid=False),
            yaxis=theme.axis(
                texts.LOSS_AXIS, type="log", tickvals=TICKS, ticktext=[*map(str, TICKS)]
            ),
            hovermode="x unified",
            showlegend=True,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "top"},
        )
        super().__init__(traces, layout)

    def show_curves(self, curves: Curves) -> None:
        """Draw the history of a run."""
        values = (curves.loss, curves.loss_sa, curves.loss_la)
        with self.batch_update():
            for trace, value in zip(self.data, values, strict=True):
                trace.x, trace.y = curves.iteration, value
            self.layout.xaxis.range = [0, max(10, int(curves.iteration[-1]))]


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

    def show_latent(self, z: np.ndarray) -> None:
        """Draw z (M,)."""
        reach = max(3.2, 1.1 * float(np.abs(z).max(initial=0)))
        with self.batch_update():
            self.data[0].x = np.arange(1, len(z) + 1, dtype=np.int32)
            self.data[0].y = z
            self.layout.xaxis.range = [0.2, len(z) + 0.8]
            self.layout.yaxis.range = [-reach, reach]


class ShiftChart(Figure):
    """Each slice's displacement along rows and columns, estimated and true, base on top."""

    def __init__(self) -> None:
        traces = []
        for x_axis in ("x", "x2"):
            traces += [
                go.Scatter(
                    xaxis=x_axis,
                    mode="lines",
                    line={"color": theme.TRUTH, "width": 1.5},
                    hoverinfo="skip",
                    showlegend=False,
                ),
                go.Scatter(
                    xaxis=x_axis,
                    mode="markers",
                    name=texts.TRUE_SHIFT,
                    marker={
                        "size": 10,
                        "color": "white",
                        "line": {"color": theme.INK, "width": 1.6},
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
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
            margin={"l": 46, "r": 10, "t": 24, "b": 34},
        )
        super().__init__(traces, layout)

    def show_shifts(self, shifts: Shifts) -> None:
        """Draw estimated and true displacements of the slices that show tissue."""
        kept = shifts.tissue
        slices = shifts.slices[kept].astype(np.int32)
        gap = np.full(len(slices), np.nan, np.float32)
        reach = 1.15 * max(2.0, float(np.abs(shifts.truth[kept]).max(initial=0)))
        reach = max(reach, 1.1 * float(np.abs(shifts.estimate[kept]).max(initial=0)))
        with self.batch_update():
            for component in range(2):
                true, estimate = shifts.truth[kept, component], shifts.estimate[kept, component]
                error, truth, guess = self.data[3 * component : 3 * component + 3]
                error.x = np.stack([true, estimate, gap], 1).ravel().astype(np.float32)
                error.y = np.repeat(slices, 3)
                truth.x, truth.y = true.astype(np.float32), slices
                guess.x, guess.y = estimate.astype(np.float32), slices
            self.layout.xaxis.range = self.layout.xaxis2.range = [-reach, reach]
            self.layout.yaxis.range = [0.3, len(shifts.slices) + 0.7]
