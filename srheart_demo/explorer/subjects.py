"""Who is scanned: a shipped sample or a random heart; `own` has scans of one's own."""

import re
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.frame import HR_SPACING, hr_affine
from srheart_demo.heart.distances import signed_distance
from srheart_demo.heart.population import SEEDS
from srheart_demo.heart.surface import STRUCTURES, Mesh, label_surface
from srheart_demo.scan import simulate
from srheart_demo.scan.degradation import Motion, Stack, one_hot_field, simulate_stack
from srheart_demo.scan.long_axis import BY_WORTH, Plane, long_axis_view, standard_view
from srheart_demo.scan.placement import AUTOMATIC, Placement
from srheart_demo.scan.samples import SUBJECTS, load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume

_Labels = NDArray[np.uint8]
Displaced = tuple[int, float, float]  # Slice, from 0 at the apex, and mm along rows and columns

SURFACES = ("LV", "epicardium", "RV")
"""The structures that are drawn in 3-D, from the inside outwards."""
GHOST = ("epicardium", "RV")  # The surfaces of the truth that are drawn
IN_MODEL = Placement(np.eye(4), 0.0, 0.0, flipped=False, orientation_known=True)
"""Of scans in the model's own frame."""
RANDOM = "random"
MOST_BY_HAND = 30.0  # A slice is dragged no further along rows or columns, mm
EVERYWHERE = 400.0  # Further than any voxel lies from a surface, mm


@dataclass(frozen=True)
class ScanSettings:
    """How somebody is scanned."""

    subject: str  # name of a shipped sample, ``random_SEED``, or a file that was loaded
    motion: float = 1.0  # factor on the subject's slice-wise motion; 0 none, 1 normal, 4 severe
    long_axis: int = 1  # how many LA views the solver is given, in the order of `BY_WORTH`
    # whether each of them is displaced as slices are; of one's own scan none is but by hand
    views_move: bool = False
    spacing: float = 10.0  # from slice to slice, mm, in steps of 2; a scan of one's own has its own
    noise: float = 0.0  # ε of Eq. 1, the probability that a voxel takes a neighbour's label
    missing: tuple[int, ...] = ()  # slices that were not taken, from 0 at the apex
    by_hand: tuple[Displaced, ...] = ()  # added to the displacement
    views_by_hand: tuple[Displaced, ...] = ()  # the same of LA views, counted from 0

    def moved(self, k: int, *mm: float, of: str = "by_hand") -> "ScanSettings":
        """The same scan with slice k displaced by so many mm more along rows and columns, but not
        too far; or view k, of "views_by_hand"."""
        by_hand = {i: there for i, *there in getattr(self, of)}
        there = np.add(by_hand.get(k, (0.0, 0.0)), mm).clip(-MOST_BY_HAND, MOST_BY_HAND)
        by_hand[k] = there.round(2).tolist()
        changed: dict[str, Any] = {of: tuple((i, *mm) for i, mm in sorted(by_hand.items()))}
        return replace(self, **changed)

    def toggled(self, k: int) -> "ScanSettings":
        """The same scan without slice k, or with it again."""
        return replace(self, missing=tuple(sorted(set(self.missing) ^ {k})))

    @property
    def by_itself(self) -> "ScanSettings":
        """The same scan without all that was done to it by hand."""
        return replace(self, by_hand=(), views_by_hand=(), missing=())

    def shift(self, planes: int, of: str = "by_hand") -> Tensor:
        """(1, K, 2) what is added to the slices' displacement by hand, mm; or (1, V, 2) to the
        views', of "views_by_hand"."""
        added = torch.zeros(1, planes, 2)
        for i, *mm in getattr(self, of):
            if i < planes:
                added[0, i] = torch.tensor(mm)
        return added

    def taken(self, K: int) -> NDArray[np.bool_]:
        """(K,) slices that are taken; two at least, or there is no third dimension."""
        taken = ~np.isin(np.arange(K), self.missing)
        return taken if taken.sum() >= 2 else np.ones(K, bool)


class Scannable(ABC):
    """Somebody who can be scanned, and what is known of the heart."""

    name: str  # for `ScanSettings.subject`
    labels: _Labels  # (D, h, w) where any of them shows tissue, slices do when nothing moves
    plane: Plane  # the LA view's, or one like it, through the LV's long axis
    S_HR: _Labels | None = None  # (64, 128, 128) true labels, or None
    views: int = len(BY_WORTH)  # how many LA views there are to look at
    # (D,) slices of a file that there is anything to take from; of others, all
    there: NDArray[np.bool_] | slice = slice(None)

    @abstractmethod
    def take(self, settings: ScanSettings) -> tuple[Scan, Tensor | None, Tensor | None]:
        """A scan and, if they are known, the true displacements of its slices (1, K, 2) and views
        (1, V, 2), mm. What is to be said of it is as it was read; see `filed`."""

    def view_names(self, scan: Scan) -> tuple[str, ...]:
        """Short names of a scan's views."""
        return BY_WORTH[: len(scan.views)]

    @abstractmethod
    def filed(self, scan: Scan) -> Scan:
        """The scan as the command would read it of files, with all that is to be said of it."""

    @property
    def field(self) -> Tensor | None:
        """The truth as a field (1, 4, 64, 128, 128), or None."""
        return None

    @cached_property
    def extent(self) -> NDArray[np.bool_]:
        """(h, w) where slices show tissue when nothing moves: what pictures are centred on."""
        return np.asarray((self.labels > 0).any(0))

    @cached_property
    def ghost(self) -> dict[str, Mesh]:
        """Surfaces of the truth, light enough to be drawn beside the estimate's; or none."""
        S_HR, grid = self.S_HR, hr_affine()
        return {name: label_surface(S_HR, grid, name, 2) for name in GHOST if S_HR is not None}

    @cached_property
    def distances(self) -> dict[str, Tensor]:
        """Of each structure, signed distance to its true surface, mm: (1, 1, 64, 128, 128)."""
        S_HR = self.S_HR
        if S_HR is None:
            return {}
        inside = {name: np.isin(S_HR, STRUCTURES[name]) for name in SURFACES}
        return {
            name: torch.from_numpy(signed_distance(voxels, HR_SPACING, EVERYWHERE))[None, None]
            for name, voxels in inside.items()
        }

    @property
    def untold(self) -> "Scannable":
        """The same, of whom everything can be seen but the truth."""
        other = copy(self)
        other.S_HR, other.ghost, other.distances = None, {}, {}
        return other


