"""What a generator can do: how well it holds known hearts, how its latent space is filled, speed.

Does z ~ N(0, I) give hearts, and do hearts give N(0, I)? Scores go by name; `parts` lists all that
``srheart evaluate generator`` measures.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from timeit import timeit
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from srheart_demo.experiments.cases import held_out_seeds
from srheart_demo.experiments.scoring import by_tissue
from srheart_demo.experiments.tables import Row, Rows, Scores, Table
from srheart_demo.files import fingerprint, write_text
from srheart_demo.frame import LATTICE_SHAPE, TISSUES, hr_affine
from srheart_demo.heart import anatomy, phantom
from srheart_demo.heart.generator import HeartGenerator, to_labels
from srheart_demo.heart.measures import Summary, assd, dice, summary
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
_EACH = " / ".join(TISSUES[1:])
POINTS = 5  # Codes looked at between the two of a pair


class Section(NamedTuple):
    """What a group of scores was measured on."""

    generator: str
    weights: str  # their fingerprint
    on: str  # a population, a file, or a part of the generator
    seed: int  # of what was drawn
    n: int  # hearts or draws that the scores are means over


class Part(NamedTuple):
    """A section, and how it is measured: `work` on each of `items`, whose results are summed up."""

    section: Section
    work: Callable[[Any], Any]
    items: Iterable[Any]
    sum_up: Callable[[list[Any]], list[Scores]] = list


def on_hearts(
    G: HeartGenerator,
    weights: Path,
    populations: Iterable[str],
    files: Sequence[Path],
    n: int,
    seed: int,
) -> Iterator[Part]:
    """How well a generator holds `n` hearts of each population, and the heart of each file."""

    def score(make: Callable[[], LabelVolume]) -> Scores:
        return accuracy(G, make())

    for population in populations if n else ():
        hearts = [partial(unseen_heart, population, s) for s in held_out_seeds(n, seed, 0)]
        yield Part(section(G, weights, population, seed, n), score, hearts)
    for path in files:
        yield Part(section(G, weights, path.name, seed), score, [partial(placed_heart, path)])


def of_itself(G: HeartGenerator, weights: Path, n: int, seed: int) -> Iterator[Part]:
    """A generator's `n` draws, its latent space, its speed and its size."""
    sound, of = partial(soundness, G), partial(section, G, weights, seed=seed)
    if n:
        rng = torch.Generator().manual_seed(seed)
        codes = torch.randn(n, G.latent_size, generator=rng).split(1)
        yield Part(of("z ~ N(0, I)", n=n), sound, codes)
        yield Part(of("z = 0"), sound, [torch.zeros(1, G.latent_size)])
    if n and isinstance(G, Encoder):
        hearts, encode = held_out_seeds(n, seed, 0), partial(posterior, G)
        yield Part(of("latent space", n=n), encode, hearts, _together)
        if pairs := n // DRAWS_PER_PAIR:
            ends = (encode(s)[0] for s in held_out_seeds(2 * pairs, seed, 0))
            between = (
                z
                for pair in zip(ends, ends, strict=True)
                for z in interpolations(torch.stack(pair, dim=1)).split(1)
            )
            yield Part(of("interpolation", n=pairs * POINTS), sound, between)
    size = {"latent size M": G.latent_size, "file, MB": weights.stat().st_size / 1e6}
    yield Part(of("decoder"), lambda _: decode_times(G) | size, [G])


def _together(posteriors: list[tuple[Tensor, Tensor]]) -> list[Scores]:
    return [latent_statistics(*map(torch.cat, zip(*posteriors, strict=True)))]


def section(G: HeartGenerator, weights: Path, on: str, seed: int, n: int = 1) -> Section:
    """The name of what is measured of a generator."""
    return Section(G.name, fingerprint(weights), on, seed, n)


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


