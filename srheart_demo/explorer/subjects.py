"""Who is scanned: a shipped sample or a random heart; `own` has scans of one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.frame import HR_SPACING, hr_affine
from srheart_demo.heart.distances import signed_distance
from srheart_demo.heart.population import SEEDS
from srheart_demo.heart.surface import STRUCTURES, Mesh, label_surface
from srheart_demo.scan.degradation import Motion, Stack, one_hot_field, simulate_stack
from srheart_demo.scan.long_axis import Plane, standard_view
from srheart_demo.scan.samples import SUBJECTS, load_sample
from srheart_demo.scan.scan import Scan as PlacedScan
from srheart_demo.scan.simulate import (
    four_chamber_view,
    scanner_frame,
    stack_volume,
    synthetic_heart,
    where_it_is_known,
)
from srheart_demo.scan.volume import LabelVolume

Labels = NDArray[np.uint8]

GHOST = ("epicardium", "RV")
"""The surfaces of the truth that are drawn."""
RANDOM = "random"
BOX = 300.0
"""No two points of the HR box lie farther apart, mm."""
MOST_BY_HAND = 30.0
"""A slice is dragged no further along rows or columns, mm."""
RANDOM_NAME = re.compile(rf"{RANDOM}_(\d{{1,6}})")


@dataclass(frozen=True)
class Scan:
    """The settings of a simulated scan.

    Attributes:
        subject: name of a shipped sample, ``random_SEED``, or a file that was loaded.
        motion: factor on the subject's slice-wise motion; 0 none, 1 normal, 4 severe.
        long_axis: whether the solver is given the LA view.
        spacing: from slice to slice, mm, in steps of 2; a scan of one's own has its own.
        noise: ε of Eq. 1, the probability that a voxel takes a neighbour's label.
        missing: slices that were not taken, from 0 at the apex.
        by_hand: (slice, mm along rows, mm along columns) added to the displacement.
    """

    subject: str
    motion: float = 1.0
    long_axis: bool = True
    spacing: float = 10.0
    noise: float = 0.0
    missing: tuple[int, ...] = ()
    by_hand: tuple[tuple[int, float, float], ...] = ()

    def moved(self, k: int, rows: float, columns: float) -> Scan:
        """The same scan with slice k displaced by so many mm more."""
        before = next(((r, c) for i, r, c in self.by_hand if i == k), (0.0, 0.0))
        others = tuple(entry for entry in self.by_hand if entry[0] != k)
        moved = (k, _by_hand(before[0] + rows), _by_hand(before[1] + columns))
        return replace(self, by_hand=tuple(sorted((*others, moved))))

    def toggled(self, k: int) -> Scan:
        """The same scan without slice k, or with it again."""
        return replace(self, missing=tuple(sorted(set(self.missing) ^ {k})))


def _by_hand(mm: float) -> float:
    return round(min(max(mm, -MOST_BY_HAND), MOST_BY_HAND), 2)


@dataclass(frozen=True, eq=False)
class Acquisition:
    """What a scan took.

    Attributes:
        slices: (K,) which of the subject's slices these are, from 0 at the apex.
        of: how many slices there were to take.
        stack: where they lie.
        S_LR: (K, h, w) labels.
        d: (1, K, 2) true displacements, mm; None where nobody knows.
    """

    slices: NDArray[np.intp]
    of: int
    stack: Stack
    S_LR: Labels
    d: Tensor | None


class Subject(Protocol):
    """Somebody who can be scanned."""

    @property
    def name(self) -> str:
        """For `Scan.subject`."""

    @property
    def S_HR(self) -> Labels | None:
        """(64, 128, 128) true labels, or None."""

    @property
    def S_LA(self) -> Labels | None:
        """(h, w) labels of the LA view on `plane`, or None."""

    @property
    def plane(self) -> Plane:
        """The LA view's, or one like it, through the LV's long axis."""

    def acquire(self, scan: Scan) -> Acquisition:
        """Take a scan."""

    def files(self, scan: Scan, acquired: Acquisition) -> PlacedScan:
        """What a scan took, as files would have it."""

    @property
    def extent(self) -> NDArray[np.bool_]:
        """(h, w) where its slices show tissue when nothing moves: what pictures are centred on."""

    @property
    def field(self) -> Tensor | None:
        """The truth as a field (1, 4, 64, 128, 128), or None."""

    @property
    def ghost(self) -> dict[str, Mesh]:
        """Surfaces of the truth; none where it is not known."""

    def distance(self, structure: str) -> Tensor | None:
        """Signed distance to a true surface, mm, as a field (1, 1, 64, 128, 128), or None."""


def random_seed(name: str) -> int | None:
    """The seed of a random heart's name; None for any other name."""
    found = RANDOM_NAME.fullmatch(name)
    return int(found[1]) if found else None


