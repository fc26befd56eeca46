"""Which label value stands for which tissue: the orders that are about, and which one a map has.

Inside, labels are always 0 background, 1 LV, 2 MYO, 3 RV. What a value may mean is told by where it
lies: the LV is closed in by its wall, the RV lies beside that wall, outside the ring.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from srheart_demo.frame import TISSUES
from srheart_demo.scan.volume import MEANING, SENTENCES, InvalidVolume

ENCLOSED = 0.6
"""More of a tissue's in-plane border against another tells an LV in its myocardium. In 56 real
stacks it was 0.98 or more, in 17 long-axis views, which open the LV, 0.86; of an RV at most
0.44."""
CLOSED_IN = 0.3
"""Less of its border against background tells what may be an LV. Of a wall or an RV it is more."""
OUTSIDE = 0.5
"""An RV has more of its border against what is neither LV nor MYO: real ones 0.56 to 0.79."""
TOUCHING = 0.1
"""An RV has more of its border against the MYO (real ones 0.21 or more), and less against the LV
(none)."""
WITHIN = 0.5
"""What lies to a larger share no farther from the LV's centre than the wall is part of the wall, if
it touches the LV (real RVs never do) or nearly has the border of a wall's part; of whole real RVs
at most 0.4 lies so near, of their ends more."""
COMPARABLE = (0.01, 5.0)  # The RV's voxels by those of LV and MYO; whole real ones 0.07 to 1.7
WRAPPED = 3.0
"""What covers more of the MYO than so many times what is left free lies around it; an RV, 0.6."""
LARGE = 0.05  # Share of all labelled voxels that an LV has at least


@dataclass(frozen=True)
class Convention:
    """The values of each tissue, several where a map tells its parts apart; others are background.

    `source` is who labels so, for messages.
    """

    LV: tuple[int, ...]
    MYO: tuple[int, ...]
    RV: tuple[int, ...]
    source: str = "your own"

    def __str__(self) -> str:
        words = {t: " and ".join(map(str, values)) or "no" for t, values in self.tissues.items()}
        return ", ".join(f"{values} {tissue}" for tissue, values in words.items())

    def lacks(self, values: Sequence[int]) -> list[str]:
        """Tissues of which no value is among these, as messages name them."""
        return [
            f"{tissue} ({', '.join(map(str, own))})"
            for tissue, own in self.tissues.items()
            if own and not set(own) & set(values)
        ]

    def as_option(self) -> str:
        """As a user would say it; see `parse_convention`."""
        return " ".join(f"{t}={','.join(map(str, v))}" for t, v in self.tissues.items() if v)

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


USUAL_ORDER = Convention((1,), (2,), (3,), "the usual order")
KNOWN = (
    USUAL_ORDER,
    Convention((1,), (2,), (4,), "UK Biobank's order"),
    Convention((3,), (2,), (1,), "ACDC's order"),
)
"""Recognised without being told."""


def meaning_of_names(
    meanings: Iterable[tuple[str, Sequence[int]]], source: str
) -> Convention | None:
    """What values mean by the names that somebody gave them; None where LV or MYO is not among
    them, or a value has two meanings."""
    found: dict[str, tuple[int, ...]] = {}
    for name, values in meanings:
        words = " ".join(re.findall(r"[a-z0-9]+", name.lower()))
        for tissue, known in SENTENCES["names"].items():
            if re.fullmatch(known, words):
                found[tissue] = (*found.get(tissue, ()), *values)
    each = [value for values in found.values() for value in values]
    if {"LV", "MYO"} - found.keys() or len(set(each)) < len(each) or 0 in each:
        return None
    return Convention(found["LV"], found["MYO"], found.get("RV", ()), source)


def parse_convention(words: Sequence[str], of_view: bool = False) -> Convention:
    """``LV=1 MYO=2 RV=3,4`` → a convention; ValueError where it is none. Views may lack the RV."""
    form = "say it like LV=1 MYO=2 RV=3, or RV=3,4 where a tissue has several values"
    found: dict[str, tuple[int, ...]] = {}
    for word in words:
        match = re.fullmatch(r"(LV|MYO|RV)=(-?\d{1,9}(?:,-?\d{1,9})*)", word)
        if not match or match[1] in found:
            raise ValueError(f"{word!r} is no mapping of a tissue; {form}")
        found[match[1]] = tuple(map(int, match[2].split(",")))
    needed = TISSUES[1:-1] if of_view else TISSUES[1:]
    if missing := [tissue for tissue in needed if tissue not in found]:
        raise ValueError(f"{' and '.join(missing)} is missing; {form}")
    values = [value for tissue in found.values() for value in tissue]
    if 0 in values or len(set(values)) < len(values):
        raise ValueError(f"0 is background, and each value has one meaning; {form}")
    return Convention(found["LV"], found["MYO"], found.get("RV", ()))


class Anatomy:
    """What lies where in a label map, seen slice by slice.

    `voxels` tells how many have each value but 0, `large` those of which there is enough for an LV,
    and `faces` (n, n) how many in-plane pairs of neighbouring voxels have each two of `values`.

    `stored` are values (D, H, W), cropped to what is not 0; `affine` takes their indices to mm. It
    is a `whole` stack, or a single long-axis plane, which opens the ring of the wall.
    """

    def __init__(self, stored: NDArray, affine: NDArray[np.float64], whole: bool = True) -> None:
        self.stored, self.whole = stored, whole
        self.pixel = np.linalg.norm(affine[:3, 1:3], axis=0)  # mm along H and W
        self.values = np.union1d(stored, [0])
        self.voxels = {int(v): int((stored == v).sum()) for v in self.values if v}
        labelled = sum(self.voxels.values())
        self.large = [v for v, n in self.voxels.items() if n > LARGE * labelled]
        self._near = cache(self._counted_near)
        # A voxel alone among four others has the value of one of them, unless its own is rare.
        beside = [np.roll(stored, step, axis) for axis in (1, 2) for step in (1, -1)]
        alone = np.isin(stored, [0, *self.large])
        alone &= np.logical_and.reduce([stored != other for other in beside])
        self.cleaned = np.where(alone, beside[0], stored)
        n = len(self.values)
        codes = np.searchsorted(self.values, np.pad(self.cleaned, ((0, 0), (1, 1), (1, 1))))
        faces = np.zeros((n, n), np.int64)
        for here, there in ((codes[:, :-1], codes[:, 1:]), (codes[..., :-1], codes[..., 1:])):
            pairs = (here * n + there)[here != there]
            faces += np.bincount(pairs, minlength=n * n).reshape(n, n)
        self.faces = faces + faces.T

    def border(self, of: Sequence[int], against: Sequence[int]) -> float:
        """Share of the in-plane border of some values that lies against others."""
        own, other = np.isin(self.values, of), np.isin(self.values, against)
        whole = self.faces[own][:, ~own].sum()
        return float(self.faces[own][:, other & ~own].sum() / max(whole, 1))

    def closure(self) -> float:
        """The largest share of a value's border against one other: of the LV's against its wall."""
        return max((self.border([v], [w]) for v in self.large for w in self.large), default=0.0)

    def enclosed(self, convention: Convention) -> float:
        """Share of the LV's border that lies against its wall."""
        return self.border(convention.LV, convention.MYO)

    def size(self, values: Sequence[int]) -> int:
        """Voxels of some values."""
        return sum(self.voxels.get(value, 0) for value in values)

    def place(self, values: Sequence[int], convention: Convention) -> str:
        """Where some values lie by the LV and MYO of a convention: one of `PLACES`."""
        lv, myo = (self.border(values, of) for of in (convention.LV, convention.MYO))
        within, beside = 0.0, 1.0
        if self.whole:
            own, near = np.isin(self.values, values), self._near(convention.LV, convention.MYO)
            within, beside = (n[own].sum() / self.size(values) for n in near)
        in_ring = lv + myo > 1 - OUTSIDE
        if in_ring or (within > WITHIN and (lv > 0.02 or lv + myo > 0.46)):
            return "cavity" if lv > ENCLOSED else "wall"
        low, high = (share * self.size((*convention.LV, *convention.MYO)) for share in COMPARABLE)
        covered = self.border(convention.MYO, values)
        free = 1 - covered - self.border(convention.MYO, convention.LV)
        like_rv = (
            low <= self.size(values) <= high
            and beside > 0.5
            and (myo > TOUCHING or (self.whole and beside > 0.8))
            and lv <= max(TOUCHING, myo / 2)
            and covered <= WRAPPED * free
        )
        return "beside" if like_rv else "apart"

    def _counted_near(self, lv: tuple[int, ...], myo: tuple[int, ...]) -> NDArray[np.int64]:
        """(2, n) voxels of each value as near to the LV as the wall; in slices of the wall."""
        cavity, wall = (np.isin(self.cleaned, of) for of in (lv, myo))
        within, beside = near = np.zeros((2, len(self.values)), np.int64)
        for k in np.flatnonzero(wall.any(axis=(1, 2))):
            codes = np.searchsorted(self.values, self.stored[k])
            beside += np.bincount(codes.ravel(), minlength=len(beside))
            if cavity[k].any():
                offset = np.indices(codes.shape).T - np.argwhere(cavity[k]).mean(axis=0)
                distance = np.linalg.norm(offset * self.pixel, axis=-1).T
                reached = codes[distance <= np.quantile(distance[wall[k]], 0.95)]
                within += np.bincount(reached, minlength=len(within))
        return near

    def misfits(self, convention: Convention) -> list[str]:
        """What of the anatomy contradicts a convention, in words; nothing if it fits."""
        if self.enclosed(convention) <= ENCLOSED:
            inside, around = (" and ".join(map(str, v)) for v in (convention.LV, convention.MYO))
            return [f"label {inside} is not closed in by label {around}, as an LV by its wall"]
        rv = tuple(v for v in convention.RV if v in self.voxels)
        others = (v for v in self.voxels if v not in convention.values)
        expected: dict[tuple[int, ...], str] = {(v,): "apart" for v in others}
        expected |= {rv: "beside"} if rv else {}
        places = {values: self.place(values, convention) for values in expected}
        return [
            f"label {' and '.join(map(str, values))} {PLACES[place]}"
            for values, place in places.items()
            if place != expected[values]
        ]

    def guess(self) -> Convention | None:
        """What the values mean by the anatomy alone; None where it shows no LV in its wall.

        The LV is the largest of what a wall closes in best, the MYO that wall; what lies in their
        ring belongs to them, and the RV is what touches the MYO most from beside.
        """
        closed = [v for v in self.large if self.border([v], [0]) < CLOSED_IN]
        found = [self._around(lv) for lv in closed if len(self.voxels) > 1]
        least = max(ENCLOSED, *(0.9 * self.enclosed(convention) for convention in found), 0)
        fitting = [convention for convention in found if self.enclosed(convention) > least]
        return max(fitting, key=lambda convention: self.size(convention.LV[:1]), default=None)

    def _around(self, lv: int) -> Convention:
        """What the values mean if one of them is the LV; of parts of a wall that share its border,
        the first in number is the MYO: scars come later."""
        against = {v: self.border([lv], [v]) for v in self.voxels if v != lv}
        myo = min(v for v in against if 2 * against[v] >= max(against.values()))
        rest = [v for v in against if v != myo]
        core = Convention((lv,), (myo,), (), "by the anatomy")
        places = {v: self.place([v], core) for v in rest}
        cavity, wall = ([v for v in rest if places[v] == where] for where in ("cavity", "wall"))
        found = replace(core, LV=(lv, *cavity), MYO=(myo, *wall))
        beside = [v for v in rest if v not in found.values and self.place([v], found) == "beside"]
        rv = max(beside, key=lambda v: self.border(found.MYO, [v]), default=None)
        return found if rv is None else replace(found, RV=(rv,))


