"""What a generator can do: how well it holds known hearts, how its latent space is filled, speed.

Does z ~ N(0, I) give hearts, and do hearts give N(0, I)? `Generators` is the experiment of
``srheart evaluate generator``.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from statistics import fmean
from timeit import timeit
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srheart_demo.experiments.cases import held_out_seeds
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import by_tissue
from srheart_demo.experiments.summary import TABLES, Comparison, Plot
from srheart_demo.experiments.tables import Results, Scores, Table
from srheart_demo.files import fingerprint
from srheart_demo.frame import LATTICE_SHAPE, TISSUES, hr_affine
from srheart_demo.heart import anatomy, phantom
from srheart_demo.heart.generator import HeartGenerator, load_generator, to_labels, weights_file
from srheart_demo.heart.measures import assd, dice
from srheart_demo.heart.population import SEEDS, VOLUME_RANGES, draw
from srheart_demo.machine import one_thread
from srheart_demo.scan.evidence import whole_heart
from srheart_demo.scan.placement import place
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.solver.best_code import Ceiling
from srheart_demo.solver.gauge import labels_at
from srheart_demo.solver.problem import Encoder, Generator

EVALUATION_SEED = SEEDS["evaluation"].start
"""Hearts of this seed and above were neither trained nor validated on."""
ACTIVE = 0.01
"""Variance of q(z|x)'s mean over hearts from which a dimension is active (Burda et al. 2016)."""
DRAWS_PER_PAIR = 20  # 1,000 draws come with 50 pairs of hearts to interpolate between
POINTS = 5  # Codes looked at between the two of a pair
FILES, DRAWN, AT_ZERO, BETWEEN = "files", "z ~ N(0, I)", "z = 0", "interpolation"
LATENTS, DECODER = "latent space", "decoder"
"""Levels beside the populations."""
PARTS = {
    "known hearts": (FILES,),
    "hearts of codes": (DRAWN, AT_ZERO, BETWEEN),
    LATENTS: (LATENTS,),
    DECODER: (DECODER,),
}
"""Of `TABLES` → its levels, but for the populations."""
_FIGURES = [figure for part in PARTS for figure, _ in TABLES[part]["columns"].values()]

ScoredBy = Callable[..., Scores]


