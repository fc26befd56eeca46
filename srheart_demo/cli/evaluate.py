"""``srheart evaluate generator``: one table of what each generator can do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from srheart_demo.cli.errors import STOPPED, BadInput, check_populations, writable
from srheart_demo.cli.options import chosen_generator, option, positive, whole
from srheart_demo.cli.progress import ProgressLine

if TYPE_CHECKING:
    from srheart_demo.experiments.generators import Evaluation, Part

HELP = "measure what a generator can do"
DESCRIPTION = "Measure parts of this software on hearts that are known."
GENERATOR = (
    "Measure generators on synthetic hearts that no training has seen, and on HR hearts in FILES. "
    "Ceiling: the best heart that a generator can make of a known one, found by optimisation. "
    "Encode-decode: what its encoder makes of it. Also how well its latent space is filled, how "
    "many of its draws are hearts, its speed and its size. Prints tables."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Which generators, on which hearts, and where the table goes."""
    subjects = command.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    what = "how well generators hold hearts, and how fast"
    add = partial(option, subjects.add_parser("generator", help=what, description=GENERATOR))
    add("files FILES", "HR label maps", Path, nargs="*")
    what = "shipped generators, or files of weights (default: all shipped)"
    add("--generator NAME", what, nargs="+")
    add("--population NAME", "populations of synthetic hearts (default: all)", nargs="+")
    add("--hearts N", "synthetic hearts of each population; 0 leaves them out", whole, 200)
    what = "draws of z, and hearts encoded for the latent space; 0 leaves them out"
    add("--draws N", what, whole, 1000)
    add("--jobs N", "hearts measured at once, one thread each", positive, 1)
    add("--seed", "of hearts and draws", whole, 0)
    what = "table to write, OUT.csv or OUT.md; a stopped run goes on from its OUT.csv"
    add("-o,--output OUT", what, Path)


def run(options: argparse.Namespace) -> None:
    """Measure what the table does not hold yet, then print it."""
    from srheart_demo.experiments.generators import of_itself, on_hearts, placed_heart, section
    from srheart_demo.heart.generator import available, weights_file
    from srheart_demo.heart.population import POPULATIONS

    check_populations(options.population or ())
    files, seed = options.files, options.seed
    for path in files:
        placed_heart(path)
    if len({path.name for path in files}) < len(files):
        raise BadInput("FILES: two have the same name, by which the table calls them; rename one.")
    names = options.generator or available()
    generators = [(chosen_generator(name), weights_file(name)) for name in names]
    populations = options.population or POPULATIONS
    hearts = [
        p for g in generators for p in on_hearts(*g, populations, files, options.hearts, seed)
    ]
    itself = [part for g in generators for part in of_itself(*g, options.draws, seed)]
    table = _open(options.output)
    try:
        with ProgressLine() as progress:
            # Apart, since a heart takes longer than a draw and the time left is estimated.
            _measure("hearts", hearts, table, progress, options.jobs)
            for g in generators if len(files) > 1 else ():
                together = section(*g, f"mean of {len(files)} files", seed, len(files))
                if together not in table:
                    each = [table.means(section(*g, path.name, seed)) for path in files]
                    table.add_section(together, each)
            _measure("generators", itself, table, progress, options.jobs)
    except KeyboardInterrupt:
        print(table.markdown())
        print(
            "\nStopped; the table holds what was finished. With -o OUT.csv it is kept, and the "
            "same command goes on from there.",
            file=sys.stderr,
        )
        sys.exit(STOPPED)
    print(table.markdown())


def _open(path: Path | None) -> Evaluation:
    from srheart_demo.experiments.generators import Evaluation

    if path and path.suffix not in (".csv", ".md"):
        raise BadInput(f"{path}: the table is written as CSV or Markdown; end it with .csv or .md.")
    try:
        with writable(path, "the table cannot be written"):
            return Evaluation(path)
    except ValueError as error:
        raise BadInput(
            f"{path}: this is no table of srheart evaluate ({error}); give another name."
        ) from error


def _measure(
    phase: str, parts: Sequence[Part], table: Evaluation, progress: ProgressLine, jobs: int
) -> None:
    """What the table does not hold yet, several hearts or draws at a time."""
    from concurrent.futures import ThreadPoolExecutor

    waiting = [part for part in parts if part.section not in table]
    total, done = sum(part.section.n for part in waiting), 0
    for section, work, items, sum_up in waiting:
        show = partial(progress.update, total=total, detail=f"{section.generator}, {section.on}")
        show(phase, done)
        results = []
        with ThreadPoolExecutor(jobs) as pool:
            for n, result in enumerate(pool.map(work, items), start=1):
                results.append(result)
                show(phase, done + n)
        with writable(table.page or table.path, "the table cannot be written"):
            table.add_section(section, sum_up(results))
        done += section.n
