"""The dashboard: builds the cards, wires the controls to a runner, shows what the runner has."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w
from IPython.display import display

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.charts import ConvergenceChart, LatentChart, PathChart, ShiftChart
from srheart_demo.dashboard.heart import HeartView
from srheart_demo.dashboard.layout import (
    Tabs,
    compose,
    convergence_card,
    heart_card,
    plot,
    unknowns_card,
)
from srheart_demo.dashboard.own import OwnTab
from srheart_demo.dashboard.page import Page
from srheart_demo.dashboard.panels import (
    Header,
    News,
    ScanPanel,
    ScorePanel,
    SolverPanel,
    Transport,
    checkbox,
    named,
    show,
)
from srheart_demo.dashboard.runner import Runner, State
from srheart_demo.dashboard.slices import SlicesPanel
from srheart_demo.dashboard.why import GaugeTab, LandscapeTab, LatentTab, RaceTab, TakeTab, WhyTab

if TYPE_CHECKING:
    from srheart_demo.explorer import Cuts, Frame, Heart, Progress, Scan, Scores, Session

FIRST_MOTION = 4.0
"""Severe motion: the first picture shows a stack that plainly needs repair."""
WORDS = {
    State.LOADING: texts.LOADING,
    State.READY: texts.READY,
    State.RUNNING: texts.RUNNING,
    State.REPLAYING: texts.REPLAYING,
    State.PAUSED: texts.PAUSED,
    State.DONE: texts.DONE,
    State.FAILED: texts.FAILED,
}
NAP = 0.05
"""Seconds between two looks whether the page stands."""
MOVING = (State.LOADING, State.RUNNING, State.REPLAYING)


def load_session() -> Session:
    """The first session, solved. Torch is imported here, when the interface stands."""
    import torch

    from srheart_demo.explorer import Scan, Session
    from srheart_demo.scan.samples import SAMPLES

    torch.set_num_threads(1)  # For all that is drawn from G as well; see `machine`.
    session = Session(Scan(SAMPLES[0], motion=FIRST_MOTION), live=True)
    session.advance(float("inf"))
    return session


class Explorer:
    """The dashboard. `box` is the widget to display, `runner` what it drives."""

    def __init__(self) -> None:
        self.page = Page(names=texts.NAMES, terms=texts.TERMS, tips=texts.TIPS)
        self.header, self.scan, self.solver = Header(), ScanPanel(), SolverPanel()
        self.transport, self.score = Transport(), ScorePanel()
        self.slices, self.heart = SlicesPanel(), HeartView()
        self.shifts, self.convergence = ShiftChart(), ConvergenceChart()
        self.latent, self.path = LatentChart(), PathChart()
        self.latent_mode = w.ToggleButtons(
            options=[(text, mode) for mode, text in texts.LATENT_MODES.items()]
        )
        self.show_truth = checkbox("srh-show-truth", texts.SHOW_TRUTH)
        ways = [(text, how) for how, text in texts.SLICES_SHOWN.items()]
        self.show_slices = named(w.Dropdown(options=ways), "srh-show-slices")
        self.show_cut = checkbox("srh-show-cut", texts.SHOW_CUT)
        paints = [(text, what) for what, text in texts.PAINTS.items()]
        self.paint = named(w.Dropdown(options=paints, description=texts.PAINT), "srh-paint")
        toggles = [self.show_truth, self.show_cut, self.show_slices, self.paint]
        self.why: dict[str, WhyTab] = {}
        self.heart_news = News(texts.PAGE_LOADING)
        self.heart_news.alone(True)
        in_3d = heart_card(plot(self.heart, "srh-fig-heart"), toggles)
        in_3d.children += (self.heart_news.box,)
        heart = named(
            w.VBox([in_3d, self.slices.box]),
            "srh-tab",
            "srh-tab-heart",
        )
        others = {name: named(w.VBox(), "srh-tab") for name in texts.TABS if name != "heart"}
        self.tabs = Tabs({"heart": heart} | others)
        self.box = compose(
            self.header.box,
            [self.scan.box, self.solver.box],
            self.tabs.box,
            [
                unknowns_card(self.shifts, self.latent, self.path, self.latent_mode),
                convergence_card(self.convergence),
                self.score.box,
            ],
            self.transport.box,
            [self.page],
        )
        self.session: Session | None = None
        self._frame: Frame | None = None
        self._spread_refused: object = None
        self._say("")
        self._told = State.LOADING
        self._filling = False
        self._still = False
        self._unseen: set[w.Widget] = set()
        self.runner = Runner(load_session, self, self.page, self._look())
        self.show_state(State.LOADING, "")
        self._wire()

    # -- what the runner calls -------------------------------------------------------------

    def loaded(self, session: Session) -> None:
        """The first session is there: it plays, if anybody looks."""
        self.session = session
        if self.page.visits:
            self._play()

    def _play(self) -> None:
        """Once, and not for somebody who is at work already."""
        if not (self.page.calm or self._still):
            self.runner.open()
        self._still = True

    def show_scan(self, session: Session) -> None:
        """The choices, and what does not change during a run."""
        self.session, self._frame = session, None
        with self._quietly():
            self._fill(session)
        self._enable()
        self.heart.show_ghost(session.ghost())

    def show_frame(self, frame: Frame) -> None:
        """The run and its unknowns."""
        self._frame = frame
        at, colour = frame.progress.iteration, _active(frame).colour
        with self._quietly():
            self.transport.iteration.max = max(frame.progress.last, 1)
            self.transport.iteration.value = at
        self._write_status()
        self.score.show_frame(frame)
        self._show_preset()
        self.transport.show_runs(frame.curves)
        self.convergence.show_curves(frame.curves, at)
        self.latent.show_latent(frame.z, colour)
        self.path.show_paths(frame.curves, at)
        self.shifts.show_shifts(frame.shifts, colour)
        by_hand = self.session is not None and bool(
            self.session.scene.scan.by_hand or self.session.scene.scan.missing
        )
        self.scan.stack.show(frame.side, by_hand)

    def show_cuts(self, cuts: Cuts) -> None:
        """The slices."""
        self.slices.show(cuts)

    def show_heart(self, heart: Heart) -> None:
        """The 3-D view."""
        self.heart.show(heart)
        if not self.runner.computing:
            self.heart_news.say("")
            self.heart_news.alone(False)
        self._explain()

    def show_scores(self, scores: Scores) -> None:
        """How good the estimate is, and everything on the page in words."""
        self.score.show_scores(scores)
        if self._frame is not None:
            spoken = {"srh-fig-heart": texts.heart_alternative(scores)}
            self.page.names = self.page.names | texts.alternatives(self._frame) | spoken

    def show_state(self, state: State, problem: str) -> None:
        """What the run is doing, and which controls make sense."""
        loading, running = state is State.LOADING, state is State.RUNNING
        bar = self.transport
        bar.run.disabled = loading or running
        bar.pause.disabled = state not in (State.RUNNING, State.REPLAYING)
        bar.step.disabled = loading or running
        for control in (bar.reset, bar.iteration, bar.replay, bar.fork, *self.solver.controls):
            control.disabled = loading
        self._enable()
        self._say(problem)
        if state is State.FAILED:
            self.heart_news.say(f"{texts.FAILED}: {problem}")
        self._write_status()
        self._explain()

    def _say(self, problem: str, word: str = texts.REFUSED) -> None:
        self._problem, self._word = problem, word

    def _enable(self) -> None:
        """Only controls that have a meaning for this scan."""
        loading, session = self.runner.state is State.LOADING, self.session
        simulated = session is None or session.scene.d is not None
        view = session is None or session.scene.subject.S_LA is not None
        self.scan.enable(loading, simulated, view)
        self.solver.show_long_axis(self.scan.long_axis.value and view)
        self.solver.gamma.disabled |= loading
        self.show_truth.disabled = not simulated

    def show_job(self, name: str, done: float | None) -> None:
        """How far a long computation is."""
        show(self.transport.cancel, done is not None)
        tab = self.why.get(self.tabs.shown)
        if done is None:
            self._write_status()
            self.heart_news.say("")
            if tab is not None and name != tab.computes and not self.runner.computing:
                self._explain()
        else:
            if name != "check":  # which nobody asked for
                self._say("")
            word = texts.JOBS[name]
            self.transport.show_status("running", word, f"{100 * done:.0f} %", done)
            if tab is not None:
                tab.progress(word, done)
            elif self.tabs.shown == "heart":
                self.heart_news.say(f"{word}: {100 * done:.0f} %", done)

    def show_problem(self, problem: str, job: str = "") -> None:
        """Why a wish was not granted."""
        self._say(problem)
        if job in ("", "load") and isinstance(own := self.why.get("own"), OwnTab):
            own.refused(problem)
        for tab in self.why.values():
            if job and tab.computes == job:
                tab.give_up(problem)
        if self.session is not None and job == self.session.paint:
            self._spread_refused = self.session.step
        self._explain()
        self._write_status()

    # -- what the user does ----------------------------------------------------------------

    def _wire(self) -> None:
        bar = self.transport
        bar.run.on_click(lambda _: self.runner.run())
        bar.pause.on_click(lambda _: self.runner.pause())
        bar.step.on_click(lambda _: self.runner.step())
        bar.reset.on_click(lambda _: self.runner.reset())
        bar.replay.on_click(lambda _: self.runner.replay())
        bar.fork.on_click(lambda _: self.runner.fork())
        bar.cancel.on_click(lambda _: self._cancel())
        for index, chip in enumerate(bar.runs):
            chip.on_click(partial(lambda index, _: self.runner.choose(index), index))
        self._on(bar.iteration, lambda at: self.runner.seek(at))
        for control in self.scan.controls:
            self._on(control, self._on_scan)
        stack = self.scan.stack
        stack.on_move = lambda *moved: self._rescan(lambda scan: scan.moved(*moved))
        stack.on_toggle = lambda k: self._rescan(lambda scan: scan.toggled(k))
        stack.on_undo = lambda: self._rescan(lambda scan: replace(scan, by_hand=(), missing=()))
        stack.observe(lambda change: self._choose_slice(change.new), "chosen")
        self._on(self.solver.preset, self._on_preset)
        for name in ("gamma", "lr_z", "lr_d", "solver", "prior"):
            control = getattr(self.solver, name)
            self._on(control, partial(self._configure, name))
        for scrubber in (self.slices.slice, self.slices.angle):
            scrubber.observe(lambda _: self._look_at(), "value")
        for toggle in (self.show_truth, self.show_slices, self.show_cut):
            toggle.observe(self._on_toggle, "value")
        self.show_slices.observe(
            lambda change: self.runner.paint_slices(change.new == "painted"), "value"
        )
        self.paint.observe(lambda change: self.runner.paint(change.new), "value")
        self.tabs.bar.observe(lambda change: self._open(change.new), "value")
        self.header.dark.observe(self._on_dark, "value")
        self.page.observe(self._on_dark_page, "dark")
        self.page.observe(self._on_visit, "visits")
        self.page.on_touch = self._touched
        self._on_toggle(None)
        for widget in _descendants(self.box):
            widget.observe(self._remember)
            widget.layout.observe(self._remember)
            if widget.has_trait("value") and widget.has_trait("disabled"):
                self._on(widget, lambda _: self._touched())

    def _remember(self, change: Any) -> None:
        """A change that a page which is still being built may miss."""
        if not self.page.visits:
            self._unseen.add(change.owner)

    def _on(self, control: w.Widget, act: Callable[[Any], None]) -> None:
        """Act when the user, and not the page itself, changes a control."""
        control.observe(lambda change: None if self._filling else act(change.new), "value")

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Change controls without acting on it."""
        before, self._filling = self._filling, True
        try:
            yield
        finally:
            self._filling = before

    def _touched(self) -> None:
        """The user does something: nothing moves by itself any more."""
        self._still = True
        self.runner.touched()

    def _fill(self, session: Session) -> None:
        from srheart_demo.explorer.subjects import random_seed

        scan, panel, solver = session.scene.scan, self.scan, self.solver
        seed = random_seed(scan.subject)
        panel.fill(session.samples, session.own)
        panel.subject.value = scan.subject if seed is None else "random"
        if seed is not None:
            panel.seed.value = seed
        if session.scene.d is not None:  # of one's own scan nothing is simulated
            panel.motion.value, panel.spacing.value = scan.motion, scan.spacing
            panel.noise.value = scan.noise
        panel.long_axis.value = session.scene.has_view
        panel.show_choice()
        solver.preset.options = session.presets
        known = session.settings.name in session.presets
        solver.preset.value = session.settings.name if known else session.presets[0]
        self._fill_solver(session)
        paints = [(text, what) for what, text in texts.PAINTS.items()]
        if session.scene.d is None:
            paints = [(text, what) for text, what in paints if what != "error"]
        if [what for _, what in paints] != [what for _, what in self.paint.options]:
            self.paint.options = paints
        self.slices.slice.max = len(session.scene.slices) - 1

    def _fill_solver(self, session: Session) -> None:
        self.solver.solver.value = session.settings.solver
        self.solver.prior.value = session.settings.prior
        for name, value in session.wanted.items():
            getattr(self.solver, name).value = value

    def _on_scan(self, _: Any) -> None:
        self.scan.show_choice()
        panel, name = self.scan, self.scan.name
        if name is None:
            self.tabs.bar.value = "own"
        if name is None or self.session is None:
            return

        def change(scan: Scan) -> Scan:
            new = replace(
                scan,
                subject=name,
                motion=panel.motion.value,
                spacing=panel.spacing.value,
                noise=panel.noise.value,
                long_axis=panel.long_axis.value,
            )
            same = (scan.subject, scan.spacing) == (new.subject, new.spacing)
            # Slices have other numbers now.
            return new if same else replace(new, by_hand=(), missing=())

        self._rescan(change)

    def _rescan(self, change: Callable[[Scan], Scan]) -> None:
        if self.session is None:
            return
        scan = change(self.session.scene.scan)
        self.solver.show_long_axis(scan.long_axis)
        if scan != self.session.scene.scan or self.runner.scanning:
            self.runner.scan(scan, self.scan.live.value)

    def _show_preset(self) -> None:
        """What the chosen preset does, and the name of what is shown where that is another."""
        shown = "" if self._frame is None else self._frame.progress.name
        self.solver.show_preset(self.solver.preset.value or "", shown)

    def _on_preset(self, name: str) -> None:
        self._show_preset()
        self.runner.preset(name, self._refill)

    def _configure(self, name: str, value: Any) -> None:
        self.runner.configure(**{name: value})

    def _refill(self, session: Session) -> None:
        with self._quietly():
            self._fill_solver(session)

    def _choose_slice(self, number: int) -> None:
        if self.session is None:
            return
        taken = self.session.scene.slices.tolist()
        if number in taken:
            self.slices.slice.value = taken.index(number)

    def _look_at(self) -> None:
        if self.session is not None:
            taken = self.session.scene.slices
            self.scan.stack.chosen = int(taken[min(self.slices.slice.value, len(taken) - 1)])
        self.runner.look_at(*self._look())
        self._explain()

    def _on_toggle(self, _: Any) -> None:
        slices = bool(self.show_slices.value)
        self.heart.toggle(self.show_truth.value, slices, self.show_cut.value)

    def _look(self) -> tuple[int, float]:
        return self.slices.slice.value, float(self.slices.angle.value)

    def _on_dark(self, change: Any) -> None:
        self.page.dark = change.new

    def _on_dark_page(self, change: Any) -> None:
        with self._quietly():
            self.header.dark.value = change.new

    def _on_visit(self, _: Any) -> None:
        """Say again what changed while the page was being built: that got lost."""
        for widget in self._unseen:
            widget.send_state()
        self._unseen.clear()
        if self.session is not None:
            self._play()

    # -- seeing why ------------------------------------------------------------------------

    def _open(self, name: str) -> None:
        if name != "heart":
            if name not in self.why:
                self.why[name] = self._make(name)
                self.tabs.contents[name].children = [self.why[name].box]
                self.page.names = texts.LATER_NAMES | self.page.names
            self._still = True
            self.runner.end_replay()
        self._explain()

    def _make(self, name: str) -> WhyTab:
        if name == "take":
            return TakeTab(self._take, self._restore)
        if name == "own":
            return OwnTab(self.runner.load, self.show_problem, self._compute)
        kinds: dict[str, Callable[[Callable[[], None], Callable[[], None]], WhyTab]]
        kinds = {"landscape": LandscapeTab, "latent": LatentTab, "gauge": GaugeTab, "race": RaceTab}
        return kinds[name](self._explain, self._compute)

    def _compute(self) -> None:
        """Compute what the open tab shows, whatever became of it before; a run waits for it."""
        self.runner.pause()
        self._explain(anew=True)

    def _explain(self, anew: bool = False) -> None:
        """Bring the open tab up to date, and what is painted."""
        session, runner, tab = self.session, self.runner, self.why.get(self.tabs.shown)
        if session is None or runner.loading or runner.state is State.LOADING:
            return
        if runner.state in MOVING or (runner.wishing and not anew):
            if tab is not None:
                tab.wait()
        elif tab is not None:
            tab.refresh(session, runner, anew)
        elif self.tabs.shown == "heart":
            self._find_spread(session, session.paint)

    def _find_spread(self, session: Session, what: str) -> None:
        wanted = what in ("uncertainty", "spread") and not session.now.painted
        if wanted and self.runner.computing != what and self._spread_refused is not session.step:
            self.runner.job(
                what,
                lambda session, watch: session.spread(what, watch),
                lambda _: self.runner.redraw(),
            )

    def _cancel(self) -> None:
        """Nobody wants to wait for what is computed."""
        name = self.runner.computing
        for tab in self.why.values():
            if name and tab.computes == name:
                tab.give_up(texts.CANCELLED)
        if self.session is not None and name == self.session.paint:
            self._spread_refused = self.session.step
        self.runner.cancel()

    # -- taking it away --------------------------------------------------------------------

    def _take(self, kind: str) -> None:
        def work(session: Session, watch: Any) -> tuple[str, bytes]:
            from srheart_demo.dashboard import film
            from srheart_demo.explorer import takeaway

            drawn: dict[str, tuple[str, Callable[[], bytes]]] = {
                "png": ("heart.png", lambda: film.png(session)),
                "html": ("heart.html", lambda: film.html(session)),
                "gif": ("run.gif", lambda: film.gif(session, watch)),
            }
            if kind in drawn:
                name, make = drawn[kind]
                return name, make()
            return takeaway.file(session, kind)

        name = "film" if kind == "gif" else "take"
        self.runner.job(name, work, lambda file: self.page.download(*file))

    def _restore(self, text: str) -> None:
        def restored(otherwise: tuple[str, ...]) -> None:
            if self.session is not None:
                self.show_scan(self.session)
            self.runner.pause_at()
            self._say(" ".join(otherwise), texts.RESTORED)
            self._write_status()

        self.runner.job("restore", lambda session, watch: session.restore(text, watch), restored)

    # -- the status line -------------------------------------------------------------------

    def _write_status(self) -> None:
        state = self.runner.state
        progress = self._frame.progress if self._frame is not None else None
        done, line = 0.0, ""
        # The picture comes after the state: until then nothing is told of the one before.
        if progress is not None and not self._fits(progress):
            progress = None
        if state is State.DONE and progress is None:
            state = self._told
        self._told, running = state, state is State.RUNNING
        if state is State.FAILED:
            line = f"{self._problem} {texts.FAILED_NOTE}"
        elif self._problem:
            self.transport.show_status("failed", self._word, self._problem, 0.0)
            return
        elif progress is not None:
            whole = progress.iterations if running else progress.last
            done = progress.iteration / whole if whole else 0.0
            line = texts.progress_line(progress, running)
        self.transport.show_status(state.value, WORDS[state], line, done)

    def _fits(self, progress: Progress) -> bool:
        """Whether a picture is of what the run does now, and not of what it did before."""
        state, ended = self.runner.state, progress.stopped is not None
        if state is State.DONE:
            return ended
        if state is State.RUNNING:
            return not ended and not self.runner.wishing
        if state is State.PAUSED and self.session is not None:
            at_end = not self.runner.wishing and self.session.step.stopped is not None
            return ended == at_end
        return True


def _active(frame: Frame) -> Any:
    return next(curves for curves in frame.curves if curves.active)


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
        await asyncio.sleep(NAP)
    await explorer.runner.serve()
