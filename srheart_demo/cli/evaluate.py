"""``srheart evaluate generator``: one table of what each generator can do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from torch import Tensor

from srheart_demo.cli import STOPPED
from srheart_demo.cli.errors import BadInput, check_populations
from srheart_demo.cli.figures import Section, Table
from srheart_demo.cli.progress import Progress
from srheart_demo.experiments import generators as evaluation
from srheart_demo.experiments import latent_space
from srheart_demo.experiments.generators import Figures, MakeHeart
from srheart_demo.files import fingerprint
from srheart_demo.heart.generator import available, read_generator, weights_file
from srheart_demo.heart.population import POPULATIONS
from srheart_demo.solver.best_code import Ceiling, Encoder

DRAWS_PER_PAIR = 20
"""1,000 draws come with 50 pairs of hearts to interpolate between."""
POINTS = 5
"""Codes looked at between the two of a pair."""

Show = Callable[[int], None]
"""Told how many hearts or draws of a task are done."""
Task = tuple[Section, Callable[[Show], list[Figures]]]
"""A section of the table, and what measures it."""
Item = TypeVar("Item")
Result = TypeVar("Result")


def run(options: argparse.Namespace) -> None:
    """Measure what the table does not hold yet, then print it."""
    _check(options)
    subjects = [_Subject(_weights(name), options) for name in options.generator or available()]
    table = Table(options.output)
    try:
        with Progress() as progress:
            # Apart, since a heart takes longer than a draw and the time left is estimated.
            hearts = [task for subject in subjects for task in subject.on_hearts()]
            _measure("hearts", hearts, table, progress)
            for subject in subjects:
                subject.sum_up_files(table)
            itself = [task for subject in subjects for task in subject.itself()]
            _measure("generators", itself, table, progress)
    except KeyboardInterrupt:
        print(table.markdown())
        print(
            "\nStopped; the table holds what was finished. With -o OUT.csv it is kept, and the "
            "same command goes on from there.",
            file=sys.stderr,
        )
        sys.exit(STOPPED)
    print(table.markdown())


def _check(options: argparse.Namespace) -> None:
    """Refuse names and files that cannot be used before the work starts."""
    check_populations(options.population or ())
    for path in options.files:
        evaluation.read_heart(path)
    if len({path.name for path in options.files}) < len(options.files):
        raise BadInput("FILES: two have the same name, by which the table calls them; rename one.")


def _weights(name: str) -> Path:
    """The file of a shipped generator, or the file itself."""
    if name in available():
        return weights_file(name)
    if not Path(name).is_file():
        raise BadInput(
            f"--generator: {name} is neither shipped ({', '.join(available())}) nor a file; give "
            "one of these names or a file of weights."
        )
    return Path(name)


def _measure(phase: str, tasks: Sequence[Task], table: Table, progress: Progress) -> None:
    waiting = [(section, work) for section, work in tasks if section not in table.sections]
    total, done = sum(section.n for section, _ in waiting), 0
    for section, work in waiting:
        detail = f"{section.generator}, {section.on}"

        def show(n: int, before: int = done, detail: str = detail) -> None:
            progress.update(phase, before + n, total, detail)

        show(0)
        table.add(section, work(show))
        done += section.n


class _Subject:
    """A generator and the tasks that measure it."""

    def __init__(self, weights: Path, options: argparse.Namespace) -> None:
        self.weights, self.options = weights, options
        try:
            self.G = read_generator(weights)
        except (KeyError, RuntimeError, SafetensorError) as error:
            raise BadInput(
                f"{weights}: this holds no generator ({error}); give weights of srheart train."
            ) from error
        self.fingerprint = fingerprint(weights)
        self.ceiling = cache(lambda: Ceiling(self.G))
        self.first_seed = options.seed * evaluation.HEARTS

    def _section(self, on: str, n: int) -> Section:
        return Section(self.G.name, self.fingerprint, on, self.options.seed, n)

    def _seeds(self, n: int) -> range:
        return range(self.first_seed, self.first_seed + n)

    def on_hearts(self) -> Iterator[Task]:
        """How well it holds the hearts of each population and of each file."""
        n = self.options.hearts
        for population in self.options.population or POPULATIONS if n else ():
            hearts = [partial(evaluation.synthetic_heart, s, population) for s in self._seeds(n)]
            yield self._section(population, n), partial(self._accuracies, hearts)
        for path in self.options.files:
            heart = partial(evaluation.read_heart, path)
            yield self._section(path.name, 1), partial(self._accuracies, [heart])

    def sum_up_files(self, table: Table) -> None:
        """The mean over files, beside the row of each."""
        files = [self._section(path.name, 1) for path in self.options.files]
        if len(files) > 1:
            together = self._section(f"mean of {len(files)} files", len(files))
            table.add(together, [table.means(file) for file in files])

    def itself(self) -> Iterator[Task]:
        """Its draws, its latent space, its speed and its size."""
        G, n = self.G, self.options.draws
        if n:
            rng = torch.Generator().manual_seed(self.options.seed)
            draws = torch.randn(n, G.latent_size, generator=rng)
            yield self._section("z ~ N(0, I)", n), partial(self._soundness, draws)
            origin = torch.zeros(1, G.latent_size)
            yield self._section("z = 0", 1), partial(self._soundness, origin)
        if n and isinstance(G, Encoder):
            yield self._section("latent space", n), partial(self._latent_space, G)
        if (pairs := n // DRAWS_PER_PAIR) and isinstance(G, Encoder):
            codes = pairs * POINTS
            yield self._section("interpolation", codes), partial(self._interpolation, G, pairs)
        yield self._section("decoder", 1), self._decoder

    def _accuracies(self, hearts: Sequence[MakeHeart], show: Show) -> list[Figures]:
        ceiling = self.ceiling()
        return self._each(lambda heart: evaluation.accuracy(ceiling, heart()), hearts, show)

    def _soundness(self, codes: Tensor, show: Show) -> list[Figures]:
        return self._each(lambda z: latent_space.soundness(self.G, z), codes.split(1), show)

    def _latent_space(self, G: Encoder, show: Show) -> list[Figures]:
        seeds = self._seeds(self.options.draws)
        found = self._each(partial(latent_space.posterior, G), seeds, show)
        means, variances = (torch.cat(part) for part in zip(*found, strict=True))
        return [latent_space.latent_statistics(means, variances)]

    def _interpolation(self, G: Encoder, pairs: int, show: Show) -> list[Figures]:
        ends = torch.cat([latent_space.posterior(G, s)[0] for s in self._seeds(2 * pairs)])
        codes = latent_space.interpolations(ends.unflatten(0, (pairs, 2)), POINTS)
        return self._soundness(codes, show)

    def _decoder(self, show: Show) -> list[Figures]:
        size = {"latent size M": self.G.latent_size, "file, MB": self.weights.stat().st_size / 1e6}
        return [evaluation.decode_times(self.G) | size]

    def _each(
        self, work: Callable[[Item], Result], items: Iterable[Item], show: Show
    ) -> list[Result]:
        """The work on each item, several at a time."""
        results: list[Result] = []
        with ThreadPoolExecutor(self.options.jobs) as pool:
            for result in pool.map(work, items):
                results.append(result)
                show(len(results))
        return results
