"""Checks of lesson 6: a plane from its affine, Eq. 5, and what γ weighs."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.lessons.small import small_problem
from srheart_demo.lessons.verdict import Cases, NotYet, exercise
from srheart_demo.scan.degradation import downsample
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.losses import long_axis_loss, short_axis_loss
from srheart_demo.solver.problem import Problem

Floats = NDArray[np.floating]


def crossing(p: Problem, k: int) -> tuple[Floats, Floats]:
    """Where slice k and the LA plane cut each other.

    Returns:
        For each column of the LA view the row (w,) that lies at the slice's depth, and its row and
        column (w, 2) in the slice; fractions of pixels.

    Raises:
        ValueError: the problem has no long-axis view.
    """
    if p.plane is None:
        raise ValueError("this problem has no long-axis view")
    points = p.plane.points.numpy().astype(float)
    index, z = np.arange(len(points)), float(p.stack.z[k])
    rows = np.array([np.interp(z, depths, index) for depths in points[..., 0].T])
    columns = range(points.shape[1])
    line = [
        [np.interp(row, index, points[:, c, axis]) for axis in (1, 2)]
        for c, row in zip(columns, rows, strict=True)
    ]
    return rows, p.stack.pixel_index(torch.tensor(line) - p.stack.offsets[k]).numpy()


def _affines() -> Cases:
    rng = np.random.default_rng(3)

    def case(h: int, w: int, spacing: list[float]) -> tuple[Floats, int, int, Floats]:
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
    affine: Floats,
    h: int,
    w: int,
    model_from_world: Floats,
    axes: tuple[int, ...] = (0, 1, 2),
    offset: tuple[float, ...] = (0, 0, 0),
) -> Floats:
    """Pixels (0, i, j) in the model's frame, with room for mistakes."""
    index = np.stack(np.meshgrid([0.0], np.arange(h), np.arange(w), indexing="ij"), axis=-1)[0]
    homogeneous = np.concatenate([index[..., axes] + offset, np.ones((h, w, 1))], axis=-1)
    return (homogeneous @ affine.T @ model_from_world.T)[..., :3]


def _pixel(found: Floats, right: Floats, affine: Floats, h: int, w: int, m: Floats) -> str:
    far = np.linalg.norm(np.asarray(found, float) - right, axis=-1)
    i, j = np.unravel_index(int(far.argmax()), far.shape)
    place, wanted = (np.round(np.asarray(x, float)[i, j], 2).tolist() for x in (found, right))
    return f"pixel ({i}, {j}) should lie at {wanted} mm and lies at {place}, {far[i, j]:.2g} mm off"


@exercise(
    _affines,
    "index to scanner by the view's affine, scanner to model by the stack's placement.",
    shape="the result is (h, w, 3), rows first",
    otherwise=_pixel,
)
def plane_points(affine: Floats, h: int, w: int, model_from_world: Floats) -> Floats:
    """Exercise 1: where the pixels of a long-axis view lie in the model's frame."""
    return _points(affine, h, w, model_from_world)


def _scans() -> Cases:
    p = small_problem(long_axis=True)
    rng = torch.Generator().manual_seed(9)
    z = 0.5 * torch.randn(1, p.G.latent_size, generator=rng)
    d = 4 * torch.randn(1, p.stack.K, 2, generator=rng)
    return {
        "a scan with an LA view": (z, d, p, 0.3),
        "one with no long-axis view": (z, d, replace(p, plane=None, S_LA=None), 2.0),
    }


def _weighed(
    short: float | Callable[[float], float],
    long: float | Callable[[float], float],
    still: bool = False,
) -> Callable[..., Tensor]:
    """Eq. 5 with other weights, and with d or without."""

    def loss(z: Tensor, d: Tensor, p: Problem, gamma: float) -> Tensor:
        field = p.G.decode(z)
        L_SA = short_axis_loss(downsample(field, p.stack), 0 * d if still else d, p)
        a, b = (w(gamma) if callable(w) else w for w in (short, long))
        return L_SA if p.plane is None else a * L_SA + b * long_axis_loss(field, p)

    return loss


def _pulls(mine: Callable[..., Tensor]) -> None:
    z, d, p, gamma = next(iter(_scans().values()))
    z.requires_grad_(), d.requires_grad_()
    L = mine(z, d, p, gamma)
    pulled = torch.autograd.grad(L.sum(), (z, d), allow_unused=True) if L.requires_grad else ()
    if len([g for g in pulled if g is not None]) < 2:
        raise NotYet("the number is right, but no gradient reaches z and d; leave out detach().")


@exercise(
    _scans,
    "both views, one number, and without an LA view the short-axis loss alone.",
    shape="L is one number",
)
def multi_view(z: Tensor, d: Tensor, p: Problem, gamma: float) -> Tensor:
    """Exercise 2: L of Eq. 5, from z and d to a number."""
    return _weighed(1, lambda g: g)(z, d, p, gamma)


def _views() -> Cases:
    p = small_problem(long_axis=True)
    assert p.plane is not None
    assert p.S_LA is not None
    part = replace(p, plane=Plane(p.plane.points[5:]), S_LA=p.S_LA[5:])
    return {"a scan": (p,), "one with a smaller view": (part,)}


def _numbers(p: Problem) -> tuple[int, int]:
    assert p.S_LA is not None
    return p.S_LR.numel(), p.S_LA.numel()


@exercise(
    _views,
    "so a pixel of either view counts alike. At γ = 1 one of the LA view counts more, by as many "
    "times as the stack has more pixels.",
    hint="a stack's pixel weighs 1 / (number of them), an LA view's γ / (number of them)",
)
def even_gamma(p: Problem) -> float:
    """Exercise 3: the γ under which a pixel of either view counts alike."""
    SA, LA = _numbers(p)
    return LA / SA