class KnownHeart(Scannable):
    """A synthetic subject: its truth is known."""

    S_HR: _Labels

    def __init__(
        self, name: str, heart: LabelVolume, seed: int, motion: Motion | None = None
    ) -> None:
        self.name, self.labels, self.seed = name, heart.labels, seed
        self.S_HR, self.plane = heart.labels, standard_view(heart.labels)
        self._one_hot = one_hot_field(heart.labels).byte()  # a quarter of the memory
        self._world = simulate.world_from_model(heart)
        self.motion = motion or Motion.draw(Stack.from_hr().K, seed)
        self._view_motion = simulate.view_motion(seed)
        # A slider's step has no time to find anew what does not change.
        self._plane_of = cache(partial(standard_view, heart.labels))
        self._view = lru_cache(len(BY_WORTH))(self._cut)

    def _cut(self, name: str, *mm: float) -> LabelVolume:
        """A long-axis view in the model's frame, displaced by mm along rows and columns."""
        plane, d = self._plane_of(name), torch.tensor([mm], dtype=torch.float64)
        seen = long_axis_view(self._heart.double(), plane, d)
        return replace(simulate.view_volume(seen, plane, np.eye(4)), name=f"{self.name}, {name}")

    @property
    def field(self) -> Tensor | None:
        """The truth as a field (1, 4, 64, 128, 128), or None."""
        return None if self.S_HR is None else self._heart

    @property
    def _heart(self) -> Tensor:
        return self._one_hot.float()

    def take(self, settings: ScanSettings) -> tuple[Scan, Tensor, Tensor]:
        """Eq. 1: every so many-th plane, displaced, with noise; of another number of slices than
        the subject's motion was drawn for, it is drawn anew from the subject's seed."""
        step = round(settings.spacing / HR_SPACING[0])
        stack = Stack.from_hr(step=step, first=step // 2)
        same = len(self.motion.amplitude) == stack.K
        motion = self.motion if same else Motion.draw(stack.K, self.seed)
        d = motion.displacement(settings.motion) + settings.shift(stack.K)
        labels = simulate_stack(self._heart, stack, d, settings.noise, self.seed)
        taken = settings.taken(stack.K)
        labels[~taken] = 0
        volume = replace(simulate.stack_volume(labels, stack, np.eye(4)), name=self.name)
        names = BY_WORTH[: settings.long_axis]
        own = torch.zeros(1, len(names), 2)
        if settings.views_move:
            for v, view in enumerate(names):
                own[:, v] = self._view_motion[view].displacement(settings.motion)[:, 0]
            own += settings.shift(len(names), "views_by_hand")
        moved = zip(names, own[0].tolist(), strict=True)
        views = tuple(self._view(view, *mm) for view, mm in moved)
        scan = Scan(volume, views, IN_MODEL, AUTOMATIC, taken, ({},) * len(views), (), ())
        return scan, d[:, taken], own

    def filed(self, scan: Scan) -> Scan:
        """The scan in the scanner's frame; where the heart lies there is known."""
        given = (scan.stack, *scan.views)
        stack, *views = (replace(one, affine=self._world @ one.affine) for one in given)
        return simulate.where_it_is_known(stack, *views, world=self._world)


def random_seed(name: str) -> int | None:
    """The seed of a random heart's name; None for any other name."""
    found = re.fullmatch(rf"{RANDOM}_(\d{{1,6}})", name)
    return int(found[1]) if found else None


def load_subject(name: str) -> KnownHeart:
    """A shipped sample, or the random heart of a seed; else a KeyError with what there is."""
    seed = random_seed(name)
    if seed is not None:
        seed = SEEDS["explorer"][seed]
        heart = simulate.synthetic_heart("everyone", seed)
        return KnownHeart(name, heart, seed)
    if name not in SUBJECTS:
        raise KeyError(f"unknown subject {name!r}; known: {', '.join(SUBJECTS)}, {RANDOM}_SEED")
    sample = load_sample(name)
    return KnownHeart(name, sample.S_HR, SUBJECTS[name][1], sample.motion)