@dataclass(frozen=True)
class Generators(Experiment):
    """Generators beside each other: by known hearts, hearts of codes, latent space and speed."""

    generators: tuple[str, ...]  # shipped ones' names, or files of weights
    populations: tuple[str, ...]
    files: tuple[Path, ...]  # of HR hearts
    hearts: int  # of each population
    draws: int  # of z, and hearts encoded for the latent space
    seed: int = 0
    name, title = "generators", "What generators can do"
    figures = tuple(dict.fromkeys(name.format(t) for name in _FIGURES for t in TISSUES[1:]))

    def settings(self) -> dict[str, Any]:
        """What is measured of which generators, and their weights."""
        return {
            "methods": self.generators,
            "populations": self.populations,
            "files": {path.name: fingerprint(path) for path in self.files},
            "hearts": self.hearts,
            "draws": self.draws,
            "seed": self.seed,
            "weights": {name: fingerprint(weights_file(name)) for name in self.generators},
        }

    def tasks(self) -> Iterator[Task]:
        """Known hearts, hearts of codes, what encoders make of hearts, and the decoders."""
        encoders = [name for name in self.generators if isinstance(load_generator(name), Encoder)]

        def on(measure: ScoredBy, names: Sequence[str] = self.generators) -> dict[str, ScoredBy]:
            return {name: partial(_measured, measure, name) for name in names}

        n, seeds, known = self.draws, partial(held_out_seeds, seed=self.seed, start=0), on(accuracy)
        for of, seed in product(self.populations, seeds(self.hearts)):
            yield Task(f"{of} {seed}", of, partial(unseen_heart, of, seed), known)
        for path in self.files:
            yield Task(path.name, FILES, partial(placed_heart, path), known)
        codes = [(f"draw {i}", DRAWN, i) for i in range(n)] + [(AT_ZERO, AT_ZERO, 0)] * bool(n)
        codes += [(f"pair {i}", BETWEEN, i) for i in range(n // DRAWS_PER_PAIR)]
        for subject, level, i in codes:
            sound = on(share_sound, encoders if level == BETWEEN else self.generators)
            yield Task(subject, level, partial(tuple, (level, i, n, self.seed)), sound)
        if n:
            yield Task(LATENTS, LATENTS, partial(seeds, n), on(latent_space, encoders))
        for name in self.generators:
            yield Task(DECODER, DECODER, partial(weights_file, name), on(decoder, [name]))

    def tables(self, results: Results) -> list[Table]:
        """Means of all parts, and the figures of each file where there are several."""
        each = Results(None, self.figures)
        if len(self.files) > 1:
            of_files = (row for row in results.rows if row["level"] == FILES)
            each.add(*({**row, "level": row["subject"]} for row in of_files))
        known, *others = PARTS
        tables = [
            self._table(results, known, (*self.populations, FILES)),
            self._table(each, known, [path.name for path in self.files]),
            *(self._table(results, part, PARTS[part]) for part in others),
        ]
        return [table for table in tables if table.rows]

    def plots(self, results: Results) -> list[Plot]:
        """Dice of the best code of every known heart."""
        measured = {row["level"] for row in results.rows}
        levels = [level for level in (*self.populations, FILES) if level in measured]
        compared = Comparison(results, levels, self.generators)
        return [compared.strips("Best codes", "ceiling Dice {}")] if levels else []

    def _table(self, results: Results, part: str, levels: Sequence[str]) -> Table:
        columns, note = TABLES[part]["columns"], TABLES[part]["note"].format(**vars(self))
        rows = Comparison(results, levels, self.generators).mean_rows(columns)
        shown = [row for row in rows if any(row[2:])]
        return Table(part.capitalize(), ("of", "generator", *columns), shown, note)


def _measured(measure: ScoredBy, name: str, case: Any) -> Scores:
    return measure(load_generator(name), case)


def unseen_heart(population: str, seed: int) -> LabelVolume:
    """A synthetic heart that no training has seen, on the HR grid, in the model's frame."""
    shape = draw(1, EVALUATION_SEED + seed, population)
    return LabelVolume(phantom.label_maps(shape)[0], hr_affine(), population)


def placed_heart(path: Path) -> LabelVolume:
    """A heart of a file at its own voxels, in the model's frame as `place` finds it.

    `InvalidVolume` where the file cannot be read or shows no whole heart.
    """
    heart = read_short_axis(path)
    model_from_world = np.linalg.inv(place(heart).world_from_model)
    return replace(heart, affine=model_from_world @ heart.affine)


ceiling_of = cache(Ceiling)  # Finds the best codes of a generator


def accuracy(G: HeartGenerator, heart: LabelVolume) -> Scores:
    """Dice and ASSD at a heart's voxels of its best code and, with an encoder, of its encoding.

    "RMS of z" is |z|/√M of the best code; of draws from N(0, I) it is near 1.
    """
    target, points = whole_heart(heart), torch.tensor(heart.points(), dtype=torch.float32)
    codes = {"ceiling": ceiling_of(G).best_code(target)}
    if isinstance(G, Encoder):
        with torch.no_grad():
            codes["encode-decode"], _ = G.encode(target)
    scores: Scores = {}
    for name, z in codes.items():
        with torch.no_grad():
            estimate = labels_at(G.decode(z), points)
        scores |= by_tissue(f"{name} Dice {{}}", dice(estimate, heart.labels))
        scores |= by_tissue(f"{name} ASSD {{}}", assd(estimate, heart.labels, heart.spacing))
    scores["ceiling RMS of z"] = float(codes["ceiling"].square().mean().sqrt())
    return scores


@torch.no_grad()
def posterior(G: Encoder, seed: int) -> tuple[Tensor, Tensor]:
    """Mean and variance (1, M) of q(z|x) for an unseen heart of the population trained on."""
    shape = draw(1, EVALUATION_SEED + seed, "everyone")
    distances = phantom.on_lattice(shape, LATTICE_SHAPE)
    mean, log_variance = G.encode(phantom.class_logits(distances).softmax(1))
    return mean, log_variance.exp()


def latent_statistics(means: Tensor, variances: Tensor) -> Scores:
    """How far the aggregate posterior, the mean of q(z|x) over hearts, is from N(0, I).

    Its first two moments tell: KL is that of a Gaussian with these moments to N(0, I). Of it, n
    hearts alone would give M (M + 3) / 4n, were they draws of N(0, I). Means and variances are
    (n, M) of q(z|x).
    """
    mean = means.mean(0)
    covariance = torch.cov(means.T, correction=0) + variances.mean(0).diag()
    sd = covariance.diagonal().sqrt()
    kl = (covariance.trace() + mean @ mean - len(mean) - covariance.logdet()) / 2
    return {
        "posterior: mean SD": float(variances.sqrt().mean()),
        "aggregate posterior: mean farthest from 0": float(mean.abs().max()),
        "aggregate posterior: least SD": float(sd.min()),
        "aggregate posterior: greatest SD": float(sd.max()),
        "aggregate posterior: KL to N(0, I), nats": float(kl),
        "active dimensions": int((means.var(0) > ACTIVE).sum()),
    }


def latent_space(G: Encoder, seeds: Sequence[int]) -> Scores:
    """`latent_statistics` over the unseen hearts of some seeds."""
    found = [posterior(G, seed) for seed in seeds]
    return latent_statistics(*map(torch.cat, zip(*found, strict=True)))


def interpolations(ends: Tensor, points: int = POINTS) -> Tensor:
    """Codes (n points, M) evenly spread between the first and second of pairs (n, 2, M)."""
    t = torch.linspace(0, 1, points + 2)[1:-1, None]
    return torch.lerp(ends[:, None, 0], ends[:, None, 1], t).flatten(0, 1)


@torch.no_grad()
def soundness(G: Generator, z: Tensor) -> Scores:
    """Whether a code (1, M) gives a heart without `anatomy.faults` on the HR grid: 1 or 0."""
    faults = anatomy.faults(to_labels(G.decode(z)), volumes=VOLUME_RANGES)
    return {"sound hearts": float(not faults)}


def share_sound(G: Any, which: tuple[str, int, int, int]) -> Scores:
    """Mean `soundness` of the i-th of n draws of z ~ N(0, I), of z = 0, or between the i-th pair of
    hearts: level, i, n and seed say `which`."""
    level, i, n, seed = which
    if level == BETWEEN:
        ends = [posterior(G, s)[0] for s in held_out_seeds(n, seed, 0)[2 * i : 2 * i + 2]]
        codes = interpolations(torch.stack(ends, dim=1))
    else:
        draws = torch.randn(n, G.latent_size, generator=torch.Generator().manual_seed(seed))
        codes = draws[i : i + 1] * (level == DRAWN)
    return {"sound hearts": fmean(soundness(G, z)["sound hearts"] for z in codes.split(1))}


def decoder(G: Generator, file: Path) -> Scores:
    """M, size of the file, and mean processor time of a decoding, without and with the gradient in
    z, on one thread, ms. Other programs that keep the machine busy hardly count."""
    z = torch.zeros(1, G.latent_size)
    scores: Scores = {"latent size M": G.latent_size, "file, MB": file.stat().st_size / 1e6}
    ways: dict[str, Callable[[], object]] = {
        "decode, ms": torch.no_grad()(lambda: G.decode(z)),
        "decode and gradient in z, ms": lambda: (
            G.decode(z.clone().requires_grad_()).sum().backward()
        ),
    }
    with one_thread():
        for name, work in ways.items():
            work()
            scores[name] = 1000 * timeit(work, timer=time.thread_time, number=30) / 30
    return scores
