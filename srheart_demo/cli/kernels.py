"""Kernels of the explorer that start at once: forked from a process that has its imports.

A kernel of its own spends two seconds of a core on importing PyTorch and the dashboard, and keeps
220 MB that all kernels have alike. Voilà asks for a `Provisioner` instead (voila.json, and an entry
point of Jupyter's). Only Linux forks safely: elsewhere kernels start as always.
"""

import asyncio
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import psutil
from jupyter_client.provisioning import LocalProvisioner

PRELOADED = ("srheart_demo.dashboard", "srheart_demo.explorer.session",
             "srheart_demo.explorer.moment", "skimage.measure")  # fmt: skip
"""What a kernel has imported when it starts."""
FORKS = sys.platform == "linux"
_LAUNCHER = ["-m", "ipykernel_launcher"]  # What the command of a kernel of this Python starts with


class Provisioner(LocalProvisioner):
    """Starts kernels as Jupyter's own does, but forks those of this Python."""

    process: Any

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start a kernel; how it is reached."""
        program, *arguments = cmd
        if FORKS and program == sys.executable and arguments[:2] == _LAUNCHER:
            cwd, env = kwargs.get("cwd") or ".", kwargs["env"]
            ask = {"argv": arguments[2:], "cwd": str(cwd), "env": env, "name": self.kernel_id}
            with suppress(OSError, ValueError, psutil.NoSuchProcess):
                self.process = await asyncio.to_thread(_fork, ask)
                self.pid = self.pgid = self.process.pid
                self.cwd = cwd
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)


class Forked(psutil.Process):
    """A process that the nursery has forked, as far as Jupyter asks a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """None while it runs."""
        return None if self.is_running() else 0

    def send_signal(self, sig: int) -> None:
        """To it alone; nothing where it has ended."""
        with suppress(psutil.NoSuchProcess):
            super().send_signal(sig)


class Nursery:
    """The process that kernels are forked from; it ends with this one."""

    def __init__(self) -> None:
        self._line, other = socket.socketpair()
        with other:
            command = [sys.executable, "-m", __name__, str(other.fileno())]
            subprocess.Popen(command, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL,
                             start_new_session=True)  # fmt: skip
        self._answers = self._line.makefile()

    def fork(self, ask: dict[str, Any]) -> Forked:
        """A kernel of this name, with these arguments, in this folder and environment.

        OSError or ValueError where the nursery has ended.
        """
        self._line.sendall(f"{json.dumps(ask)}\n".encode())
        return Forked(int(self._answers.readline()))


_nursery, _one_at_a_time = cache(Nursery), Lock()


def prepare() -> None:
    """Start the nursery before somebody waits for a kernel, where kernels are forked."""
    if FORKS:
        with _one_at_a_time:
            _nursery()


def _fork(ask: dict[str, Any]) -> Forked:
    with _one_at_a_time:
        return _nursery().fork(ask)


def _serve(line: socket.socket) -> None:
    """Fork for every line that comes; a kernel returns when it has ended."""
    from ipykernel import kernelapp

    for name in PRELOADED:
        with suppress(ImportError):  # The page says what is missing.
            importlib.import_module(name)
    gc.freeze()  # Kernels share what is here as long as they do not write to it.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    parent = os.getpid()
    for ask in map(json.loads, line.makefile()):
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            Path("/proc/self/comm").write_text(f"kernel-{ask['name']}")  # what `top` shows of it
            with line:
                line.sendall(f"{os.getpid()}\n".encode())
            os.chdir(ask["cwd"])
            os.environ.clear()
            os.environ.update(ask["env"])
            ends_with = f"--IPKernelApp.parent_handle={parent}"
            kernelapp.IPKernelApp.launch_instance(argv=[*ask["argv"], ends_with])
            return


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
