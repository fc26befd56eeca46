"""The dashboard: builds the cards, wires the controls to a runner, shows what the runner has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ipywidgets as w
from IPython.display import display

from srheart_demo.ui import texts
from srheart_demo.ui.charts import ConvergenceChart, LatentChart, ShiftChart
from srheart_demo.ui.heart3d import HeartView
from srheart_demo.ui.layout import compose, convergence_card, heart_card, unknowns_card
from srheart_demo.ui.page import Page
from srheart_demo.ui.panels import RunPanel, ScanPanel, ScorePanel, named
from srheart_demo.ui.runner import Runner, State
from srheart_demo.ui.shared_plotly import PlotlyLibrary
from srheart_demo.ui.slices import SlicesPanel

if TYPE_CHECKING:
    from srheart_demo.session import Frame, Progress, Scores, Session
    from srheart_demo.surface import Mesh

WORDS = {
    State.LOADING: texts.LOADING,
    State.READY: texts.READY,
    State.RUNNING: texts.RUNNING,
    State.PAUSED: texts.PAUSED,
    State.DONE: texts.DONE,
    State.FAILED: texts.FAILED,
}


def load_session() -> Session:
    """The first session. Torch is imported no sooner than here, when the interface stands."""
    from srheart_demo.session import Session, use_one_thread

    use_one_thread()
    return Session()


class Explorer:
    """The dashboard. `box` is the widget to display, `runner` what it drives."""

    def __init__(self) -> None:
        self.page = Page(names=texts.NAMES)
        self.scan, self.run, self.score = ScanPanel(), RunPanel(), ScorePanel()
        self.slices = SlicesPanel()
        self.heart = HeartView()
        self.shifts, self.latent, self.convergence = ShiftChart(), LatentChart(), ConvergenceChart()
        self.show_truth, self.show_slices = (
            named(w.Checkbox(True, description=text, indent=False), name)
            for text, name in (
                (texts.SHOW_TRUTH, "srh-show-truth"),
                (texts.SHOW_SLICES, "srh-show-slices"),
            )
        )
        self.box = compose(
            [self.scan.box, self.run.box],
            heart_card(self.heart, [self.show_truth, self.show_slices]),
            self.slices.box,
            [
                unknowns_card(self.shifts, self.latent),
                convergence_card(self.convergence),
                self.score.box,
            ],
            [PlotlyLibrary(), self.page],
        )
        self._progress: Progress | None = None
        self._state, self._problem = State.LOADING, ""
        self.runner = Runner(load_session, self, self.page, self._look())
        self._write_status()

    # -- what the runner calls -------------------------------------------------------------

    def show_scan(self, session: Session) -> None:
        """The choices, and what does not change during a run."""
        if not self.run.preset.options:
            self._fill_choices(session)
        self.heart.show_ghost(session.ghost())

    def show_frame(self, frame: Frame) -> None:
        """The 2-D views, and the slices in the 3-D view unless a hand is on it."""
        self._progress = frame.progress
        self._write_status()
        self.convergence.show_curves(frame.curves)
        self.latent.show_latent(frame.z)
        self.shifts.show_shifts(frame.shifts)
        self.slices.show(frame)

    def show_heart(self, scene: Scene3D) -> None:
        """The 3-D view."""
        self.heart.show(scene)

    def show_scores(self, scores: Scores) -> None:
        """How good the estimate is."""
        self.score.show_scores(scores)

    def show_state(self, state: State, problem: str) -> None:
        """What the run is doing, and which buttons make sense."""
        self._state, self._problem = state, problem
        busy = state in (State.LOADING, State.RUNNING)
        self.run.run.disabled = busy
        self.run.step.disabled = state in (State.LOADING, State.RUNNING, State.DONE)
        self.run.pause.disabled = state is not State.RUNNING
        self._write_status()
