"""``srheart evaluate generator``: one table of what each generator can do."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from srheart_demo.cli import chosen
from srheart_demo.cli.errors import STOPPED, BadInput, check_populations, refused, told, writable
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.experiments import generators
from srheart_demo.experiments.generators import Evaluation, Part, section
from srheart_demo.heart.generator import available, weights_file
from srheart_demo.heart.population import POPULATIONS


def run(options: argparse.Namespace) -> None:
    """Measure what the table does not hold yet, then print it."""
    check_populations(options.population or ())
    files, seed = options.files, options.seed
    for path in files:
        generators.placed_heart(path)
    if len({path.name for path in files}) < len(files):
        raise BadInput.of("same names")
    names = options.generator or available()
    asked = [(chosen.generator(name), weights_file(name)) for name in names]
    populations = options.population or POPULATIONS
    hearts = [
        p for g in asked for p in generators.on_hearts(*g, populations, files, options.hearts, seed)
    ]
    itself = [part for g in asked for part in generators.of_itself(*g, options.draws, seed)]
    table = _open(options.output)
    try:
        with ProgressLine() as progress:
            # Apart, since a heart takes longer than a draw and the time left is estimated.
            _measure("hearts", hearts, table, progress, options.jobs)
            for g in asked if len(files) > 1 else ():
                together = section(*g, f"mean of {len(files)} files", seed, len(files))
                if together not in table:
                    each = [table.means(section(*g, path.name, seed)) for path in files]
                    table.add_section(together, each)
            _measure("generators", itself, table, progress, options.jobs)
    except KeyboardInterrupt:
        print(table.markdown())
        print(f"\n{told('table stopped')}", file=sys.stderr)
        sys.exit(STOPPED)
    print(table.markdown())


def _open(path: Path | None) -> Evaluation:
    if path and path.suffix not in (".csv", ".md"):
        raise BadInput.of("format of table", path=path)
    other = f"{path}: this is no table of srheart evaluate ({{error}}); give another name."
    with refused(other, ValueError), writable(path, "the table cannot be written"):
        return Evaluation(path)


def _measure(
    phase: str, parts: Sequence[Part], table: Evaluation, progress: ProgressLine, jobs: int
) -> None:
    """What the table does not hold yet, several hearts or draws at a time."""
    waiting = [part for part in parts if part.section not in table]
    total, done = sum(part.section.n for part in waiting), 0
    for of, work, items, sum_up in waiting:
        show = partial(progress.update, total=total, detail=f"{of.generator}, {of.on}")
        show(phase, done)
        results = []
        with ThreadPoolExecutor(jobs) as pool:
            for n, result in enumerate(pool.map(work, items), start=1):
                results.append(result)
                show(phase, done + n)
        with writable(table.page or table.path, "the table cannot be written"):
            table.add_section(of, sum_up(results))
        done += of.n
