"""Where a long-axis view crosses the slices: whether the two agree, and whether as it lies."""

import os
from collections.abc import Mapping
from itertools import product
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from srheart_demo.frame import TISSUES
from srheart_demo.heart.measures import dice
from srheart_demo.scan.volume import SENTENCES, LabelVolume, remark

AGREES, USUAL = 0.4, 0.55
"""Where a view crosses the slices, less Dice of LV or RV than the first says that they do not
belong together, and less than the second is poor. Of 120 synthetic scans, severe motion among them,
one had 0.44, the others 0.57 or more."""
BETTER = 0.07
"""By how much of the mean Dice a view must agree better turned over, each way at its best place. Of
218 synthetic views, some displaced, some of severe motion, none did by more than 0.03; all 14 real
ones agree best as they lie. Turned over on purpose, 86 to 100 % of them did by more, of severe
motion 50 to 100 %."""
FEWEST = 4  # Slices that must cross a view to tell; of fewer, 2 in 78 deceived.
AROUND, STEP = 15.0, 5.0
"""How far apart that place and the tissues' centres may be, and how finely it is looked for, mm."""

Turn = tuple[tuple[int, int], tuple[int, int]]
"""What becomes of steps along rows and columns."""
AS_IT_LIES: Turn = ((1, 0), (0, 1))
TURNS: tuple[Turn, ...] = tuple(
    turn for a, b in product((1, -1), repeat=2) for turn in (((a, 0), (0, b)), ((0, a), (b, 0)))
)
"""All eight of a picture."""


class Crossing(NamedTuple):
    """The pixels of a view that lie in labelled slices."""

    at: NDArray[np.int64]  # (n, 2) their rows and columns
    there: NDArray[np.uint8]  # (n,) the labels of the slices there
    slices: int  # how many of these there are


def crossing(stack: LabelVolume, view: LabelVolume) -> Crossing:
    """Where a view shows what a stack shows."""
    world = view.points()[0].reshape(-1, 3)
    index = (world - stack.affine[:3, 3]) @ np.linalg.inv(stack.affine[:3, :3]).T
    nearest = np.rint(index).astype(int)
    inside = ((nearest >= 0) & (nearest < stack.shape)).all(axis=1)
    off = np.abs(index[:, 0] - nearest[:, 0]) * stack.spacing[0]
    inside &= off <= max(view.spacing[1:]) / 2
    inside[inside] &= stack.labelled[nearest[inside, 0]]
    at = np.stack(np.unravel_index(np.flatnonzero(inside), view.shape[1:]), axis=1)
    there = nearest[inside].T
    return Crossing(at, stack.labels[tuple(there)], len(np.unique(there[0])))


def where_they_cross(stack: LabelVolume, view: LabelVolume) -> dict[str, float]:
    """Tissue → Dice of a view with the stack where its pixels lie in a labelled slice.

    Of tissues that both files hold; displaced slices lower it.
    """
    at, there, _ = crossing(stack, view)
    seen = view.labels[0][tuple(at.T)]
    held = {t for i, t in enumerate(TISSUES) if (view.labels == i).any() and (there == i).any()}
    return {t: round(score, 3) for t, score in dice(seen, there).items() if t in held}


def agreement(crossing: Mapping[str, float], name: str) -> tuple[str, tuple[str, ...]]:
    """How a view and the stack agree in a sentence, which is a doubt if they do not.

    The name of the view begins it, unless that is empty.
    """
    said = ", ".join(f"{tissue} {dice:.2f}" for tissue, dice in crossing.items()) or "of no tissue"
    cavities = [dice for tissue, dice in crossing.items() if tissue != "MYO"]
    least = min(cavities or crossing.values(), default=0.0)
    begin = f"{os.path.basename(name)}: " if name else ""
    if least >= AGREES:
        return begin + remark("agree" if least >= USUAL else "agree poorly", dice=said), ()
    doubt = begin + remark("hardly agree", dice=said)
    return doubt, (doubt,)


def turned_over(stack: LabelVolume, view: LabelVolume) -> tuple[str, ...]:
    """What is to be said where a view agrees better with the slices turned, or turned over.

    It is looked at each way where it agrees best, since a view may be displaced. A wall alone does
    not tell.
    """
    crossed, found = crossing(stack, view), where_they_cross(stack, view)
    if crossed.slices < FEWEST or not {"LV", "RV"} & found.keys():
        return ()
    scores = {turn: _at_its_best(turn, crossed, view) for turn in TURNS}
    best = max(TURNS, key=lambda turn: scores[turn])
    own, other = max(scores[AS_IT_LIES], fmean(found.values())), scores[best]
    if other < own + BETTER:
        return ()
    normal = np.cross(*stack.affine[:3, 1:3].T)
    upright = np.argmax(np.abs(normal @ view.affine[:3, 1:3]) / view.spacing[1:])  # rows or columns
    ways = SENTENCES["turns"]
    if best[0][0]:
        way = ways["".join("-" if best[i][i] < 0 else "+" for i in (upright, 1 - upright))]
    else:
        way = ways["quarter" if best[0][1] != best[1][0] else "exchanged"]
    name = os.path.basename(view.name)
    return (f"{name}: " + remark("turned over", way=way, other=other, own=own),)


def _at_its_best(turn: Turn, crossed: Crossing, view: LabelVolume) -> float:
    """The greatest mean Dice of a view that is turned so, over where it may lie."""
    mm, labels = np.array(view.spacing[1:]), view.labels[0]
    at, there = crossed.at * mm, crossed.there.astype(int)
    centre = np.argwhere(labels).mean(axis=0) * mm
    at = (at - at[there > 0].mean(axis=0)) @ np.transpose(turn) + centre
    most, shift = 0.0, np.zeros(2)
    for reach, step in ((AROUND, STEP), (STEP / 2, STEP / 2)):
        offsets = np.arange(-reach, reach + step / 2, step)
        for move in shift + list(product(offsets, repeat=2)):
            row, column = np.rint((at + move) / mm).astype(int).T
            inside = (row >= 0) & (row < len(labels)) & (column >= 0) & (column < labels.shape[1])
            seen = np.where(inside, labels[row * inside, column * inside], 0)
            both = np.bincount(seen * len(TISSUES) + there, minlength=len(TISSUES) ** 2)
            both = both.reshape(len(TISSUES), -1)
            held = (both.sum(axis=0) * np.bincount(labels.flat, minlength=len(TISSUES)))[1:] > 0
            scores = 2 * both.diagonal() / np.maximum(both.sum(axis=0) + both.sum(axis=1), 1)
            score = float(scores[1:][held].mean())
            if score > most:
                most, shift = score, move
    return most
