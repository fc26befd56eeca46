"""The inverse problem: what was seen, and the generator that must explain it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT
from srheart_demo.heart.distances import tissue_box, widened
from srheart_demo.heart.generator import HeartGenerator
from srheart_demo.machine import one_thread
from srheart_demo.scan.degradation import Stack, downsample
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.placement import Placement, plane_geometry, stack_geometry
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.solver.fast import Slicer, Voxels, thin

TAUGHT = 25.0
"""Extent below the top of the box, mm, without a slice, as encoders have seen it. Where more is
missing they take the last slice for the base, and z is far from a heart that goes on: at zero it
is nearer."""
NEVER = -1e4  # Logit of a class that is not there: finite, so that differences are numbers


class Generator(Protocol):
    """What Algorithm 1 asks of G."""

    @property
    def latent_size(self) -> int:
        """M."""

    @property
    def information(self) -> Tensor:
        """(M, M) what a look at the whole lattice tells of z, nats; see `curvature.information`."""

    def decode(self, z: Tensor) -> Tensor:
        """G(z): (B, M) → class logits (B, C, D', H', W')."""


@runtime_checkable
class Encoder(Protocol):
    """What a generator with an encoder can do besides.

    One with `reads_scans` False knows whole hearts only.
    """

    def encode(self, probabilities: Tensor) -> tuple[Tensor, Tensor]:
        """Class probabilities (B, 4, 32, 64, 64) → mean and log-variance of z, (B, M) each."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a scan shows of G(z)."""

    planes: Tensor  # (B, C, K, H', W') ↓_s G(z)
    field: Tensor | None  # (B, C, D', H', W') G(z), where more than slices is seen of it


@dataclass(frozen=True, eq=False)
class View:
    """A long-axis view as Algorithm 1 takes it."""

    plane: Plane  # where it lies
    S_LA: Tensor  # (h, w) its labels, int64
    # labels of tissues that nobody outlined in it: its background may be one of them
    lacks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if any(self.S_LA.eq(label).any() for label in self.lacks):
            raise ValueError(f"a view that lacks the labels {self.lacks} shows some of them")

    @classmethod
    def of(cls, view: LabelVolume, placement: Placement) -> "View":
        """A label map of one plane. A tissue of which it has no voxel was not outlined."""
        S_LA = torch.from_numpy(view.labels[0].astype(np.int64))
        return cls(plane_geometry(view, placement), S_LA, view.lacks)

    def told(self, logits: Tensor) -> Tensor:
        """Class logits (B, C, ...) as the view tells of them: what it lacks is its background."""
        if not self.lacks:
            return logits
        merged = logits[:, [0, *self.lacks]].logsumexp(1, keepdim=True)
        nowhere = torch.tensor(self.lacks)
        return torch.cat([merged, logits[:, 1:]], dim=1).index_fill(1, nowhere, NEVER)

    def crop(self, margin: float) -> "View":
        """The same view, cut to its tissue and `margin` mm around it."""
        window = _windows(self.S_LA > 0, self.plane.spacing, margin)
        return replace(self, plane=self.plane.crop(*window), S_LA=self.S_LA[window])


@dataclass(frozen=True, eq=False)
class Known:
    """What the other frames of a cine tell of one; see `cycle`."""

    d: Tensor  # (1, K + V, 2) of its slices and views, mm, in the gauge of every output
    translation: Tensor  # (2,) of the heart along (H, W), mm, to which G(z) sees them besides
    muscle_ml: float  # volume of its myocardium


@dataclass(frozen=True, eq=False)
class Problem:
    """One subject's scan in the model's frame, and the generator that must explain it.

    >>> problem = sr.Problem.of(scan, G)
    >>> problem.stack.K, problem.G.latent_size
    (13, 128)

    Attributes:
        G: the generator.
        stack: where the SA slices lie.
        S_LR: (K, h, w) labels of the SA stack, int64.
        views: V long-axis views, or none.
        known: what is known of it from elsewhere; then d is not sought.
    """

    G: Generator
    stack: Stack
    S_LR: Tensor
    views: tuple[View, ...] = ()
    known: Known | None = None

    def __post_init__(self) -> None:
        expected = (self.stack.K, *self.stack.shape)
        if tuple(self.S_LR.shape) != expected:
            raise ValueError(f"S_LR has shape {tuple(self.S_LR.shape)}, its stack {expected}")

    @classmethod
    @one_thread()
    def of(cls, scan: Scan, G: Generator) -> "Problem":
        """A scan as Algorithm 1 takes it: apex to base, cut to the tissue and 10 mm around it.

        Slices that nobody looked at are left out.
        """
        placement = scan.placement
        ordered, seen = placement.apex_first(scan.stack), placement.from_apex(scan.looked_at)
        return cls(
            G=G,
            stack=stack_geometry(ordered, placement).slices(seen),
            S_LR=torch.from_numpy(ordered.labels[seen].astype(np.int64)),
            views=tuple(View.of(view, placement) for view in scan.views),
        ).crop()

    def zero(self) -> tuple[Tensor, Tensor]:
        """z (1, M) and d (1, K, 2), mm, where the paper starts: 0."""
        return torch.zeros(1, self.G.latent_size), torch.zeros(1, self.stack.K, 2)

    def heeded(self, gamma: float) -> "Problem":
        """The same without what has no weight: its views, where γ is 0."""
        return self if gamma or not self.views else replace(self, views=())

    def split(self, d: Tensor) -> tuple[Tensor, Tensor]:
        """Displacements (B, K + V, 2) of all planes → (B, K, 2) of slices, (B, V, 2) of views."""
        return d[:, : self.stack.K], d[:, self.stack.K :]

    def moves(self, views: bool) -> Tensor:
        """(K + V,) which planes tell of their displacements: slices with tissue, and `views`."""
        return torch.cat([self.tissue, torch.full((len(self.views),), views)])

    def sought(self, views: bool) -> Tensor:
        """(K + V,) which planes' displacements are sought: those that tell, or none."""
        return self.moves(views) & (self.known is None)

    @cached_property
    def encoder(self) -> Encoder | None:
        """G, where it tells of such a stack where to start."""
        reads = isinstance(self.G, Encoder) and getattr(self.G, "reads_scans", True)
        whole = HALF_EXTENT[0] - float(self.stack.z.max()) < TAUGHT
        return cast(Encoder, self.G) if reads and whole else None

    @cached_property
    def held(self) -> Tensor | None:
        """(1, K + V, 2) how far G(z) sees slices and views displaced, mm, where that is known."""
        if self.known is None:
            return None
        return self.known.d + self.carried @ self.known.translation

    @cached_property
    def carried(self) -> Tensor:
        """(K + V, 2, 2) how far a translation of the heart by (H, W), mm, moves what each plane
        shows, mm along its rows and columns."""
        slices = torch.linalg.inv(self.stack.directions).T.expand(self.stack.K, 2, 2)
        return torch.stack([*slices, *(view.plane.directions[:, 1:] for view in self.views)])

    @cached_property
    def tissue(self) -> Tensor:
        """(K,) which slices show any tissue; the others say nothing about their d."""
        return (self.S_LR > 0).flatten(1).any(1)

    @cached_property
    def _slicer(self) -> Slicer | None:
        # A long-axis view shows more than slices.
        if self.views or not isinstance(self.G, HeartGenerator):
            return None
        return Slicer(self.G.decoder, self.stack)

    def decode(self, z: Tensor, d: Tensor | None = None) -> Decoded:
        """G(z) of codes (B, M); with d (B, K, 2), as much of it as the scan shows under d."""
        if self._slicer:
            return Decoded(self._slicer.planes(z, d), None)
        field = self.G.decode(z)
        return Decoded(downsample(field, self.stack), field)

    @cached_property
    def voxels(self) -> Voxels:
        """Fewer voxels of the SA stack that say as much as all."""
        return thin(self.S_LR, self.stack)

    def crop(self, margin: float = 10.0) -> "Problem":
        """The same problem, with slices and views cut to all tissue and `margin` mm around it.

        Far background costs time and says nothing that nearer background does not.
        """
        window = _windows((self.S_LR > 0).any(0), self.stack.spacing, margin)
        return replace(
            self,
            stack=self.stack.crop(*window),
            S_LR=self.S_LR[:, *window],
            views=tuple(view.crop(margin) for view in self.views),
        )


def _windows(seen: Tensor, spacing: tuple[float, float], margin: float) -> tuple[slice, ...]:
    """The rows and columns of a mask (h, w) and `margin` mm around it; all where it is empty."""
    if not seen.any():
        return slice(None), slice(None)
    return widened(tissue_box(seen.numpy()), [round(margin / mm) for mm in spacing])
