"""What the page without a server costs: bytes, seconds, memory, and lines of JavaScript.

    python -m benchmarks.page [FOLDER]

FOLDER is what ``make page`` wrote. Headless Chromium opens it once to fill its cache, then again;
an iteration is timed in Node. All of it in one thread.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Page, sync_playwright

from page.packages import NODE

SCRIPTS = Path(__file__).parents[1] / "page" / "site"
SOLVE = Path(__file__).parents[1] / "tests" / "page_solve.mjs"
ITERATIONS = 20
NOTICE = """
addEventListener("srh-drawn", ({ target }) => {
  globalThis.drawn ||= target.closest("#heart") && target.data?.length > 0;
});
"""
FIRST, SOLVED = "globalThis.drawn", "globalThis.srhShown?.iteration > 8"
"""The first picture is there when the heart is: stack and curves came before."""
BUDGET = {
    "to the first picture, MB": 8,
    "in all, MB": 12,
    "first picture, s": 3,
    "solved heart, s": 5,
    "an iteration, ms": 80,
    "memory, MB": 500,
    "JavaScript of its own, lines": 900,
}


def memory(pids: list[int]) -> float:
    """Memory of the page's own process, of several the largest, MB: its share, where it shares."""
    sizes = []
    for pid in pids:
        held = Path(f"/proc/{pid}/smaps_rollup").read_text()
        sizes += [int(line.split()[1]) for line in held.splitlines() if line.startswith("Pss:")]
    return max(sizes) / 1024


def renderers() -> list[int]:
    """Processes that draw pages."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def iteration_ms(folder: Path) -> float:
    """Of a solve with one view, of the processor's time: others may use it, too."""
    with tempfile.TemporaryDirectory() as name:
        run = ["healthy_1", "10", "ours", "4", "0", str(ITERATIONS), "1,0,0", f"{name}/labels"]
        command = [str(NODE), str(SOLVE), str(folder.resolve()), *run]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds: float = json.loads(found.stdout)["seconds"]
    return 1000 * seconds / ITERATIONS


def lines() -> int:
    """Of the scripts that the page does not share with the explorer."""
    return sum(len(path.read_text("utf-8").splitlines()) for path in SCRIPTS.glob("*.js"))


def opened(page: Page, url: str) -> float:
    """Seconds from the address to the first picture."""
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_function(FIRST)
    return time.perf_counter() - began


def measure(folder: Path) -> dict[str, float]:
    """All that has a budget."""
    asked: list[str] = []

    class Server(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path.strip("/"))
            super().do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    before = set(renderers())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(
            service_workers="block", viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(300_000)
        context.add_init_script(NOTICE)
        page = context.new_page()
        opened(page, url)
        first = {name for name in asked if (folder / name).is_file()} | {"index.html"}
        seconds = opened(page, f"{url}?again")
        began = time.perf_counter()
        page.click("#run")
        page.wait_for_function(SOLVED)
        solved = time.perf_counter() - began
        held = memory([pid for pid in renderers() if pid not in before])
        browser.close()
    server.shutdown()
    sizes = {path.name: path.stat().st_size / 1e6 for path in folder.iterdir()}
    found = (
        sum(sizes[name] for name in first),
        sum(sizes.values()),
        seconds,
        solved,
        iteration_ms(folder),
        held,
        lines(),
    )
    return dict(zip(BUDGET, found, strict=True))


if __name__ == "__main__":
    print("| | measured | budget |\n|---|---|---|")
    built = Path(sys.argv[1] if len(sys.argv) > 1 else "build/explorer")
    for name, value in measure(built).items():
        print(f"| {name} | {value:.3g} | {BUDGET[name]} |")
