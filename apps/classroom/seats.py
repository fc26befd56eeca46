"""Kernels for a room: so many and no more, most of them started before anybody comes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Integer
from voila.voila_kernel_manager import voila_kernel_manager_factory

START_TOGETHER = max(2, os.cpu_count() or 2)
"""Kernels that start at the same time. Forty at once would run into their own timeouts."""
QUIET = {"extra_arguments": ["--log-level=ERROR"]}
"""What kernels warn of on every machine would push the address off the teacher's screen."""

Pooled: Any = voila_kernel_manager_factory(AsyncMappingKernelManager, True, 0)


class Seats(Pooled):
    """Voilà's pool of waiting kernels, for a room with so many seats.

    Learners and waiting kernels together are never more than `seats`. A learner who leaves, or
    whose kernel dies, makes room for another waiting kernel at the next look round
    (`cull_interval`).
    """

    seats = Integer(20, config=True, help="Learners at once.")
    waiting = Integer(20, config=True, help="Kernels that wait for learners, at most.")

    def __init__(self, **kwargs: Any) -> None:
        self._taken: set[str] = set()
        self._arriving = 0
        self._starts = asyncio.Semaphore(START_TOGETHER)
        super().__init__(**kwargs)

    @property
    def learners(self) -> int:
        """How many are here, or on the way in."""
        self._taken &= set(self.list_kernel_ids())
        return len(self._taken) + self._arriving

    async def opened(self) -> None:
        """Return when a waiting kernel is ready: until the first is, Voilà offers none of them."""
        if (waiting := self._pools.get(self.notebook_path)) and not self.notebook_data:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    async def get_rendered_notebook(self, *args: Any, **kwargs: Any) -> Any:
        """A waiting kernel for a learner: what still renders its page, the page so far, its id."""
        with self._arrival():
            found = await super().get_rendered_notebook(*args, **kwargs)
            self._taken.add(found[-1])
            # It may have waited longer than idle kernels may; its page takes a while to connect.
            self.get_kernel(found[-1]).last_activity = datetime.now(UTC)
        return found

    async def start_kernel(self, **kwargs: Any) -> str:
        """A new kernel for a learner, where none waits.

        Raises:
            HTTPError: 503, the room is full.
        """
        if self.learners + self.get_pool_size(self.notebook_path) >= self.seats:
            raise HTTPError(503)
        with self._arrival():
            kernel_id: str = await super().start_kernel(**QUIET, **kwargs)
            self._taken.add(kernel_id)
        return kernel_id

    def fill_if_needed(self, *args: Any, **kwargs: Any) -> None:
        """Start kernels for learners to come, as many as there are free seats."""
        wanted = max(0, min(self.waiting, self.seats - self.learners))
        self.kernel_pools_config = {"default": {"pool_size": wanted}}
        super().fill_if_needed(*args, **QUIET, **kwargs)

    async def cull_kernels(self) -> None:
        """Look round: end forsaken kernels, fill free seats."""
        await super().cull_kernels()
        self.fill_if_needed(delay=0, notebook_name=self.notebook_path)

    @contextmanager
    def _arrival(self) -> Iterator[None]:
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1

    async def _initialize(self, *args: Any, **kwargs: Any) -> Any:
        async with self._starts:
            content = await super()._initialize(*args, **kwargs)
            await asyncio.wait([content["task"]])
        return content

    def _handle_kernel_died(self, kernel_id: str) -> None:
        super()._handle_kernel_died(kernel_id)
        for pool in self._pools.values():
            pool[:] = [kernel for kernel in pool if _id(kernel) != kernel_id]


def _id(waiting: asyncio.Task[dict[str, Any]]) -> str | None:
    """The id of a waiting kernel, once it has started."""
    started = waiting.done() and waiting.exception() is None
    return waiting.result()["kernel_id"] if started else None
