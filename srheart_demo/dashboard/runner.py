"""Drives a session from the notebook's event loop.

The solver runs in one worker thread, in bursts; everything that touches a widget runs on the
event loop. So a control acts between two bursts, and widgets are written from one thread only.
A second thread prepares pictures of what the solver has left behind (see `painter`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard.page import Page
from srheart_demo.dashboard.painter import NAP, Painter

if TYPE_CHECKING:
    from srheart_demo.dashboard.explorer import Explorer
    from srheart_demo.explorer.own import OwnFile
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.subjects import ScanSettings
    from srheart_demo.explorer.watch import Watch

BURST = 0.04  # Seconds of solving between two looks at the controls
REPLAY = 6.0  # Seconds that a replay takes, within `BEAT`
BEAT = (0.06, 0.4)  # Shortest and longest stay at an iteration in a replay, s
TELL = 0.1  # Least seconds between two words about how far a computation is

log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Activity(Enum):
    """What the run is doing."""

    LOADING = "loading"
    READY = "ready"
    RUNNING = "running"
    REPLAYING = "replaying"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"


MOVING = (Activity.LOADING, Activity.RUNNING, Activity.REPLAYING)


@dataclass(frozen=True)
class Job:
    """A long computation beside the run."""

    name: str  # in `texts.JOBS`
    work: Callable[[Session, Watch], Any]  # what to compute, in the worker thread
    show: Callable[[Any], object]  # what to do with it, on the event loop


class Runner:
    """Takes the controls' wishes, runs the session and keeps the page up to date."""

    session: Session | None  # what it drives; None until it is loaded
    scanning: ScanSettings | None = None  # another scan that is wished for, and not there yet

    def __init__(self, load: Callable[[], Session], page: Page, explorer: Explorer) -> None:
        """`explorer` is told of all that there is to show and to say."""
        self.state, self.session = Activity.LOADING, None
        self.page, self.painter = page, Painter(page)
        self._load, self.explorer = load, explorer
        self._wishes: dict[str, Callable[[Session], object]] = {}
        self._granting, self._numbers = False, count()
        self._job: Job | None = None
        self._doing: Job | None = None
        self._watch: Watch | None = None
        self._opening, self._beat_at, self._closed = False, 0.0, False
        self._wake = asyncio.Event()
        self._solver = ThreadPoolExecutor(1, thread_name_prefix="solver")

    # -- what the controls call ------------------------------------------------------------

    def wish(
        self, kind: str, act: Callable[[Session], object], then: Activity | None = None
    ) -> None:
        """Have something done to the session between two bursts, in place of an earlier such wish.

        The run is `then` in another state, if that is given and the session is loaded.
        """
        self._wishes.pop(kind, None)  # it comes last now
        self._wishes[kind] = act
        self.cancel()
        if then is not None and self.state is not Activity.LOADING:
            self._enter(then)
        self._wake.set()

    def run(self) -> None:
        """Start or go on; where a run is over, or something else is chosen, begin another."""
        self.cancel()
        session = self.session
        if session is not None and self.state is not Activity.READY and session.over:
            self.wish("again", lambda session: session.again())
        self._enter(Activity.RUNNING)

    def open(self) -> None:
        """Replay what has been solved, once, or until the user does anything."""
        if self.state is Activity.DONE:
            self.replay()
            self._opening = True

    def touched(self) -> None:
        """The user does something: the opening replay is over."""
        if self._opening:
            self.end_replay()

    def end_replay(self) -> None:
        """Rest at the end of what is being replayed."""
        if self.state is Activity.REPLAYING:
            self.wish("look", lambda session: session.history.look(session.history.last))
            self.rest()

    def pause(self) -> None:
        """Stop after the burst that is on its way."""
        if self.state in (Activity.RUNNING, Activity.REPLAYING):
            self._enter(Activity.PAUSED)

    def rest(self) -> None:
        """Stay at what is looked at."""
        session = self.session
        if session is not None:
            begun = Activity.PAUSED if session.history.last else Activity.READY
            self._enter(Activity.DONE if session.finished else begun)

    def step(self) -> None:
        """One more iteration."""
        number = next(self._numbers)
        self.wish(f"step {number}", lambda session: session.advance(), Activity.PAUSED)

    def replay(self) -> None:
        """Show the run again from its start, or from where it is looked at."""

        def back(session: Session) -> None:
            if session.history.at_end:
                session.history.look(0)

        self.wish("look", back, Activity.REPLAYING)

    def scan(self, scan: ScanSettings, live: bool) -> None:
        """Scan anew. A run that is going on goes on with the new scan, from the start; so does
        one that is live."""
        on = live or self.state is Activity.RUNNING
        then = Activity.RUNNING if on else Activity.READY
        self.scanning = scan
        self.wish("scan", lambda session: session.scan(scan, live), then)

    def load(self, file: OwnFile) -> None:
        """Take a stack of the user's own; where it cannot be used, all is as it was."""
        if self.state is not Activity.LOADING:
            self._enter(Activity.PAUSED)
        self.job("load", lambda s, _: s.load(file), lambda _: self._enter(Activity.READY))

    def restore(self, text: str) -> None:
        """Compute the state of a text or link again; where that cannot be, all rests as it was."""
        self.end_replay()
        self.pause()
        self.job("restore", lambda s, watch: s.restore(text, watch), self.explorer.show_restored)

    def configure(self, name: str, value: object) -> None:
        """Change a single setting."""
        then = Activity.PAUSED if self.state is Activity.DONE else None
        self.wish(f"configure {name}", lambda session: session.configure(**{name: value}), then)

    @property
    def loading(self) -> bool:
        """Whether the session, or another file, is read, or waits to be."""
        return self.state is Activity.LOADING or self.computing == "load"

    @property
    def wishing(self) -> bool:
        """Whether something is wished for that is not granted yet."""
        return bool(self._wishes or self._granting)

    @property
    def computing(self) -> str:
        """Name of the long computation that is on its way, or waits for its turn; or nothing."""
        job = self._job or self._doing
        return "" if job is None else job.name

    def job(
        self, name: str, work: Callable[[Session, Watch], _T], show: Callable[[_T], object]
    ) -> None:
        """Compute something that takes long; an earlier one gives way."""
        self.cancel()
        self._job = Job(name, work, show)
        self.explorer.show_job(name, 0.0)
        self._wake.set()

    def cancel(self) -> None:
        """End the long computation that is on its way, if there is one."""
        waiting, self._job = self._job, None
        if self._watch is not None:
            self._watch.cancel()
        elif waiting is not None:
            self.explorer.show_job(waiting.name, None)

    def on_loop(self, show: Callable[..., object]) -> Callable[..., None]:
        """`show`, to be called from the worker thread: it runs on the event loop."""
        loop = asyncio.get_running_loop()
        return lambda *values: (loop.call_soon_threadsafe(show, *values), None)[1]

    def redraw(self) -> None:
        """Everything on the page is out of date."""
        self.painter.schedule.everything()
        self._wake.set()

    def look_at(self, k: int, angle: float) -> None:
        """Show another slice or cut: the slices at once, the 3-D view when its turn comes."""
        self.painter.look = k, angle
        self.painter.schedule.at_once("cuts")
        self.painter.schedule.stale.add("heart")
        self._wake.set()

    def close(self) -> None:
        """End both threads; what is being computed is given up."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        self._solver.shutdown(wait=False, cancel_futures=True)
        self.painter.close()
        self._wake.set()

    # -- the loop --------------------------------------------------------------------------

    async def serve(self) -> None:
        """Do what is wished until it is closed; sleeps while there is nothing to do."""
        while True:
            try:
                await self._turn()
            except Exception as error:
                if self._closed:
                    return
                log.exception("the dashboard's run failed")
                self._wishes.clear()
                self._job = self.scanning = None
                self._enter(Activity.FAILED, str(error))
                await self._sleep()
            if self._closed:
                return

    async def _turn(self) -> None:
        session, stale = self.session, self.painter.schedule.stale
        if self.state is not Activity.RUNNING or self._wishes:
            await self.painter.cut()
        if session is None:
            self.session = session = await self._call(self._load)
            self._enter(Activity.DONE if session.finished else Activity.READY)
            await self._show_scan(session)
            self.explorer.play()
        elif self._wishes:
            await self._grant(session)
        elif self.state is Activity.RUNNING:
            await self.painter.film(session.now)
            await self._call(session.advance, BURST)
            self.painter.schedule.everything()
            if session.finished and self.state in (Activity.RUNNING, Activity.PAUSED):
                self._enter(Activity.DONE)
        elif stale and self.page.painted:
            await self.painter.show(session.now, coarse=self.state is Activity.REPLAYING)
        elif self._job is not None and not stale:
            await self._do(session, self._job)
        elif self.state is Activity.REPLAYING:
            await self._replay(session)
        elif stale:
            await asyncio.sleep(NAP)
        else:
            await self._sleep()

    async def _grant(self, session: Session) -> None:
        wishes, self._wishes = self._wishes, {}
        scene, self._granting = session.scene, True
        try:
            for act in wishes.values():
                await self._call(act, session)
        finally:
            self._granting = False
            if "scan" not in self._wishes:  # else another is wished for meanwhile
                self.scanning = None
        if session.scene is not scene:
            await self._show_scan(session)
        else:
            self.explorer.show_chosen(session)
        # Where more is wished for, that decides.
        if self.state is Activity.PAUSED and not self._wishes:
            self.rest()
        self.painter.schedule.everything()

    async def _do(self, session: Session, job: Job) -> None:
        from srheart_demo.explorer.watch import Cancelled, Watch

        self._job, self._doing = None, job
        told, scene, problem = 0.0, session.scene, ""
        tell = self.on_loop(self.explorer.show_job)

        def report(done: float) -> None:
            nonlocal told
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                tell(job.name, done)

        def end() -> None:
            if problem:
                self.explorer.show_problem(problem, job.name)
            if self._job is None:  # else another has taken its place on the page
                self.explorer.show_job(job.name, None)

        watch = self._watch = Watch(report)
        try:
            job.show(await self._call(job.work, session, watch))
        except Cancelled:
            pass
        except (KeyError, ValueError) as error:
            problem = sentences.problem(error)
        except OSError as error:
            log.warning("%s: %s", job.name, error)
            problem = texts.CANNOT_WRITE.format(error.strerror)
        finally:
            self._watch = self._doing = None
            # What was reported last comes first.
            asyncio.get_running_loop().call_soon(end)
        if session.scene is not scene:
            await self._show_scan(session)

    async def _replay(self, session: Session) -> None:
        """One iteration further, when the last has been seen long enough; rest at the end."""
        history = session.history
        beat = min(max(REPLAY / max(history.last, 1), BEAT[0]), BEAT[1])
        if history.at_end:
            self.rest()
        elif self.page.absent:
            # A page that was closed must not keep its kernel busy; one out of sight may come back.
            await asyncio.sleep(TELL)
        elif time.monotonic() - self._beat_at < beat or not self.page.painted:
            await asyncio.sleep(NAP)
        else:
            self._beat_at = time.monotonic()
            await self._call(history.look, history.at + 1)
            self.painter.schedule.everything()

    async def _show_scan(self, session: Session) -> None:
        await self._call(lambda: session.scene.subject.ghost)
        self.explorer.show_scan(session)
        self.painter.schedule.everything()

    def _enter(self, state: Activity, problem: str = "") -> None:
        self.state, self._opening = state, False
        self.painter.schedule.everything()
        self.explorer.show_state(state, problem)
        self._wake.set()

    async def _sleep(self) -> None:
        self._wake.clear()
        await self._wake.wait()

    def _call(self, function: Callable[..., _T], *arguments: object) -> asyncio.Future[_T]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._solver, _answered, function, *arguments)


def _answered(function: Callable[..., _T], *arguments: object) -> _T:
    """Call it. A future takes no StopIteration: whoever awaits it would wait for ever."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise RuntimeError("a run went on beyond its end") from error
