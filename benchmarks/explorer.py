"""How the explorer feels, measured in a real browser: start, pictures a second, delays, bytes.

    python -m benchmarks.explorer [--browsers 1 4 8] [--preheat]
    python -m benchmarks.explorer --film run.gif

Starts Voilà on apps/explorer.ipynb and headless Chromium (software WebGL) on the same machine, so
both share its cores; run it where nothing else runs. It prints a table for docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader",
         "--disable-background-networking"]  # fmt: skip
PATIENCE_S = 180
RUN_S = 8.0
"""Seconds of a run over which pictures are counted."""

STATUS = "document.querySelector('.srh-status')?.textContent"
COUNT = """() => {
  const seen = globalThis.srhSeen = {curves: 0, slices: 0, heart: 0, iteration: 0};
  const count = (part) => () => { seen[part] += 1; };
  document.querySelector('.srh-fig-convergence .js-plotly-plot').on('plotly_afterplot',
    count('curves'));
  document.querySelector('.srh-fig-heart .js-plotly-plot').on('plotly_afterplot', count('heart'));
  document.querySelector('.srh-la-estimate').addEventListener('load', count('slices'));
}"""
ITERATION = (
    "Number(document.querySelector('.srh-detail').textContent.match(/iteration (\\d+)/)?.[1] ?? 0)"
)


@dataclass(frozen=True)
class Visit:
    """What one visitor sees.

    Attributes:
        usable_s: from the request to a page that replays a solved run.
        bytes_mb: over the websocket until then.
        run_kb_s: over the websocket, per second of a run.
        curves_hz, slices_hz, heart_hz: pictures painted a second in a run.
        iterations_hz: of REFERENCE in a run.
        rest_ms, midrun_ms: from a slider's step to the picture.
    """

    usable_s: float
    bytes_mb: float
    run_kb_s: float
    curves_hz: float
    slices_hz: float
    heart_hz: float
    iterations_hz: float
    rest_ms: float
    midrun_ms: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--browsers", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--preheat", action="store_true", help="kernels that have started before")
    parser.add_argument("--film", type=Path, help="only write an animation of a run (GIF) there")
    options = parser.parse_args()
    if options.film:
        options.film.write_bytes(film())
        return
    print(f"iterations/s without display: {bare_speed():.1f}")
    for count in options.browsers:
        with voila(count if options.preheat else 0) as (url, server):
            visits, kernels = at_once(url, count, server.pid)
            time.sleep(5)
            left = len(kernel_memory(server.pid))
        print(f"\n{count} at once, {'preheated' if options.preheat else 'cold'}")
        for name in asdict(visits[0]):
            values = [getattr(visit, name) for visit in visits]
            worst = (min if name.endswith("_hz") else max)(values)
            print(f"  {name:14} median {statistics.median(values):8.2f}  worst {worst:8.2f}")
        print(f"  kernels        {len(kernels)}, {max(kernels, default=0):.0f} MB the largest")
        print(f"  left behind    {left - (count if options.preheat else 0)}")


def film() -> bytes:
    """A run of RECOMMENDED on the first sample under severe motion, as an animation."""
    from srheart_demo.samples import SAMPLES
    from srheart_demo.session import Scan, Session, Watch
    from srheart_demo.ui.film import gif

    session = Session(Scan(SAMPLES[0], motion=4.0))
    session.advance(1e9)
    return gif(session, Watch())


def bare_speed(seconds: float = 4.0) -> float:
    """Iterations a second of REFERENCE without any display, in a process of its own."""
    code = (
        "import time; from srheart_demo.session import Scan, Session, use_one_thread;"
        "from srheart_demo.presets import REFERENCE; use_one_thread();"
        "s = Session(Scan('healthy_1', 4.0), REFERENCE); s.advance(0.5); n = s.history.last;"
        f"t = time.monotonic(); s.advance({seconds});"
        "print((s.history.last - n) / (time.monotonic() - t))"
    )
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                                text=True, cwd=ROOT).stdout)  # fmt: skip


@contextmanager
def voila(pool: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Voilà server on the explorer, with so many kernels started beforehand."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "voila", "apps/explorer.ipynb", "--no-browser",
               f"--port={port}"]  # fmt: skip
    if pool:
        command += ["--preheat_kernel=True", f"--pool_size={pool}"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    url = f"http://localhost:{port}/"
    try:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{url}voila/static/nothing", timeout=5)
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        # Preheated kernels run the notebook and load the generator.
        time.sleep(15.0 * pool)
        yield url, server
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def at_once(url: str, count: int, server: int) -> tuple[list[Visit], list[float]]:
    """So many visitors, each with a browser of its own, and the memory of their kernels, MB."""
    command = [sys.executable, "-c", f"from benchmarks.explorer import visit; visit({url!r})"]
    visitors = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    most: list[float] = []
    while any(visitor.poll() is None for visitor in visitors):
        most = max(most, kernel_memory(server), key=sum)
        time.sleep(1.0)
    results = [visitor.communicate()[0] for visitor in visitors]
    if failed := [visitor.returncode for visitor in visitors if visitor.returncode]:
        raise RuntimeError(f"{len(failed)} of {count} visits failed")
    return [Visit(**json.loads(result)) for result in results], most


def kernel_memory(server: int) -> list[float]:
    """Resident memory of each kernel that a server has started, MB."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
            pages = int((folder / "statm").read_text().split()[1])
        except OSError:
            continue
        if parent == server and b"ipykernel" in command:
            found.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
    return found


