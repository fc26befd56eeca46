"""Checks of lesson 6: a plane from its affine, Eq. 5, and what γ weighs."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.course.small import small_problem
from srheart_demo.course.verdict import NotYet, check, written
from srheart_demo.degradation import downsample
from srheart_demo.losses import long_axis_loss, short_axis_loss
from srheart_demo.problem import Problem

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


@check
def plane_points(mine: Callable[[Floats, int, int, Floats], Floats]) -> str:
    """Exercise 1: where the pixels of a long-axis view lie in the model's frame."""
    h, w = 5, 7
    rng = np.random.default_rng(3)
    turns = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2)]
    affine, model_from_world = np.eye(4), np.eye(4)
    affine[:3, :3], affine[:3, 3] = turns[0] * [8.0, 1.5, 1.25], [30.0, -20.0, 55.0]
    model_from_world[:3, :3], model_from_world[:3, 3] = turns[1], [-12.0, 7.0, 3.0]
    found = np.asarray(written(mine(affine, h, w, model_from_world), "plane_points"), float)
    if found.shape == (w, h, 3):
        raise NotYet("rows come first: the result is (h, w, 3).")
    if found.shape != (h, w, 3):
        raise NotYet(f"h = 5 rows and w = 7 columns make (5, 7, 3), not {found.shape}.")

    def points(index: Floats, *maps: Floats) -> Floats:
        homogeneous = np.concatenate([index, np.ones((h, w, 1))], axis=-1)
        for matrix in maps:
            homogeneous = homogeneous @ matrix.T
        return homogeneous[..., :3]

    index = np.stack(np.meshgrid([0.0], np.arange(h), np.arange(w), indexing="ij"), axis=-1)[0]
    if np.allclose(found, points(index, affine, model_from_world)):
        return "index to scanner by the view's affine, scanner to model by the stack's placement."
    linear = model_from_world.copy()
    linear[:3, 3] = 0
    for wrong, sentence in (
        (points(index, affine), "these are scanner coordinates; map them into the model's frame."),
        (
            points(index, affine, np.linalg.inv(model_from_world)),
            "model_from_world already leads from scanner to model; do not invert it.",
        ),
        (
            points(index[..., [0, 2, 1]], affine, model_from_world),
            "rows and columns have changed places: the index is (0, i, j).",
        ),
        (
            points(index + np.array([0, 0.5, 0.5]), affine, model_from_world),
            "that is half a pixel off: the affine maps whole indices to pixel centres.",
        ),
        (
            points(index + 0.5, affine, model_from_world),
            "that is half a pixel off: the affine maps whole indices to pixel centres.",
        ),
        (
            points(index, affine, linear),
            "the last shift is missing: a point needs a 1 as its fourth number.",
        ),
        (
            points(index, affine * [1, 1, 1, 0], model_from_world),
            "the plane's own position is missing: a point needs a 1 as its fourth number.",
        ),
        (
            points(index, affine.T, model_from_world.T),
            "the matrices act from the wrong side; for rows of points multiply by the transpose.",
        ),
    ):
        if np.allclose(found, wrong):
            raise NotYet(sentence)
    raise NotYet(
        f"pixel (0, 0) should lie at {np.round(points(index, affine, model_from_world)[0, 0], 1)} "
        f"mm and lies at {np.round(found[0, 0], 1)}."
    )


@check
def multi_view(mine: Callable[[Tensor, Tensor, Problem, float], Tensor]) -> str:
    """Exercise 2: L of Eq. 5, from z and d to a number."""
    p = small_problem(long_axis=True)
    rng = torch.Generator().manual_seed(9)
    z = 0.5 * torch.randn(1, p.G.latent_size, generator=rng)
    d = 4 * torch.randn(1, p.stack.K, 2, generator=rng)
    gamma = 0.3
    found = written(mine(z, d, p, gamma), "multi_view")
    if found.numel() != 1:
        raise NotYet(f"L is one number, and you give {found.numel()}.")
    field = p.G.decode(z)
    L_SA, still, L_LA = (
        loss.item()
        for loss in (
            short_axis_loss(downsample(field, p.stack), d, p),
            short_axis_loss(downsample(field, p.stack), torch.zeros_like(d), p),
            long_axis_loss(field, p),
        )
    )
    value = found.item()
    if np.isclose(value, L_SA + gamma * L_LA, rtol=1e-4):
        if mine(z, d, replace(p, plane=None, S_LA=None), gamma).isclose(found.new_tensor(L_SA)):
            return "both views, one number, and without an LA view the short-axis loss alone."
        raise NotYet("with an LA view it is right; without one (p.plane is None) L is L_SA alone.")
    for wrong, sentence in (
        (L_SA, "that is L_SA alone."),
        (L_LA, "that is L_LA alone."),
        (L_SA + L_LA, "γ is missing: you weigh both alike."),
        (gamma * L_SA + L_LA, "γ weighs the LA view, not the stack."),
        (
            (1 - gamma) * L_SA + gamma * L_LA,
            "Eq. 5 adds γ L_LA to all of L_SA, not to 1 − γ of it.",
        ),
        (still + gamma * L_LA, "d is missing in L_SA."),
    ):
        if np.isclose(value, wrong, rtol=1e-4):
            raise NotYet(sentence)
    raise NotYet(f"for a test scan L is {L_SA + gamma * L_LA:.3f}, and you find {value:.3f}.")


@check
def even_gamma(mine: Callable[[Problem], float]) -> str:
    """Exercise 3: the γ under which a pixel of either view counts alike."""
    p = small_problem(long_axis=True)
    found = float(written(mine(p), "even_gamma"))
    assert p.S_LA is not None
    SA, LA = p.S_LR.numel(), p.S_LA.numel()
    if np.isclose(found, LA / SA):
        return (
            f"here {LA / SA:.2f}. At γ = 1 a pixel of the LA view counts {SA / LA:.1f} times as "
            "much as one of the stack."
        )
    for wrong, sentence in (
        (SA / LA, "that is how much more an LA pixel counts at γ = 1; γ must undo it."),
        (1 / p.stack.K, "the slices of the stack need not be as large as the LA view."),
        (1.0, "both losses are means over their own pixels, and they have not as many."),
        (
            float((p.S_LA > 0).sum() / (p.S_LR > 0).sum()),
            "background counts too: the means run over all pixels.",
        ),
    ):
        if np.isclose(found, wrong):
            raise NotYet(sentence)
    raise NotYet("a stack's pixel weighs 1 / (number of them), an LA view's γ / (number of them).")
