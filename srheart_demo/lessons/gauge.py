"""Lesson 5: the landscape of one slice's displacement, what a stack cannot tell, and its checks."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter
from torch import Tensor
from torch.fft import irfft2, rfft2

from srheart_demo.dashboard.theme import INK, MUTED
from srheart_demo.explorer.why import LossMap
from srheart_demo.lessons import pictures
from srheart_demo.lessons.truth import known_scan as known_scan
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import downsample, move
from srheart_demo.solver.losses import cross_entropy, negative_log_prior, observations
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import RECOMMENDED


def local_minima(landscape: LossMap) -> NDArray[np.float32]:
    """(n, 2) where L is lowest among its neighbours, x and y; not on the map's border."""
    lowest = minimum_filter(landscape.L, size=3) == landscape.L
    row, column = np.nonzero(lowest[1:-1, 1:-1])
    return np.stack([landscape.x[column + 1], landscape.y[row + 1]], axis=1)


def descend(
    p: Problem, z: Tensor, k: int, start: tuple[float, float], steps: int = 50
) -> NDArray[np.float32]:
    """Adam at 1 mm on the displacement of slice k alone, in the heart G(z).

    From `start`, mm along rows and columns; returns the way, (1 + steps, 2), mm along columns (x)
    and rows (y), as `LossMap.path`.
    """
    planes = downsample(p.G.decode(z), p.stack)[:, :, k : k + 1]
    d = torch.tensor([[start]], requires_grad=True)
    adam = torch.optim.Adam([d], 1.0)
    way = [d.detach().clone()]
    for _ in range(steps):
        adam.zero_grad()
        cross_entropy(move(planes, p.stack, d), p.S_LR[k : k + 1]).backward()
        adam.step()
        way.append(d.detach().clone())
    return torch.cat(way)[:, 0].flip(-1).numpy()


def price(mm: float, p: Problem) -> float:
    """What the prior of RECOMMENDED charges if slices lie `mm` one way and the other, nats."""
    swing = torch.tensor([mm, -mm]).repeat(p.stack.K)[: int(p.tissue.sum())]
    z, d = p.zero()
    d[0, p.tissue, 0] = swing
    return negative_log_prior(z, d, p, RECOMMENDED).item()


def nats(loss: float, p: Problem) -> float:
    """A difference of L, nats per voxel, in nats of the whole scan as RECOMMENDED weighs it."""
    return loss * observations(p, RECOMMENDED)


def _slices() -> Cases:
    rng = torch.Generator().manual_seed(5)

    def pair(classes: int, h: int, w: int) -> tuple[Tensor, Tensor]:
        log_p = torch.randn(classes, h, w, generator=rng).log_softmax(0)
        labels = torch.randint(0, classes, (h, w), generator=rng)
        return log_p, torch.eye(classes)[labels].movedim(-1, 0)

    return {"12 × 9 pixels": pair(4, 12, 9), "7 × 10 pixels and three classes": pair(3, 7, 10)}


@exercise(_slices)
def shift_scores(log_p: Tensor, seen: Tensor) -> Tensor:
    """Exercise 1: the log-likelihood of every whole-pixel shift by one Fourier transform."""
    return irfft2((rfft2(seen) * rfft2(log_p).conj()).sum(0), s=seen.shape[-2:])


def _leaning() -> Cases:
    rng = torch.Generator().manual_seed(6)

    def case(K: int, low: float) -> tuple[Tensor, ...]:
        d, z = torch.randn(1, K, 2, generator=rng), torch.linspace(low, 42.0, K)
        return (d, z, *(torch.randn(2, 2, generator=rng) * torch.tensor([[3.0], [0.2]])))

    return {"seven slices": case(7, -30.0), "seven others": case(7, -10.0)}


@exercise(_leaning)
def compensate(d: Tensor, heights: Tensor, translation: Tensor, lean: Tensor) -> Tensor:
    """Exercise 2: the d under which a translated and leaning heart shows the same stack."""
    return d - translation - heights[:, None] * lean


