"""The dashboard: builds the cards, wires the controls to a runner, shows what the runner has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import ipywidgets as w
from IPython.display import display

from srheart_demo.ui import texts
from srheart_demo.ui.charts import ConvergenceChart, LatentChart, ShiftChart
from srheart_demo.ui.heart3d import HeartView
from srheart_demo.ui.layout import compose, convergence_card, heart_card, story_card, unknowns_card
from srheart_demo.ui.page import Page
from srheart_demo.ui.panels import RunPanel, ScanPanel, ScorePanel, named
from srheart_demo.ui.runner import Runner, State
from srheart_demo.ui.shared_plotly import Figure, PlotlyLibrary
from srheart_demo.ui.slices import SlicesPanel

if TYPE_CHECKING:
    from srheart_demo.session import Frame, Heart, Progress, Scores, Session

FIRST_MOTION = 4.0
"""Severe motion: the first picture shows a stack that plainly needs repair."""
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
    from srheart_demo.samples import SAMPLES
    from srheart_demo.session import Scan, Session, use_one_thread

    use_one_thread()
    return Session(Scan(SAMPLES[0], motion=FIRST_MOTION))


class Explorer:
    """The dashboard. `box` is the widget to display, `runner` what it drives."""

    def __init__(self) -> None:
        self.page = Page(names=texts.NAMES)
        self.scan, self.run, self.score = ScanPanel(), RunPanel(), ScorePanel()
        self.slices, self.heart = SlicesPanel(), HeartView()
        self.shifts, self.latent, self.convergence = ShiftChart(), LatentChart(), ConvergenceChart()
        self.show_truth = named(_checkbox(texts.SHOW_TRUTH), "srh-show-truth")
        self.show_slices = named(_checkbox(texts.SHOW_SLICES), "srh-show-slices")
        self.box = compose(
            [self.scan.box, self.run.box, story_card()],
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
        self._filled, self._scanned = False, ("", 0.0, False)
        self.runner = Runner(load_session, self, self.page, self._look())
        self.show_state(State.LOADING, "")
        self._wire()

    # -- what the runner calls -------------------------------------------------------------

    def show_scan(self, session: Session) -> None:
        """The choices, and what does not change during a run."""
        if not self._filled:
            self._fill_choices(session)
        self.heart.show_ghost(session.ghost())

    def show_frame(self, frame: Frame) -> None:
        """The 2-D views."""
        self._progress = frame.progress
        self._write_status("")
        self.convergence.show_curves(frame.curves)
        self.latent.show_latent(frame.z)
        self.shifts.show_shifts(frame.shifts)
        self.slices.show(frame)

    def show_heart(self, heart: Heart) -> None:
        """The 3-D view."""
        self.heart.show(heart)

    def show_scores(self, scores: Scores) -> None:
        """How good the estimate is."""
        self.score.show_scores(scores)

    def show_state(self, state: State, problem: str) -> None:
        """What the run is doing, and which controls make sense."""
        loading, running = state is State.LOADING, state is State.RUNNING
        self.run.run.disabled = loading or running
        self.run.pause.disabled = not running
        self.run.step.disabled = loading or running or state is State.DONE
        self.run.reset.disabled = loading
        for control in (*self.scan.controls, self.run.preset):
            control.disabled = loading
        self._write_status(problem)

    # -- what the user does ----------------------------------------------------------------

    def _wire(self) -> None:
        self.run.run.on_click(lambda _: self.runner.run())
        self.run.pause.on_click(lambda _: self.runner.pause())
        self.run.step.on_click(lambda _: self.runner.step())
        self.run.reset.on_click(lambda _: self.runner.reset())
        self.run.preset.observe(self._on_preset, "value")
        self.run.gamma.observe(lambda change: self.runner.gamma(change.new), "value")
        for control in self.scan.controls:
            control.observe(self._on_scan, "value")
        for scrubber in (self.slices.slice, self.slices.angle):
            scrubber.observe(lambda _: self.runner.look_at(*self._look()), "value")
        for toggle in (self.show_truth, self.show_slices):
            toggle.observe(self._on_toggle, "value")
        self.page.observe(self._on_visit, "visits")
        self.page.observe(lambda _: self.runner.redraw(), "hand_on_canvas")

    def _fill_choices(self, session: Session) -> None:
        scan = session.scene.scan
        self._scanned = scan.subject, scan.motion, scan.long_axis
        self.scan.subject.options = [(texts.subject(name), name) for name in session.subjects]
        for control, value in zip(self.scan.controls, self._scanned, strict=True):
            control.value = value
        self.run.preset.options = session.presets
        self.run.preset.value = session.settings.name
        self.slices.slice.max = session.scene.problem.stack.K - 1
        self._filled = True

    def _on_visit(self, _: Any) -> None:
        """Say everything again: what changed while the page was being built got lost."""
        for widget in _descendants(self.box):
            if not isinstance(widget, w.Box | Figure | PlotlyLibrary | Page):
                widget.send_state()
        self.runner.redraw()

    def _on_scan(self, _: Any) -> None:
        wanted = self.scan.subject.value, self.scan.motion.value, self.scan.long_axis.value
        self.run.show_long_axis(self.scan.long_axis.value)
        if self._filled and wanted != self._scanned:
            self._scanned = wanted
            self.runner.scan(*wanted)

    def _on_preset(self, change: Any) -> None:
        self.run.show_preset(change.new)
        if self._filled:
            self.runner.preset(change.new)

    def _on_toggle(self, _: Any) -> None:
        self.heart.toggle(self.show_truth.value, self.show_slices.value)

    def _look(self) -> tuple[int, float]:
        return self.slices.slice.value, float(self.slices.angle.value)

    # -- the status line -------------------------------------------------------------------

    def _write_status(self, problem: str) -> None:
        state = self.runner.state
        done, line = 0.0, ""
        if state is State.FAILED:
            line = f"{problem} {texts.FAILED_NOTE}"
        elif self._progress is not None:
            left = 0 if self._progress.stopped else self._progress.iterations
            done = self._progress.iteration / left if left else 1.0
            line = texts.progress_line(self._progress, state is State.RUNNING)
        self.run.show_status(state.value, WORDS[state], line, done)


def _descendants(widget: w.Widget) -> Iterator[w.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _descendants(child)


def _checkbox(text: str) -> w.Checkbox:
    return w.Checkbox(True, description=text, indent=False)


_serving: set[asyncio.Task[None]] = set()
"""The event loop itself holds its tasks weakly."""


def explore() -> None:
    """Show the dashboard, in a notebook or under Voilà."""
    explorer = Explorer()
    display(explorer.box)
    _serving.add(asyncio.get_running_loop().create_task(explorer.runner.serve()))
