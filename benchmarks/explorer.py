"""How the explorer feels, measured in a real browser: start, pictures a second, delays, bytes.

    python -m benchmarks.explorer [--browsers 1 4 8] [--preheat]
    python -m benchmarks.explorer --film run.gif
    python -m benchmarks.explorer --shot explorer.png [--size 1280x800]

Starts Voilà on apps/explorer.ipynb and headless Chromium (software WebGL) on the same machine, so
both share its cores; run it where nothing else runs. It prints a table for docs/performance.md.
Times depend on what else runs; CPU times depend on it much less.
"""

from __future__ import annotations

import argparse
import json
import os
import re
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
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader",
         "--disable-background-networking"]  # fmt: skip
PATIENCE_S = 600
RUN_S = 8.0
"""Seconds of a run over which pictures are counted."""
REST_S = 2.0

STATUS = "document.querySelector('.srh-status')?.textContent"
USABLE = f"['Replaying', 'Finished'].includes({STATUS})"
"""A solved run is there; it replays once, unless somebody does anything."""
DRAWN = "document.querySelector('.srh-plotly')?.data?.length > 3"
"""plotly.js has come, and there is a heart."""
VIEWS = {
    "curves": ".srh-fig-convergence",
    "slices": ".srh-label-pictures",
    "heart": ".srh-fig-heart",
}
COUNT = """(views) => {
  const seen = globalThis.srhSeen = {};
  for (const [name, view] of Object.entries(views)) {
    seen[name] = 0;
    document.querySelector(view).addEventListener('srh-drawn', () => { seen[name] += 1; });
  }
}"""
ASK = """() => {
  const note = document.querySelector('.srh-scrub-note');
  const before = note.textContent;
  let drawn = false;
  document.querySelector('.srh-label-pictures')
    .addEventListener('srh-drawn', () => { drawn = true; }, {once: true});
  globalThis.srhAsked = performance.now();
  globalThis.srhPainted = new Promise((done, fail) => {
    setTimeout(() => fail(new Error("no other picture within a minute")), 60_000);
    const look = () => {
      if (drawn && note.textContent !== before) done(performance.now());
      else requestAnimationFrame(look);
    };
    look();
  });
}"""
SOLVE = f"""() => {{
  const began = performance.now();
  let away = false, over = false;
  globalThis.srhSolved = new Promise((done, fail) => {{
    setTimeout(() => fail(new Error("not solved within a minute")), 60_000);
    document.querySelector('.srh-label-pictures').addEventListener('srh-drawn', () => {{
      if (over) done(performance.now() - began);
    }});
    const look = () => {{
      const finished = {STATUS} === 'Finished';
      away ||= !finished;
      over = away && finished;
      if (!over) requestAnimationFrame(look);
    }};
    look();
  }});
}}"""
ITERATION = (
    "Number(document.querySelector('.srh-detail').textContent.match(/iteration (\\d+)/)?.[1] ?? 0)"
)


@dataclass(frozen=True)
class Visit:
    """What one visitor sees.

    Attributes:
        usable_s: from the request to a page that replays a solved run.
        drawn_s: until the heart is drawn in 3-D too.
        bytes_mb: over the websocket until then.
        run_kb_s: over the websocket, per second of a run.
        curves_hz, slices_hz, heart_hz: pictures painted a second in a run.
        iterations_hz: of REFERENCE in a run.
        solved_ms: from a step of the motion's slider to its solved heart.
        rest_ms, midrun_ms: from a slider's step to the picture.
        start_kernel_s, start_server_s, start_browser_s: CPU time until usable.
        run_kernel, run_server, run_browser: cores busy in a run.
    """

    usable_s: float
    drawn_s: float
    bytes_mb: float
    run_kb_s: float
    curves_hz: float
    slices_hz: float
    heart_hz: float
    iterations_hz: float
    solved_ms: float
    rest_ms: float
    midrun_ms: float
    start_kernel_s: float
    start_server_s: float
    start_browser_s: float
    run_kernel: float
    run_server: float
    run_browser: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--browsers", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--preheat", action="store_true", help="kernels that have started before")
    parser.add_argument("--film", type=Path, help="only write an animation of a run (GIF) there")
    parser.add_argument("--shot", type=Path, help="only write a picture of the page (PNG) there")
    parser.add_argument("--size", default="1280x800", help="of that picture, pixels")
    options = parser.parse_args()
    if options.film:
        options.film.write_bytes(film())
        return
    if options.shot:
        shot(options.shot, *map(int, options.size.split("x")))
        return
    load = " ".join(f"{n:.1f}" for n in os.getloadavg())
    print(f"load before {load}; iterations/s without display: {bare_speed():.1f}")
    for count in options.browsers:
        pool = count if options.preheat else 0
        with voila(pool) as (url, server):
            visits, kernels = at_once(url, count, server.pid)
            left = settled(server.pid, pool)
        print(f"\n{count} at once, {'preheated' if options.preheat else 'cold'}")
        for name in asdict(visits[0]):
            values = [getattr(visit, name) for visit in visits]
            worst = (min if name.endswith("_hz") else max)(values)
            print(f"  {name:15} median {statistics.median(values):8.2f}  worst {worst:8.2f}")
        resident, proportional = (max(sizes) for sizes in zip(*kernels, strict=True))
        print(f"  kernel          {resident:.0f} MB resident, {proportional:.0f} MB its share")
        print(f"  left behind     {left - pool}")


