"""What a view is given to draw: plain arrays, with units, and no way back to the solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srheart_demo.heart.surface import Mesh

_Labels = NDArray[np.uint8]
_Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LossCurves:
    """A run's losses at every iteration, nats per voxel; `loss_la` is NaN without an LA view.

    Attributes:
        name: of the settings that it ran with (`settings.title`).
        parted, colour: as of a `Run`.
        gamma: γ at its end.
        active: whether it is this run that the views show.
        path: (n, 2) its z along two principal directions (`why.principal_directions`).
    """

    name: str
    parted: int
    gamma: float
    colour: int
    active: bool
    iteration: NDArray[np.int32]
    loss: _Floats
    loss_sa: _Floats
    loss_la: _Floats
    path: _Floats


@dataclass(frozen=True, eq=False)
class Shifts:
    """Displacements (K, 2) along rows and columns, mm, less the translation common to all slices.

    Attributes:
        slices: (K,) numbers from 1 at the apex, of those that were taken.
        of: how many there were to take.
        tissue: (K,) which slices show any tissue; nothing tells the others' displacement.
        truth: NaN where nobody knows.
    """

    slices: NDArray[np.int32]
    of: int
    tissue: NDArray[np.bool_]
    estimate: _Floats
    truth: _Floats


@dataclass(frozen=True, eq=False)
class Side:
    """The stack seen from the side: of each slice one row and one column of pixels.

    Attributes:
        slices, of: as of `Shifts`.
        pixel_mm: distance of neighbouring pixels.
        scanned: (2, K, n) labels along columns, and along rows, as scanned.
        put_back: the same, each slice moved back by the estimated d.
    """

    slices: NDArray[np.int32]
    of: int
    pixel_mm: float
    scanned: _Labels
    put_back: _Labels


@dataclass(frozen=True, eq=False)
class Pictures:
    """One view, each (h, w) labels.

    Attributes:
        input: what was scanned.
        redegraded: what a scan of the estimate would show.
        estimate: the heart found.
        truth: the true heart, or None where nobody knows it.
    """

    input: _Labels
    redegraded: _Labels
    estimate: _Labels
    truth: _Labels | None


@dataclass(frozen=True, eq=False)
class Cuts:
    """The heart of a moment, cut along a slice and along its long axis.

    Attributes:
        number: of the slice, from 1 at the apex, of `of`.
        angle: of the plane of `long_axis` to the LA view, degrees.
        acquired: whether the input of `long_axis` is the LA view itself.
    """

    number: int
    of: int
    short_axis: Pictures
    angle: float
    acquired: bool
    long_axis: Pictures


@dataclass(frozen=True, eq=False)
class Outlines:
    """The stack's outlines, moved back by the estimated d: (N, 3) mm, NaN between lines.

    Attributes:
        structures: lines of each structure.
        frame: the border of the slice that is looked at.
        cut: the border of the LA cut that is looked at.
        view: the border of the scanned LA plane; empty without one, or where it is the cut.
    """

    structures: dict[str, _Floats]
    frame: _Floats
    cut: _Floats
    view: _Floats


@dataclass(frozen=True, eq=False)
class Tiles:
    """Labelled planes as a mesh: strips of tissue as pairs of triangles, each with its label."""

    mesh: Mesh
    labels: _Floats


@dataclass(frozen=True, eq=False)
class Paint:
    """A length for every vertex of some surfaces, mm.

    Attributes:
        what: "error", "uncertainty" or "spread".
        most: what the darkest colour stands for, mm.
        values: structure → (N,) of its mesh's vertices.
    """

    what: str
    most: float
    values: dict[str, _Floats]


@dataclass(frozen=True, eq=False)
class Heart:
    """The 3-D view of one moment, in the model's frame and aligned with the truth.

    Attributes:
        slices: what was scanned of the slices that are painted, where d puts them back.
        cut: what was scanned of the LA cut, as `slices`.
    """

    meshes: dict[str, Mesh]
    outlines: Outlines
    slices: Tiles
    cut: Tiles
    paint: Paint | None
