"""The 2-D figures beside the heart: convergence, the latent code and the displacements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from srheart_demo.dashboard import sentences, texts, theme
from srheart_demo.dashboard.chart import Axis, Chart, Panel, Series, around

if TYPE_CHECKING:
    from srheart_demo.explorer.show import LossCurves, Shifts

TICKS = tuple(round(decade * step, 3) for decade in (0.001, 0.01, 0.1, 1, 10) for step in (1, 2, 5))
LOG_ROOM = 1.15
"""Free factor above and below a curve on a logarithmic axis."""


def log_range(values: np.ndarray) -> tuple[float, float]:
    """What a logarithmic axis shows of positive values."""
    shown = values[np.isfinite(values) & (values > 0)]
    if not len(shown):
        return 0.1, 1.0
    return float(shown.min()) / LOG_ROOM, float(shown.max()) * LOG_ROOM


def _here(x: float, y: float, run: LossCurves) -> Series:
    """The mark of what is looked at."""
    colour = theme.RUNS[run.colour]
    return Series([x], [y], colour, kind="rings", width=2.5, size=10, tells=False)


class ConvergenceChart(Chart):
    """L of every run against the iteration, and its parts in the one that is looked at."""

    def show_curves(self, curves: tuple[LossCurves, ...], at: int) -> None:
        """Draw the history of all runs, with a mark at an iteration of the active one."""
        active = next(run for run in curves if run.active)
        runs = [
            Series(
                run.iteration,
                run.loss,
                theme.RUNS[run.colour],
                name=sentences.loss_of(run) if len(curves) == 1 else sentences.run_name(run),
                dash=theme.DASHES[run.colour],
            )
            for run in curves
        ]
        parts = [
            Series(active.iteration, loss, theme.MIDDLE, name=name, width=1.6, dash=dash)
            for name, loss, dash in (
                (texts.LOSS_SA, active.loss_sa, "dashdot"),
                (texts.LOSS_LA, active.loss_la, "dot"),
            )
        ]
        here = _here(active.iteration[at], active.loss[at], active)
        last = max(int(run.iteration[-1]) for run in curves)
        shown = [run.loss for run in curves] + [active.loss_sa, active.loss_la]
        self.show(
            Panel(
                Axis(texts.ITERATION, (0, max(10, 1.02 * last)), grid=False, whole=True),
                Axis(texts.LOSS_AXIS, log_range(np.concatenate(shown)), log=True, ticks=TICKS),
                (*runs, *parts, here),
            )
        )


class LatentChart(Chart):
    """The latent code as bars, in standard deviations of the prior."""

    def show_latent(self, z: np.ndarray, colour: int) -> None:
        """Draw z (M,) in a run's colour."""
        reach = around(z, 2.0)
        bars = Series(np.arange(1, len(z) + 1), z, theme.RUNS[colour], kind="bars")
        self.show(
            Panel(
                Axis(texts.LATENT_AXIS, (0.2, len(z) + 0.8), grid=False, whole=True),
                Axis(texts.LATENT_VALUE, (-reach, reach), zero=True),
                (bars,),
            )
        )


class PathChart(Chart):
    """z of every run on its way, along the two directions that change hearts most."""

    def show_paths(self, curves: tuple[LossCurves, ...], at: int) -> None:
        """Draw all ways, with a mark where the active one is looked at."""
        active = next(run for run in curves if run.active)
        lines = [
            Series(
                run.path[:, 0],
                run.path[:, 1],
                theme.RUNS[run.colour],
                kind="line+points",
                dash=theme.DASHES[run.colour],
                size=4,
            )
            for run in curves
        ]
        way = np.concatenate([run.path for run in curves])
        room = 0.08 * np.ptp(way, axis=0) + 0.05
        ends = np.stack([way.min(0) - room, way.max(0) + room], 1).tolist()
        self.show(
            Panel(
                Axis(texts.PATH_X, tuple(ends[0]), zero=True),
                Axis(texts.PATH_Y, tuple(ends[1]), zero=True),
                (*lines, _here(active.path[at, 0], active.path[at, 1], active)),
            )
        )


class ShiftChart(Chart):
    """Each slice's displacement along rows and columns, estimated and true, base on top."""

    def show_shifts(self, shifts: Shifts, colour: int) -> None:
        """Draw estimated and true displacements of the slices that show tissue."""
        kept = shifts.tissue
        slices, truth, estimate = shifts.slices[kept], shifts.truth[kept], shifts.estimate[kept]
        reach = around([truth, estimate], 2.0, 1.12)
        gap = np.full(len(slices), np.nan)
        numbers = Axis(
            texts.SLICE_AXIS, (0.3, shifts.of + 0.7), ticks=tuple(range(1, shifts.of + 1))
        )
        self.show(
            *[
                Panel(
                    Axis(title, (-reach, reach), zero=True),
                    numbers,
                    (
                        Series(
                            np.stack([truth[:, i], estimate[:, i], gap], 1).ravel(),
                            np.repeat(slices, 3),
                            theme.MIDDLE,
                            width=1.5,
                            tells=False,
                        ),
                        Series(
                            truth[:, i],
                            slices,
                            theme.MIDDLE,
                            kind="rings",
                            name=texts.TRUE_SHIFT,
                            width=2,
                            size=10,
                        ),
                        Series(
                            estimate[:, i],
                            slices,
                            theme.RUNS[colour],
                            kind="points",
                            name=texts.ESTIMATED_SHIFT,
                            size=6,
                        ),
                    ),
                )
                for i, title in enumerate((texts.ROW_SHIFT, texts.COLUMN_SHIFT))
            ]
        )
