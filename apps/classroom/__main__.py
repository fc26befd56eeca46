"""Start a classroom and say what to tell the learners."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path

KERNEL_GB = 0.4 if sys.platform == "linux" else 0.56
"""Memory of a learner's kernel, on Linux beyond what all share, unless it solves a large scan
(docs/deployment.md)."""
LOOK_ROUND_S = 5
ANYWHERE = ("", "0.0.0.0", "::")


def main() -> int:
    """Serve until Ctrl-C; the exit status."""
    options, others = arguments().parse_known_args()
    if not options.notebook.is_file():
        return refused(f"no {options.notebook} here; start it in the repository's top folder")
    if options.learners < 1:
        return refused("--learners must be 1 or more")
    if not is_free(options.address, options.port):
        return refused(
            f"port {options.port} at {options.address} cannot be had; another server may use it."
            f" Try --port {options.port + 1}"
        )
    # Before any kernel starts, which inherits it: a learner solves on one core, not on all.
    os.environ["OMP_NUM_THREADS"] = "1"

    from srheart_demo.cli import kernels

    kernels.prepare()

    from apps.classroom.app import Classroom

    waiting = options.learners if options.waiting is None else options.waiting
    Classroom.launch_instance(
        [
            str(options.notebook),
            "--no-browser",
            f"--Voila.ip={options.address}",
            f"--port={options.port}",
            f"--Seats.seats={options.learners}",
            f"--Seats.waiting={waiting}",
            f"--Seats.cull_idle_timeout={options.idle}",
            f"--Seats.cull_interval={min(options.idle, LOOK_ROUND_S)}",
            "--Application.log_level=ERROR",
            *others,
        ],
        welcome=welcome(options.learners, waiting, options.address, options.port),
    )
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="classroom",
        description="The explorer for a room of learners. Other options go to Voilà.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("notebook", type=Path, nargs="?", default=Path("apps/explorer.ipynb"))
    parser.add_argument("--learners", type=int, default=20, help="at once, at most")
    parser.add_argument(
        "--waiting", type=int, help="kernels that wait for learners; default: one for each seat"
    )
    parser.add_argument("--address", default="0.0.0.0", help="to listen on")
    parser.add_argument("--port", type=int, default=8866, help="to listen on")
    parser.add_argument(
        "--idle", type=int, default=120, help="seconds after which a lost browser's seat is free"
    )
    return parser


def refused(why: str) -> int:
    """Say why it cannot start; the exit status."""
    print(f"classroom: {why}.", file=sys.stderr)
    return 2


def is_free(address: str, port: int) -> bool:
    """Whether a server can listen there."""
    try:
        socket.create_server((address, port)).close()
    except OSError:
        return False
    return True


def welcome(learners: int, waiting: int, address: str, port: int) -> str:
    """What the teacher reads."""
    here = own_address() if address in ANYWHERE else address
    who = "Only this computer" if is_local(here) else "Everybody in this network"
    start = "starts" if waiting == 1 else "start"
    return (
        f"A classroom for {_counted(learners, 'learner')};"
        f" {_counted(waiting, 'kernel')} {start} now, within seconds.\n"
        f"Full, it needs {KERNEL_GB * learners:.1f} GB of memory.\n\n"
        f"    Tell the learners: http://{here}:{port}/\n\n"
        f"{who} can open it. Stop it with Ctrl-C."
    )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def is_local(address: str) -> bool:
    """Whether an address is of this computer alone."""
    try:
        found = socket.getaddrinfo(address, None)
    except OSError:
        return False
    return all(ip_address(str(host[0]).split("%")[0]).is_loopback for *_, host in found)


def own_address() -> str:
    """The address by which others reach this machine, as far as it knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for examples; a UDP socket sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


if __name__ == "__main__":
    sys.exit(main())
