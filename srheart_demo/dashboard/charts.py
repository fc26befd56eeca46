"""The 2-D figures beside the heart: convergence, the latent code and the displacements."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from srheart_demo.dashboard import sentences, texts, theme
from srheart_demo.dashboard.chart import Axis, Chart, Panel, Series, around

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import LossCurves, Shifts

TICKS = tuple(round(decade * step, 3) for decade in (0.001, 0.01, 0.1, 1, 10) for step in (1, 2, 5))
LOG_ROOM = 1.15
"""Free factor above and below a curve on a logarithmic axis."""


def log_range(values: np.ndarray) -> tuple[float, float]:
    """What a logarithmic axis shows of positive values."""
    shown = values[np.isfinite(values) & (values > 0)]
    if not len(shown):
        return 0.1, 1.0
    return float(shown.min()) / LOG_ROOM, float(shown.max()) * LOG_ROOM


def _here(run: LossCurves, x: float, y: float) -> Series:
    """The mark of what is looked at."""
    ring = partial(Series, kind="rings", width=2.5, size=10, tells=False)
    return ring([x], [y], theme.RUNS[run.colour])


def _run(run: LossCurves, x: np.ndarray, y: np.ndarray, **look: Any) -> Series:
    """Something of a run, in its colour and its dashes."""
    return Series(x, y, theme.RUNS[run.colour], dash=theme.DASHES[run.colour], **look)


class ConvergenceChart(Chart):
    """L of every run against the iteration, and its parts in the one that is looked at."""

    def show_curves(self, curves: tuple[LossCurves, ...], at: int) -> None:
        """Draw the history of all runs, with a mark at an iteration of the active one."""
        active = next(run for run in curves if run.active)
        name = sentences.loss_of if len(curves) == 1 else sentences.run_name
        series = [_run(run, run.iteration, run.loss, name=name(run)) for run in curves]
        for part, loss, dash in (
            (texts.LOSS_SA, active.loss_sa, "dashdot"),
            (texts.LOSS_LA, active.loss_la, "dot"),
        ):
            thin = partial(Series, name=part, dash=dash, width=1.6)
            series.append(thin(active.iteration, loss, theme.MIDDLE))
        series.append(_here(active, active.iteration[at], active.loss[at]))
        last = max(int(run.iteration[-1]) for run in curves)
        shown = [run.loss for run in curves] + [active.loss_sa, active.loss_la]
        x = Axis(texts.ITERATION, (0, max(10, 1.02 * last)), grid=False, whole=True)
        y = Axis(texts.LOSS_AXIS, log_range(np.concatenate(shown)), log=True, ticks=TICKS)
        self.show(Panel(x, y, tuple(series)))


class LatentChart(Chart):
    """The latent code as bars, in standard deviations of the prior."""

    def show_latent(self, z: np.ndarray, colour: int) -> None:
        """Draw z (M,) in a run's colour."""
        reach = around(z, 2.0)
        x = Axis(texts.LATENT_AXIS, (0.2, len(z) + 0.8), grid=False, whole=True)
        y = Axis(texts.LATENT_VALUE, (-reach, reach), zero=True)
        bars = Series(np.arange(1, len(z) + 1), z, theme.RUNS[colour], kind="bars")
        self.show(Panel(x, y, (bars,)))


class PathChart(Chart):
    """z of every run on its way, along the two directions that change hearts most."""

    def show_paths(self, curves: tuple[LossCurves, ...], at: int) -> None:
        """Draw all ways, with a mark where the active one is looked at."""
        active = next(run for run in curves if run.active)
        dotted = partial(_run, kind="line+points", size=4)
        lines = [dotted(run, *run.path.T) for run in curves if len(run.path)]
        way = np.concatenate([run.path for run in curves])
        room = 0.08 * np.ptp(way, axis=0) + 0.05
        ends = zip((way.min(0) - room).tolist(), (way.max(0) + room).tolist(), strict=True)
        names = texts.PATH_X, texts.PATH_Y
        x, y = (Axis(name, end, zero=True) for name, end in zip(names, ends, strict=True))
        self.show(Panel(x, y, (*lines, _here(active, *active.path[at].tolist()))))


class ShiftChart(Chart):
    """Each slice's displacement along rows and columns, estimated and true, base on top."""

    def show_shifts(self, shifts: Shifts, colour: int) -> None:
        """Draw estimated and true displacements of the slices that show tissue."""
        kept = shifts.tissue
        slices, truth, estimate = shifts.slices[kept], shifts.truth[kept], shifts.estimate[kept]
        reach = around([truth, estimate], 2.0, 1.12)
        ticks = tuple(range(1, shifts.of + 1))
        numbers = Axis(texts.SLICE_AXIS, (0.3, shifts.of + 0.7), ticks=ticks)
        true = partial(Series, kind="rings", name=texts.TRUE_SHIFT, width=2, size=10)
        found = partial(Series, kind="points", name=texts.ESTIMATED_SHIFT, size=6)
        gap = np.full(len(slices), np.nan)
        panels = []
        for i, title in enumerate((texts.ROW_SHIFT, texts.COLUMN_SHIFT)):
            between = np.stack([truth[:, i], estimate[:, i], gap], 1).ravel()
            series = (
                Series(between, np.repeat(slices, 3), theme.MIDDLE, width=1.5, tells=False),
                true(truth[:, i], slices, theme.MIDDLE),
                found(estimate[:, i], slices, theme.RUNS[colour]),
            )
            panels.append(Panel(Axis(title, (-reach, reach), zero=True), numbers, series))
        self.show(*panels)
