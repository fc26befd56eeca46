"""Lesson 6: checks (a plane of an affine, Eq. 5, a displaced view, what γ weighs), and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from nibabel.affines import from_matvec
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.dashboard.theme import INK
from srheart_demo.frame import LATTICE_SHAPE, lattice_points
from srheart_demo.lessons import pictures
from srheart_demo.lessons.truth import Truth, small_problem
from srheart_demo.lessons.truth import known_scan as known_scan
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import Stack, downsample, sample
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.losses import long_axis_loss, short_axis_loss
from srheart_demo.solver.problem import Problem, View

_Floats = NDArray[np.floating]


def crossing(view: View, stack: Stack, k: int) -> tuple[_Floats, _Floats]:
    """Where slice k and a long-axis view cut each other.

    For each column of the view, the row (w,) that lies at the slice's depth, and its row and column
    (w, 2) in the slice; fractions of pixels.
    """
    points = view.plane.points.numpy().astype(float)
    index, z = np.arange(len(points)), float(stack.z[k])
    rows = np.array([np.interp(z, depths, index) for depths in points[..., 0].T])
    line = [
        [np.interp(row, index, points[:, column, axis]) for axis in (1, 2)]
        for column, row in enumerate(rows)
    ]
    return rows, stack.pixel_index(torch.tensor(line) - stack.offsets[k]).numpy()


def translated(field: Tensor, t: Tensor) -> Tensor:
    """The heart of a field (1, 4, 32, 64, 64), moved by t (2,), mm along (H, W)."""
    nodes = torch.tensor(lattice_points(LATTICE_SHAPE), dtype=field.dtype)
    return sample(field, torch.cat([nodes[..., :1], nodes[..., 1:] - t], dim=-1))


def on_plane(truth: Truth, plane: Plane) -> Truth:
    """What labels hearts on a plane (1, h, w), as `truth` does at its voxels (D, H, W)."""
    return replace(truth, voxels=plane.points[None])


def _affines() -> Cases:
    rng = np.random.default_rng(3)

    def case(h: int, w: int, spacing: list[float]) -> tuple[_Floats, int, int, _Floats]:
        one, other = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2))
        affine = from_matvec(one * spacing, [30.0, -20.0, 55.0])
        return affine, h, w, from_matvec(other, [-12.0, 7.0, 3.0])

    return {
        "a view of 5 × 7 pixels": case(5, 7, [8.0, 1.5, 1.25]),
        "one of 4 × 4 pixels": case(4, 4, [6.0, 1.4, 2.0]),
    }


@exercise(_affines)
def plane_points(
    affine: _Floats,
    h: int,
    w: int,
    model_from_world: _Floats,
    *,
    axes: tuple[int, ...] = (0, 1, 2),
    offset: tuple[float, ...] = (0, 0, 0),
) -> _Floats:
    """Exercise 1: where the pixels (0, i, j) of a long-axis view lie in the model's frame."""
    index = np.stack(np.meshgrid([0.0], np.arange(h), np.arange(w), indexing="ij"), axis=-1)[0]
    homogeneous = np.concatenate([index[..., axes] + offset, np.ones((h, w, 1))], axis=-1)
    return (homogeneous @ affine.T @ model_from_world.T)[..., :3]


def _scans() -> Cases:
    p = small_problem(long_axis=True)
    rng = torch.Generator().manual_seed(9)
    z = 0.5 * torch.randn(1, p.G.latent_size, generator=rng)
    d = 4 * torch.randn(1, p.stack.K, 2, generator=rng)
    return {
        "a scan with an LA view": (z, d, p, 0.3),
        "one with no long-axis view": (z, d, replace(p, views=()), 2.0),
    }


@exercise(_scans, gradient=("z", "d"))
def multi_view(z: Tensor, d: Tensor, p: Problem, gamma: float, *, short: float = 1.0) -> Tensor:
    """Exercise 2: L of Eq. 5, from z and d to a number; without a view that of the stack."""
    field = p.G.decode(z)
    L_SA = short_axis_loss(downsample(field, p.stack), d, p)
    return short * L_SA + gamma * long_axis_loss(field, p) if p.views else L_SA


def _planes() -> Cases:
    rng = torch.Generator().manual_seed(8)
    i, j = torch.meshgrid(torch.arange(5.0), torch.arange(7.0), indexing="ij")

    def case(rows: float, columns: float, d: list[float]) -> tuple[Tensor, Tensor]:
        down, right, _ = torch.linalg.qr(torch.randn(3, 3, generator=rng))[0]
        points = i[..., None] * rows * down + j[..., None] * columns * right
        return points + torch.tensor([10.0, -20.0, 5.0]), torch.tensor(d)

    return {
        "a view that was displaced": case(1.25, 2.0, [6.0, -4.0]),
        "another one": case(3.0, 1.5, [-2.5, 8.0]),
    }


@exercise(_planes)
def displaced_points(points: Tensor, d: Tensor, *, pixels: bool = False) -> Tensor:
    """Exercise 3: where the pixels of a displaced view look in the heart; d is mm, or `pixels`."""
    plane = Plane(points)
    steps = plane.directions * (torch.tensor(plane.spacing)[:, None] if pixels else 1)
    return points - d @ steps


def _views() -> Cases:
    p = small_problem(long_axis=True)
    view = p.views[0]
    part = replace(view, plane=Plane(view.plane.points[5:]), S_LA=view.S_LA[5:])
    return {"a scan": (p,), "one with a smaller view": (replace(p, views=(part,)),)}


@exercise(_views)
def even_gamma(p: Problem) -> float:
    """Exercise 4: the γ under which a pixel of either view counts alike."""
    return p.views[0].S_LA.numel() / p.S_LR.numel()


def picture_views(p: Problem, slices: Sequence[int]) -> Figure:
    """The first LA view with lines where SA slices, from 0 at the apex, cut it; and these with a
    line where it does."""
    S_LA, S_LR = p.views[0].S_LA.numpy(), p.S_LR.numpy()
    n = 1 + len(slices)
    figure, (view, *others) = plt.subplots(1, n, figsize=(3.0 * n, 3.2))
    pictures.show_labels(view, S_LA)
    for axis, k, style in zip(others, slices, pictures.STYLES, strict=False):
        rows, pixels = crossing(p.views[0], p.stack, k)
        view.plot(rows, color=INK, lw=1.8, ls=style)
        pictures.show_labels(axis, S_LR[k])
        axis.plot(pixels[:, 1], pixels[:, 0], color=INK, lw=1.8, ls=style)
        height, width = S_LR[k].shape
        axis.set(xlim=(0, width - 1), ylim=(height - 1, 0), title=f"SA slice {k + 1}")
    ylim, xlim = ((window.start, window.stop) for window in pictures.window_of([S_LA[None]]))
    view.set(xlim=xlim, ylim=ylim, title="LA view, base on top")
    return pictures.finish(figure)


def picture_along(maps: Mapping[str, pictures.Labels]) -> Figure:
    """Label maps (h, w) on the plane of an LA view, rows from apex to base; base on top.

    The borders of the first are drawn on the others.
    """
    window = pictures.window_of([labels[None] for labels in maps.values()])
    first, *others = shown = [labels[window][::-1] for labels in maps.values()]
    figure, axes = pictures.grid({"": shown}, 2.4, maps)
    for axis in axes[0, 1 : 1 + len(others)]:
        for tissue in (1, 2, 3):
            pictures.outline(axis, first == tissue)
    return pictures.finish(figure)
