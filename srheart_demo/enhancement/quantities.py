"""What is measured of a heart, and where that lies in synthetic scans whose truth is known.

Those are of hearts of all populations, with motion from none to severe, outlines as people draw
them, label noise, several spacings, some slices missing. A quantity outside what 98 % of them have
is unusual; one much farther out is not to be trusted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srheart_demo.enhancement.enhance import Diverged, Enhancement, enhance
from srheart_demo.files import read_toml
from srheart_demo.frame import HR_SPACING, lattice_axes
from srheart_demo.heart import anatomy
from srheart_demo.heart.generator import likeliest
from srheart_demo.heart.population import VOLUME_RANGES
from srheart_demo.scan.degradation import degrade
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.losses import observations
from srheart_demo.solver.problem import Generator
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED, Settings


class Grade(IntEnum):
    """From good to bad, so that the worst of several is their maximum."""

    FINE = 0
    UNUSUAL = 1
    DISTRUST = 2

    @property
    def words(self) -> str:
        """For a reader."""
        return ("inside what the prior knows", "unusual: look at it", "do not trust this")[self]


@dataclass(frozen=True)
class Range:
    """Where a quantity of synthetic scans lies."""

    low: float  # 1st percentile
    high: float  # 99th
    # Half as far out again from the median; not the extremes, which one failed run would set.
    least: float
    most: float

    def grade(self, value: float) -> Grade:
        """How usual a value is; none at all, NaN, is the worst."""
        if self.low <= value <= self.high:
            return Grade.FINE
        return Grade.UNUSUAL if self.least <= value <= self.most else Grade.DISTRUST


@dataclass(frozen=True)
class Measure:
    """A quantity of one scan."""

    name: str  # one of `QUANTITIES`
    value: float  # NaN where it cannot be measured
    verdict: Grade
    sentence: str  # all of this in words

    def as_json(self) -> dict[str, Any]:
        """Everything, of JSON's types; what cannot be measured is null."""
        value = round(self.value, 4) if np.isfinite(self.value) else None
        usual = asdict(QUANTITIES[self.name].usual)
        verdict = self.verdict.name.lower()
        return {"value": value, "verdict": verdict, "synthetic": usual, "sentence": self.sentence}


@dataclass(frozen=True)
class Quantity:
    """What is measured, in words with a place for its value, and what is `usual`.

    `above` is what it means where it is too large, and with `both` where it is too small, which
    else is good.
    """

    words: str
    form: str  # how the value is written, with its unit
    usual: Range
    above: str = "hardly a heart of the population is so; check spacing and labels"
    both: bool = False
    harmless: float = -np.inf  # what is not above this is never odd
    clear: float = -np.inf  # what is not above this is unusual at most

    def grade(self, value: float) -> Grade:
        """How a value stands to the usual; what is good cannot be too good."""
        if value <= self.harmless or (not self.both and value < self.usual.low):
            return Grade.FINE
        return min(self.usual.grade(value), Grade(1 if value <= self.clear else 2))

    def sentence(self, value: float) -> str:
        """The value, what is usual, and what it means if it is odd."""
        said, low = (self.form.format(number) for number in (value, self.usual.low))
        high = self.form.format(max(self.usual.high, self.harmless))
        usual = f"{low} to {high}" if self.both else f"up to {high}"
        meaning = f": {self.above}" * bool(self.grade(value))
        sentence = f"{self.words.format(said)} (usual: {usual}){meaning}."
        return sentence[0].upper() + sentence[1:]


_ROWS = read_toml(__file__, "quantities.toml").items()
QUANTITIES = {name: Quantity(**row | {"usual": Range(*row["usual"])}) for name, row in _ROWS}
"""By name, from quantities.toml."""
SIZES = tuple(name for name, quantity in QUANTITIES.items() if quantity.both)
"""Those from `anatomy.sizes`, by the names that they have there."""


def judge(numbers: Mapping[str, float]) -> tuple[Measure, ...]:
    """Numbers as `measured`, each held against those of synthetic scans."""
    measures = []
    for name, value in numbers.items():
        quantity = QUANTITIES[name]
        unknown = f"{name[0].upper()}{name[1:]}: cannot be measured."
        sentence = unknown if np.isnan(value) else quantity.sentence(value)
        measures.append(Measure(name, value, quantity.grade(value), sentence))
    return tuple(measures)


