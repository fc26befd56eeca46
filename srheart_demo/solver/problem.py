"""The inverse problem: what was seen, and the generator that must explain it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from srheart_demo.heart.generator import HeartGenerator
from srheart_demo.scan.degradation import Stack, downsample
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.placement import plane_geometry, stack_geometry
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.fast import Slicer, Voxels, thin


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
class Problem:
    """One subject's scan in the model's frame, and the generator that must explain it.

    >>> problem = sr.Problem.of(scan, G)
    >>> problem.stack.K, problem.G.latent_size
    (13, 128)

    Attributes:
        G: the generator.
        stack: where the SA slices lie.
        S_LR: (K, h, w) labels of the SA stack, int64.
        plane: where the LA view lies, if there is one.
        S_LA: (h, w) labels of the LA view, int64.
    """

    G: Generator
    stack: Stack
    S_LR: Tensor
    plane: Plane | None = None
    S_LA: Tensor | None = None

    def __post_init__(self) -> None:
        expected = (self.stack.K, *self.stack.shape)
        if tuple(self.S_LR.shape) != expected:
            raise ValueError(f"S_LR has shape {tuple(self.S_LR.shape)}, its stack {expected}")
        if (self.plane is None) != (self.S_LA is None):
            raise ValueError("a long-axis view needs both its plane and its labels")

    @classmethod
    def of(cls, scan: Scan, G: Generator) -> "Problem":
        """A scan as Algorithm 1 takes it: apex to base, cut to the tissue and 10 mm around it.

        Slices that nobody looked at are left out.
        """
        placement, view = scan.placement, scan.view
        ordered, seen = placement.apex_first(scan.stack), placement.from_apex(scan.looked_at)
        return cls(
            G=G,
            stack=stack_geometry(ordered, placement).slices(seen),
            S_LR=torch.from_numpy(ordered.labels[seen].astype(np.int64)),
            plane=None if view is None else plane_geometry(view, placement),
            S_LA=None if view is None else torch.from_numpy(view.labels[0].astype(np.int64)),
        ).crop()

    def zero(self) -> tuple[Tensor, Tensor]:
        """z (1, M) and d (1, K, 2), mm, where the paper starts: 0."""
        return torch.zeros(1, self.G.latent_size), torch.zeros(1, self.stack.K, 2)

    @cached_property
    def tissue(self) -> Tensor:
        """(K,) which slices show any tissue; the others say nothing about their d."""
        return (self.S_LR > 0).flatten(1).any(1)

    @cached_property
    def _slicer(self) -> Slicer | None:
        # A long-axis view shows more than slices.
        if self.plane is not None or not isinstance(self.G, HeartGenerator):
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
        """The same problem, with the SA slices cut to all tissue and `margin` mm around it.

        Far background costs time and says nothing that nearer background does not.
        """
        seen = self.S_LR > 0
        rows, columns = (
            _window(seen.amax(axes), margin / spacing)
            for axes, spacing in zip(((0, 2), (0, 1)), self.stack.spacing, strict=True)
        )
        return replace(self, stack=self.stack.crop(rows, columns), S_LR=self.S_LR[:, rows, columns])


def _window(seen: Tensor, margin: float) -> slice:
    inside = torch.nonzero(seen).flatten()
    if not len(inside):
        return slice(0, len(seen))
    first, last = int(inside[0]), int(inside[-1])
    return slice(max(0, first - round(margin)), min(len(seen), last + 1 + round(margin)))
