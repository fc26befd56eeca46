"""Drives a session from the notebook's event loop.

The solver runs in one worker thread, in bursts; everything that touches a widget runs on the
event loop. So a control acts between two bursts, and widgets are written from one thread only.
A second thread prepares pictures of what the solver has left behind (`Session.now`), and they go
out when the browser has painted the last ones (see `page`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from srheart_demo.dashboard.schedule import Schedule
from srheart_demo.machine import give_back

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.own import OwnFile
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.show import Cuts, Frame, Heart, Scores
    from srheart_demo.explorer.subjects import ScanSettings
    from srheart_demo.explorer.watch import Watch

BURST = 0.04
"""Seconds of solving between two looks at the controls."""
NAP = 0.01
REPLAY = 6.0
"""Seconds that a replay takes, within `BEAT`."""
BEAT = (0.06, 0.4)
"""Shortest and longest stay at an iteration in a replay, s."""
TELL = 0.1
"""Least seconds between two words about how far a computation is."""

log = logging.getLogger(__name__)
T = TypeVar("T")
Picture = asyncio.Future[tuple[str, Callable[[], None], float]]
"""What is being prepared, and then how to draw it and the seconds that it took."""


class State(Enum):
    """What the run is doing."""

    LOADING = "loading"
    READY = "ready"
    RUNNING = "running"
    REPLAYING = "replaying"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"


class View(Protocol):
    """What a runner shows its session on. All calls come from the event loop."""

    def show_scan(self, session: Session) -> None:
        """A new scan: everything that does not change during a run."""

    def show_frame(self, frame: Frame) -> None:
        """The run and its unknowns."""

    def show_cuts(self, cuts: Cuts) -> None:
        """The slices."""

    def show_heart(self, heart: Heart) -> None:
        """The 3-D view."""

    def show_scores(self, scores: Scores) -> None:
        """How good the estimate is."""

    def show_state(self, state: State, problem: str) -> None:
        """What the run is doing; `problem` in plain words if it failed."""

    def show_job(self, name: str, done: float | None) -> None:
        """How far a long computation is, of 1; None when it is over, or has given way."""

    def show_problem(self, problem: str, job: str = "") -> None:
        """What went wrong with a wish or a long computation; the run is as it was."""

    def loaded(self, session: Session) -> None:
        """The first session is there."""


class Pace(Protocol):
    """The browser's side: when the next picture may go out."""

    @property
    def painted(self) -> bool:
        """The last picture is on the screen."""

    @property
    def absent(self) -> bool:
        """Nobody is there to see pictures."""

    def sent(self) -> None:
        """A picture has been sent."""


@dataclass(frozen=True)
class Job:
    """A long computation beside the run.

    Attributes:
        name: in `texts.JOBS`.
        work: what to compute, in the worker thread.
        show: what to do with it, on the event loop.
    """

    name: str
    work: Callable[[Session, Watch], Any]
    show: Callable[[Any], None]


