"""Cases: scans whose truth is known, from synthetic hearts or from high-resolution ones."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT
from srheart_demo.heart.population import SEEDS
from srheart_demo.scan import simulate
from srheart_demo.scan.degradation import MOTION_LEVELS, Stack, label_noise
from srheart_demo.scan.long_axis import BY_WORTH, Plane
from srheart_demo.scan.placement import on_hr_grid, plane_geometry, stack_geometry
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume

LEVELS = tuple(MOTION_LEVELS)
FIRST_SEED = SEEDS["experiments"].start
"""Hearts of this seed and above were neither trained on nor chosen by."""
_HEARTS = 100_000  # Hearts that one choice of seed may use

VIEWS_AT = ", views "

CLINICAL = "clinical"  # The level of scans as in UK Biobank
CLINICAL_GAP, CLINICAL_PIXEL = 10.0, 1.8
"""UK Biobank's protocol (paper, section 3.1): distance of the slices and of the pixels, mm."""
CLINICAL_NOISE = 0.03
"""ε of Eq. 1 in that protocol: the share of voxels that take a neighbour's label."""


@dataclass(frozen=True, eq=False)
class Case:
    """A scan with its truth."""

    name: str  # the subject
    level: str  # how it was degraded
    S_HR: LabelVolume  # the true heart; its slices are parallel to the stack's
    scan: Scan  # all that a method may see
    d: Tensor  # (1, K, 2) true displacements, mm along rows and columns
    S_LA: LabelVolume  # the true heart on the first LA view's plane; the scan's is S_LA with ε

    @property
    def tissue(self) -> Tensor:
        """Which slices show tissue, (K,)."""
        return torch.as_tensor(self.scan.stack.labelled)

    @cached_property
    def stack(self) -> Stack:
        """The scan's slices, in the file's order."""
        return stack_geometry(self.scan.stack, self.scan.placement)

    @cached_property
    def grid(self) -> Stack:
        """The true heart's voxels."""
        return stack_geometry(self.S_HR, self.scan.placement)

    @cached_property
    def plane(self) -> Plane:
        """The LA view's pixels."""
        return plane_geometry(self.S_LA, self.scan.placement)


@dataclass(frozen=True)
class HeldOut:
    """Synthetic subjects of one of `POPULATIONS` that nothing was trained on; `seed` says which."""

    population: str = "healthy"
    hearts: int = 50
    seed: int = 0

    @property
    def seeds(self) -> range:
        """Of heart, motion and noise of each subject."""
        return held_out_seeds(self.hearts, self.seed)

    def settings(self) -> dict[str, Any]:
        """For the record."""
        seeds = f"{self.seeds[0]} to {self.seeds[-1]}"
        return {**asdict(self), "seeds of hearts and motion": seeds}


def held_out_seeds(n: int, seed: int, start: int = FIRST_SEED) -> range:
    """Seeds from `start` on of the `n` hearts of one choice of `seed`."""
    first = start + seed * _HEARTS
    return range(first, first + n)


drawn_heart = lru_cache(maxsize=1)(simulate.synthetic_heart)  # A heart at each level is drawn once


@lru_cache(maxsize=1)
def read_heart(path: Path) -> LabelVolume:
    """A high-resolution heart of a file, `on_hr_grid`; `InvalidVolume` where it shows none."""
    return on_hr_grid(read_short_axis(path))


def simulated(heart: LabelVolume, level: str, seed: int) -> Case:
    """A heart on the HR grid, degraded as in the paper (section 3.2) at a level of motion.

    With "LEVEL, views LEVEL" its long-axis views are displaced as well, at a level of theirs.
    """
    motion, _, of_views = level.partition(VIEWS_AT)
    found = simulate.simulate(heart, MOTION_LEVELS[motion], seed)
    drawn, factor = simulate.view_motion(seed), MOTION_LEVELS[of_views or "none"]
    moved = {name: drawn[name].displacement(factor)[:, 0].double() for name in BY_WORTH}
    views = [simulate.long_axis_scan(heart, name, d) for name, d in moved.items()]
    S_LA = simulate.long_axis_scan(heart)
    return Case(heart.name, level, heart, Scan.of(found.stack, *views), found.d, S_LA)


def displaced_heart(population: str, seed: int, level: str) -> Case:
    """A synthetic heart whose views are displaced as its slices are."""
    return simulated(drawn_heart(population, seed), f"{level}{VIEWS_AT}{level}", seed)


def simulated_heart(population: str, seed: int, level: str) -> Case:
    """A synthetic heart, degraded, or `clinical` at that level; its seed is the motion's too."""
    heart = drawn_heart(population, seed)
    return clinical(heart, seed) if level == CLINICAL else simulated(heart, level, seed)


def simulated_file(path: Path, seed: int, level: str) -> Case:
    """A high-resolution heart of a file, degraded."""
    return simulated(read_heart(path), level, seed)


def clinical(heart: LabelVolume, seed: int) -> Case:
    """A heart on the HR grid, scanned as in UK Biobank, with normal motion and label noise.

    Three long-axis views, in one breath-hold. Where the first slice lies, the motion and the noise
    come from the seed.
    """
    seeds = np.random.SeedSequence(seed).generate_state(3 + len(BY_WORTH))
    motion, noise, first, position, *others = map(int, seeds)
    stack = clinical_stack(np.random.default_rng(position).uniform(0, CLINICAL_GAP))
    found = simulate.simulate(heart, MOTION_LEVELS["normal"], motion, stack, CLINICAL_NOISE, noise)
    views = [
        simulate.long_axis_scan(heart, name, size=stack.shape[0], spacing=CLINICAL_PIXEL)
        for name in BY_WORTH
    ]
    seeded = zip(views, (first, *others), strict=True)
    noisy = [replace(v, labels=label_noise(v.labels, CLINICAL_NOISE, s)) for v, s in seeded]
    return Case(heart.name, CLINICAL, heart, Scan.of(found.stack, *noisy), found.d, views[0])


def clinical_stack(offset: float) -> Stack:
    """Slices of UK Biobank's protocol across the whole box, the first `offset` mm inside it."""
    pixels, half = int(2 * HALF_EXTENT[1] / CLINICAL_PIXEL), HALF_EXTENT[0]
    corner = -(pixels - 1) / 2 * CLINICAL_PIXEL
    z = torch.arange(-half + offset, half, CLINICAL_GAP)
    return Stack.upright(z, (corner, corner), (CLINICAL_PIXEL, CLINICAL_PIXEL), (pixels, pixels))
