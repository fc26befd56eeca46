"""Checks of lesson 7."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from srheart_demo.course.verdict import Cases, exercise

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
Table = dict[str, dict[str, float]]


def _masks() -> Cases:
    a, b = np.zeros((2, 6, 10, 10), dtype=bool)
    a[1:4, 2:6, 2:7] = True
    b[2:6, 3:8, 2:7] = True
    nothing = np.zeros_like(a)
    nothing[0, 0, 0] = True
    return {
        f"|A| = {a.sum()}, |B| = {b.sum()}, |A ∩ B| = {(a & b).sum()}": (a, b),
        "two masks that do not meet": (a, nothing),
        "two equal masks": (b, b.copy()),
    }


@exercise(
    _masks,
    "1 for equal masks, 0 for masks that do not meet.",
    mistakes=(
        (
            lambda a, b: (a & b).sum() / (a | b).sum(),
            "that is |A ∩ B| / |A ∪ B|, Jaccard's index; Dice divides by |A| + |B|.",
        ),
        (
            lambda a, b: 2 * (a & b).sum() / (a | b).sum(),
            "that divides by |A ∪ B|, and two equal masks would get 2; Dice divides by |A| + |B|.",
        ),
        (
            lambda a, b: (a & b).sum() / (a.sum() + b.sum()),
            "two equal masks would get a half; the overlap counts twice: 2|A ∩ B|.",
        ),
        (
            lambda a, b: 2 * (a | b).sum() / (a.sum() + b.sum()),
            "that is 2|A ∪ B| / (|A| + |B|): `|` is where either is true; the overlap is `&`.",
        ),
        (
            lambda a, b: (a & b).sum() / a.sum(),
            "that is the share of the estimate that is right; an estimate that misses half the "
            "tissue could still get 1.",
        ),
        (
            lambda a, b: (a & b).sum() / b.sum(),
            "that is the share of the truth that was found; an estimate that fills the whole box "
            "would get 1.",
        ),
        (
            lambda a, b: (a == b).mean(),
            "that is the share of voxels with the right label, and nearly all are background; "
            "count only those of the masks.",
        ),
        (
            lambda a, b: 2 * (a == b).sum() / (a.sum() + b.sum()),
            "where both are False counts in yours: `==` is not the overlap, `&` is.",
        ),
        (
            lambda a, b: 1 - 2 * (a & b).sum() / (a.sum() + b.sum()),
            "that is one minus Dice, a loss; two equal masks should get 1.",
        ),
        (
            lambda a, b: 2 * (a & b).sum() / a.sum() + b.sum(),
            "only |A| divides; put |A| + |B| in brackets.",
        ),
        (
            lambda a, b: min(a.sum(), b.sum()) / max(a.sum(), b.sum()),
            "that compares sizes alone; the masks have to meet: A & B.",
        ),
    ),
)
def overlap(A: Mask, B: Mask) -> float:
    """Exercise 1: Dice of two masks, 2|A ∩ B| / (|A| + |B|)."""
    return float(2 * (A & B).sum() / (A.sum() + B.sum()))


def _ways() -> Cases:
    rng = np.random.default_rng(0)
    there, back = rng.uniform(0, 4, 400), rng.uniform(0, 7, 150)
    back[:5] = 30.0
    return {
        "a test": (there, back),
        "the same with estimate and truth exchanged": (back, there),
        "another": (2 * there[:300], back[5:]),
    }


def _percentiles(q: float, of: Callable[[list[float]], float] = max) -> Callable[..., float]:
    return lambda *ways: float(of([float(np.percentile(way, q)) for way in ways]))


@exercise(
    _ways,
    "the greater of the two ways, and one stray voxel does not decide it.",
    mistakes=(
        (
            _percentiles(100),
            "that is the greatest distance of all, which one stray voxel decides; take the 95th "
            "percentile of each way.",
        ),
        (
            lambda *ways: float(np.percentile(np.concatenate(ways), 95)),
            "you threw both ways together; where one surface has many more voxels, the other way "
            "would hardly count. Percentiles first, then the greater.",
        ),
        (
            _percentiles(95, mean),
            "that is the mean of the two ways; Hausdorff's distance is the greater one.",
        ),
        (_percentiles(95, sum), "that is the sum of the two ways; take the greater one."),
        (
            _percentiles(95, min),
            "that is the smaller of the two ways, and it lets the worse one go unseen.",
        ),
        (
            lambda there, back: float(np.percentile(there, 95)),
            "you look at one way only; it must not matter which of the maps is the truth.",
        ),
        (
            lambda there, back: float(np.percentile(back, 95)),
            "you look at one way only; it must not matter which of the maps is the truth.",
        ),
        *(
            (_percentiles(5, of), "that is the 5th percentile, where the fit is best.")
            for of in (max, min)
        ),
        (
            _percentiles(0.95),
            "np.percentile counts to 100: 0.95 is less than one per cent; take 95, and not what "
            "gave you 0.",
        ),
        (_percentiles(90), "that is the 90th percentile; the 95th is wanted."),
        (_percentiles(50), "that is the median; the 95th percentile is wanted."),
        (
            lambda *ways: max(way.mean() for way in ways),
            "these are means; HD95 takes the 95th percentile of each way.",
        ),
        (lambda *ways: 0.95 * max(map(np.max, ways)), "95 % of the greatest is no percentile."),
        (
            lambda there, back: [float(np.percentile(way, 95)) for way in (there, back)],
            "these are both ways; one number is wanted, the greater.",
        ),
    ),
)
def far_off(there: Values, back: Values) -> float:
    """Exercise 2: the 95 % Hausdorff distance from the distances there and back."""
    return _percentiles(95)(there, back)


CHOICE: Table = {
    "A": {"none": 0.99, "normal": 0.90, "severe": 0.50},
    "B": {"none": 0.70, "normal": 0.76, "severe": 0.79},
    "C": {"none": 0.84, "normal": 0.88, "severe": 0.61},
    "D": {"none": 0.60, "normal": 0.65, "severe": 0.95},
    "E": {"none": 0.62, "normal": 0.62, "severe": 0.63},
    "F": {"none": 0.30, "normal": 0.45, "severe": 0.55},
}
"""A has the best mean, D is best under severe motion, E varies least, B has the best worst case."""

OTHERS: Table = {
    "V": {"none": 0.70, "normal": 0.80, "severe": 0.98},
    "Q": {"none": 0.93, "normal": 0.90, "severe": 0.75},
    "R": {"none": 0.84, "normal": 0.80, "severe": 0.78},
    "S": {"none": 0.96, "normal": 0.70, "severe": 0.40},
    "K": {"none": 0.61, "normal": 0.61, "severe": 0.61},
    "U": {"none": 0.62, "normal": 0.97, "severe": 0.35},
}
"""V has the best level, Q the best mean, S is best without motion, R has the best worst case."""


def _tables() -> Cases:
    turned = {name: dict(reversed(row.items())) for name, row in reversed(CHOICE.items())}
    return {"a table": (CHOICE,), "another": (OTHERS,), "the first in another order": (turned,)}


def _best(of: Callable[[dict[str, float]], float]) -> Callable[[Table], str]:
    """The network of which something is greatest."""
    return lambda table: max(table, key=lambda name: of(table[name]))


def _names(found: object, right: str, table: Table) -> str:
    if not isinstance(found, str) or found not in table:
        return f"{found!r} is none of the networks; return one of the table's names"
    worst = min(table[found].values())
    return (
        f"{found} falls to {worst:.2f}; choose by each network's worst level, and {right} never "
        f"falls below {min(table[right].values()):.2f}"
    )


@exercise(
    _tables,
    "B never falls below 0.70; nothing else can promise that.",
    mistakes=(
        (
            _best(lambda row: max(row.values())),
            "A is best without motion, but a patient who moves gets 0.50. Choose by the worst.",
        ),
        (
            _best(lambda row: sum(row.values())),
            "A is best on average, but a patient who moves gets 0.50. Choose by the worst.",
        ),
        (
            _best(lambda row: row["none"]),
            "A is best without motion; a patient who moves gets 0.50.",
        ),
        (
            _best(lambda row: row["normal"]),
            "that looks at normal motion alone; choose by each network's worst level.",
        ),
        (
            _best(lambda row: row["severe"]),
            "D is best under severe motion only, and falls to 0.60 without. Choose by the worst.",
        ),
        (
            _best(lambda row: min(row.values()) - max(row.values())),
            "E varies least from level to level, and is poor in all of them; choose by the worst.",
        ),
        (
            _best(lambda row: -min(row.values())),
            "that is the network whose worst level is worst; the best of the worst is wanted.",
        ),
        (
            _best(lambda row: -max(row.values())),
            "that is the network whose best level is worst; the best of the worst is wanted.",
        ),
        (
            lambda table: max(min(row.values()) for row in table.values()),
            "that is a score; return the name of the network that has it.",
        ),
        (lambda table: "B", "that is the name itself, and in another table there is no B."),
        (lambda table: next(iter(table)), "your choice depends on the order of the table."),
        (lambda table: list(table)[-1], "your choice depends on the order of the table."),
        (lambda table: min(table), "your choice depends on the names, not on the scores."),
        (lambda table: max(table), "your choice depends on the names, not on the scores."),
    ),
    otherwise=_names,
)
def most_careful(table: Table) -> str:
    """Exercise 3: the network with the best worst case."""
    return _best(lambda row: min(row.values()))(table)