def verdict_of(measures: Sequence[Measure], doubts: Sequence[str]) -> tuple[Grade, tuple[str, ...]]:
    """The worst of measures and doubts, and the sentences that say so, if it is not fine."""
    worst = max(Grade.DISTRUST if doubts else Grade.FINE, *(m.verdict for m in measures))
    odd = (*doubts, *(m.sentence for m in measures if m.verdict == worst))
    return worst, odd if worst else ()


def quick(G: Generator) -> Settings:
    """INTERACTIVE, and for longer where no encoder tells of the scan where to start."""
    if getattr(G, "reads_scans", True):
        return INTERACTIVE
    return replace(INTERACTIVE, iterations=RECOMMENDED.iterations)


def measured(
    scan: Scan,
    G: Generator,
    solved: Enhancement | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """The `QUANTITIES` of a scan, by `quick` solves of it as placed, mirrored and upside down.

    What cannot be measured is NaN. `solved` is what a `quick` solve made of the scan, if that has
    been done; `watch` is told how many of how many solves are done.
    """
    by_hand = scan.by_hand
    others = {
        "mirrored": replace(by_hand, mirror=not by_hand.mirror),
        "upside down": replace(by_hand, flip=not by_hand.flip),
    }
    numbers = dict.fromkeys(QUANTITIES, float("nan"))
    try:
        e = solved or enhance(scan, G, quick(G))
        for n, (name, other) in enumerate(others.items(), start=1):
            if watch:
                watch(n, 1 + len(others))
            numbers[name] = _nats(e) - _nats(enhance(scan.placed(other), G, quick(G)))
    except Diverged:
        return numbers
    return numbers | of_heart(e)


def of_heart(e: Enhancement) -> dict[str, float]:
    """Those of the `QUANTITIES` that a restored heart has by itself."""
    try:
        sizes = anatomy.sizes(e.S_SR.labels)
    except ValueError:  # a tissue is missing
        sizes = {}
    apart = outline_distances(e)
    d = e.d_mean_removed[e.scan.stack.labelled]
    return {
        "latent distance": float(e.last.z.norm()),
        "outlines": float(apart.mean()),
        "worst slice": float(apart.max()),
        "motion": float(np.sqrt((d**2).sum(axis=1).mean())),
        "unseen": _unseen(e),
        "flaws": float(len(anatomy.faults(e.S_SR.labels, HR_SPACING, VOLUME_RANGES))),
        **{name: sizes.get(name, float("nan")) for name in SIZES},
    }


def _nats(e: Enhancement) -> float:
    return e.last.objective * observations(e.problem, e.last.state.settings)


def outline_distances(e: Enhancement) -> NDArray[np.float64]:
    """How far G(z)'s outlines lie from those of the slices, mm, for each slice with labels.

    The area that the two label differently, by the mean length of their outlines.
    """
    p, step = e.problem, e.last
    with torch.no_grad():
        expected = likeliest(degrade(p.G.decode(step.z), p.stack, step.d)[0])
    tissue = p.tissue.numpy()
    seen, expected = p.S_LR.numpy()[tissue], expected[tissue]
    row, column = p.stack.spacing
    area = (seen != expected).sum(axis=(1, 2)) * row * column
    length = np.zeros(len(seen))
    for labels in (seen, expected):
        length += column * (labels[:, 1:] != labels[:, :-1]).sum(axis=(1, 2)) / 2
        length += row * (labels[:, :, 1:] != labels[:, :, :-1]).sum(axis=(1, 2)) / 2
    return area / np.maximum(length, row)


def _unseen(e: Enhancement) -> float:
    """Share of the restored tissue that lies half a slice's distance or more from each slice."""
    plane = np.nonzero(e.S_SR.labels)[0]  # of each voxel of the heart
    slices = e.problem.stack.z[e.problem.tissue].numpy()
    nearest = np.abs(lattice_axes()[0][plane, None] - slices).min(axis=1)
    far = nearest > e.problem.stack.gap / 2 + 1e-3
    return float(far.mean()) if len(far) else float("nan")
