"""Start a classroom and say what to tell the learners."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlencode

KERNEL_GB = 0.4 if sys.platform == "linux" else 0.56
"""Memory of a learner's kernel, on Linux beyond what all share, unless it solves a large scan
(docs/deployment.md)."""
LOOK_ROUND_S = 5
ANYWHERE = ("", "0.0.0.0", "::")
HIGHEST = 65535  # of ports


def main() -> int:
    """Serve until Ctrl-C; the exit status."""
    options, others = arguments().parse_known_args()
    if not options.notebook.is_file():
        return refused(f"no {options.notebook} here; start it in the repository's top folder")
    waiting = options.learners if options.waiting is None else options.waiting
    place = options.address, options.port
    if why := unfit(options.learners, waiting, options.port, options.idle) or occupied(*place):
        return refused(why)
    # Before any kernel starts, which inherits it: a learner solves on one core, not on all.
    os.environ["OMP_NUM_THREADS"] = "1"

    from srheart_demo.cli import kernels

    kernels.prepare()

    from apps.classroom.app import Classroom

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
            *([f"--token={options.token}"] if options.token else []),
            *others,
        ],
        welcome=welcome(options.learners, waiting, *place, options.token),
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
    parser.add_argument("--token", default="", help="a word that the address must hold")
    return parser


def unfit(learners: int, waiting: int, port: int, idle: int) -> str:
    """What is wrong with the options; "" if nothing."""
    wrong = {
        "--learners must be 1 or more": learners < 1,
        f"--waiting must be 0 to {learners}, the seats": waiting not in range(learners + 1),
        f"--port must be 1 to {HIGHEST}": port not in range(1, HIGHEST + 1),
        "--idle must be 1 second or more": idle < 1,
    }
    return next((why for why, is_wrong in wrong.items() if is_wrong), "")


def refused(why: str) -> int:
    """Say why it cannot start; the exit status."""
    print(f"classroom: {why}.", file=sys.stderr)
    return 2


def occupied(address: str, port: int) -> str:
    """Why no server can listen there; "" if one can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    another = port + 1 if port < HIGHEST else port - 1
    whys = {
        0: f"{address} is no address of this machine; without --address it listens at all of them",
        port: f"port {port} at {address} cannot be had; another server may use it."
        f" Try --port {another}",
    }
    for tried, why in whys.items():  # 0 is any free port
        try:
            socket.create_server((address, tried), family=family).close()
        except OSError:
            return why
    return ""


def welcome(learners: int, waiting: int, address: str, port: int, token: str = "") -> str:
    """What the teacher reads."""
    here = own_address() if address in ANYWHERE else address
    who = "Only this computer" if is_local(here) else "Everybody in this network"
    key = f"?{urlencode({'token': token})}" if token else ""
    only = ", and only by this whole address" if token else ""
    host = f"[{here}]" if ":" in here else here
    start = "starts" if waiting == 1 else "start"
    return (
        f"A classroom for {_counted(learners, 'learner')};"
        f" {_counted(waiting, 'kernel')} {start} now, within seconds.\n"
        f"Full, it needs {KERNEL_GB * learners:.1f} GB of memory.\n\n"
        f"    Tell the learners: http://{host}:{port}/{key}\n\n"
        f"{who} can open it{only}. Stop it with Ctrl-C."
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