def visit(url: str) -> None:
    """Visit once, and print what was seen as JSON."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("SRHEART_CHROMIUM") or shutil.which("chromium")
    received = [0]

    def count(data: Any) -> None:
        received[0] += len(data)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(1000 * PATIENCE_S)
        page.on("websocket", lambda socket: socket.on("framereceived", count))
        started = time.monotonic()
        page.goto(url, wait_until="commit")
        page.wait_for_function(f"{STATUS} === 'Replaying'")
        usable, first = time.monotonic() - started, received[0]
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_role("checkbox", name="Live: solve").uncheck()
        page.wait_for_function(f"{STATUS} === 'Paused'")
        rest = [_delay(page, key) for key in 4 * ("ArrowRight", "ArrowLeft")]
        page.get_by_role("combobox", name="Preset").select_option("REFERENCE")
        page.wait_for_function(f"{STATUS} === 'Ready' && {ITERATION} === 0")
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_function(f"{ITERATION} > 3")
        page.evaluate(COUNT)
        before, at, began = received[0], page.evaluate(ITERATION), time.monotonic()
        time.sleep(RUN_S)
        seen, after = page.evaluate("globalThis.srhSeen"), page.evaluate(ITERATION)
        lasted, sent = time.monotonic() - began, received[0] - before
        midrun = [_delay(page, key) for key in 4 * ("ArrowRight", "ArrowLeft")]
        page.goto("about:blank")  # as a visitor leaves: the page says goodbye to its kernel
        browser.close()
    print(
        json.dumps(
            asdict(
                Visit(
                    usable_s=usable,
                    bytes_mb=first / 1e6,
                    run_kb_s=sent / 1e3 / lasted,
                    curves_hz=seen["curves"] / lasted,
                    slices_hz=seen["slices"] / lasted,
                    heart_hz=seen["heart"] / lasted,
                    iterations_hz=(after - at) / lasted,
                    rest_ms=statistics.median(rest),
                    midrun_ms=statistics.median(midrun),
                )
            )
        )
    )


def _delay(page: Any, key: str) -> float:
    """Milliseconds from a step of the slice's slider to the picture of the other slice."""
    page.get_by_role("slider", name="Short-axis slice").focus()
    page.evaluate(
        "globalThis.srhPainted = new Promise((done) => document.querySelector('.srh-sa-truth')"
        ".addEventListener('load', () => requestAnimationFrame(() => done(performance.now())),"
        " {once: true})); globalThis.srhAsked = performance.now();"
    )
    page.keyboard.press(key)
    return float(page.evaluate("srhPainted.then((at) => at - srhAsked)"))


if __name__ == "__main__":
    main()
