"""Which label value stands for which tissue: the orders that are about, and which one a map has.

Inside, labels are always 0 background, 1 LV, 2 MYO, 3 RV.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from srheart_demo.frame import TISSUES
from srheart_demo.nifti import InvalidVolume

MEANING = ", ".join(f"{value} {tissue}" for value, tissue in enumerate(TISSUES))
"""Our own values in words, for messages."""

ENCLOSED = 0.6
"""More of a tissue's in-plane border against another tells an LV in its myocardium. In 56 real
stacks it was 0.98 or more, of an RV at most 0.44; a long-axis view opens the LV."""


@dataclass(frozen=True)
class Convention:
    """The values of each tissue; all others are background.

    Attributes:
        LV, MYO, RV: values, several where a map tells parts of a tissue apart.
        source: who labels so, for messages.
    """

    LV: tuple[int, ...]
    MYO: tuple[int, ...]
    RV: tuple[int, ...]
    source: str = "your own"

    def __str__(self) -> str:
        return ", ".join(
            f"{' and '.join(map(str, values))} {tissue}" for tissue, values in self.tissues.items()
        )

    @property
    def tissues(self) -> Mapping[str, tuple[int, ...]]:
        """Tissue → its values."""
        return {"LV": self.LV, "MYO": self.MYO, "RV": self.RV}

    @property
    def values(self) -> set[int]:
        """All values that mean a tissue."""
        return {*self.LV, *self.MYO, *self.RV}

    def labels(self, stored: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Stored values (...) as labels 0 to 3; what is no tissue is background."""
        labels = np.zeros(stored.shape, np.uint8)
        for label, values in enumerate(self.tissues.values(), start=1):
            labels[np.isin(stored, values)] = label
        return labels


OURS = Convention((1,), (2,), (3,), "the usual order")
KNOWN = (
    OURS,
    Convention((1,), (2,), (4,), "UK Biobank's order"),
    Convention((3,), (2,), (1,), "ACDC's order"),
)
"""Recognised without being told."""


def parse_convention(words: Sequence[str]) -> Convention:
    """``LV=1 MYO=2 RV=3,4`` → a convention.

    Raises:
        ValueError: not of this form, a tissue is missing, or a value has two meanings.
    """
    form = "say it like LV=1 MYO=2 RV=3, or RV=3,4 where a tissue has several values"
    found: dict[str, tuple[int, ...]] = {}
    for word in words:
        match = re.fullmatch(r"(LV|MYO|RV)=(-?\d{1,9}(?:,-?\d{1,9})*)", word)
        if not match or match[1] in found:
            raise ValueError(f"{word!r} is no mapping of a tissue; {form}")
        found[match[1]] = tuple(map(int, match[2].split(",")))
    if missing := [tissue for tissue in TISSUES[1:] if tissue not in found]:
        raise ValueError(f"{' and '.join(missing)} is missing; {form}")
    values = [value for tissue in found.values() for value in tissue]
    if 0 in values or len(set(values)) < len(values):
        raise ValueError(f"0 is background, and each value has one meaning; {form}")
    return Convention(found["LV"], found["MYO"], found["RV"])


def recognise(stored: NDArray[np.integer], values: set[int], name: str) -> Convention:
    """The known convention that a label map has, by its values and by what encloses what.

    Args:
        stored: (D, H, W), slices first.
        values: that it holds.
        name: of the map, for messages.

    Raises:
        InvalidVolume: none of them, with that which the anatomy suggests.
    """
    values = values - {0}
    fitting = [convention for convention in KNOWN if values <= convention.values]
    guess = _by_anatomy(stored, values)
    hint = f"; they lie like --labels {_as_option(guess)}, so say that" if guess else ""
    if not fitting:
        closest = min(KNOWN, key=lambda convention: len(values - convention.values))
        unknown = sorted(values - closest.values)
        shown = ", ".join(map(str, unknown[:5])) + (", …" if len(unknown) > 5 else "")
        raise InvalidVolume(
            f"{name}: unknown label values ({shown}){hint}; or renumber them, so that they mean "
            f"{MEANING}."
        )
    best = next((c for c in fitting if _enclosed(stored, c) > ENCLOSED), fitting[0])
    if guess and _enclosed(stored, guess) > ENCLOSED >= _enclosed(stored, best):
        raise InvalidVolume(
            f"{name}: label {guess.MYO[0]} encloses label {guess.LV[0]}, so they cannot mean "
            f"{best}{hint}; or renumber them, so that they mean {MEANING}."
        )
    return best


def _by_anatomy(stored: NDArray[np.integer], values: set[int]) -> Convention | None:
    """What three values mean if the one that another encloses is the LV."""
    if len(values) != len(TISSUES) - 1:
        return None
    orders = [Convention((a,), (b,), (c,)) for a, b, c in permutations(sorted(values))]
    return max(orders, key=lambda convention: _enclosed(stored, convention))


def _as_option(convention: Convention) -> str:
    return " ".join(f"{tissue}={values[0]}" for tissue, values in convention.tissues.items())


def _enclosed(stored: NDArray[np.integer], convention: Convention) -> float:
    """Share of the LV's in-plane border that lies against the myocardium."""
    lv, myo = np.isin(stored, convention.LV), np.isin(stored, convention.MYO)
    border = against = 0
    for axis in (1, 2):
        inside, wall = np.moveaxis(lv, axis, 0), np.moveaxis(myo, axis, 0)
        for here, there in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
            edge = inside[here] & ~inside[there]
            border += int(edge.sum())
            against += int((edge & wall[there]).sum())
    return against / max(border, 1)