def load_subject(name: str) -> Subject:
    """A shipped sample, or the random heart of a seed.

    Raises:
        KeyError: neither, with what there is.
    """
    if name in SUBJECTS:
        return _shipped(name)
    seed = random_seed(name)
    if seed is not None:
        return _random(seed)
    raise KeyError(f"unknown subject {name!r}; known: {', '.join(SUBJECTS)}, {RANDOM}_SEED")


def _shipped(name: str) -> KnownHeart:
    sample = load_sample(name)
    model_from_world = hr_affine() @ np.linalg.inv(sample.S_HR.affine)
    points = sample.S_LA.points()[0] @ model_from_world[:3, :3].T + model_from_world[:3, 3]
    plane = Plane(torch.tensor(points, dtype=torch.float32))
    world = np.linalg.inv(model_from_world)
    seed = SUBJECTS[name][1]
    heart = KnownHeart(name, sample.S_HR.labels, sample.S_LA, plane, world, seed)
    heart.motion = sample.motion
    return heart


def _random(seed: int) -> KnownHeart:
    name, seed = f"{RANDOM}_{seed}", SEEDS["explorer"][seed]
    heart = synthetic_heart("everyone", seed)
    S_HR, view = heart.labels, four_chamber_view(heart)
    return KnownHeart(name, S_HR, view, standard_view(S_HR), scanner_frame(seed), seed)


class KnownHeart:
    """A synthetic subject: its truth is known."""

    def __init__(
        self,
        name: str,
        S_HR: Labels,
        view: LabelVolume,
        plane: Plane,
        world_from_model: NDArray[np.float64],
        seed: int,
    ) -> None:
        self.name, self.S_HR, self.S_LA, self.plane = name, S_HR, view.labels[0], plane
        self.view, self.world_from_model, self.seed = view, world_from_model, seed
        self.motion = Motion.draw(Stack.from_hr().K, seed)
        self._distances: dict[str, Tensor] = {}

    def acquire(self, scan: Scan) -> Acquisition:
        """Eq. 1: every so many-th plane, displaced, with noise; of another number of slices than
        the subject's motion was drawn for, it is drawn anew from the subject's seed."""
        stack = _slices(scan)
        same = len(self.motion.amplitude) == stack.K
        motion = self.motion if same else Motion.draw(stack.K, self.seed)
        d = motion.displacement(scan.motion) + by_hand_shift(scan, stack.K)
        kept = kept_slices(scan, stack.K)
        labels = simulate_stack(self.field, stack, d, scan.noise, self.seed)
        return Acquisition(kept, stack.K, stack.slices(kept), labels[kept], d[:, kept])

    def files(self, scan: Scan, acquired: Acquisition) -> PlacedScan:
        """What a scan took, in the scanner's frame; where the heart lies there is known."""
        taken = np.isin(np.arange(acquired.of), acquired.slices)
        labels = np.zeros((acquired.of, *acquired.S_LR.shape[1:]), np.uint8)
        labels[taken] = acquired.S_LR
        stack = stack_volume(labels, _slices(scan), self.world_from_model)
        stack = replace(stack, name=self.name)
        view = replace(self.view, name=f"{self.name}, long axis") if scan.long_axis else None
        known = where_it_is_known(stack, view, self.world_from_model)
        return replace(known, looked_at=taken)

    @cached_property
    def extent(self) -> NDArray[np.bool_]:
        """(h, w) where there is tissue in any plane."""
        return np.asarray((self.S_HR > 0).any(0))

    @cached_property
    def field(self) -> Tensor:
        """The truth as a field (1, 4, 64, 128, 128)."""
        return one_hot_field(self.S_HR)

    @cached_property
    def ghost(self) -> dict[str, Mesh]:
        """Surfaces of the truth, light enough to be drawn beside the estimate's."""
        return {name: label_surface(self.S_HR, hr_affine(), name, step=2) for name in GHOST}

    def distance(self, structure: str) -> Tensor:
        """Signed distance to a true surface, mm, negative inside: (1, 1, 64, 128, 128)."""
        if structure not in self._distances:
            inside = np.isin(self.S_HR, STRUCTURES[structure])
            signed = signed_distance(inside, HR_SPACING, BOX)
            self._distances[structure] = torch.from_numpy(signed[None, None])
        return self._distances[structure]


def _slices(scan: Scan) -> Stack:
    """All slices that there are to take."""
    step = round(scan.spacing / HR_SPACING[0])
    return Stack.from_hr(step=step, first=step // 2)


def by_hand_shift(scan: Scan, K: int) -> Tensor:
    """(1, K, 2) what was added to the displacement by hand, mm."""
    added = torch.zeros(1, K, 2)
    for k, rows, columns in scan.by_hand:
        if k < K:
            added[0, k] = torch.tensor([rows, columns])
    return added


def kept_slices(scan: Scan, K: int) -> NDArray[np.intp]:
    """(k,) slices that were taken; two at least, or there is no third dimension."""
    kept = np.setdiff1d(np.arange(K), scan.missing)
    return kept if len(kept) >= 2 else np.arange(K)
