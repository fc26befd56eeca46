"""Checks of lesson 7."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from srheart_demo.lessons.verdict import Cases, exercise

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
    return {"a table": (CHOICE,), "it in another order": (turned,), "another": (OTHERS,)}


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
    otherwise=_names,
)
def most_careful(table: Table) -> str:
    """Exercise 3: the network with the best worst case."""
    return _best(lambda row: min(row.values()))(table)
