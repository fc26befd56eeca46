"""Lesson 10: a generator that knows no hearts but pea pods, and the lesson's checks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, lattice_points
from srheart_demo.heart.generator import to_labels
from srheart_demo.heart.measures import class_dice
from srheart_demo.lessons.verdict import Cases, NotYet, exercise, same
from srheart_demo.scan.degradation import HR_GRID, Motion, Stack, degrade
from srheart_demo.scan.long_axis import Plane, long_axis_view
from srheart_demo.solver.curvature import information
from srheart_demo.solver.gauge import common_translation, labels_at, motion_error
from srheart_demo.solver.problem import Problem

CLASSES = ("background", "pod", "peas")
PEAS = 4


class PeaPod:
    """G for pea pods: 10 latents, three classes, no network and no training.

    z: length, girth; bend along rows and columns; lean along rows and columns; size of each pea.
    """

    latent_size = 6 + PEAS

    def __init__(self) -> None:
        points = torch.tensor(lattice_points(LATTICE_SHAPE), dtype=torch.float32)
        self._D, self._H, self._W = points.unbind(-1)

    @cached_property
    def information(self) -> Tensor:
        """(M, M) what a look at the whole lattice tells of z, nats."""
        codes = torch.randn(4, self.latent_size, generator=torch.Generator().manual_seed(0))
        return information(self, codes)

    def decode(self, z: Tensor) -> Tensor:
        """G(z): (B, 10) → logits (B, 3, 32, 64, 64) of background, pod and peas.

        Near a surface two classes' logits differ by twice the distance to it in mm, as hearts' do.
        """
        half, girth = 46 * (0.1 * z[:, 0]).exp(), 17 * (0.1 * z[:, 1]).exp()
        sizes = 8 * (0.15 * z[:, 6:]).exp()
        s = self._D / _each(half)
        bend = 6 * (s**2 - 1 / 3)
        row = _each(z[:, 2]) * bend + 4 * _each(z[:, 4]) * s
        column = _each(z[:, 3]) * bend + 4 * _each(z[:, 5]) * s
        off_axis = (self._H - row) ** 2 + (self._W - column) ** 2 + 0.1
        pod = _each(girth) * (1 - s**4) - off_axis.sqrt()
        middles = torch.linspace(-0.62, 0.62, PEAS)[:, None] * half
        peas = [
            _each(size) - (off_axis + (self._D - _each(middle)) ** 2).sqrt()
            for size, middle in zip(sizes.T, middles, strict=True)
        ]
        pea = torch.stack(peas).amax(0)
        return torch.stack([-pod, pod.minimum(-pea), pod.minimum(pea)], dim=1)


def _each(values: Tensor) -> Tensor:
    """One number (B,) for each sample's lattice."""
    return values[:, None, None, None]


@dataclass(frozen=True, eq=False)
class CutPod:
    """A pod that was cut into sections.

    Attributes:
        p: the problem: sections 10 mm apart, each displaced, and maybe a lengthwise view.
        z: (1, M) the true code.
        d: (1, K, 2) true displacements, mm.
        labels: (64, 128, 128) the pod.
    """

    p: Problem
    z: Tensor
    d: Tensor
    labels: NDArray[np.uint8]

    def shown(self, field: Tensor, d: Tensor) -> NDArray[np.uint8]:
        """A found field at the pod's voxels, after the common translation."""
        common = common_translation(d, self.d, self.p.tissue)
        return labels_at(field, HR_GRID.points(), self.p.stack.in_model_axes(common)[0])

    def scores(self, field: Tensor, d: Tensor) -> tuple[list[float], float]:
        """Dice of pod and peas, and the error of d after the common translation, mm."""
        found = class_dice(self.shown(field, d), self.labels, len(CLASSES))
        return found, motion_error(d, self.d, self.p.tissue)


def cut_pod(seed: int, motion: float, lengthwise: bool = False) -> CutPod:
    """A pod drawn from N(0, I), cut and displaced.

    Args:
        motion: factor on `Motion`'s amplitude of 2.3 ± 0.87 mm.
        lengthwise: whether a view along the pod is known too.
    """
    G, stack = PeaPod(), Stack.from_hr()
    z = torch.randn(1, G.latent_size, generator=torch.Generator().manual_seed(seed))
    field, d = G.decode(z), Motion.draw(stack.K, seed).displacement(motion)
    S_LR = degrade(field, stack, d)[0].argmax(0)
    plane = _diagonal_plane()
    view = (plane, long_axis_view(field, plane)[0].argmax(0)) if lengthwise else (None, None)
    return CutPod(Problem(G, stack, S_LR, *view).crop(), z, d, to_labels(field))


def _diagonal_plane() -> Plane:
    """Along the pod, half way between rows and columns, so that it sees both leans."""
    along, across = torch.arange(-60.0, 60.0, 1.5), torch.arange(-45.0, 45.0, 1.5)
    rows, columns = torch.meshgrid(along, across, indexing="ij")
    return Plane(torch.stack([rows, columns / 2**0.5, columns / 2**0.5], dim=-1))


def _candles() -> Cases:
    points = torch.tensor(lattice_points((4, 24, 24)), dtype=torch.float32)
    z = torch.tensor([[0.0, 0.0, 0.0], [1.5, 1.0, -2.0], [-2.0, -1.5, 0.5]], requires_grad=True)
    return {"three candles": (z, points[..., 1], points[..., 2])}


