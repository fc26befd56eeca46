"""Lesson 10: a generator that knows no hearts but pea pods, the lesson's checks, and pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from srheart_demo.dashboard.theme import BACKGROUND, RUNS
from srheart_demo.frame import LATTICE_SHAPE, lattice_points
from srheart_demo.heart.generator import to_labels
from srheart_demo.heart.measures import class_dice
from srheart_demo.lessons.pictures import Labels, finish, grid, lengthwise, slices
from srheart_demo.lessons.results import same
from srheart_demo.lessons.truth import Truth
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import Motion, Stack, degrade
from srheart_demo.scan.long_axis import Plane, long_axis_view
from srheart_demo.solver.curvature import information
from srheart_demo.solver.problem import Problem, View

_COLOURS = (BACKGROUND, RUNS[1], RUNS[0])
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


@dataclass(frozen=True, eq=False, kw_only=True)
class CutPod(Truth):
    """A pod that was cut into sections 10 mm apart, each displaced."""

    z: Tensor  # (1, M) its code

    def scores(self, field: Tensor, d: Tensor) -> tuple[list[float], float]:
        """Dice of pod and peas, and the error of d, mm, after the common translation."""
        found = class_dice(self.labels(field, d), self.S_HR, len(CLASSES))
        return found, self.motion_error(d)


def cut_pod(seed: int, motion: float, lengthwise: bool = False) -> CutPod:
    """A pod drawn from N(0, I), cut and displaced by `motion` times 2.3 ± 0.87 mm (`Motion`).

    With `lengthwise`, a view along the pod is known too.
    """
    G, stack = PeaPod(), Stack.from_hr()
    z = torch.randn(1, G.latent_size, generator=torch.Generator().manual_seed(seed))
    field, d = G.decode(z), Motion.draw(stack.K, seed).displacement(motion)
    S_LR = degrade(field, stack, d)[0].argmax(0)
    # Along the pod, half way between rows and columns, so that it sees both leans.
    along, across = torch.arange(-60.0, 60.0, 1.5), torch.arange(-45.0, 45.0, 1.5)
    rows, columns = torch.meshgrid(along, across, indexing="ij")
    plane = Plane(torch.stack([rows, columns / 2**0.5, columns / 2**0.5], dim=-1))
    view = View(plane, long_axis_view(field, plane)[0].argmax(0))
    p = Problem(G, stack, S_LR, (view,) if lengthwise else ()).crop()
    return CutPod(S_HR=to_labels(field), d=d, p=p, z=z)


def _candles() -> Cases:
    points = torch.tensor(lattice_points((4, 24, 24)), dtype=torch.float32)
    z = torch.tensor([[0.0, 0.0, 0.0], [1.5, 1.0, -2.0], [-2.0, -1.5, 0.5]])
    return {"three candles": (z, points[..., 1], points[..., 2])}


def _as_labels(found: Any, right: Tensor) -> bool:
    """Whether classes are the same, but within half a mm of the surface."""
    if not isinstance(found, Tensor) or found.shape != right.shape:
        return False
    clear = (right[:, 1] - right[:, 0]).abs() > 1
    return bool((found.argmax(1) == right.argmax(1))[clear].all())


def _slopes(found: Tensor, right: Tensor) -> Tensor:
    """(B,) how much a mm changes the logits near each candle's surface."""
    return torch.stack([(x @ inside) / (inside @ inside) for x, inside in _near(found, right)])


def _bend(found: Tensor, right: Tensor) -> float:
    """How far the logits are off a straight line there, mm."""
    each = zip(_near(found, right), _slopes(found, right), strict=True)
    return max(float((x / slope - inside).abs().max()) for (x, inside), slope in each)


def _near(found: Tensor, right: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Logits and depths, mm, of what lies within 6 mm of each candle's surface."""
    pairs = zip(found[:, 1] - found[:, 0], right[:, 1], strict=True)
    return [(x[near], inside[near]) for x, inside in pairs for near in [inside.abs() < 6]]


@exercise(_candles, same=_as_labels, gradient=("z",))
def candle(z: Tensor, H: Tensor, W: Tensor) -> Tensor:
    """Exercise 1: a generator of candles, cylinders that stand somewhere."""
    size, row, column = (10 * _each(x) for x in z.unbind(1))
    inside = 20 + 0.4 * size - torch.hypot(H - row, W - column)
    return torch.stack([-inside, inside], dim=1)


def _sections() -> Cases:
    rng = torch.Generator().manual_seed(8)
    G = PeaPod()

    def case(step: int, first: int) -> tuple[PeaPod, Tensor, Stack, Tensor]:
        stack = Stack.from_hr(step=step, first=first)
        z = torch.randn(1, G.latent_size, generator=rng)
        return G, z, stack, 8 * torch.randn(1, stack.K, 2, generator=rng)

    return {"a pod": case(8, 4), "another, cut elsewhere": case(12, 3)}


def _same_labels(a: Any, b: Any) -> bool:
    return same(a, b) and (not isinstance(b, Tensor) or a.dtype == b.dtype)


@exercise(_sections, same=_same_labels)
def scan(G: PeaPod, z: Tensor, stack: Stack, d: Tensor) -> Tensor:
    """Exercise 2: Eq. 1 for anything that can be decoded."""
    return degrade(G.decode(z), stack, d)[0].argmax(0)


def picture_pods(pods: Mapping[str, Labels]) -> Figure:
    """Pods (D, H, W) of 2 × 1.25 × 1.25 mm, cut along their length, seen along rows and columns."""
    views = (view for labels in pods.values() for view in (labels, labels.swapaxes(1, 2)))
    shown = [lengthwise(view, 64)[13:-13, 32:-32] for view in views]
    titles = [word for title in pods for word in (title, "")]
    return finish(grid({"": shown}, 1.6, titles, colours=_COLOURS)[0])


picture_sections = partial(slices, colours=_COLOURS, what="section")  # Sections (K, h, w), in rows
