"""Checks of lesson 7."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from srheart_demo.course.verdict import NotYet, check, written

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
Table = dict[str, dict[str, float]]


@check
def overlap(dice: Callable[[Mask, Mask], float]) -> str:
    """Exercise 1: Dice of two masks, 2|A ∩ B| / (|A| + |B|)."""
    a, b = np.zeros((2, 6, 10, 10), dtype=bool)
    a[1:4, 2:6, 2:7] = True
    b[2:6, 3:8, 2:7] = True
    found = float(written(dice(a, b), "Dice"))
    both, either, total = (a & b).sum(), (a | b).sum(), a.sum() + b.sum()
    mistakes = {
        both / either: "that is |A ∩ B| / |A ∪ B|, Jaccard's index; Dice divides by |A| + |B|.",
        both / total: "two equal masks would get a half; the overlap counts twice: 2|A ∩ B|.",
        both / a.sum(): "that is the share of the estimate that is right; an estimate that misses "
        "half the tissue could still get 1.",
        both / b.sum(): "that is the share of the truth that was found; an estimate that fills the "
        "whole box would get 1.",
        (a == b).mean(): "that is the share of voxels with the right label, and nearly all are "
        "background; count only those of the masks.",
    }
    for wrong, sentence in mistakes.items():
        if np.isclose(found, wrong):
            raise NotYet(sentence)
    if not np.isclose(found, 2 * both / total):
        raise NotYet(f"|A| = {a.sum()}, |B| = {b.sum()}, |A ∩ B| = {both}, and you get {found:g}.")
    nothing = np.zeros_like(a)
    if not np.isclose(dice(a, nothing), 0):
        raise NotYet("two masks that do not meet should get 0.")
    if not np.isclose(dice(a, a), 1):
        raise NotYet("two equal masks should get 1.")
    return "1 for equal masks, 0 for masks that do not meet."


@check
def far_off(hd95: Callable[[Values, Values], float]) -> str:
    """Exercise 2: the 95 % Hausdorff distance from the distances there and back."""
    rng = np.random.default_rng(0)
    there, back = rng.uniform(0, 4, 400), rng.uniform(0, 7, 150)
    back[:5] = 30.0
    found = float(written(hd95(there, back), "HD95"))
    ways = [float(np.percentile(way, 95)) for way in (there, back)]
    together = np.concatenate([there, back])
    mistakes = {
        max(there.max(), back.max()): "that is the greatest distance of all, which one stray voxel "
        "decides; take the 95th percentile of each way.",
        float(np.percentile(together, 95)): "you threw both ways together; where one surface has "
        "many more voxels, the other way would hardly count. Percentiles first, then the greater.",
        np.mean(ways): "that is the mean of the two ways; Hausdorff's distance is the greater one.",
        min(ways): "that is the smaller of the two ways, and it lets the worse one go unseen.",
        float(np.percentile(there, 5)): "that is the 5th percentile, where the fit is best.",
        float(np.percentile(back, 5)): "that is the 5th percentile, where the fit is best.",
    }
    for wrong, sentence in mistakes.items():
        if np.isclose(found, wrong):
            raise NotYet(sentence)
    if found > 100:
        raise NotYet(f"{found:.0f} mm is more than a heart is wide; is q in per cent?")
    if not np.isclose(found, max(ways)):
        raise NotYet(f"the ways have percentiles {ways[0]:.2f} and {ways[1]:.2f}, you {found:.2f}.")
    if not np.isclose(hd95(back, there), found):
        raise NotYet("it must not matter which of the maps is the truth; you look at one way only.")
    return "the greater of the two ways, and one stray voxel does not decide it."


CHOICE: Table = {
    "A": {"none": 0.99, "normal": 0.90, "severe": 0.50},
    "B": {"none": 0.70, "normal": 0.72, "severe": 0.72},
    "C": {"none": 0.84, "normal": 0.88, "severe": 0.61},
    "D": {"none": 0.60, "normal": 0.65, "severe": 0.95},
}
"""A has the best mean, D is best under severe motion, B has the best worst case."""


@check
def most_careful(choose: Callable[[Table], str]) -> str:
    """Exercise 3: the network with the best worst case."""
    found: object = written(choose(CHOICE), "the choice")
    if isinstance(found, float | int):
        raise NotYet("that is a score; return the name of the network that has it.")
    if not isinstance(found, str) or found not in CHOICE:
        raise NotYet(f"{found!r} is none of the networks; return one of the table's names.")
    worst = {name: min(row.values()) for name, row in CHOICE.items()}
    if worst[found] < max(worst.values()):
        reasons = {
            "A": "A is best on average and without motion, but a patient who moves gets 0.50.",
            "C": "C falls to 0.61 under severe motion.",
            "D": "D is best under severe motion only, and falls to 0.60 without.",
        }
        raise NotYet(f"{reasons[found]} Choose by each network's worst level.")
    turned = {name: dict(reversed(row.items())) for name, row in reversed(CHOICE.items())}
    if choose(turned) != found:
        raise NotYet("your choice depends on the order of the table.")
    return "B never falls below 0.70; nothing else can promise that."
