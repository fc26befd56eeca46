"""Lesson 6: its checks (a plane from its affine, Eq. 5, what γ weighs), and where views cross."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.dashboard.theme import INK
from srheart_demo.lessons import pictures
from srheart_demo.lessons.truth import known_scan as known_scan
from srheart_demo.lessons.truth import nearest as nearest
from srheart_demo.lessons.truth import small_problem
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import downsample
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.losses import long_axis_loss, short_axis_loss
from srheart_demo.solver.problem import Problem, View

_Floats = NDArray[np.floating]


def _view(p: Problem) -> tuple[Plane, Tensor]:
    """Where the long-axis view lies, and its labels."""
    if not p.views:
        raise ValueError("this problem has no long-axis view")
    return p.views[0].plane, p.views[0].S_LA


def crossing(p: Problem, k: int) -> tuple[_Floats, _Floats]:
    """Where slice k and the LA plane cut each other.

    Returns:
        For each column of the LA view the row (w,) that lies at the slice's depth, and its row and
        column (w, 2) in the slice; fractions of pixels.

    Raises:
        ValueError: the problem has no long-axis view.
    """
    points = _view(p)[0].points.numpy().astype(float)
    index, z = np.arange(len(points)), float(p.stack.z[k])
    rows = np.array([np.interp(z, depths, index) for depths in points[..., 0].T])
    line = [
        [np.interp(row, index, points[:, column, axis]) for axis in (1, 2)]
        for column, row in enumerate(rows)
    ]
    return rows, p.stack.pixel_index(torch.tensor(line) - p.stack.offsets[k]).numpy()


def _affines() -> Cases:
    rng = np.random.default_rng(3)

    def case(h: int, w: int, spacing: list[float]) -> tuple[_Floats, int, int, _Floats]:
        affine, model_from_world = np.eye(4), np.eye(4)
        turns = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2)]
        affine[:3, :3], affine[:3, 3] = turns[0] * spacing, [30.0, -20.0, 55.0]
        model_from_world[:3, :3], model_from_world[:3, 3] = turns[1], [-12.0, 7.0, 3.0]
        return affine, h, w, model_from_world

    return {
        "a view of 5 × 7 pixels": case(5, 7, [8.0, 1.5, 1.25]),
        "one of 4 × 4 pixels": case(4, 4, [6.0, 1.4, 2.0]),
    }


def _points(
    affine: _Floats,
    h: int,
    w: int,
    model_from_world: _Floats,
    axes: tuple[int, ...] = (0, 1, 2),
    offset: tuple[float, ...] = (0, 0, 0),
) -> _Floats:
    """Pixels (0, i, j) in the model's frame, with room for mistakes."""
    index = np.stack(np.meshgrid([0.0], np.arange(h), np.arange(w), indexing="ij"), axis=-1)[0]
    homogeneous = np.concatenate([index[..., axes] + offset, np.ones((h, w, 1))], axis=-1)
    return (homogeneous @ affine.T @ model_from_world.T)[..., :3]


@exercise(_affines)
def plane_points(affine: _Floats, h: int, w: int, model_from_world: _Floats) -> _Floats:
    """Exercise 1: where the pixels of a long-axis view lie in the model's frame."""
    return _points(affine, h, w, model_from_world)


def _scans() -> Cases:
    p = small_problem(long_axis=True)
    rng = torch.Generator().manual_seed(9)
    z = 0.5 * torch.randn(1, p.G.latent_size, generator=rng)
    d = 4 * torch.randn(1, p.stack.K, 2, generator=rng)
    return {
        "a scan with an LA view": (z, d, p, 0.3),
        "one with no long-axis view": (z, d, replace(p, views=()), 2.0),
    }


def _weighed(z: Tensor, d: Tensor, p: Problem, short: float, long: float) -> Tensor:
    """The losses of both views, weighed; of the stack's alone, as it is."""
    field = p.G.decode(z)
    L_SA = short_axis_loss(downsample(field, p.stack), d, p)
    return short * L_SA + long * long_axis_loss(field, p) if p.views else L_SA


@exercise(_scans, gradient=("z", "d"))
def multi_view(z: Tensor, d: Tensor, p: Problem, gamma: float) -> Tensor:
    """Exercise 2: L of Eq. 5, from z and d to a number."""
    return _weighed(z, d, p, 1, gamma)


def _views() -> Cases:
    p = small_problem(long_axis=True)
    plane, S_LA = _view(p)
    part = replace(p, views=(View(Plane(plane.points[5:]), S_LA[5:]),))
    return {"a scan": (p,), "one with a smaller view": (part,)}


@exercise(_views)
def even_gamma(p: Problem) -> float:
    """Exercise 3: the γ under which a pixel of either view counts alike."""
    return _view(p)[1].numel() / p.S_LR.numel()


def picture_views(p: Problem, slices: Sequence[int]) -> Figure:
    """The LA view with lines where SA slices cut it, and these with a line where it cuts them.

    Args:
        p: a problem with an LA view.
        slices: three at most, from 0 at the apex.
    """
    S_LA, S_LR = _view(p)[1].numpy(), p.S_LR.numpy()
    n = 1 + len(slices)
    figure, (view, *others) = plt.subplots(1, n, figsize=(3.0 * n, 3.2))
    pictures.show_labels(view, S_LA)
    for axis, k, style in zip(others, slices, pictures.STYLES, strict=False):
        rows, pixels = crossing(p, k)
        view.plot(rows, color=INK, lw=1.8, ls=style)
        pictures.show_labels(axis, S_LR[k])
        axis.plot(pixels[:, 1], pixels[:, 0], color=INK, lw=1.8, ls=style)
        height, width = S_LR[k].shape
        axis.set(xlim=(0, width - 1), ylim=(height - 1, 0), title=f"SA slice {k + 1}")
    ylim, xlim = ((window.start, window.stop) for window in pictures.window_of([S_LA[None]]))
    view.set(xlim=xlim, ylim=ylim, title="LA view, base on top")
    return pictures.finish(figure)


def picture_along(maps: Mapping[str, pictures.Labels]) -> Figure:
    """Label maps (h, w) on the plane of the LA view, rows from apex to base; base on top.

    The borders of the first are drawn on the others.
    """
    window = pictures.window_of([labels[None] for labels in maps.values()])
    first, *others = shown = [labels[window][::-1] for labels in maps.values()]
    figure, axes = pictures.grid({"": shown}, 2.4, maps)
    for axis in axes[0, 1 : 1 + len(others)]:
        for tissue in (1, 2, 3):
            pictures.outline(axis, first == tissue)
    return pictures.finish(figure)