def _errors() -> Cases:
    rng = torch.Generator().manual_seed(7)

    def case(low: float) -> tuple[Tensor, Tensor]:
        z = torch.linspace(low, 50.0, 8)
        t, lean = torch.randn(2, 2, generator=rng) * torch.tensor([[4.0], [0.2]])
        return torch.randn(8, 2, generator=rng) + t + z[:, None] * lean, z

    return {"eight slices": case(-20.0), "eight others": case(0.0)}


def _line(e: Tensor, x: Tensor, base: Tensor | None = None, along: Tensor | None = None) -> Tensor:
    """The best slope of e along x times `along`, by sums of squares of `base` (both x)."""
    base, along = x if base is None else base, x if along is None else along
    return (x[:, None] * e).sum(0) / (base**2).sum() * along[:, None]


@exercise(_errors)
def without_drift(e: Tensor, heights: Tensor) -> Tensor:
    """Exercise 3: errors of d less what is constant and what is linear along the stack."""
    return e - e.mean(0) - _line(e, heights - heights.mean())


def picture_landscapes(
    maps: Mapping[str, LossMap],
    minima: Sequence[NDArray[np.floating]] = (),
    of: str = "L of this slice, nats per pixel",
    **axes_look: Any,
) -> Figure:
    """A loss over two unknowns, by default a slice's displacement, in maps side by side, by title.

    It is dark where low, with the way of a run, from a ring to a dot, the truth, a cross, and the
    local `minima` (n, 2) of each, triangles. Colours stand for `of`; `axes_look` as for `axis.set`.
    """
    unknowns = {"xlabel": "d along columns, mm", "ylabel": "d along rows, mm"}
    figure, axes = plt.subplots(1, len(maps), figsize=(3.7 * len(maps) + 0.4, 3.6), squeeze=False)
    for i, (axis, (title, found)) in enumerate(zip(axes[0], maps.items(), strict=True)):
        dark, high = pictures.SHADES.reversed(), float(np.quantile(found.L, 0.9))
        drawn = axis.pcolormesh(found.x, found.y, found.L, cmap=dark, vmax=high, rasterized=True)
        axis.plot(*found.path.T, color="white", lw=2.6)
        axis.plot(*found.path.T, color=INK, lw=1.2, label="way of the run")
        axis.plot(*found.path[0], "o", mec="white", mfc="none", ms=7, label="its start")
        axis.plot(*found.path[-1], "o", mec=INK, mfc="white", ms=7, label="its end")
        if minima:
            axis.plot(*minima[i].T, "v", color="white", mec=INK, ms=8, label="local minimum")
        if np.isfinite(found.truth).all():
            axis.plot(*found.truth, "x", color="white", ms=9, mew=2, label="truth")
        axis.invert_yaxis()
        axis.set(aspect="equal", **unknowns | axes_look)
        axis.set_title(title, fontsize=10)
        figure.colorbar(drawn, ax=axis, fraction=0.045, label=of)
    look = {"facecolor": MUTED, "labelcolor": "white", "fontsize": 9}  # The marks are white.
    shown, columns = axes[0, 0].get_legend_handles_labels(), 5 if len(maps) > 1 else 3
    figure.legend(*shown, loc="lower center", ncols=columns, **look)
    return pictures.finish(figure)


def picture_moved(hearts: Mapping[str, tuple[pictures.Labels, pictures.Labels]]) -> Figure:
    """Labels of hearts (64, 128, 128), cut along their length, and of stacks (K, h, w) of them."""
    stacks = [stack for _, stack in hearts.values()]
    window, shown = pictures.window_of(stacks), pictures.slices_of(stacks, every=2)
    rows = {
        title: [pictures.lengthwise(heart, 64)[:, 14:-14], *(stack[k][window] for k in shown)]
        for title, (heart, stack) in hearts.items()
    }
    return pictures.finish(pictures.grid(rows)[0])