def interpolations(ends: Tensor, points: int = POINTS) -> Tensor:
    """Codes (n points, M) evenly spread between the first and second of pairs (n, 2, M)."""
    t = torch.linspace(0, 1, points + 2)[1:-1, None]
    return torch.lerp(ends[:, None, 0], ends[:, None, 1], t).flatten(0, 1)


@torch.no_grad()
def soundness(G: Generator, z: Tensor) -> Scores:
    """Whether a code (1, M) gives a heart without `anatomy.faults` on the HR grid: 1 or 0."""
    faults = anatomy.faults(to_labels(G.decode(z)), volumes=VOLUME_RANGES)
    return {"sound hearts": float(not faults)}


def decode_times(G: Generator) -> Scores:
    """Mean processor time of one decoding, without and with the gradient in z, on one thread, ms.

    Other programs that keep the machine busy hardly count.
    """
    z, scores = torch.zeros(1, G.latent_size), {}
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


class Evaluation(Rows):
    """What was measured of generators: a row for each score of each section."""

    def __init__(self, path: Path | None = None) -> None:
        """Open a CSV, or make it. Where `path` ends otherwise it shows the table as Markdown."""
        in_rows = path if path and path.suffix == ".csv" else None
        columns = [*Section._fields, "measure", *Summary._fields]
        super().__init__(in_rows, columns, Section._fields)
        self.page = None if in_rows else path
        self._show()

    def __contains__(self, of: Section) -> bool:
        return tuple(map(str, of)) in self.done

    def add_section(self, of: Section, scores: Sequence[Scores]) -> None:
        """Add the summary of each score over hearts or draws."""
        rows = []
        for name in scores[0]:
            found = summary([heart[name] for heart in scores])._asdict()
            numbers = {field: f"{number:.6g}" for field, number in found.items()}
            rows.append({**{k: str(v) for k, v in of._asdict().items()}, "measure": name} | numbers)
        self.add(*rows)
        self._show()

    def means(self, of: Section) -> Scores:
        """The scores of a section without their spread."""
        return {row["measure"]: float(row["mean"]) for row in self._sections()[tuple(map(str, of))]}

    def _show(self) -> None:
        if self.page:
            write_text(self.markdown(), self.page)

    def _sections(self) -> dict[tuple[str, ...], list[Row]]:
        sections: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            sections.setdefault(tuple(row[name] for name in self.key), []).append(row)
        return sections

    def markdown(self) -> str:
        """For each generator one table over hearts, and one of all else."""
        sections, text = self._sections(), []
        for generator in dict.fromkeys(section[:2] for section in sections):
            text += ["### {} ({})".format(*generator), ""]
            own = {(s[2], s[4]): _cells(rows) for s, rows in sections.items() if s[:2] == generator}
            hearts = {s: cells for s, cells in own.items() if any(_EACH in name for name in cells)}
            others = {s: cells for s, cells in own.items() if s not in hearts}
            if hearts:
                columns = dict.fromkeys(column for cells in hearts.values() for column in cells)
                rows = [(*s, *(cells.get(c, "") for c in columns)) for s, cells in hearts.items()]
                text += Table("", ("hearts", "n", *columns), rows).markdown()
            if others:
                rows = [
                    (f"{on}: {measure}", n, value)
                    for (on, n), cells in others.items()
                    for measure, value in cells.items()
                ]
                text += Table("", ("generator", "n", "value"), rows).markdown()
        return "\n".join(text)


def _cells(rows: Iterable[Row]) -> dict[str, str]:
    """Means as text by measure; those of LV, MYO and RV share a cell."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        stem, _, tissue = row["measure"].rpartition(" ")
        name = f"{stem} {_EACH}" if tissue in TISSUES else row["measure"]
        note = "" if row["missing"] == "0" else f" ({row['missing']} missing)"
        mean = f"{float(row['mean']):{'.3f' if tissue in TISSUES else '.4g'}}"
        groups.setdefault(name, []).append(mean + note)
    return {name: " / ".join(means) for name, means in groups.items()}
