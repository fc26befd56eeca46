"""Lesson 10: a generator that knows no hearts but pea pods, and the lesson's checks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.course.verdict import NotYet, check, written
from srheart_demo.curvature import information
from srheart_demo.degradation import HR_GRID, Motion, Stack, degrade
from srheart_demo.frame import LATTICE_SHAPE, lattice_points
from srheart_demo.gauge import common_translation, labels_at, motion_error
from srheart_demo.generator import to_labels
from srheart_demo.metrics import class_dice
from srheart_demo.problem import Problem
from srheart_demo.views import Plane, long_axis_view

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


@check
def candle(mine: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str:
    """Exercise 1: a generator of candles, cylinders that stand somewhere."""
    points = torch.tensor(lattice_points((4, 24, 24)), dtype=torch.float32)
    H, W = points[..., 1], points[..., 2]
    z = torch.tensor([[0.0, 0.0, 0.0], [1.5, 1.0, -2.0], [-2.0, -1.5, 0.5]], requires_grad=True)
    found = written(mine(z, H, W), "candle")
    if found.shape == (3, *H.shape):
        raise NotYet("a class for the background is missing: the result is (B, 2, D, H, W).")
    if found.shape != (3, 2, *H.shape):
        raise NotYet(f"three codes on this lattice make (3, 2, 4, 24, 24), not {found.shape}.")
    if not found.requires_grad:
        raise NotYet("no gradient comes back to z; use tensors throughout, and no comparison.")
    row, column = 10 * z[:, 1, None, None, None], 10 * z[:, 2, None, None, None]
    inside = 20 + 4 * z[:, 0, None, None, None] - torch.hypot(H - row, W - column)
    clear = inside.abs() > 0.5
    label = found.argmax(1)
    if (label == (inside > 0))[clear].all():
        (slope,) = torch.autograd.grad((found[:, 1] - found[:, 0]).sum(), z)
        if (slope[:, 0] <= 0).any():
            raise NotYet("a larger z[:, 0] should make the candle likelier everywhere.")
        return "two classes, a batch of codes, and a gradient: Algorithm 1 needs no more of a G."
    swapped = 20 + 4 * z[:, 0, None, None, None] - torch.hypot(H - column, W - row)
    for wrong, sentence in (
        (inside < 0, "inside and outside have changed places; class 0 is the background."),
        (swapped > 0, "rows and columns have changed places; z[:, 1] moves along H."),
        (inside[:1].expand_as(inside) > 0, "all codes give the candle of the first."),
    ):
        if (label == wrong)[clear].all():
            raise NotYet(sentence)
    raise NotYet(
        "the candle of z = 0 should have a radius of 20 mm about the middle; at z = (1.5, 1, −2) "
        "26 mm, about the row at 10 mm and the column at −20 mm."
    )


@check
def scan(mine: Callable[[PeaPod, Tensor, Stack, Tensor], Tensor]) -> str:
    """Exercise 2: Eq. 1 for anything that can be decoded."""
    G, stack = PeaPod(), Stack.from_hr(step=8, first=4)
    rng = torch.Generator().manual_seed(8)
    z = torch.randn(1, G.latent_size, generator=rng)
    d = 8 * torch.randn(1, stack.K, 2, generator=rng)
    found = written(mine(G, z, stack, d), "scan")
    logits = degrade(G.decode(z), stack, d)
    right = logits[0].argmax(0)
    if found.shape == logits.shape:
        raise NotYet("these are logits; a label is the class of the largest, argmax over axis 1.")
    if found.shape == (1, *right.shape):
        raise NotYet("one scan is wanted, without the batch: take the first.")
    if found.shape != right.shape:
        raise NotYet(f"the labels are {tuple(right.shape)}, and yours {tuple(found.shape)}.")
    if found.dtype != torch.int64:
        raise NotYet(f"`Problem` wants int64 labels, as argmax gives them, not {found.dtype}.")
    if (found == right).all():
        return "G, then the sections, then the largest class: what a scan is, of whatever."
    for wrong, sentence in (
        (torch.zeros_like(d), "the sections are not displaced: d is missing."),
        (-d, "the sections are displaced the wrong way."),
        (d.flip(-1), "rows and columns of d have changed places."),
    ):
        if (found == degrade(G.decode(z), stack, wrong)[0].argmax(0)).all():
            raise NotYet(sentence)
    raise NotYet(f"{(found != right).float().mean():.0%} of the pixels have another label.")