class Runner:
    """Takes the controls' wishes, runs the session and keeps the view up to date.

    Attributes:
        state: what the run is doing.
        look: the slice and the angle of the cut that the views show.
    """

    def __init__(
        self, load: Callable[[], Session], view: View, pace: Pace, look: tuple[int, float]
    ) -> None:
        self.state = State.LOADING
        self.look = look
        self._load, self._view, self._pace = load, view, pace
        self._session: Session | None = None
        self._wishes: dict[str, Callable[[Session], None]] = {}
        self._steps, self._granting = 0, False
        self._job: Job | None = None
        self._doing: Job | None = None
        self._granted: Callable[[Session], None] | None = None
        self._watch: Watch | None = None
        self._opening, self._beat_at = False, 0.0
        self._schedule = Schedule()
        self._wake = asyncio.Event()
        self._solver = ThreadPoolExecutor(1, thread_name_prefix="solver")
        self._painter = ThreadPoolExecutor(1, thread_name_prefix="painter")
        self._film: asyncio.Task[None] | None = None
        self._filmed: Moment | None = None

    # -- what the controls call ------------------------------------------------------------

    def run(self) -> None:
        """Start or go on; where a run is over, or another preset is chosen, begin another."""
        session = self._session
        self.cancel()
        if session is not None and self.state is not State.READY and session.over:
            self._wish("again", lambda session: session.again())
        self._enter(State.RUNNING)

    def open(self) -> None:
        """Replay what has been solved, once, or until the user does anything."""
        if self.state is State.DONE:
            self.replay()
            self._opening = True

    def touched(self) -> None:
        """The user does something: the opening replay is over."""
        if self._opening:
            self.end_replay()

    def end_replay(self) -> None:
        """Rest at the end of what is being replayed."""
        if self.state is State.REPLAYING:
            self._wish("look", lambda session: session.history.look(session.history.last))
            self.pause_at()

    def pause(self) -> None:
        """Stop after the burst that is on its way."""
        if self.state in (State.RUNNING, State.REPLAYING):
            self._enter(State.PAUSED)

    def step(self) -> None:
        """One more iteration."""
        self._steps += 1
        self._enter(State.PAUSED)
        self.cancel()

    def reset(self) -> None:
        """Back to iteration 0, and nothing else is kept."""
        self._wish("reset", lambda session: session.reset())
        self._enter(State.READY)

    def replay(self) -> None:
        """Show the run again from its start, or from where it is looked at."""

        def back(session: Session) -> None:
            if session.history.at_end:
                session.history.look(0)

        self._enter(State.REPLAYING)
        self._wish("look", back)

    def scan(self, scan: ScanSettings, live: bool) -> None:
        """Scan anew. A run that is going on goes on with the new scan, from the start; so does
        one that is live."""

        self._wish("scan", lambda session: session.scan(scan, live))
        if live:
            self._enter(State.RUNNING)
        elif self.state is not State.RUNNING:
            self._enter(State.READY)

    def load(self, file: OwnFile) -> None:
        """Take a stack of the user's own; where it cannot be used, all is as it was."""
        self._at_rest()
        self.job(
            "load",
            lambda session, _: session.load(file),
            lambda _: self._enter(State.READY),
        )

    @property
    def loading(self) -> bool:
        """Whether another file is read, or waits to be."""
        return self.computing == "load"

    @property
    def scanning(self) -> bool:
        """Whether another scan is wished for already."""
        return "scan" in self._wishes

    @property
    def wishing(self) -> bool:
        """Whether something is wished for that is not granted yet."""
        return bool(self._wishes or self._steps or self._granting)

    @property
    def computing(self) -> str:
        """Name of the long computation that is on its way, or waits for its turn; or nothing."""
        job = self._job or self._doing
        return "" if job is None else job.name

    def preset(self, name: str, taken: Callable[[Session], None]) -> None:
        """Take another preset, from the start; `taken` then shows its settings."""
        self._wish("preset", lambda session: session.preset(name))
        self._granted = taken
        self._at_rest()

    def configure(self, **changes: object) -> None:
        """Change single settings."""
        self._wish(f"configure {[*changes]}", lambda session: session.configure(**changes))
        if self._session is not None and self.state is State.DONE:
            self._enter(State.PAUSED)

    def seek(self, at: int) -> None:
        """Look at an iteration; what runs is paused."""
        self._wish("look", lambda session: session.history.look(at))
        self._at_rest()

    def fork(self) -> None:
        """Begin another run where is looked at."""
        self._wish("fork", lambda session: session.history.fork())
        self._at_rest()

    def choose(self, run: int) -> None:
        """Look at another run."""
        self._wish("choose", lambda session: session.history.choose(run))
        self._at_rest()

    def paint(self, what: str) -> None:
        """Paint the error, or a spread, on the surface."""

        def wish(session: Session) -> None:
            session.paint = what

        self._wish("paint", wish)

    def paint_slices(self, every: bool) -> None:
        """Paint every slice in the 3-D view, or only the one that is looked at."""

        def wish(session: Session) -> None:
            session.all_painted = every

        self._wish("paint slices", wish)

    def pause_at(self) -> None:
        """Stay at what is looked at: another state has come in."""
        if self._session is not None:
            self._enter(State.DONE if self._session.finished else State.PAUSED)

    def _at_rest(self) -> None:
        if self.state is not State.LOADING:
            self._enter(State.PAUSED)

    def job(
        self, name: str, work: Callable[[Session, Watch], T], show: Callable[[T], None]
    ) -> None:
        """Compute something that takes long; an earlier one gives way."""
        self.cancel()
        self._job = Job(name, work, show)
        self._view.show_job(name, 0.0)
        self._wake.set()

    def cancel(self) -> None:
        """End the long computation that is on its way, if there is one."""
        waiting, self._job = self._job, None
        if self._watch is not None:
            self._watch.cancel()
        elif waiting is not None:
            self._view.show_job(waiting.name, None)

    def on_loop(self, show: Callable[[T], None]) -> Callable[[T], None]:
        """`show`, to be called from the worker thread: it runs on the event loop."""
        loop = asyncio.get_running_loop()

        def hop(value: T) -> None:
            loop.call_soon_threadsafe(show, value)

        return hop

    def redraw(self) -> None:
        """Everything on the page is out of date."""
        self._schedule.everything()
        self._wake.set()

    def look_at(self, k: int, angle: float) -> None:
        """Show another slice or cut."""
        self.look = k, angle
        # The slices alone, so that they are there soon; the 3-D view follows.
        self._schedule.at_once("cuts")
        self._schedule.stale.add("heart")
        self._wake.set()

    # -- the loop --------------------------------------------------------------------------

    async def serve(self) -> None:
        """Do what is wished, for ever; sleeps while there is nothing to do."""
        while True:
            try:
                await self._turn()
            except Exception as error:
                log.exception("the dashboard's run failed")
                self._wishes.clear()
                self._steps, self._job = 0, None
                self._enter(State.FAILED, str(error))
                await self._sleep()

    async def _turn(self) -> None:
        if self.state is not State.RUNNING or self._wishes or self._steps:
            # What is prepared in a run must not come after what is prepared then.
            await self._stop_filming()
        if self._session is None:
            self._session = await self._call(self._load)
            self._enter(State.DONE if self._session.finished else State.READY)
            await self._show_scan(self._session)
            self._view.loaded(self._session)
        elif self._wishes:
            await self._grant(self._session)
        elif self._steps:
            self._steps -= 1
            await self._call(self._session.advance, 0.0)
            self._after_solving(self._session)
        elif self.state is State.RUNNING:
            await self._run_on(self._session)
        elif self._schedule.stale and self._pace.painted:
            await self._show(self._prepare(self._session.now, hurry=True))
        elif self._job is not None and not self._schedule.stale:
            await self._do(self._session, self._job)
        elif self.state is State.REPLAYING:
            await self._replay(self._session)
        elif self._schedule.stale:
            await asyncio.sleep(NAP)
        else:
            await self._sleep()

    async def _grant(self, session: Session) -> None:
        wishes, self._wishes = self._wishes, {}
        scene, self._granting = session.scene, True
        try:
            for wish in wishes.values():
                await self._call(wish, session)
        finally:
            self._granting = False
        granted, self._granted = self._granted, None
        if granted is not None:
            granted(session)
        if session.scene is not scene:
            await self._show_scan(session)
        elif self.state is State.PAUSED and not session.history.last:
            self._enter(State.READY)
        elif self.state is State.PAUSED and session.finished:
            self._enter(State.DONE)
        self._schedule.everything()

    async def _do(self, session: Session, job: Job) -> None:
        from srheart_demo.explorer.watch import Cancelled, Watch

        self._job, self._doing = None, job
        told, loop = 0.0, asyncio.get_running_loop()

        def report(done: float) -> None:
            nonlocal told
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                loop.call_soon_threadsafe(self._view.show_job, job.name, done)

        watch = self._watch = Watch(report)
        scene, problem = session.scene, ""

        def end() -> None:
            if problem:
                self._view.show_problem(problem, job.name)
            if self._job is None:  # else another has taken its place on the page
                self._view.show_job(job.name, None)

        try:
            job.show(await self._call(job.work, session, watch))
        except Cancelled:
            pass
        except (KeyError, ValueError) as error:
            problem = str(error.args[0]) if error.args else type(error).__name__
        except OSError as error:
            log.warning("%s: %s", job.name, error)
            problem = f"The server cannot write files ({error.strerror}); the run is as it was."
        finally:
            self._watch = self._doing = None
            # What was reported last comes first.
            loop.call_soon(end)
        if session.scene is not scene:
            await self._show_scan(session)

    async def _replay(self, session: Session) -> None:
        """One iteration further, when the last has been seen long enough; rest at the end."""
        beat = min(max(REPLAY / max(session.history.last, 1), BEAT[0]), BEAT[1])
        if session.history.at_end:
            self._enter(State.DONE if session.finished else State.PAUSED)
        elif self._pace.absent:
            # A page that was closed must not keep its kernel busy; one out of sight may come back.
            await asyncio.sleep(TELL)
        elif time.monotonic() - self._beat_at < beat or not self._pace.painted:
            await asyncio.sleep(NAP)
        else:
            self._beat_at = time.monotonic()
            await self._call(session.history.look, session.history.at + 1)
            self._schedule.everything()

    async def _run_on(self, session: Session) -> None:
        self._filmed = session.now
        if self._film is None:
            self._film = asyncio.create_task(self._show_filmed())
        elif self._film.done():
            await self._stop_filming()
        await self._call(session.advance, BURST)
        self._after_solving(session)

    async def _show_filmed(self) -> None:
        """Pictures of a run, as fast as the browser paints them, until there is no run."""
        while self._filmed is not None:
            # Pictures for nobody would keep the kernel of a lost browser among those in use.
            pictures = [] if self._pace.absent else self._prepare(self._filmed, hurry=False)
            await self._show(pictures)

    async def _stop_filming(self) -> None:
        film, self._film, self._filmed = self._film, None, None
        if film is not None:
            await film

    def _after_solving(self, session: Session) -> None:
        self._schedule.everything()
        if session.finished and self.state in (State.RUNNING, State.PAUSED):
            self._enter(State.DONE)

    async def _show_scan(self, session: Session) -> None:
        await self._call(lambda: session.scene.subject.ghost)
        self._view.show_scan(session)
        self._schedule.everything()

    def _prepare(self, now: Moment, hurry: bool) -> list[Picture]:
        """Have the painter's thread compute what is due; each result says how to draw it."""
        if not self._pace.painted:
            return []
        coarse = self.state in (State.RUNNING, State.REPLAYING)
        work: dict[str, Callable[[], Callable[[], None]]] = {
            "frame": lambda: _then(self._view.show_frame, now.frame()),
            "cuts": lambda: _then(self._view.show_cuts, now.cuts(*self.look)),
            "heart": lambda: _then(self._view.show_heart, now.heart(*self.look, coarse)),
            "scores": lambda: _then(self._view.show_scores, now.scores()),
        }
        due = self._schedule.take(hurry)
        loop = asyncio.get_running_loop()
        return [loop.run_in_executor(self._painter, self._timed, part, work[part]) for part in due]

    def _timed(
        self, part: str, make: Callable[[], Callable[[], None]]
    ) -> tuple[str, Callable[[], None], float]:
        started = time.monotonic()
        draw = make()
        if part == "scores":  # which come seldom, and need the most room
            give_back()
        return part, draw, time.monotonic() - started

    async def _show(self, pictures: list[Picture]) -> None:
        for part, draw, cost in await asyncio.gather(*pictures):
            self._schedule.renewed(part, cost)
            draw()
        if pictures:
            self._pace.sent()
        else:
            await asyncio.sleep(NAP)

    def _wish(self, kind: str, wish: Callable[[Session], None]) -> None:
        self._wishes[kind] = wish
        self.cancel()
        self._wake.set()

    def _enter(self, state: State, problem: str = "") -> None:
        self.state, self._opening = state, False
        self._schedule.everything()
        self._view.show_state(state, problem)
        self._wake.set()

    async def _sleep(self) -> None:
        self._wake.clear()
        await self._wake.wait()

    def _call(self, function: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._solver, _answered, function, *arguments)


def _then(show: Callable[[T], None], value: T) -> Callable[[], None]:
    return lambda: show(value)


def _answered(function: Callable[..., T], *arguments: object) -> T:
    """Call it; of all errors this one never gets out of a future, and whoever waits, waits on."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise RuntimeError("a run went on beyond its end") from error
