"""The dashboard: puts the cards together, wires the controls to a runner, shows what it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from srheart_demo.dashboard import panels, sentences, texts
from srheart_demo.dashboard import widgets as ui
from srheart_demo.dashboard.chart import Chart, losses
from srheart_demo.dashboard.heart_panel import HeartPanel
from srheart_demo.dashboard.own import OwnTab
from srheart_demo.dashboard.page import Page
from srheart_demo.dashboard.painter import INTERVALS
from srheart_demo.dashboard.runner import Activity, Runner
from srheart_demo.dashboard.tabs import Tab, Tabs
from srheart_demo.dashboard.take import TakeTab
from srheart_demo.dashboard.why import GaugeTab, LandscapeTab, LatentTab, RaceTab
from srheart_demo.solver.settings import PAPERS_SYSTEM

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Heart, Moment
    from srheart_demo.explorer.saved import Said
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.subjects import ScanSettings
    from srheart_demo.explorer.tour import Act

FIRST_MOTION = 4.0  # Severe motion: the first picture shows a stack that plainly needs repair
TABS: dict[str, Callable[[Runner], Tab]] = {
    "landscape": LandscapeTab,
    "latent": LatentTab,
    "gauge": GaugeTab,
    "race": RaceTab,
    "own": OwnTab,
    "take": TakeTab,
}


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


class Explorer(ui.Hearing):
    """The dashboard. `box` is the widget to display, `runner` what it drives, `session` what that
    shows, once it is there."""

    def __init__(self, load: Callable[[], Session] = load_session) -> None:
        self.page = page = Page()
        self.runner = runner = Runner(load, page, self)
        self.session: Session | None = None
        self._still = self._hidden = False
        page.observe(self._on_dark_page, "dark")
        page.observe(lambda _: self.play(), "visits")
        page.on_touch, page.on_close = self._touched, runner.close
        page.on_link = self._follow
        self.box = ui.named(w.VBox([ui.named(w.VBox([page]), "srh-unseen")]), "srh")
        for widget in ui.descendants(self.box):
            page.carry(widget)
        self._build()

    def _build(self) -> None:
        """All that is seen, in the language that is spoken; the page behind it stays."""
        runner, self.page.language = self.runner, texts.SPOKEN
        self.page.names, self.page.terms = texts.NAMES, texts.TERMS
        self.page.tips = texts.TIPS | {"srh": texts.BEGIN}
        self.header, self.transport = panels.Header(), panels.Transport()
        self.header.dark.value = self.page.dark
        self.scan, self.solver = panels.ScanPanel(), panels.SolverPanel()
        self.score, self.unknowns = panels.ScorePanel(), panels.UnknownsPanel()
        self.convergence = Chart()
        self.heart = HeartPanel(runner)
        self.tabs = Tabs(runner, self.heart, TABS)
        chart = [ui.plot(self.convergence, "srh-fig-convergence")]
        curves = ui.card("4", texts.CONVERGENCE, chart, "srh-convergence")
        controls = ui.named(w.VBox([self.scan.box, self.solver.box]), "srh-controls")
        answers = ui.named(w.VBox([self.unknowns.box, curves, self.score.box]), "srh-answers")
        grid = ui.named(w.GridBox([controls, self.tabs.box, answers]), "srh-columns")
        unseen, *before = self.box.children
        self.box.children = unseen, self.header.box, grid, self.transport.box
        for widget in ui.descendants(*before):
            widget.close()
        runner.painter.look = self.heart.look
        runner.painter.draw = {
            "frame": self._show_frame,
            "cuts": self.heart.show_cuts,
            "heart": self._show_heart,
            "scores": self._show_scores,
        }
        self.show_state(runner.state, "")
        self._wire()

    def _speak(self, language: str) -> None:
        """Everything in another language; runs, what is computed and how it is looked at stay."""
        looks, tab = [each.value for each in self._looks], self.tabs.shown
        chosen, tour, toured = self.scan.stack.chosen, self.header.tour.tour, self.header.touring
        texts.speak(language)
        self._build()
        self.header.tour.tour = tour
        if self.session is not None:
            self.show_scan(self.session)
            with self.quietly():  # whatever is wished for: these are empty
                for panel in (self.scan, self.solver):
                    panel.fill(self.session)
        for control, value in zip(self._looks, looks, strict=True):
            control.value = value
        self.scan.stack.chosen = chosen
        self.tabs.bar.value = tab
        if toured:
            self.header.begin_tour()
        self.runner.redraw()

    @property
    def _looks(self) -> list[Any]:
        """Controls of what is only looked at, of which no session knows."""
        rest = self.header.equation, self.scan.live, self.unknowns.mode
        return [*self.heart.toggles, self.heart.angle, *rest]

    def close(self) -> None:
        """Take the dashboard off every page, and end its threads."""
        for widget in ui.descendants(self.box):
            widget.close()

    # -- what the runner and its painter call ----------------------------------------------

    def play(self) -> None:
        """Once, if anybody looks, and not for somebody who is at work already."""
        if self.page.visits and self.session is not None:
            if not (self.page.calm or self._still):
                self.runner.open()
            self._still = True

    def show_scan(self, session: Session) -> None:
        """The choices, and what does not change during a run."""
        self.session, self.transport.shown = session, None
        if session.scene.truth_hidden != self._hidden:
            self._hidden = session.scene.truth_hidden
            self.tabs.clear()
            self.runner.painter.schedule.at_once(*INTERVALS)
        with self.quietly():
            self.header.hide_truth.value = not session.truth_shown
            if not self.runner.scanning:  # else a hand is at its controls, and ahead of this scan
                self.scan.fill(session)
            self.heart.fill(session)
        self.show_chosen(session)
        self.scan.stack.chosen = min(self.scan.stack.chosen, session.scene.of - 1)
        self._choose_slice(self.scan.stack.chosen)
        self._enable()

    def show_chosen(self, session: Session) -> None:
        """What may be chosen, and what is; while more is wished for, a hand is ahead of that."""
        if not self.runner.wishing:
            with self.quietly():
                self.solver.fill(session)
            self.heart.choose_paint(session)

    def _show_frame(self, now: Moment) -> None:
        """The run and its unknowns."""
        self.transport.shown = now
        self.transport.write(self.runner)
        for panel in (self.score, self.unknowns):
            panel.show_frame(now)
        self.convergence.show(losses(now))
        self.solver.show_preset(now.name)
        self.scan.stack.show(now, behind=self.runner.scanning is not None)
        self.header.tour.show_frame(now)
        with self.quietly():  # last: the scrubber has the browser lay out the page at once
            self.transport.show_frame(now)

    def _show_heart(self, heart: Heart) -> None:
        self.heart.show(heart, quiet=not self.runner.computing)
        self.tabs.refresh()

    def _show_scores(self, now: Moment) -> None:
        """How good the estimate is, and everything on the page in words."""
        self.score.show_scores(now)
        if self.transport.shown is not None:
            said = sentences.alternatives(self.transport.shown)
            said["srh-fig-heart"] = sentences.heart_alternative(now)
            self.page.names = self.page.names | said

    def show_state(self, state: Activity, problem: str) -> None:
        """What the run is doing, and which controls make sense; `problem` if it failed."""
        loading, running = state is Activity.LOADING, state is Activity.RUNNING
        bar = self.transport
        bar.run.disabled = bar.step.disabled = loading or running
        bar.pause.disabled = state not in (Activity.RUNNING, Activity.REPLAYING)
        always = bar.reset, bar.iteration, bar.replay, bar.fork, *self.header.of_session
        for control in (*always, *self.solver.controls):
            control.disabled = loading
        self._enable()
        self._say(problem)
        if state is Activity.FAILED:
            self.heart.say(f"{texts.FAILED}: {problem}")
        self.tabs.refresh()

    def _say(self, problem: str, word: str = "") -> None:
        self.transport.say(problem, word)
        self.transport.write(self.runner)

    def _enable(self) -> None:
        """Only controls that have a meaning for this scan."""
        loading, session = self.runner.state is Activity.LOADING, self.session
        simulated = session is None or session.scene.simulated
        view = session is None or session.scene.subject.views > 0
        self.scan.enable(loading, simulated, view)
        self.solver.show_long_axis(bool(self.scan.long_axis.value) and view)
        self.solver.gamma.disabled |= loading
        self.heart.show_truth.disabled = session is not None and session.scene.d is None

    def show_job(self, name: str, done: float | None) -> None:
        """How far a long computation is, of 1; None when it is over, or has given way."""
        ui.show(self.transport.cancel, done is not None)
        if done is None:
            self.transport.write(self.runner)
            self.heart.say("")
            own = name == self.tabs.tab.computes and name != "race"  # which begins by itself
            if not (own or self.runner.computing):
                self.tabs.refresh()
            return
        if name != "check":  # which nobody asked for
            self.transport.say("")
        word, share = texts.JOBS[name], f"{100 * done:.0f} %"
        self.transport.show_status("running", word, share, done)
        self.tabs.tab.say(f"{word}: {share}", done)

    def show_problem(self, problem: str, job: str = "") -> None:
        """Why a wish was not granted, or a computation came to nothing; the run is as it was."""
        own = self.tabs.made.get("own")
        self.transport.say(problem)
        if own is not None and job in ("", "load"):
            own.refused(problem)
        self.tabs.give_up(job, problem)
        self.tabs.refresh()
        self.transport.write(self.runner)

    def show_restored(self, otherwise: Iterable[Said]) -> None:
        """A state came in from a text or link; what it has otherwise is said."""
        if self.session is not None:
            self.show_scan(self.session)
        self.runner.rest()
        self._say(sentences.otherwise(otherwise), texts.RESTORED)

    # -- what the user does ----------------------------------------------------------------

    def _wire(self) -> None:
        bar, runner, stack = self.transport, self.runner, self.scan.stack
        clicks: dict[w.Button, Callable[[], object]] = {
            bar.run: runner.run,
            bar.pause: runner.pause,
            bar.step: runner.step,
            bar.reset: lambda: runner.wish("reset", lambda s: s.reset(), Activity.READY),
            bar.replay: runner.replay,
            bar.fork: lambda: runner.wish("fork", lambda s: s.history.fork(), Activity.PAUSED),
            bar.cancel: self._cancel,
        } | {chip: partial(self._move, "choose", i) for i, chip in enumerate(bar.runs)}
        for button, act in clicks.items():
            button.on_click(lambda _, act=act: act())
        self.on(bar.iteration, partial(self._move, "look"))
        for control in self.scan.controls:
            self.on(control, lambda _: self._on_scan())
        stack.on_change = self._rescan
        stack.observe(lambda _: runner.redraw(), "view")
        stack.observe(lambda change: self._choose_slice(change.new), "chosen")
        self.on(self.solver.preset, self._on_preset)
        self.on(self.solver.generator, lambda name: self._choose("explain_with", name))
        for name in self.solver.single:
            self.on(getattr(self.solver, name), partial(runner.configure, name))
        self.on(self.heart.slice, self._scrub)
        for scrubber in (self.heart.slice, self.heart.angle):
            scrubber.observe(lambda _: self._look_at(), "value")
        self.on(self.header.hide_truth, lambda hidden: self._show_truth(not hidden))
        self.header.tour.on_act = self._show_me
        self.header.tour.on_guess = lambda: self._show_truth(True)
        self.on(self.header.language, self._speak)
        self.header.dark.observe(lambda change: setattr(self.page, "dark", change.new), "value")
        self.tabs.on_open = self._on_tab
        for widget in ui.descendants(*self.box.children[1:]):
            self.page.carry(widget)
            if widget.has_trait("value") and widget.has_trait("disabled"):
                self.on(widget, lambda _: self._touched())

    def _on_dark_page(self, change: Any) -> None:
        with self.quietly():
            self.header.dark.value = change.new

    def _touched(self) -> None:
        """The user does something: nothing moves by itself any more."""
        self._still = True
        self.runner.touched()

    def _follow(self, link: str) -> None:
        """The address leads to a state: nothing is replayed before it."""
        self._still = True
        self.runner.restore(link)

    def _on_tab(self, name: str) -> None:
        """Beside another tab, what is replayed rests at its end, and does not begin again."""
        if name != "heart":
            self._still = True
            self.runner.end_replay()

    def _move(self, how: str, to: int) -> None:
        """To another iteration ("look") or run ("choose")."""
        self.runner.wish(how, lambda s: getattr(s.history, how)(to), Activity.PAUSED)

    def _on_scan(self) -> None:
        if self.scan.name is None:  # a file is chosen there, and until then all stays
            self.tabs.bar.value = "own"
            with self.quietly():
                self.scan.subject.value = self.scan.kept
        else:
            self.scan.show_choice()
            self._rescan(self.scan.chosen)

    def _rescan(self, change: Callable[[ScanSettings], ScanSettings]) -> None:
        if self.session is None:
            return
        before = self.runner.scanning or self.session.scene.settings
        scan = change(before)
        self.solver.show_long_axis(scan.long_axis > 0)
        if scan != before:
            self.runner.scan(scan, self.scan.live.value)
        else:
            self.runner.redraw()  # what a hand moved in vain is back

    def _on_preset(self, name: str) -> None:
        self._choose("preset", *(PAPERS_SYSTEM if name == panels.PAPERS_CHOICE else (name,)))

    def _choose(self, how: str, *names: str) -> None:
        """Have something chosen that begins another run."""
        self.runner.wish(how, lambda session: getattr(session, how)(*names), Activity.PAUSED)

    def _show_truth(self, shown: bool) -> None:
        self.runner.wish("truth", lambda session: session.show_truth(shown))

    def _show_me(self, act: Act) -> None:
        self.tabs.bar.value = "heart"
        self.runner.wish("tour", act.do, Activity.RUNNING if act.runs else Activity.PAUSED)

    def _choose_slice(self, number: int) -> None:
        """Look at a slice; where it is left out, at the next one towards the apex."""
        if self.session is not None:
            with self.quietly():
                below = int((self.session.scene.slices <= number).sum())
                self.heart.slice.value = max(below - 1, 0)

    def _scrub(self, k: int) -> None:
        if self.session is not None:
            taken = self.session.scene.slices
            self.scan.stack.chosen = int(taken[min(k, len(taken) - 1)])

    def _look_at(self) -> None:
        self.runner.look_at(*self.heart.look)
        self.tabs.refresh()

    def _cancel(self) -> None:
        """Nobody wants to wait for what is computed."""
        self.tabs.give_up(self.runner.computing, texts.CANCELLED)
        self.runner.cancel()
