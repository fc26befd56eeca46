"""Cases: scans whose truth is known, from synthetic hearts or from high-resolution ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.experiments.generators import HEARTS
from srheart_demo.frame import HALF_EXTENT
from srheart_demo.heart.population import SEEDS
from srheart_demo.scan import simulate
from srheart_demo.scan.degradation import MOTION_LEVELS, Stack, label_noise
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.placement import Placement, on_hr_grid, place, plane_geometry, stack_geometry
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.scan.scan import Scan as PlacedScan
from srheart_demo.scan.volume import LabelVolume

FIRST_SEED = SEEDS["experiments"].start
"""Hearts of this seed and above were neither trained on nor chosen by."""

CLINICAL_GAP, CLINICAL_PIXEL = 10.0, 1.8
"""UK Biobank's protocol (paper, section 3.1): distance of the slices and of the pixels, mm."""
CLINICAL_NOISE = 0.03
"""ε of Eq. 1 in that protocol: the share of voxels that take a neighbour's label."""


@dataclass(frozen=True, eq=False)
class Scan:
    """All that a method may see, in the model's frame.

    Attributes:
        stack: where the K slices lie.
        S_LR: (K, h, w) their labels.
        looked_at: (K,) which of them somebody looked at, as `srheart enhance` takes them.
        plane: where the LA view lies.
        S_LA: (h, w) its labels.
    """

    stack: Stack
    S_LR: NDArray[np.uint8]
    looked_at: NDArray[np.bool_]
    plane: Plane | None = None
    S_LA: NDArray[np.uint8] | None = None

    @property
    def seen(self) -> tuple[Stack, NDArray[np.uint8]]:
        """The slices that somebody looked at, and their labels; others do not show "no heart"."""
        return self.stack.slices(self.looked_at), self.S_LR[self.looked_at]


@dataclass(frozen=True, eq=False)
class Case:
    """A scan with its truth.

    Attributes:
        name: the subject.
        level: how it was degraded.
        S_HR: the true heart; its slices are parallel to the stack's.
        stack: the SA stack.
        d: (1, K, 2) true displacements, mm along rows and columns.
        S_LA: the true heart on the plane of the LA view.
        view: the LA view as it was segmented, S_LA with ε.
    """

    name: str
    level: str
    S_HR: LabelVolume
    stack: LabelVolume
    d: Tensor
    S_LA: LabelVolume
    view: LabelVolume

    @cached_property
    def placement(self) -> Placement:
        """The model's frame, as the stack's own labels tell it."""
        return place(self.stack)

    @cached_property
    def scan(self) -> Scan:
        """What a method may see."""
        return Scan(
            stack_geometry(self.stack, self.placement),
            self.stack.labels,
            PlacedScan.of(self.stack, placement=self.placement).looked_at,
            self.plane,
            self.view.labels[0],
        )

    @cached_property
    def grid(self) -> Stack:
        """The true heart's voxels."""
        return stack_geometry(self.S_HR, self.placement)

    @cached_property
    def plane(self) -> Plane:
        """The LA view's pixels."""
        return plane_geometry(self.S_LA, self.placement)


def held_out_seeds(n: int, seed: int) -> range:
    """Seeds of the `n` hearts of one choice of `seed`."""
    first = FIRST_SEED + seed * HEARTS
    return range(first, first + n)


synthetic_heart = lru_cache(maxsize=1)(simulate.synthetic_heart)
"""A heart of a population and a seed, on the HR grid, in a plausible pose in the scanner."""


@lru_cache(maxsize=1)
def read_heart(path: Path) -> LabelVolume:
    """A high-resolution heart of a file, `on_hr_grid`.

    Raises:
        InvalidVolume: the file cannot be read or shows no whole heart.
    """
    return on_hr_grid(read_short_axis(path))


def simulated(heart: LabelVolume, level: str, seed: int) -> Case:
    """A heart on the HR grid, degraded as in the paper (section 3.2) at a level of motion."""
    scan = simulate.simulate(heart, MOTION_LEVELS[level], seed)
    return Case(heart.name, level, heart, scan.stack, scan.d, scan.view, scan.view)


def clinical(heart: LabelVolume, seed: int) -> Case:
    """A heart on the HR grid, scanned as in UK Biobank, with normal motion and label noise.

    Where the first slice lies, the motion and the noise come from the seed.
    """
    motion, noise, view_noise, position = map(int, np.random.SeedSequence(seed).generate_state(4))
    stack = clinical_stack(np.random.default_rng(position).uniform(0, CLINICAL_GAP))
    scan = simulate.simulate(heart, MOTION_LEVELS["normal"], motion, stack, CLINICAL_NOISE, noise)
    S_LA = simulate.four_chamber_view(heart, _clinical_pixels(), CLINICAL_PIXEL)
    view = replace(S_LA, labels=label_noise(S_LA.labels, CLINICAL_NOISE, view_noise))
    return Case(heart.name, "clinical", heart, scan.stack, scan.d, S_LA, view)


def clinical_stack(offset: float) -> Stack:
    """Slices of UK Biobank's protocol across the whole box, the first `offset` mm inside it."""
    pixels, half = _clinical_pixels(), HALF_EXTENT[0]
    corner = -(pixels - 1) / 2 * CLINICAL_PIXEL
    return Stack(
        z=torch.arange(-half + offset, half, CLINICAL_GAP),
        origin=torch.tensor([corner, corner]),
        row_step=torch.tensor([CLINICAL_PIXEL, 0.0]),
        column_step=torch.tensor([0.0, CLINICAL_PIXEL]),
        shape=(pixels, pixels),
    )


def shipped(level: str) -> Iterator[Case]:
    """The sample subjects."""
    for name in SAMPLES:
        sample = load_sample(name)
        d = torch.as_tensor(sample.d(level))[None]
        yield Case(name, level, sample.S_HR, sample.stacks[level], d, sample.S_LA, sample.S_LA)


def _clinical_pixels() -> int:
    return int(2 * HALF_EXTENT[1] / CLINICAL_PIXEL)
