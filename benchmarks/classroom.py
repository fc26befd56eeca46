"""A classroom under load: `make classroom` with real browsers and scripted sessions, on loopback.

    python -m benchmarks.classroom [--browsers 8] [--at-once] [--sessions 40] [--waiting 4]

Browsers come one after another (or at once) and stay until the last has come; scripted sessions
come in turn, open the page and its kernel's websocket, are answered, and leave. Prints what
docs/deployment.md says; times depend on what else runs, which the load beside them tells.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Barrier
from typing import Any

import websocket
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from apps.classroom.line import PROTOCOL
from benchmarks.explorer import (
    PATIENCE_S,
    ROOT,
    USABLE,
    browsing,
    cpu_seconds,
    kernels_of,
    memory,
    settled,
)

PORT = 18870
ADDRESS = f"http://127.0.0.1:{PORT}/"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--browsers", type=int, default=8)
    parser.add_argument("--at-once", action="store_true", help="browsers, instead of in turn")
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--waiting", type=int, default=4, help="kernels, for scripted sessions")
    options = parser.parse_args()
    if options.browsers:
        with classroom(options.browsers, options.browsers) as server:
            many = at_once if options.at_once else in_turn
            report(f"{options.browsers} browsers", server, many, options.browsers)
    if options.sessions:
        with classroom(options.waiting, options.waiting) as server:
            report(f"{options.sessions} scripted sessions", server, scripted, options.sessions)


@contextmanager
def classroom(learners: int, waiting: int) -> Iterator[int]:
    """The server's process, once the kernels that wait have solved what the page opens with."""
    command = [sys.executable, "-m", "apps.classroom", f"--learners={learners}",
               f"--waiting={waiting}", "--address=127.0.0.1", f"--port={PORT}"]  # fmt: skip
    started = time.monotonic()
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        settled(server.pid, waiting)
        print(f"{waiting} kernels ready after {time.monotonic() - started:.0f} s")
        yield server.pid
    finally:
        kernels = kernels_of(server.pid)
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        time.sleep(15)  # a kernel that was just starting sees soon that its server is gone
        left = [kernel for kernel in kernels if cpu_seconds(kernel)]
        print(f"  left behind by the server: {len(left)} processes")


def report(title: str, server: int, come: Any, count: int) -> None:
    """Let so many come, and print what they met."""
    load, began = os.getloadavg()[0], cpu_seconds(server)
    usable, failures, sizes = come(server, count)
    resident, shared = (statistics.median(column) for column in zip(*sizes, strict=True))
    print(f"{title}, load {load:.1f} to {os.getloadavg()[0]:.1f}")
    if usable:
        print(
            f"  usable after      median {statistics.median(usable):.1f} s, worst {max(usable):.1f}"
        )
    print(f"  failures          {failures} of {count}")
    print(f"  a kernel          {resident:.0f} MB resident, {shared:.0f} MB its share")
    print(f"  kernels together  {sum(share for _, share in sizes):.0f} MB, {len(sizes)} seen")
    print(
        f"  the server        {memory(server)[0]:.0f} MB, {cpu_seconds(server) - began:.1f} s CPU"
    )


def arrive(page: Any) -> float:
    """Seconds until the page of a browser shows its first run."""
    started = time.monotonic()
    page.goto(ADDRESS, wait_until="commit")
    page.wait_for_function(USABLE)
    return time.monotonic() - started


def in_turn(server: int, count: int) -> tuple[list[float], int, list[tuple[float, float]]]:
    """Visitors one after another in tabs of one browser; all stay."""
    usable, failures = [], 0
    with browsing() as first:
        pages = [first, *(first.context.browser.new_page() for _ in range(count - 1))]
        for page in pages:
            page.set_default_timeout(1000 * PATIENCE_S)
            try:
                usable.append(arrive(page))
            except Exception as error:
                print(f"  {error}")
                failures += 1
        sizes = [memory(kernel) for kernel in kernels_of(server)]
        for page in pages:
            page.goto("about:blank")
    return usable, failures, sizes


def at_once(server: int, count: int) -> tuple[list[float], int, list[tuple[float, float]]]:
    """Visitors with a browser each, all at the same moment; all stay until the last is there."""
    ready, there = Barrier(count), Barrier(count)
    sizes: list[tuple[float, float]] = []

    def visit(_: int) -> float | None:
        with ExitStack() as stack:
            page = stack.enter_context(browsing())
            ready.wait()
            try:
                return arrive(page)
            except Exception as error:
                print(f"  {error}")
                return None
            finally:
                if there.wait() == 0:
                    sizes.extend(memory(kernel) for kernel in kernels_of(server))

    with ThreadPoolExecutor(count) as pool:
        times = list(pool.map(visit, range(count)))
    usable = [time for time in times if time is not None]
    return usable, count - len(usable), sizes


def scripted(server: int, count: int) -> tuple[list[float], int, list[tuple[float, float]]]:
    """Sessions without a browser, one after another: each leaves before the next comes."""
    seen = []
    for _ in range(count):
        try:
            seen.append(session(server))
        except Exception as error:
            print(f"  {error}")
    return [time for time, _ in seen], count - len(seen), [size for _, size in seen]


def session(server: int) -> tuple[float, tuple[float, float]]:
    """Open the page, ask its kernel over the websocket, leave.

    Returns:
        Seconds until it answered, and its memory then.
    """
    started = time.monotonic()
    page = urllib.request.urlopen(ADDRESS, timeout=PATIENCE_S).read().decode()
    found = re.search(r'"kernelId": *"([\w-]+)"', page)
    if found is None:
        raise RuntimeError("a page without a kernel")
    address = f"{ADDRESS.replace('http', 'ws', 1)}api/kernels/{found[1]}/channels"
    line = websocket.create_connection(address, timeout=PATIENCE_S, subprotocols=[PROTOCOL])
    try:
        question = str(uuid.uuid4())
        header = {"msg_id": question, "msg_type": "comm_info_request", "version": "5.3"}
        header |= {"username": "", "session": ""}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, {})]
        line.send_binary(serialize_msg_to_ws_v1(parts, "shell"))
        while True:
            channel, parts = deserialize_msg_from_ws_v1(line.recv())
            if channel == "shell" and json.loads(parts[1]).get("msg_id") == question:
                break
        if not json.loads(parts[3])["comms"]:
            raise RuntimeError("a kernel without widgets")
        lasted = time.monotonic() - started
        return lasted, memory(kernels_of(server, found[1])[0])
    finally:
        line.close()
        leave = urllib.request.Request(f"{ADDRESS}voila/api/shutdown/{found[1]}", method="POST")
        urllib.request.urlopen(leave, timeout=PATIENCE_S)


if __name__ == "__main__":
    main()
