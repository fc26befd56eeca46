"""Drives a session from the notebook's event loop.

The solver runs in one worker thread, in bursts; everything that touches a widget runs on the
event loop. So a control acts between two bursts, and widgets are written from one thread only.
Pictures go out when the browser has painted the last ones (see `page`), and the 3-D view rests
while a hand is on it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar

from srheart_demo.ui.schedule import Schedule

if TYPE_CHECKING:
    from srheart_demo.session import Frame, Heart, Scores, Session

BURST = 0.04
"""Seconds of solving between two looks at the controls."""
NAP = 0.02

log = logging.getLogger(__name__)
T = TypeVar("T")


class State(Enum):
    """What the run is doing."""

    LOADING = "loading"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"


class View(Protocol):
    """What a runner shows its session on. All calls come from the event loop."""

    def show_scan(self, session: Session) -> None:
        """A new scan: everything that does not change during a run."""

    def show_frame(self, frame: Frame) -> None:
        """The 2-D views."""

    def show_heart(self, heart: Heart) -> None:
        """The 3-D view."""

    def show_scores(self, scores: Scores) -> None:
        """How good the estimate is."""

    def show_state(self, state: State, problem: str) -> None:
        """What the run is doing; `problem` in plain words if it failed."""


class Pace(Protocol):
    """The browser's side: when the next picture may go out."""

    @property
    def painted(self) -> bool:
        """The last picture is on the screen."""

    @property
    def hand_on_canvas(self) -> bool:
        """The user is turning the 3-D view."""

    def sent(self) -> None:
        """A picture has been sent."""


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
        self._steps = 0
        self._schedule = Schedule()
        self._wake = asyncio.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="solver")

    # -- what the controls call ------------------------------------------------------------

    def run(self) -> None:
        """Start or go on; a finished run starts anew."""
        if self.state is State.DONE:
            self.reset()
        self._enter(State.RUNNING)

    def pause(self) -> None:
        """Stop after the burst that is on its way."""
        if self.state is State.RUNNING:
            self._enter(State.PAUSED)

    def step(self) -> None:
        """One more iteration."""
        if self.state is not State.DONE:
            self._steps += 1
            self._enter(State.PAUSED)

    def reset(self) -> None:
        """Back to z = d = 0."""
        self._wish("reset", lambda session: session.reset())
        self._enter(State.READY)

    def scan(self, subject: str, motion: float, long_axis: bool) -> None:
        """Scan anew. A run that is going on goes on with the new scan, from the start."""
        self._wish("scan", lambda session: session.scan(subject, motion, long_axis))

    def preset(self, name: str) -> None:
        """Take another preset, from the start."""
        self._wish("preset", lambda session: session.preset(name))

    def gamma(self, gamma: float) -> None:
        """Another weight of the LA view, at once."""
        if self._session is not None:
            self._session.gamma = gamma

    def redraw(self) -> None:
        """Everything on the page is out of date."""
        self._schedule.everything()
        self._wake.set()

    def look_at(self, k: int, angle: float) -> None:
        """Show another slice or cut."""
        self.look = k, angle
        self._schedule.stale |= {"frame", "heart"}
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
                self._steps = 0
                self._enter(State.FAILED, str(error))
                await self._sleep()

    async def _turn(self) -> None:
        if self._session is None:
            self._session = await self._call(self._load)
            self._enter(State.READY)
            await self._show_scan(self._session)
        elif self._wishes:
            await self._grant(self._session)
        elif self._steps:
            self._steps -= 1
            await self._call(self._session.advance, 0.0)
            self._after_solving(self._session)
        elif self.state is State.RUNNING:
            await self._run_and_show(self._session)
        elif self._schedule.stale:
            await self._show(await self._prepare(self._session, hurry=True))
        else:
            await self._sleep()

    async def _grant(self, session: Session) -> None:
        wishes, self._wishes = self._wishes, {}
        for wish in wishes.values():
            await self._call(wish, session)
        if self.state is not State.RUNNING:
            self._enter(State.READY)
        await self._show_scan(session)

    async def _run_and_show(self, session: Session) -> None:
        pictures = await self._prepare(session, hurry=False)
        burst = asyncio.ensure_future(self._call(session.advance, BURST))
        if pictures:
            await self._show(pictures)
        await burst
        self._after_solving(session)

    def _after_solving(self, session: Session) -> None:
        self._schedule.everything()
        if session.finished and self.state in (State.RUNNING, State.PAUSED):
            self._enter(State.DONE)

    async def _show_scan(self, session: Session) -> None:
        await self._call(session.ghost)
        self._view.show_scan(session)
        self._schedule.everything()

    async def _prepare(self, session: Session, hurry: bool) -> list[Callable[[], None]]:
        """Compute what is due, in the worker thread; returns how to draw it."""
        if not self._pace.painted:
            return []
        coarse = self.state is State.RUNNING
        work: dict[str, Callable[[], Callable[[], None]]] = {
            "frame": lambda: _then(self._view.show_frame, session.frame(*self.look)),
            "heart": lambda: _then(self._view.show_heart, session.heart(self.look[0], coarse)),
            "scores": lambda: _then(self._view.show_scores, session.scores()),
        }
        draw = []
        for part, make in work.items():
            held = part == "heart" and self._pace.hand_on_canvas
            if not held and self._schedule.due(part, hurry):
                started = time.monotonic()
                self._schedule.stale.discard(part)
                draw.append(await self._call(make))
                self._schedule.renewed(part, time.monotonic() - started)
        return draw

    async def _show(self, pictures: list[Callable[[], None]]) -> None:
        for draw in pictures:
            draw()
        if pictures:
            self._pace.sent()
        await asyncio.sleep(NAP if not pictures else 0)

    def _wish(self, kind: str, wish: Callable[[Session], None]) -> None:
        self._wishes[kind] = wish
        self._wake.set()

    def _enter(self, state: State, problem: str = "") -> None:
        self.state = state
        self._schedule.everything()
        self._view.show_state(state, problem)
        self._wake.set()

    async def _sleep(self) -> None:
        self._wake.clear()
        await self._wake.wait()

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)


def _then(show: Callable[[T], None], value: T) -> Callable[[], None]:
    return lambda: show(value)