PLACES: dict[str, str] = SENTENCES["places"]  # Where a value may lie, for messages


def recognise(anatomy: Anatomy, name: str) -> Convention:
    """The known convention that a label map has, by its values and by what lies where.

    Values that mean no tissue may lie apart from the ventricles: they are background. A view may
    lack the RV. If none fits, an `InvalidVolume` tells what the anatomy suggests.
    """
    candidates = [c for c in KNOWN if anatomy.size(c.RV)]
    if not anatomy.whole:
        candidates += [replace(c, RV=(), source=f"{c.source}, without an RV") for c in KNOWN]
    for convention in candidates:
        if not anatomy.misfits(convention):
            return convention
    if len(anatomy.voxels) == 1:
        view = {"seen": "one structure (an atrium?)", "or_": "leave this view out, or "}
        said = {"seen": "the mask of one structure", "or_": ""} if anatomy.whole else view
        raise InvalidVolume.of(name, "only label", label=next(iter(anatomy.voxels)), **said)
    wrong, remedy = _why_not(anatomy)
    raise InvalidVolume.of(name, "other labels", wrong=wrong, remedy=remedy)


def first_five(values: Sequence[int]) -> str:
    """Some of the values, for messages."""
    return ", ".join(map(str, values[:5])) + ", …" * (len(values) > 5)


