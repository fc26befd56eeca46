"""Pictures of a session: prepared in a thread of their own, sent when the browser can take them.

Each part of the page is renewed so often that showing a run does not slow it down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from srheart_demo.dashboard.page import Page
from srheart_demo.machine import give_back

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Moment

INTERVALS = {"frame": 0.05, "cuts": 0.05, "heart": 0.2, "scores": 1.0}
"""Least seconds between two updates of the curves, the slices, the 3-D view and the scores in a
run."""
SHARES = {"frame": 0.06, "cuts": 0.6, "heart": 0.08, "scores": 0.03}
"""Largest part of a run's time for which a thread beside the solver's may prepare each of them.
Slices more often (0.5) cost more iterations, and slowed the curves too, where the browser draws on
the same two cores."""
DEAR = {"heart", "scores"}
SOON = 0.4  # A run that is over within so many seconds shows its first and its last picture alone
NAP = 0.01


class Schedule:
    """What on the page is out of date, and whether its turn has come. For one thread only."""

    def __init__(self) -> None:
        self.stale: set[str] = set()
        self._urgent: set[str] = set()
        self._due = dict.fromkeys(INTERVALS, 0.0)  # when the turn of each comes
        self._soon = 0.0

    def everything(self) -> None:
        """All is out of date."""
        self.stale |= set(INTERVALS)

    def at_once(self, *parts: str) -> None:
        """These are out of date, and somebody waits for them."""
        self.stale |= {*parts}
        self._urgent |= {*parts}

    def take(self, hurry: bool) -> list[str]:
        """What is due, and no longer out of date; in a hurry, whatever it costs the run."""
        now = time.monotonic()
        due = [
            part
            for part in INTERVALS
            if part in self.stale and (hurry or part in self._urgent or now >= self._due[part])
        ]
        self.stale.difference_update(due)
        self._urgent.difference_update(due)
        return due

    def begun(self) -> None:
        """A run begins: its 3-D view and scores, which are dear, wait for their turn."""
        self._soon = time.monotonic() + SOON
        self._due |= {"heart": self._soon, "scores": time.monotonic() + INTERVALS["scores"]}

    def renewed(self, part: str, cost: float) -> None:
        """`part` took `cost` seconds to prepare."""
        wait = max(INTERVALS[part], cost / SHARES[part])
        self._due[part] = max(time.monotonic() + wait, self._soon)


class Painter:
    """Shows moments of a session on a page, which is touched from the event loop alone."""

    def __init__(self, page: Page) -> None:
        self.look = (0, 0.0)  # the slice and the angle of the cut that the views show
        self.schedule, self._page = Schedule(), page
        # Part of the page → draws what was prepared for it.
        self.draw: Mapping[str, Callable[[Any], None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="painter")
        self._film: asyncio.Task[None] | None = None
        self._filmed: Moment | None = None

    async def show(self, now: Moment, hurry: bool = True, coarse: bool = False) -> None:
        """Show what is due of a moment, if the browser has painted the last picture; or nap.

        Where a run rests, curves and slices do not wait until the dear parts are prepared.
        """
        due = self.schedule.take(hurry) if self._page.painted else []
        call = asyncio.get_running_loop().run_in_executor
        rests = hurry and not coarse
        for parts in filter(None, (set(due) - DEAR, set(due) & DEAR) if rests else (due,)):
            calls = (call(self._thread, self._prepared, now, part, coarse) for part in parts)
            prepared = await asyncio.gather(*calls)
            with self._page.together():
                for part, found, cost in prepared:
                    self.schedule.renewed(part, cost)
                    self.draw[part](found)
                self._page.sent()
        if not due:
            await asyncio.sleep(NAP)

    def _prepared(self, now: Moment, part: str, coarse: bool) -> tuple[str, Any, float]:
        """A part of the page, what there is to draw in it, and the seconds that took."""
        from srheart_demo.explorer.moment import QUALITY, UNKNOWNS

        started = time.monotonic()
        prepare: dict[str, Callable[[], Any]] = {
            "frame": lambda: now.found(*UNKNOWNS),
            "cuts": lambda: now.cuts(*self.look),
            "heart": lambda: now.heart(*self.look, coarse),
            "scores": lambda: now.found(*QUALITY),
        }
        found = prepare[part]()
        if part == "scores":
            give_back()  # They come seldom, and need the most room.
        return part, found, time.monotonic() - started

    async def film(self, now: Moment) -> None:
        """Show moments of a run, as fast as the browser paints them, until `cut`."""
        self._filmed = now
        if self._film is not None and self._film.done():
            film, self._film = self._film, None
            await film
        if self._film is None:
            self.schedule.begun()
            self._film = asyncio.create_task(self._show_filmed())

    async def _show_filmed(self) -> None:
        while self._filmed is not None:
            if self._page.absent:
                # Pictures for nobody would keep the kernel of a lost browser among those in use.
                await asyncio.sleep(NAP)
            else:
                await self.show(self._filmed, hurry=False, coarse=True)

    async def cut(self) -> None:
        """No more of the run: what is prepared in it must not come after what is shown then."""
        film, self._film, self._filmed = self._film, None, None
        if film is not None:
            await film

    def close(self) -> None:
        """End the thread."""
        self._filmed = None
        self._thread.shutdown(wait=False, cancel_futures=True)
