"""Is all in place, and how fast is this machine? Lesson 0 shows it.

So does ``srheart doctor``, also where Jupyter itself does not start: no package is needed here that
only notebooks need.
"""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import replace
from html import escape
from importlib import metadata
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import torch

from srheart_demo.experiments.ablation import Ablation
from srheart_demo.experiments.paper_tables import RESULTS_FOLDER, Table2, TableS1, recorded
from srheart_demo.experiments.tables import Table
from srheart_demo.files import shipped
from srheart_demo.frame import TISSUES
from srheart_demo.heart.generator import available, load_generator, to_labels
from srheart_demo.machine import installed
from srheart_demo.scan.degradation import MOTION_LEVELS
from srheart_demo.scan.evidence import whole_heart
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.solver.algorithm import latent_optimisation, solve
from srheart_demo.solver.baselines.edsr import load_edsr
from srheart_demo.solver.problem import Encoder, Problem
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED

PACKAGE = "srheart_demo"
EXTRA = "app"  # What the notebooks need beside the library
RESULTS = shipped("docs/results.md")
INSTALL = 'pip install -e ".[app]" -c constraints.txt'
TIMED_LEVEL = "severe"


class Wrong(Exception):
    """Something is not in place: what is wrong, and what to do."""


class Finding(NamedTuple):
    """What was looked at and what was found; `cure` where it is wrong."""

    name: str
    found: str
    cure: str = ""