def film() -> bytes:
    """A run of RECOMMENDED on the first sample under severe motion, as an animation."""
    from srheart_demo.dashboard.take import gif
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.subjects import ScanSettings
    from srheart_demo.explorer.watch import Watch
    from srheart_demo.scan.samples import SAMPLES

    session = Session(ScanSettings(SAMPLES[0], motion=4.0))
    session.advance(1e9)
    return gif(session, Watch())


def bare_speed(seconds: float = 4.0) -> float:
    """Iterations a second of REFERENCE without any display, in a process of its own."""
    code = (
        "import time; from srheart_demo.explorer.session import Session;"
        "from srheart_demo.explorer.subjects import ScanSettings;"
        "from srheart_demo.solver.settings import REFERENCE;"
        "s = Session(ScanSettings('healthy_1', 4.0), REFERENCE); s.advance(0.5);"
        "n = s.history.last;"
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
        settled(server.pid, pool)
        yield url, server
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def settled(server: int, least: int) -> int:
    """Wait until so many kernels, or more, have been idle for a while; returns how many."""
    end, before = time.monotonic() + PATIENCE_S, -1.0
    while time.monotonic() < end:
        kernels = kernels_of(server)
        busy = sum(map(cpu_seconds, kernels))
        if len(kernels) >= least and busy - before < 0.1:
            break
        before = busy
        time.sleep(4)
    return len(kernels)


def at_once(url: str, count: int, server: int) -> tuple[list[Visit], list[tuple[float, float]]]:
    """So many visitors, each with a browser of its own, and the memory of their kernels, MB."""
    code = f"from benchmarks.explorer import visit; visit({url!r}, {server}, {count})"
    visitors = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    most: list[tuple[float, float]] = [(0.0, 0.0)]
    while any(visitor.poll() is None for visitor in visitors):
        most += [memory(kernel) for kernel in kernels_of(server)]
        time.sleep(1.0)
    results = [visitor.communicate()[0] for visitor in visitors]
    if failed := [visitor.returncode for visitor in visitors if visitor.returncode]:
        raise RuntimeError(f"{len(failed)} of {count} visits failed")
    return [Visit(**json.loads(result)) for result in results], most


def children() -> dict[int, list[int]]:
    """Every process's children."""
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            found.setdefault(parent, []).append(int(folder.name))
    return found


def descendants(process: int, word: str) -> list[int]:
    """Processes that one has started, itself or through others, with a word in their command."""
    family, found = children(), [process]
    for one in found:
        found += family.get(one, [])
    return [one for one in found[1:] if word in _read(one, "cmdline")]


def kernels_of(server: int, identity: str = "") -> list[int]:
    """The kernels that a server has had forked, or the one of this identity."""
    family, named = descendants(server, "srheart_demo.cli.kernels"), f"kernel-{identity}"[:15]
    return [process for process in family if _read(process, "comm").startswith(named)]


def _read(process: int, name: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/{name}").read_text(errors="replace")
    return ""


def cpu_seconds(process: int) -> float:
    """CPU time of a process so far, user and system."""
    fields = _read(process, "stat").rsplit(")", 1)[-1].split()
    ticks = sum(map(int, fields[11:13])) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> tuple[float, float]:
    """Resident memory of a process, and its share of what it has in common with others, MB."""
    sizes = dict(re.findall(r"(\w+): +(\d+) kB", _read(process, "smaps_rollup")))
    return float(sizes.get("Rss", 0)) / 1e3, float(sizes.get("Pss", 0)) / 1e3


def busy(server: int, visitors: int) -> tuple[float, float, float]:
    """CPU seconds so far of one kernel, the server, and this process's browser."""
    browser = descendants(os.getpid(), "chrom")
    kernels, shown = (sum(map(cpu_seconds, them)) for them in (kernels_of(server), browser))
    return kernels / visitors, cpu_seconds(server) / visitors, shown


def shot(path: Path, width: int, height: int) -> None:
    """A picture of the page at the end of a replay."""
    with voila(0) as (url, _), browsing(width, height) as page:
        page.goto(url, wait_until="commit")
        page.wait_for_function(f"{STATUS} === 'Finished'")
        page.wait_for_timeout(4000)  # the last picture is the finest
        page.screenshot(path=path)


@contextmanager
def browsing(width: int = 1280, height: int = 800) -> Iterator[Any]:
    """A page in a browser."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("SRHEART_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(1000 * PATIENCE_S)
        yield page
        page.goto("about:blank")  # as a visitor leaves: the page says goodbye to its kernel
        browser.close()


def visit(url: str, server: int, visitors: int) -> None:
    """Visit once, as one of many, and print what was seen as JSON."""
    received = [0]

    def count(data: Any) -> None:
        received[0] += len(data)

    with browsing() as page:
        page.on("websocket", lambda socket: socket.on("framereceived", count))
        before = busy(server, visitors)
        started = time.monotonic()
        page.goto(url, wait_until="commit")
        page.wait_for_function(USABLE)
        usable = time.monotonic() - started
        page.wait_for_function(DRAWN)
        drawn, first = time.monotonic() - started, received[0]
        start = _since(before, busy(server, visitors))
        page.get_by_role("slider", name="Motion").focus()
        page.wait_for_function(f"{STATUS} === 'Finished'")
        solved = [_solved(page, key) for key in 4 * ("ArrowLeft", "ArrowRight")]
        page.get_by_role("checkbox", name="Solve at once").uncheck()
        page.wait_for_function("document.querySelector('.srh-scrub-note').textContent")
        page.wait_for_timeout(1000 * REST_S)  # what was under way while it paused
        rest = [_delay(page, key) for key in 4 * ("ArrowRight", "ArrowLeft")]
        page.get_by_role("combobox", name="Preset").select_option("REFERENCE")
        page.wait_for_function(f"{STATUS} === 'Ready' && {ITERATION} === 0")
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_function(f"{ITERATION} > 3")
        page.evaluate(COUNT, VIEWS)
        sent, at, before = received[0], page.evaluate(ITERATION), busy(server, visitors)
        began = time.monotonic()
        page.wait_for_timeout(1000 * RUN_S)
        seen, after = page.evaluate("globalThis.srhSeen"), page.evaluate(ITERATION)
        lasted, sent = time.monotonic() - began, received[0] - sent
        run = [seconds / lasted for seconds in _since(before, busy(server, visitors))]
        midrun = [_delay(page, key) for key in 4 * ("ArrowRight", "ArrowLeft")]
    print(
        json.dumps(
            asdict(
                Visit(
                    usable_s=usable,
                    drawn_s=drawn,
                    bytes_mb=first / 1e6,
                    run_kb_s=sent / 1e3 / lasted,
                    curves_hz=seen["curves"] / lasted,
                    slices_hz=seen["slices"] / lasted,
                    heart_hz=seen["heart"] / lasted,
                    iterations_hz=(after - at) / lasted,
                    solved_ms=statistics.median(solved),
                    rest_ms=statistics.median(rest),
                    midrun_ms=statistics.median(midrun),
                    start_kernel_s=start[0],
                    start_server_s=start[1],
                    start_browser_s=start[2],
                    run_kernel=run[0],
                    run_server=run[1],
                    run_browser=run[2],
                )
            )
        )
    )


def _since(before: tuple[float, ...], after: tuple[float, ...]) -> list[float]:
    return [b - a for a, b in zip(before, after, strict=True)]


def _solved(page: Any, key: str) -> float:
    """Milliseconds from a step of the slider that has the focus to the picture of its answer."""
    page.wait_for_timeout(500)
    page.evaluate(SOLVE)
    page.keyboard.press(key)
    return float(page.evaluate("srhSolved"))


def _delay(page: Any, key: str) -> float:
    """Milliseconds from a step of the slice's slider to the words and the picture of another."""
    page.get_by_role("slider", name="Short-axis slice").focus()
    page.evaluate(ASK)
    page.keyboard.press(key)
    return float(page.evaluate("srhPainted.then((at) => at - srhAsked)"))


if __name__ == "__main__":
    main()
