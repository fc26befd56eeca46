"""The whole budget with today's values: ``python -m benchmarks.budget [PART ...]``, 3 to 4 minutes.

Prints a Markdown table for docs/performance.md: what is promised, today's value, its share of the
budget (1 or less keeps it) and the verdict. Parts are `size`, `iteration`, `solve`, `busy` and
`explorer`; all by default. Run it where nothing else runs. `make test` keeps its own time, which
``--tests MINUTES CPU_MINUTES`` adds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks import explorer, iteration
from benchmarks.solver import ITERATIONS, case, generator_of
from srheart_demo.scan.degradation import MOTION_LEVELS
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED, Settings

COUNTED = (".py", ".js", ".css", ".html")
ROUNDS, HEARTS, TURNS = 5, 10, 6


@dataclass(frozen=True)
class Row:
    """What is promised, and what is."""

    what: str
    value: float
    budget: float
    unit: str = ""
    at_least: bool = False

    @property
    def share(self) -> float:
        """Of the budget; more than 1 misses it."""
        return self.budget / self.value if self.at_least else self.value / self.budget

    def __str__(self) -> str:
        bound = "≥" if self.at_least else "≤"
        verdict = "kept" if self.share <= 1 else "**missed**"
        value, budget = (f"{x:.3g}" if x < 1000 else f"{x:,.0f}" for x in (self.value, self.budget))
        budget = f"{bound} {budget} {self.unit}"
        return f"| {self.what} | {value} | {budget} | {self.share:.2f} | {verdict} |"


def size() -> Iterator[Row]:
    """Of the package."""
    listed = subprocess.run(["git", "ls-files", "srheart_demo"], cwd=explorer.ROOT, check=True,
                            capture_output=True, text=True).stdout.split()  # fmt: skip
    lines = sum(
        len((explorer.ROOT / name).read_text("utf-8").splitlines())
        for name in listed
        if name.endswith(COUNTED)
    )
    parts = [name.split("/")[1:] for name in listed]
    rooms = {first for first, *rest in parts if rest and any(n.endswith(".py") for n in rest)}
    yield Row("package, lines of py, js, css and html", lines, 19_500)
    yield Row("rooms at its top level", len(rooms), 10)
    modules = [name for name, *rest in parts if not rest and name.endswith(".py")]
    yield Row("modules at its top level", len(modules), 4)


def iterations() -> Iterator[Row]:
    """Against the reference method's, side by side."""
    medians = iteration.measure(ROUNDS)
    ours = medians["srheart, RECOMMENDED, cropped to the heart"]
    yield Row("an iteration, times faster than the reference's", medians[iteration.BASE] / ours, 15,
              at_least=True)  # fmt: skip


def seconds(problem: Problem, settings: Settings) -> float:
    """Of a whole solve, from the scan to its field; processor time of this thread."""
    began = time.thread_time()
    cropped = problem.crop()
    answer(solve(cropped, settings), cropped)
    return time.thread_time() - began


def problems(level: str) -> list[Problem]:
    """Of held-out hearts."""
    G = generator_of(RECOMMENDED.name)
    cases = [case(i, level) for i in range(HEARTS)]
    return [Problem(G, this.stack, this.S_LR) for this in cases]


def solves() -> Iterator[Row]:
    """Whole solves; the reference's 500 iterations stand beside them."""
    medians = iteration.measure(1)
    reference = ITERATIONS * medians[iteration.BASE]
    for level in MOTION_LEVELS:
        found = {
            s.name: [seconds(p, s) for p in problems(level)] for s in (INTERACTIVE, RECOMMENDED)
        }
        means = {name: statistics.mean(times) for name, times in found.items()}
        yield Row(f"INTERACTIVE, a whole solve, motion {level}", means[INTERACTIVE.name], 0.2, "s")
        times = reference / means[RECOMMENDED.name]
        what = f"RECOMMENDED, times faster than {ITERATIONS} of the reference's, motion {level}"
        yield Row(what, times, 100, at_least=True)


def _spin() -> None:
    while True:
        np.linalg.norm(np.ones(100_000))


def busy() -> Iterator[Row]:
    """A solve's processor time, all threads, where every other core is busy, and where none is."""
    (problem, *_) = problems("normal")
    field: dict[bool, list[float]] = {False: [], True: []}
    seconds(problem, INTERACTIVE)
    for turn in range(2 * TURNS):
        others = [multiprocessing.Process(target=_spin, daemon=True)
                  for _ in range(multiprocessing.cpu_count() - 1)] if turn % 2 else []  # fmt: skip
        for other in others:
            other.start()
        began = time.process_time()
        seconds(problem, INTERACTIVE)
        field[bool(others)].append(time.process_time() - began)
        for other in others:
            other.kill()
            other.join()
    ratio = statistics.median(field[True]) / statistics.median(field[False])
    yield Row("a solve's CPU time on a busy machine, times that on a quiet one", ratio, 1.3)


def in_the_browser() -> Iterator[Row]:
    """The explorer, with browser and kernel on this machine."""
    bare = explorer.bare_speed()
    yield Row("iterations of REFERENCE a second, the yardstick", bare, 25, "/s", at_least=True)
    with explorer.voila(0) as (url, server):
        (cold,), kernels = explorer.at_once(url, 1, server.pid)
    with explorer.voila(1) as (url, server):
        (warm,), _ = explorer.at_once(url, 1, server.pid)
    yield Row("explorer usable, cold", cold.usable_s, 6, "s")
    yield Row("explorer usable, preheated", warm.usable_s, 2.5, "s")
    yield Row("sent until then, plotly.js included", cold.bytes_mb, 3, "MB")
    yield Row("a slider's change, solved and painted", cold.solved_ms, 500, "ms")
    yield Row("a slider's picture at rest", cold.rest_ms, 150, "ms")
    yield Row("a slider's picture in a run", cold.midrun_ms, 300, "ms")
    yield Row("curves painted in a run", cold.curves_hz, 8, "/s", at_least=True)
    yield Row("slices painted in a run", cold.slices_hz, 8, "/s", at_least=True)
    yield Row("3-D painted in a run", cold.heart_hz, 1.5, "/s", at_least=True)
    yield Row("iterations that the display costs", 1 - cold.iterations_hz / bare, 0.35)
    yield Row("a kernel in a run, resident", max(resident for resident, _ in kernels), 400, "MB")


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "size": size,
    "iteration": iterations,
    "solve": solves,
    "busy": busy,
    "explorer": in_the_browser,
}


def main() -> None:
    """Measure and print, row by row."""
    parser = argparse.ArgumentParser(prog="benchmarks.budget", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--tests", nargs=2, type=float, metavar="MINUTES",
                        help="what make test took, and of processor time")  # fmt: skip
    options = parser.parse_args()
    if unknown := {*options.parts} - {*PARTS}:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    torch.set_num_threads(1)  # For the reference too.
    print(
        f"PyTorch {torch.__version__}, {platform.machine()}, {multiprocessing.cpu_count()} cores\n"
    )
    print("| what | today | budget | share | |\n|---|---:|---:|---:|---|")
    for part in options.parts or PARTS:
        for row in PARTS[part]():
            print(row, flush=True)
    for (what, budget), value in zip(
        (("quiet", 9), ("CPU", 16)), options.tests or (), strict=False
    ):
        print(Row(f"make test, {what}", value, budget, "min"))


if __name__ == "__main__":
    main()