def _wax(z: Tensor, H: Tensor, W: Tensor, row: int = 1, column: int = 2) -> Tensor:
    """(B, D, H, W) how far inside the candles, mm."""
    size, row_mm, column_mm = (10 * _each(z[:, i]) for i in (0, row, column))
    return 20 + 0.4 * size - torch.hypot(H - row_mm, W - column_mm)


def _as_labels(found: Any, right: Tensor) -> bool:
    """Whether classes are the same, but within half a mm of the surface."""
    if not isinstance(found, Tensor) or found.shape != right.shape:
        return False
    clear = (right[:, 1] - right[:, 0]).abs() > 1
    return bool((found.argmax(1) == right.argmax(1))[clear].all())


def _two(inside: Tensor) -> Tensor:
    return torch.stack([-inside, inside], dim=1)


def _are_logits(mine: Callable[..., Tensor]) -> None:
    """Whether the labels, which are right, come of logits: linear in the distance, one slope."""
    (given,) = _candles().values()
    found, inside = mine(*given), _wax(*given)
    if not found.requires_grad:
        raise NotYet("no gradient comes back to z; use tensors throughout, and no comparison.")
    difference = found[:, 1] - found[:, 0]
    (slope,) = torch.autograd.grad(difference.sum(), given[0])
    difference, inside = difference.detach(), inside.detach()
    if (slope[:, 0] <= 0).any():
        raise NotYet("a larger z[:, 0] should make the candle likelier everywhere.")
    if ((found >= 0) & (found <= 1)).all():
        raise NotYet(
            "these are probabilities, between 0 and 1. Logits are wanted: leave out softmax and "
            "sigmoid, and let them change by the distance in mm; a logit is no label."
        )
    near = inside.abs() < 6
    slopes = torch.stack(
        [(x[n] @ i[n]) / (i[n] @ i[n]) for x, i, n in zip(difference, inside, near, strict=True)]
    )
    radii = torch.tensor([20.0, 26.0, 12.0])
    if same(slopes / slopes[0], radii / radii[0], 0.1):
        raise NotYet(
            "the labels are right, and near the surface the logits change by twice the radius for "
            "each mm, as squared distances do; take the distance itself, torch.hypot."
        )
    off = [x / slope - i for x, slope, i in zip(difference, slopes, inside, strict=True)]
    bend = max(float(o[n].abs().max()) for o, n in zip(off, near, strict=True))
    if bend > 0.5:
        raise NotYet(
            "the labels are right, but near the surface the logits do not change by the distance "
            f"to it: within 6 mm they are up to {bend:.1f} mm off a straight line."
        )
    if not same(slopes / slopes[0], torch.ones(3), 0.05):
        low, high = (f"{float(s) / 2:.2g}" for s in (slopes.min(), slopes.max()))
        raise NotYet(
            f"the labels are right, but at one candle a mm changes the logits by {low}, at another "
            f"by {high}; they should change by the distance, the same for all."
        )


@exercise(
    _candles,
    "two classes, a batch of codes, and a gradient: Algorithm 1 needs no more of a G.",
    shape="the result is (B, 2, D, H, W)",
    otherwise=lambda found, right, z, H, W: (
        "the candle of z = 0 should have a radius of 20 mm about the middle; at z = (1.5, 1, −2) "
        "26 mm, about the row at 10 mm and the column at −20 mm"
    ),
    same=_as_labels,
    also=_are_logits,
)
def candle(z: Tensor, H: Tensor, W: Tensor) -> Tensor:
    """Exercise 1: a generator of candles, cylinders that stand somewhere."""
    return _two(_wax(z, H, W))


def _sections() -> Cases:
    rng = torch.Generator().manual_seed(8)
    G = PeaPod()

    def case(step: int, first: int) -> tuple[PeaPod, Tensor, Stack, Tensor]:
        stack = Stack.from_hr(step=step, first=first)
        z = torch.randn(1, G.latent_size, generator=rng)
        return G, z, stack, 8 * torch.randn(1, stack.K, 2, generator=rng)

    return {"a pod": case(8, 4), "another, cut elsewhere": case(12, 3)}


def _cut(G: PeaPod, z: Tensor, stack: Stack, d: Tensor) -> Tensor:
    return degrade(G.decode(z), stack, d)


def _smooth(labels: Tensor) -> Tensor:
    return F.one_hot(labels, len(CLASSES)).movedim(-1, 1).float()


@exercise(
    _sections,
    "G, then the sections, then the largest class: what a scan is, of whatever.",
    shape="the labels are (K, h, w)",
    otherwise=lambda found, right, *given: (
        ""
        if _whole(found)
        else f"`Problem` wants int64 labels, as argmax gives them, not {found.dtype}"
    ),
    same=lambda a, b: same(a, b) and (not isinstance(b, Tensor) or a.dtype == b.dtype),
)
def scan(G: PeaPod, z: Tensor, stack: Stack, d: Tensor) -> Tensor:
    """Exercise 2: Eq. 1 for anything that can be decoded."""
    return _cut(G, z, stack, d)[0].argmax(0)


def _whole(found: Any) -> bool:
    return isinstance(found, Tensor) and found.dtype == torch.int64