def _why_not(anatomy: Anatomy) -> tuple[str, str]:
    """Why no known convention fits, and what to do: what the labels seem to mean."""
    values = sorted(anatomy.voxels)
    closest = max(KNOWN, key=lambda convention: len(convention.values.intersection(values)))
    lacking = (closest if anatomy.whole else replace(closest, RV=())).lacks(values)
    unknown = [value for value in values if value not in closest.values]
    wrong = [f"unknown label values ({first_five(unknown)})"] if unknown else []
    remedy = f"say what the labels mean, or renumber them to {MEANING}"
    if guess := anatomy.guess():
        core = replace(guess, LV=guess.LV[:1], MYO=guess.MYO[:1])
        if core.LV != closest.LV or core.MYO != closest.MYO:
            wrong.append(f"label {core.MYO[0]} encloses label {core.LV[0]}")
        places = {v: anatomy.place([v], core) for v in values if v not in core.values}
        left = {v: place for v, place in places.items() if place != "beside" or v not in guess.RV}
        wrong += [f"label {v} {PLACES[place]}" for v, place in left.items()]
        if anatomy.whole and not guess.RV:
            remedy = "label the RV too"
        remedy = f"by the anatomy they mean {guess.as_option()}; {remedy}"
    elif not anatomy.whole:
        shows = "the view shows no ventricle in its wall, perhaps the atria alone"
        remedy = f"{shows}; leave it out, or {remedy}"
    if lacking and (not wrong or not guess):
        wrong.append(f"no voxel is labelled {' or '.join(lacking)}")
        if lacking[0].startswith("LV"):
            remedy = f"where the epicardium was drawn whole, draw the LV over it; {remedy}"
    return ", ".join(wrong or anatomy.misfits(closest)), remedy
