"""The dashboard: puts the cards together, wires the controls to a runner, shows what it has."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w
from IPython.display import display

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard.heart_panel import HeartPanel
from srheart_demo.dashboard.own import OwnTab
from srheart_demo.dashboard.page import Page
from srheart_demo.dashboard.panels import (
    ConvergencePanel,
    Header,
    ScanPanel,
    ScorePanel,
    SolverPanel,
    Transport,
    UnknownsPanel,
)
from srheart_demo.dashboard.runner import Activity, Runner
from srheart_demo.dashboard.status import Status
from srheart_demo.dashboard.tabs import Tabs
from srheart_demo.dashboard.widgets import Hearing, named, show

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.show import Cuts, Heart
    from srheart_demo.explorer.subjects import ScanSettings

FIRST_MOTION = 4.0
"""Severe motion: the first picture shows a stack that plainly needs repair."""
LOOK_AGAIN = 0.05
"""Seconds between two looks whether the page stands."""


def load_session() -> Session:
    """The first session, solved. Torch is imported here, when the interface stands."""
    import torch

    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.subjects import ScanSettings
    from srheart_demo.scan.samples import SAMPLES

    torch.set_num_threads(1)  # For all that is drawn from G as well; see `machine`.
    session = Session(ScanSettings(SAMPLES[0], motion=FIRST_MOTION), live=True)
    session.advance(float("inf"))
    return session


class Explorer(Hearing):
    """The dashboard. `box` is the widget to display, `runner` what it drives."""

    def __init__(self) -> None:
        self.page = Page(names=texts.NAMES, terms=texts.TERMS, tips=texts.TIPS)
        self.header, self.scan, self.solver = Header(), ScanPanel(), SolverPanel()
        self.unknowns, self.convergence = UnknownsPanel(), ConvergencePanel()
        self.transport, self.score = Transport(), ScorePanel()
        self.heart = HeartPanel(self)
        self.tabs = Tabs(self, self.heart)
        answers = [self.unknowns.box, self.convergence.box, self.score.box]
        columns = [
            named(w.VBox([self.scan.box, self.solver.box]), "srh-controls"),
            self.tabs.box,
            named(w.VBox(answers), "srh-answers"),
        ]
        grid = named(w.GridBox(columns), "srh-columns")
        unseen = named(w.VBox([self.page]), "srh-unseen")
        self.box = named(w.VBox([self.header.box, grid, self.transport.box, unseen]), "srh")
        self.session: Session | None = None
        self._status = Status(self.transport)
        self._still = False
        self._unseen: set[w.Widget] = set()
        self.runner = Runner(load_session, self, self.page, self.heart.look)
        self.page.on_close = lambda: self.runner.close()
        self.show_state(Activity.LOADING, "")
        self._wire()

    def close(self) -> None:
        """Take the dashboard off every page, and end its threads."""
        for widget in _descendants(self.box):
            widget.close()

    # -- what the runner calls -------------------------------------------------------------

    def loaded(self, session: Session) -> None:
        """The first session is there: it plays, if anybody looks."""
        if self.page.visits:
            self._play()

    def _play(self) -> None:
        """Once, and not for somebody who is at work already."""
        if not (self.page.calm or self._still):
            self.runner.open()
        self._still = True

    def show_scan(self, session: Session) -> None:
        """The choices, and what does not change during a run."""
        self.session, self._status.shown = session, None
        with self.quietly():
            self.scan.fill(session)
            self.solver.fill(session)
            self.heart.fill(session)
        self._enable()

    def show_frame(self, now: Moment) -> None:
        """The run and its unknowns."""
        self._status.shown = now
        with self.quietly():
            self.transport.show_frame(now)
        self._status.write(self.runner)
        for panel in (self.score, self.unknowns, self.convergence):
            panel.show_frame(now)
        self.solver.show_preset(now.name)
        if self.session is not None:
            scan = self.session.scene.settings
            self.scan.stack.show(now.side, bool(scan.by_hand or scan.missing))

    def show_cuts(self, cuts: Cuts) -> None:
        """The slices."""
        self.heart.slices.show(cuts)

    def show_heart(self, heart: Heart) -> None:
        """The 3-D view."""
        self.heart.show(heart, quiet=not self.runner.computing)
        self.tabs.refresh()

    def show_scores(self, now: Moment) -> None:
        """How good the estimate is, and everything on the page in words."""
        self.score.show_scores(now)
        if self._status.shown is not None:
            said = sentences.alternatives(self._status.shown)
            said["srh-fig-heart"] = sentences.heart_alternative(now)
            self.page.names = self.page.names | said

    def show_state(self, state: Activity, problem: str) -> None:
        """What the run is doing, and which controls make sense; `problem` if it failed."""
        loading, running = state is Activity.LOADING, state is Activity.RUNNING
        bar = self.transport
        bar.run.disabled = bar.step.disabled = loading or running
        bar.pause.disabled = state not in (Activity.RUNNING, Activity.REPLAYING)
        for control in (bar.reset, bar.iteration, bar.replay, bar.fork, *self.solver.controls):
            control.disabled = loading
        self._enable()
        self._status.say(problem)
        if state is Activity.FAILED:
            self.heart.say(f"{texts.FAILED}: {problem}")
        self._status.write(self.runner)
        self.tabs.refresh()

    def _enable(self) -> None:
        """Only controls that have a meaning for this scan."""
        loading, session = self.runner.state is Activity.LOADING, self.session
        simulated = session is None or session.scene.d is not None
        view = session is None or session.scene.subject.S_LA is not None
        self.scan.enable(loading, simulated, view)
        self.solver.show_long_axis(self.scan.long_axis.value and view)
        self.solver.gamma.disabled |= loading
        self.heart.show_truth.disabled = not simulated

    def show_job(self, name: str, done: float | None) -> None:
        """How far a long computation is, of 1; None when it is over, or has given way."""
        show(self.transport.cancel, done is not None)
        if done is None:
            self._status.write(self.runner)
            self.heart.say("")
            if name != self.tabs.tab.computes and not self.runner.computing:
                self.tabs.refresh()
            return
        if name != "check":  # which nobody asked for
            self._status.say("")
        word = texts.JOBS[name]
        self.transport.show_status("running", word, f"{100 * done:.0f} %", done)
        self.tabs.tab.progress(word, done)

    def show_problem(self, problem: str, job: str = "") -> None:
        """Why a wish was not granted, or a computation came to nothing; the run is as it was."""
        self._status.say(problem)
        own = self.tabs.made.get("own")
        if job in ("", "load") and isinstance(own, OwnTab):
            own.refused(problem)
        self.tabs.give_up(job, problem)
        self.tabs.refresh()
        self._status.write(self.runner)

    def restored(self, otherwise: str) -> None:
        """A state came in from a text; what it has otherwise is said."""
        if self.session is not None:
            self.show_scan(self.session)
        self.runner.pause_at()
        self._status.say(otherwise, texts.RESTORED)
        self._status.write(self.runner)

    # -- what the user does ----------------------------------------------------------------

    def _wire(self) -> None:
        bar, runner = self.transport, lambda: self.runner
        clicks: dict[w.Button, Callable[[], object]] = {
            bar.run: lambda: runner().run(),
            bar.pause: lambda: runner().pause(),
            bar.step: lambda: runner().step(),
            bar.reset: lambda: runner().wish("reset", lambda s: s.reset(), Activity.READY),
            bar.replay: lambda: runner().replay(),
            bar.fork: lambda: runner().wish("fork", lambda s: s.history.fork(), Activity.PAUSED),
            bar.cancel: self._cancel,
        } | {chip: partial(self._choose_run, index) for index, chip in enumerate(bar.runs)}
        for button, act in clicks.items():
            button.on_click(lambda _, act=act: act())
        self.on(bar.iteration, self._seek)
        for control in self.scan.controls:
            self.on(control, lambda _: self._on_scan())
        stack = self.scan.stack
        stack.on_move = lambda *moved: self._rescan(lambda scan: scan.moved(*moved))
        stack.on_toggle = lambda k: self._rescan(lambda scan: scan.toggled(k))
        stack.on_undo = lambda: self._rescan(lambda scan: replace(scan, by_hand=(), missing=()))
        stack.observe(lambda change: self._choose_slice(change.new), "chosen")
        self.on(self.solver.preset, self._on_preset)
        for name in self.solver.single:
            self.on(getattr(self.solver, name), partial(self._configure, name))
        for scrubber in (self.heart.slices.slice, self.heart.slices.angle):
            scrubber.observe(lambda _: self._look_at(), "value")
        self.header.dark.observe(lambda change: setattr(self.page, "dark", change.new), "value")
        self.page.observe(self._on_dark_page, "dark")
        self.page.observe(self._on_visit, "visits")
        self.page.on_touch = self._touched
        for widget in _descendants(self.box):
            widget.observe(self._remember)
            widget.layout.observe(self._remember)
            if widget.has_trait("value") and widget.has_trait("disabled"):
                self.on(widget, lambda _: self._touched())

    def _remember(self, change: Any) -> None:
        """A change that a page which is still being built may miss."""
        if not self.page.visits:
            self._unseen.add(change.owner)

    def _on_visit(self, _: Any) -> None:
        """Say again what changed while the page was being built: that got lost."""
        for widget in self._unseen:
            widget.send_state()
        self._unseen.clear()
        if self.session is not None:
            self._play()

    def _on_dark_page(self, change: Any) -> None:
        with self.quietly():
            self.header.dark.value = change.new

    def _touched(self) -> None:
        """The user does something: nothing moves by itself any more."""
        self._still = True
        self.runner.touched()

    def end_replay(self) -> None:
        """Another tab is opened: what is replayed rests at its end, and does not begin again."""
        self._still = True
        self.runner.end_replay()

    def _seek(self, at: int) -> None:
        self.runner.wish("look", lambda session: session.history.look(at), Activity.PAUSED)

    def _choose_run(self, index: int) -> None:
        self.runner.wish("choose", lambda session: session.history.choose(index), Activity.PAUSED)

    def _on_scan(self) -> None:
        self.scan.show_choice()
        if self.scan.name is None:
            self.tabs.bar.value = "own"
        else:
            self._rescan(self.scan.chosen)

    def _rescan(self, change: Callable[[ScanSettings], ScanSettings]) -> None:
        if self.session is None:
            return
        scan = change(self.session.scene.settings)
        self.solver.show_long_axis(scan.long_axis)
        if scan != self.session.scene.settings or self.runner.scanning:
            self.runner.scan(scan, self.scan.live.value)

    def _on_preset(self, name: str) -> None:
        shown = self._status.shown
        self.solver.show_preset("" if shown is None else shown.name)
        refill = self.runner.on_loop(self._refill)

        def take(session: Session) -> None:
            session.preset(name)
            refill(session)

        self.runner.wish("preset", take, Activity.PAUSED)

    def _refill(self, session: Session) -> None:
        with self.quietly():
            self.solver.fill_single(session)

    def _configure(self, name: str, value: object) -> None:
        self.runner.configure(name, value)

    def _choose_slice(self, number: int) -> None:
        taken = [] if self.session is None else self.session.scene.slices.tolist()
        if number in taken:
            self.heart.slices.slice.value = taken.index(number)

    def _look_at(self) -> None:
        if self.session is not None:
            taken = self.session.scene.slices
            self.scan.stack.chosen = int(taken[min(self.heart.look[0], len(taken) - 1)])
        self.runner.look_at(*self.heart.look)
        self.tabs.refresh()

    def _cancel(self) -> None:
        """Nobody wants to wait for what is computed."""
        self.tabs.give_up(self.runner.computing, texts.CANCELLED)
        self.runner.cancel()


def _descendants(widget: w.Widget) -> Iterator[w.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _descendants(child)


_serving: set[asyncio.Task[None]] = set()
"""The event loop itself holds its tasks weakly."""


def explore() -> None:
    """Show the dashboard, in a notebook or under Voilà."""
    explorer = Explorer()
    display(explorer.box)
    _serving.add(asyncio.get_running_loop().create_task(_serve(explorer)))


async def _serve(explorer: Explorer) -> None:
    """Serve when the page stands; at once in a kernel that Voilà starts before anybody comes.

    A kernel that is importing torch answers slowly while a browser fetches the page's widgets: of
    four browsers at once on a busy machine most then waited for ever.
    """
    while not (explorer.page.visits or os.environ.get("VOILA_PREHEAT") == "True"):
        await asyncio.sleep(LOOK_AGAIN)
    await explorer.runner.serve()