class Findings:
    """Shows as a table, with ✓, or ○ where something is wrong; that comes first."""

    def __init__(self, rows: Iterable[Finding]) -> None:
        self.rows = sorted(rows, key=lambda row: not row.cure)
        self.marked = [("○" if row.cure else "✓", *row) for row in self.rows]

    @property
    def verdict(self) -> str:
        """All of it in a sentence."""
        n = sum(bool(row.cure) for row in self.rows)
        return f"{n} of {len(self.rows)} need a cure." if n else "All is in place."

    def __repr__(self) -> str:
        lines = [f"{mark} {name}: {found}\n    {cure}" for mark, name, found, cure in self.marked]
        return "\n".join([self.verdict, *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td>{mark}</td><td>{escape(name)}</td><td style="text-align:left">'
            f"{escape(found)}{f'<br><b>{escape(cure)}</b>' if cure else ''}</td></tr>"
            for mark, name, found, cure in self.marked
        )
        return f"<p><b>{self.verdict}</b></p><table>{rows}</table>"


def examine(**more: Callable[[], str]) -> Findings:
    """Look at the packages, the weights, the samples and the full tables, and at `more`."""
    looks: dict[str, Callable[[], str]] = {
        "packages": lambda: packages(metadata.requires(PACKAGE) or []),
        "generators": generators,
        "EDSR": networks,
        "samples": samples,
        "full tables": full_tables,
    }
    return Findings(look_at(name, look) for name, look in {**more, **looks}.items())


def look_at(name: str, look: Callable[[], str]) -> Finding:
    """What a look finds; whatever goes wrong becomes a finding."""
    try:
        return Finding(name, look())
    except Wrong as wrong:
        return Finding(name, *wrong.args)
    except Exception as error:
        cure = f"Install again ({INSTALL}); if that does not help, clone the repository anew."
        return Finding(name, f"{type(error).__name__}: {error}", cure)


def packages(required: Iterable[str]) -> str:
    """Whether all that a package's metadata requires is installed, in versions that fit."""
    found = {need.name: (need.specifier, there) for need, there in installed(required, EXTRA)}
    good = {name: there for name, (_, there) in found.items() if there}
    missing = [name for name in found if name not in good]
    other = [
        f"{name} is {there}, needed {found[name][0]}"
        for name, there in good.items()
        if not found[name][0].contains(there, prereleases=True)
    ]
    if missing or other:
        lacks = [f"missing: {', '.join(missing)}"] if missing else []
        cure = f"In the repository, with the environment of this notebook active: {INSTALL}"
        raise Wrong("; ".join([*lacks, *other]), cure)
    shown = ("torch", "numpy", "ipywidgets", "matplotlib")
    return f"all {len(good)}; " + ", ".join(f"{n} {good[n]}" for n in shown if n in good)


def generators() -> str:
    """Whether the weights of every generator load and give a heart back, or without encoder one."""
    whole = whole_heart(load_sample("healthy_1").S_HR)
    for name in available():
        G = load_generator(name)
        z = G.encode(whole)[0] if isinstance(G, Encoder) else torch.zeros(1, G.latent_size)
        labels = to_labels(G.decode(z))
        if lacking := [t for i, t in enumerate(TISSUES) if not (labels == i).any()]:
            cure = "Its file of weights is not what it should be; clone the repository anew."
            raise Wrong(f"{name} gives a heart without {', '.join(lacking)}", cure)
    return f"{', '.join(available())}: loaded, and each gives a heart"


def networks() -> str:
    """Whether the weights of every EDSR load."""
    for level in MOTION_LEVELS:
        load_edsr(level)
    return f"loaded, for motion {', '.join(MOTION_LEVELS)}"


def samples() -> str:
    """Whether the shipped subjects can be read."""
    try:
        for name in SAMPLES:
            load_sample(name)
    except (OSError, ValueError) as error:
        cure = (
            "The subjects lie in data/sample of the repository: run the notebook from a clone of "
            "it, or set SRHEART_DATA to that folder before Jupyter starts."
        )
        raise Wrong(str(error), cure) from error
    return ", ".join(SAMPLES)


def full_tables(folder: Path = RESULTS_FOLDER) -> str:
    """Whether the tables that lessons 7 and 11 show are there."""
    shown = (TableS1, Table2, Ablation)
    try:
        hearts = {t.name: recorded(t, folder)[0].subjects.hearts for t in shown}
    except FileNotFoundError as error:
        first, _, rest = str(error).partition(". ")
        raise Wrong(f"{first}; lessons 7 and 11 show it", rest) from error
    return ", ".join(f"{name} of {n} hearts" for name, n in hearts.items())


def timings() -> Table:
    """Computing times of an iteration and of whole solves, on a shipped subject under severe
    motion: here, and as measured for docs/results.md."""
    problem = Problem.of(load_sample(SAMPLES[0]).scan(TIMED_LEVEL), load_generator())
    written = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""
    known = {p.name: solver_times(written, p.name) for p in (RECOMMENDED, INTERACTIVE)}
    times = [("an iteration", iteration_seconds(problem), known["RECOMMENDED"][0])]
    for preset in (INTERACTIVE, RECOMMENDED):
        seconds = solve(problem, preset).seconds
        times.append((f"a solve, {preset.name}", seconds, known[preset.name][1]))
    rows = [(name, _seconds(here), _seconds(there)) for name, here, there in times]
    return Table(f"Under {TIMED_LEVEL} motion", ("", "your machine", "docs/results.md"), rows)


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "not recorded"
    return f"{seconds:.1f} s" if seconds >= 0.3 else f"{1000 * seconds:.0f} ms"


def iteration_seconds(problem: Problem) -> float:
    """Median computing time of an iteration of RECOMMENDED; its global searches are not counted."""
    steady = replace(RECOMMENDED, search_at=(), search_last=False, stop_dice=0.0)
    seconds = [s.seconds for s in islice(latent_optimisation(problem, steady), 21)]
    return statistics.median(b - a for a, b in pairwise(seconds))


def solver_times(results: str, preset: str) -> tuple[float | None, float | None]:
    """An iteration and a solve under severe motion, seconds, as docs/results.md has them.

    None for what is not in that text.
    """
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in results.splitlines()]
    for i, head in enumerate(rows):
        if {"ms an iteration", "s in all"} <= set(head):
            for row in rows[i:]:
                if row[:2] == [TIMED_LEVEL, preset]:
                    told = dict(zip(head, row, strict=False))
                    return float(told["ms an iteration"].split()[0]) / 1000, float(told["s in all"])
    return None, None
