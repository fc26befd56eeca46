"""Whether a scan's heart lies in what the prior knows.

The prior knows synthetic hearts only. So a scan is solved quickly (INTERACTIVE) and measured, and
its figures are held against those of synthetic scans whose truth is known (`KNOWN`): hearts of all
populations, motion from none to severe, outlines as people draw them, label noise, several
spacings, some slices missing. A figure outside what 98 % of them have is unusual; one much
farther out is not to be trusted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray

from srheart_demo.enhancement.enhance import Diverged, Enhancement, enhance
from srheart_demo.frame import HR_SPACING, TISSUES
from srheart_demo.heart import anatomy
from srheart_demo.heart.population import VOLUME_RANGES
from srheart_demo.scan.degradation import degrade
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.losses import observations
from srheart_demo.solver.problem import Generator
from srheart_demo.solver.settings import INTERACTIVE


class Verdict(IntEnum):
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
    """Where a figure of synthetic scans lies.

    Attributes:
        low, high: 1st and 99th percentile.
        least, most: half as far out again, seen from the median. Not the extremes, which a single
            run that went astray would set.
    """

    low: float
    high: float
    least: float
    most: float

    @classmethod
    def of(cls, values: NDArray[np.float64], in_proportion: bool) -> Range:
        """From figures of synthetic scans; distances from the median are ratios or differences."""
        low, middle, high = np.nanpercentile(
            np.log(values) if in_proportion else values, (1, 50, 99)
        )
        ends = np.array([low, high, 1.5 * low - 0.5 * middle, 1.5 * high - 0.5 * middle])
        return cls(*(float(f"{end:.4g}") for end in (np.exp(ends) if in_proportion else ends)))

    def judge(self, value: float) -> Verdict:
        """How usual a value is; none at all, NaN, is the worst."""
        if self.low <= value <= self.high:
            return Verdict.FINE
        return Verdict.UNUSUAL if self.least <= value <= self.most else Verdict.DISTRUST


@dataclass(frozen=True)
class Figure:
    """A quantity that is measured.

    Attributes:
        words: what it is, with a place for its value.
        form: how the value is written, with its unit.
        above, below: what it means where it is too large or too small; empty where that is good.
        harmless: what is not above this is never odd.
        clear: what is not above this is unusual at most.
    """

    words: str
    form: str
    above: str
    below: str = ""
    harmless: float = -np.inf
    clear: float = -np.inf

    def odd(self, value: float, known: Range) -> Verdict:
        """How a value stands to the usual; what is good cannot be too good."""
        if value <= self.harmless or (not self.below and value < known.low):
            return Verdict.FINE
        return min(known.judge(value), Verdict.UNUSUAL if value <= self.clear else Verdict.DISTRUST)

    def sentence(self, value: float, known: Range, verdict: Verdict) -> str:
        """The value, what is usual, and what it means if it is odd."""
        said = self.words.format(self.form.format(value))
        high = self.form.format(max(known.high, self.harmless))
        usual = f"{self.form.format(known.low)} to {high}" if self.below else f"up to {high}"
        meaning = self.below if value < known.low else self.above
        return f"{said[0].upper()}{said[1:]} (usual: {usual}){f': {meaning}' if verdict else ''}."


STRONG = 5.0
"""Nats: odds of 150 to 1."""
ODD = "the population holds no such heart; check spacing and labels"
FIGURES = {
    "latent distance": Figure(
        "the heart's code lies at |z| = {}",
        "{:.1f}",
        "the prior had to stretch to explain the scan",
    ),
    "outlines": Figure(
        "its outlines lie {} from those of the slices on average",
        "{:.2f} mm",
        "no heart that the prior knows looks like these slices",
    ),
    "worst slice": Figure(
        "the slice that agrees least is {} off",
        "{:.2f} mm",
        "that slice is labelled or placed as in no heart; look at it",
    ),
    "motion": Figure(
        "the slices were found displaced by {} (RMS)",
        "{:.1f} mm",
        "breath-holds do not differ so much; look at the slices",
    ),
    "unseen": Figure(
        "{} of its tissue lies where no slice was labelled",
        "{:.0%}",
        "much of the answer is the prior's guess",
    ),
    "mirrored": Figure(
        "evidence for its mirror image: {}",
        "{:+.0f} nats",
        "the picture seems to be mirrored; try --mirror, or write the true affine",
        harmless=0.0,
        clear=STRONG,
    ),
    "upside down": Figure(
        "evidence for the apex at the other end: {}",
        "{:+.0f} nats",
        "apex and base seem to be exchanged; try --flip",
        harmless=0.0,
        clear=STRONG,
    ),
    "flaws": Figure("the restored heart has {} flaws of anatomy", "{:.0f}", "it is no sound heart"),
    **{
        f"{tissue} volume": Figure(f"{tissue} {{}}", "{:.0f} ml", ODD, ODD)
        for tissue in TISSUES[1:]
    },
    "RV/LV volume": Figure("the RV holds {} times the LV", "{:.2f}", ODD, ODD),
    "MYO/LV volume": Figure("the myocardium has {} times the LV's volume", "{:.2f}", ODD, ODD),
    "LV length": Figure("the LV is {} long", "{:.0f} mm", ODD, ODD),
    "wall 0.55": Figure("the wall is {} thick at mid-height", "{:.1f} mm", ODD, ODD),
    "2r/L": Figure("the LV's width is {} of its length", "{:.2f}", ODD, ODD),
}
"""What is measured, by name; those from `anatomy.statistics` have its names."""

KNOWN: dict[str, Range] = {
    "latent distance": Range(3.457, 9.496, 2.639, 11.7),
    "outlines": Range(0.3389, 0.9873, 0.2119, 1.185),
    "worst slice": Range(0.4447, 4.333, 0.1812, 6.014),
    "motion": Range(0.09192, 10.26, -1.057, 14.19),
    "unseen": Range(0.0, 0.1504, -0.0007709, 0.2249),
    "mirrored": Range(-121.4, -10.48, -158.2, 8.205),
    "upside down": Range(-5358.0, -225.9, -7647.0, 51.05),
    "flaws": Range(0.0, 1.0, 0.0, 1.5),
    "LV volume": Range(34.64, 451.9, 17.23, 811.9),
    "MYO volume": Range(65.33, 262.2, 47.57, 382.4),
    "RV volume": Range(43.66, 368.5, 23.93, 586.8),
    "RV/LV volume": Range(0.5011, 2.355, 0.3406, 3.469),
    "MYO/LV volume": Range(0.4685, 3.194, 0.3494, 6.219),
    "LV length": Range(69.37, 118.0, 60.91, 135.1),
    "wall 0.55": Range(5.433, 14.63, 4.437, 19.6),
    "2r/L": Range(0.3862, 0.7876, 0.3174, 0.9244),
}
"""By ``python -m benchmarks.check --scans 270``, 30 scans of each population."""


@dataclass(frozen=True)
class Measure:
    """A figure of one scan.

    Attributes:
        name: one of `FIGURES`.
        value: its value, NaN where it cannot be measured.
        verdict: how it stands to `KNOWN`.
        sentence: all of this in words.
    """

    name: str
    value: float
    verdict: Verdict
    sentence: str


def judge(numbers: Mapping[str, float]) -> tuple[Measure, ...]:
    """Figures of `measure`, held against those of synthetic scans."""
    return tuple(_judge(name, value) for name, value in numbers.items() if name in KNOWN)


def _judge(name: str, value: float) -> Measure:
    figure, known = FIGURES[name], KNOWN[name]
    verdict = figure.odd(value, known)
    if np.isnan(value):
        return Measure(name, value, verdict, f"{name[0].upper()}{name[1:]}: cannot be measured.")
    return Measure(name, value, verdict, figure.sentence(value, known, verdict))


def measure(
    G: Generator,
    scan: Scan,
    solved: Enhancement | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """The `FIGURES` of a scan, by INTERACTIVE solves of it as placed, mirrored and upside down.

    What cannot be measured is NaN.

    Args:
        G, scan: as for `enhance`.
        solved: what an INTERACTIVE solve made of the scan, if that has been done.
        watch: told how many of how many solves are done.
    """
    by_hand = scan.by_hand
    others = {
        "mirrored": replace(by_hand, mirror=not by_hand.mirror),
        "upside down": replace(by_hand, flip=not by_hand.flip),
    }
    numbers = dict.fromkeys(FIGURES, float("nan"))
    try:
        e = solved or enhance(scan, G, INTERACTIVE)
        for n, (name, other) in enumerate(others.items(), start=1):
            if watch:
                watch(n, 1 + len(others))
            numbers[name] = _nats(e) - _nats(enhance(scan.placed(other), G, INTERACTIVE))
    except Diverged:
        return numbers
    return numbers | _fit(e) | _anatomy(e)


def _nats(e: Enhancement) -> float:
    return e.last.objective * observations(e.problem, e.last.state.settings)


def _fit(e: Enhancement) -> dict[str, float]:
    apart = outline_distances(e)
    tissue = e.scan.stack.labelled
    d = e.d_mean_removed[tissue]
    return {
        "latent distance": float(e.last.z.norm()),
        "outlines": float(apart.mean()),
        "worst slice": float(apart.max()),
        "motion": float(np.sqrt((d**2).sum(axis=1).mean())),
        "unseen": _unseen(e),
    }


def outline_distances(e: Enhancement) -> NDArray[np.float64]:
    """How far G(z)'s outlines lie from those of the slices, mm, for each slice with labels.

    The area that the two label differently, by the mean length of their outlines.
    """
    p, step = e.problem, e.last
    with torch.no_grad():
        expected = degrade(p.G.decode(step.z), p.stack, step.d)[0].argmax(0).numpy()
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
    heart = e.S_SR
    index = np.argwhere(heart.labels)
    z = np.linalg.inv(e.world_from_field) @ heart.affine
    along = z[0, 0] * index[:, 0] + z[0, 3]
    slices = e.problem.stack.z[e.problem.tissue].numpy()
    if not len(along):
        return float("nan")
    nearest = np.abs(along[:, None] - slices).min(axis=1)
    return float((nearest > e.scan.stack.spacing[0] / 2 + 1e-3).mean())


def _anatomy(e: Enhancement) -> dict[str, float]:
    labels = e.S_SR.labels
    numbers = {"flaws": float(len(anatomy.faults(labels, HR_SPACING, VOLUME_RANGES)))}
    try:
        # Means of nothing: what they would warn of is said as "cannot be measured".
        with warnings.catch_warnings(action="ignore"):
            statistics = anatomy.statistics(labels)
    # Not enough of a heart to measure.
    except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):
        statistics = {}
    nothing = float("nan")
    return numbers | {
        name: float(statistics.get(name, nothing)) for name in FIGURES if name in ANATOMY
    }


ANATOMY = {
    *(f"{tissue} volume" for tissue in TISSUES[1:]),
    "RV/LV volume",
    "MYO/LV volume",
    "LV length",
    "wall 0.55",
    "2r/L",
}
"""Those of `FIGURES` that come from `anatomy.statistics`."""
