"""How long computations say how far they are, and are ended."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeVar

from torch import Tensor

from srheart_demo.solver.problem import Generator

_T = TypeVar("_T")


class Cancelled(Exception):
    """The user does not want to wait any longer."""


class Watch:
    """Between a long computation and whoever waits for it; safe to use from two threads."""

    def __init__(self, report: Callable[[float], None] = lambda done: None) -> None:
        self._report, self._cancelled = report, False

    def cancel(self) -> None:
        """End it at the next opportunity."""
        self._cancelled = True

    def tick(self, done: float) -> None:
        """So much of 1 is done; `Cancelled` if somebody called `cancel`."""
        if self._cancelled:
            raise Cancelled
        self._report(min(done, 1.0))

    def counted(self, n: int) -> Callable[[], None]:
        """What ticks when it is called, about `n` times in all."""
        numbers = count()
        return lambda: self.tick(next(numbers) / max(n, 1))

    def each(self, things: Sequence[_T]) -> Iterator[_T]:
        """One thing after the other, with a tick before each."""
        for i, thing in enumerate(things):
            self.tick(i / len(things))
            yield thing


class WatchedGenerator:
    """A generator that ticks with every heart it decodes, of about so many."""

    def __init__(self, G: Generator, watch: Watch, decodes: int) -> None:
        self.latent_size, self.information = G.latent_size, G.information
        self._G, self._watch, self._decodes, self._done = G, watch, decodes, 0

    def decode(self, z: Tensor) -> Tensor:
        """G(z)."""
        self._done += len(z)
        self._watch.tick(self._done / self._decodes)
        return self._G.decode(z)
