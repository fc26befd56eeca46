"""Work on many items at once: in processes of this machine, or on a Dask cluster.

Both ways yield the index of each item with what came of it, as soon as it has come, in whatever
order. An item that fails, or whose worker dies, costs no other item anything.
"""

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Ends = Generator[tuple[int, Result | Exception], None, None]
"""Index of each item, with its result or why there is none."""

ATTEMPTS = 2  # How often an item is tried whose process dies

DIED = "its process died, and did so again at a new try; if memory ran out, do fewer at once"
NEVER_BEGAN = (
    "its process ended before it could begin, and so did another; what it printed says why: a "
    'script needs `if __name__ == "__main__":`, and where memory ran out, do fewer at once'
)


class WorkerDied(Exception):
    """The process that worked on an item ended without an answer, each time it was tried."""


class CannotImport(Exception):
    """Processes cannot import what they are to do, so that no item can be worked on."""


class NoCluster(Exception):
    """The Dask cluster is not there, or not any more; the message says what to do."""


def cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], processes: int
) -> Ends[Result]:
    """Work in processes of this machine, an item at a time in each.

    A process that dies is replaced if more is to be done, and its item is tried once more. Leaving
    off early, as Ctrl-C does, ends the processes at once. If this process is killed, they finish
    the items in hand, then end of themselves.

    `work`, items and results can be pickled, and `work` is of a module that the processes can
    import, not of a notebook's cell, or `CannotImport` is raised; a script needs
    ``if __name__ == "__main__":``. `processes` is how many work at a time.
    """
    program = pickle.dumps(work)
    waiting = deque((i, 1) for i in range(len(items)))
    idle = [_Worker(program) for _ in range(min(processes, len(items)))]
    busy: dict[_Worker, tuple[int, int]] = {}
    try:
        while waiting or busy:
            while waiting and (idle or len(busy) < processes):
                worker, (i, attempt) = idle.pop() if idle else _Worker(program), waiting.popleft()
                busy[worker] = i, attempt
                worker.give(items[i])
            ready = wait([worker.pipe for worker in busy])
            for worker in [worker for worker in busy if worker.pipe in ready]:
                i, attempt = busy[worker]
                try:
                    if not worker.began:
                        worker.begin()
                        continue
                    outcome = worker.take()
                    idle.append(worker)
                except (EOFError, OSError):
                    worker.end()
                    outcome = WorkerDied(DIED if worker.began else NEVER_BEGAN)
                del busy[worker]
                if isinstance(outcome, WorkerDied) and attempt < ATTEMPTS:
                    waiting.append((i, attempt + 1))
                    continue
                yield i, outcome
    finally:
        for worker in (*idle, *busy):
            worker.end()


class _Worker:
    """A process that works on one item after the other.

    Not of a `ProcessPoolExecutor`, which is broken as a whole when one of its processes dies, does
    not tell whose item it was, and leaves its processes behind when it is killed itself.
    """

    def __init__(self, program: bytes) -> None:
        context = get_context("spawn")
        self.pipe, its_end = context.Pipe()
        self.process = context.Process(target=_serve, args=(its_end, program), daemon=True)
        self.process.start()
        self.began = False
        its_end.close()  # The pipe now ends when the process does.

    def begin(self) -> None:
        """Hear whether the process could import what it is to do, or raise `CannotImport`.

        Here and in `take`, EOFError and OSError say that the process is dead.
        """
        if trouble := self.pipe.recv_bytes().decode():
            raise CannotImport(
                f"the processes cannot import what they are to do ({trouble}); define it in a "
                "module, not in a notebook or at the prompt"
            )
        self.began = True

    def give(self, item: object) -> None:
        """Begin with an item."""
        with suppress(OSError):
            self.pipe.send_bytes(pickle.dumps(item))

    def take(self) -> Any:
        """What came of the item."""
        answer = self.pipe.recv_bytes()
        try:
            return pickle.loads(answer)
        except Exception as error:  # An exception that pickle cannot make anew.
            return error

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection, program: bytes) -> None:
    """A process's life: until the pipe ends. Answers are plain bytes: torch's own pickles hold a
    file open for each tensor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer.
    with suppress(EOFError, OSError):
        try:
            work = pickle.loads(program)
        except Exception as error:
            pipe.send_bytes(f"{type(error).__name__}: {error}".encode())
            return
        pipe.send_bytes(b"")
        while True:
            item = pipe.recv_bytes()
            try:
                answer = pickle.dumps(work(pickle.loads(item)))
            except Exception as error:
                answer = _pickled(error)
            pipe.send_bytes(answer)


def _pickled(error: Exception) -> bytes:
    try:
        return pickle.dumps(error)
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))


def in_cluster(
    work: Callable[[Item], Result], items: Sequence[Item], scheduler: str
) -> Ends[Result]:
    """Work on a Dask cluster, whose workers have this package and see the same files.

    Dask gives the item of a worker that dies to another, and counts an item as failed when more
    workers than its setting ``distributed.scheduler.allowed-failures`` have died of it. Workers
    may come and go. Leaving off early takes back what is not begun. `NoCluster` says that no
    scheduler answers at its address, such as ``tcp://HOST:8786``, or that it went away.
    """
    from distributed import CancelledError, Client, KilledWorker, as_completed
    from distributed.comm import resolve_address

    try:
        resolve_address(scheduler)  # A client of no address would hang when it ends.
        client = Client(scheduler, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoCluster(
            f"no Dask scheduler answers at {scheduler} ({error}); start one with `dask scheduler`, "
            "or give the address that it prints."
        ) from error
    with client:
        futures = client.map(work, items, pure=False)
        index = {future.key: i for i, future in enumerate(futures)}
        try:
            for future in as_completed(futures, loop=client.loop):
                try:
                    outcome = future.result()
                except CancelledError:
                    gone = f"the Dask scheduler at {scheduler} went away; start it again."
                    raise NoCluster(gone) from None
                except KilledWorker:
                    outcome = WorkerDied(DIED)
                except Exception as error:
                    outcome = error
                future.release()  # Or Dask would make it anew when the worker that holds it dies.
                yield index[future.key], outcome
        finally:
            client.cancel(futures)
