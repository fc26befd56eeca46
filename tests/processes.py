"""Programs that tests start, cold or warm, and waiting for what they do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import BaseContext
from typing import Any

WARM = ("srheart_demo.enhancement.cohort", "srheart_demo.experiments.runner", "matplotlib.pyplot",
        "ipykernel.kernelapp")  # fmt: skip
"""What a warm process has imported before it begins."""
PATIENCE_S = 300
"""For what takes seconds on a quiet machine: a fault should end a test, a busy machine not."""


def wait_until(holds: Callable[[], object], why: Callable[[], str] = str) -> None:
    """Return as soon as something holds.

    Args:
        holds: asked again and again.
        why: says what is known, if it never does.
    """
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"waited {PATIENCE_S} s: {why()}"
        time.sleep(0.02)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_foreground(*arguments: str, **kwargs: Any) -> subprocess.Popen[str]:
    """Python with these arguments, which Ctrl-C reaches also where it does not reach the tests.

    A shell has its background jobs ignore SIGINT, and so do all that they start.
    """
    return subprocess.Popen(
        [sys.executable, *arguments], preexec_fn=_obey_ctrl_c, text=True, **kwargs
    )


def _obey_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def warm() -> BaseContext | None:
    """Makes processes by forking one that has imported what takes seconds; None on Windows."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return None
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(WARM))
    return context


class WarmKernel:
    """A kernel in a warm process, as far as jupyter_client asks a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(
        self, command: Sequence[str], cwd: str, env: Mapping[str, str], **_: object
    ) -> None:
        context = warm()
        assert context is not None
        file = command[command.index("-f") + 1]
        self.process = context.Process(target=_serve, args=(file, str(cwd), dict(env)))
        self.process.start()
        self.pid = self.process.pid
        # Whoever ends a kernel ends its group, which must not be that of the tests.
        wait_until(lambda: self.poll() is not None or os.getpgid(self.pid) == self.pid)

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


def _serve(connection: str, cwd: str, env: dict[str, str]) -> None:
    """A kernel's life."""
    os.setsid()
    os.chdir(cwd)
    os.environ.update(env)
    import matplotlib
    from ipykernel.kernelapp import IPKernelApp

    # As matplotlib does when a kernel imports it.
    matplotlib.rcParams["backend"] = "module://matplotlib_inline.backend_inline"
    IPKernelApp.launch_instance(argv=["-f", connection])
