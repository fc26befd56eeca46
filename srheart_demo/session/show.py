"""What a view is given to draw: plain arrays, with units, and no way back to the solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srheart_demo.surface import Mesh

Labels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        iteration: the last one done.
        iterations: the most that there will be.
        seconds: solver time so far.
        stopped: why the run ended, or None.
    """

    iteration: int
    iterations: int
    seconds: float
    stopped: str | None


@dataclass(frozen=True)
class Curves:
    """The losses of every iteration so far, nats per voxel; `loss_la` is NaN without an LA view."""

    iteration: NDArray[np.int32]
    loss: Floats
    loss_sa: Floats
    loss_la: Floats


@dataclass(frozen=True)
class Shifts:
    """Displacements, mm, less the translation common to all slices.

    Attributes:
        slices: (K,) numbers from 1 at the apex.
        tissue: (K,) which slices show any tissue; nothing tells the others' displacement.
        estimate: (K, 2) along rows and columns.
        truth: (K, 2) along rows and columns.
    """

    slices: NDArray[np.int32]
    tissue: NDArray[np.bool_]
    estimate: Floats
    truth: Floats


@dataclass(frozen=True)
class Pictures:
    """One view four times, each (h, w) labels."""

    input: Labels
    redegraded: Labels
    estimate: Labels
    truth: Labels


@dataclass(frozen=True)
class Frame:
    """The 2-D views of one moment.

    Attributes:
        z: (M,) latent code, in standard deviations of its prior.
        k: the slice of `short_axis`, from 0 at the apex.
        angle: of the plane of `long_axis` to the LA view, degrees.
        long_axis_acquired: whether the input of `long_axis` is the LA view itself.
    """

    k: int
    angle: float
    progress: Progress
    curves: Curves
    z: Floats
    shifts: Shifts
    short_axis: Pictures
    long_axis: Pictures
    long_axis_acquired: bool


@dataclass(frozen=True)
class Outlines:
    """The stack's outlines, moved back by the estimated d: (N, 3) mm, NaN between lines.

    Attributes:
        structures: lines of each structure.
        frame: the border of the slice that is looked at.
    """

    structures: dict[str, Floats]
    frame: Floats


@dataclass(frozen=True)
class Heart:
    """The 3-D view of one moment, in the model's frame and aligned with the truth."""

    meshes: dict[str, Mesh]
    outlines: Outlines


@dataclass(frozen=True)
class Scores:
    """How good an estimate is, after one translation common to all slices.

    Attributes:
        dice: of the estimate, by tissue.
        nearest: of nearest-neighbour up-sampling, by tissue.
        motion_error: RMS over the slices with tissue, mm.
        motion_uncorrected: the same for d = 0, mm.
    """

    dice: dict[str, float]
    nearest: dict[str, float]
    motion_error: float
    motion_uncorrected: float
