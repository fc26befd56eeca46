"""Lesson 6: each typical mistake gets a sentence of its own; views cut where they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from srheart_demo.lessons import multi_view as check
from srheart_demo.lessons.truth import known_scan
from srheart_demo.scan.degradation import downsample, one_hot_field
from srheart_demo.scan.long_axis import Plane, long_axis_view
from srheart_demo.solver.losses import long_axis_loss, multi_view_loss, short_axis_loss


def points(affine, h, w, model_from_world, offset=0.0, last=1.0):
    i, j = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
    index = np.stack([0 * i, i + offset, j + offset, last + 0 * i], axis=-1)
    return (index @ affine.T @ model_from_world.T)[..., :3]


def test_plane_points_are_right() -> None:
    assert check.plane_points(points).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda a, h, w, m: points(a, w, h, m), "(h, w, 3)"),
        (lambda a, h, w, m: points(a, h, w, m).reshape(-1, 3), "(5, 7, 3)"),
        (lambda a, h, w, m: points(a, h, w, np.eye(4)), "scanner coordinates"),
        (lambda a, h, w, m: points(a, h, w, np.linalg.inv(m)), "do not invert"),
        (lambda a, h, w, m: points(a[:, [0, 2, 1, 3]], h, w, m), "changed places"),
        (lambda a, h, w, m: points(a, h, w, m, offset=0.5), "half a pixel"),
        (lambda a, h, w, m: points(a * [1, 1, 1, 0], h, w, m), "own position"),
        (lambda a, h, w, m: points(a, h, w, m) - m[:3, 3], "last shift"),
        (lambda a, h, w, m: points(a.T, h, w, m.T), "wrong side"),
        (lambda a, h, w, m: 2 * points(a, h, w, m), "should lie at"),
    ],
)
def test_plane_points_names_the_mistake(answer, word) -> None:
    verdict = check.plane_points(answer)
    assert not verdict.right
    assert word in verdict.sentence


def displaced(points, d, sign=-1.0):
    down, right = points[1, 0] - points[0, 0], points[0, 1] - points[0, 0]
    return points + sign * (d[0] * down / down.norm() + d[1] * right / right.norm())


def test_displaced_points_are_right() -> None:
    assert check.displaced_points(displaced).right


def test_a_displaced_view_is_what_the_library_reads_there() -> None:
    p, _ = known_scan("healthy_1", "none", views=["4ch"])
    plane, d = p.views[0].plane, torch.tensor([6.0, -4.0])
    field = p.G.decode(p.zero()[0])
    read = long_axis_view(field, Plane(displaced(plane.points, d)))
    assert torch.allclose(read, long_axis_view(field, plane, d[None]), atol=1e-4)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda x, d: displaced(x, d, 1.0), "the sign is wrong"),
        (lambda x, d: displaced(x, d.flip(0)), "changed places"),
        (lambda x, d: x - d[0] * (x[1, 0] - x[0, 0]) - d[1] * (x[0, 1] - x[0, 0]), "not pixels"),
        (lambda x, d: x + d[0] * (x[1, 0] - x[0, 0]) + d[1] * (x[0, 1] - x[0, 0]), "and the sign"),
        (lambda x, d: x - torch.cat([torch.zeros(1), d]), "of its own"),
        (lambda x, d: displaced(x, d * torch.tensor([1.0, 0.0])), "along columns"),
        (lambda x, d: displaced(x, d * torch.tensor([0.0, 1.0])), "along rows"),
        (lambda x, d: displaced(x, 2 * d), "should lie at"),
    ],
)
def test_displaced_points_names_the_mistake(answer, word) -> None:
    verdict = check.displaced_points(answer)
    assert not verdict.right
    assert word in verdict.sentence


def L_SA(z, d, p):
    return short_axis_loss(downsample(p.G.decode(z), p.stack), d, p)


def L_LA(z, p):
    return long_axis_loss(p.G.decode(z), p)


def library(z, d, p, gamma):
    return multi_view_loss(p.decode(z, d), d, p, gamma)[0]


def test_the_library_s_loss_is_eq_5() -> None:
    assert check.multi_view(library).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda z, d, p, g: L_SA(z, d, p), "L_SA alone"),
        (lambda z, d, p, g: L_LA(z, p), "L_LA alone"),
        (lambda z, d, p, g: L_SA(z, d, p) + L_LA(z, p), "γ is missing"),
        (lambda z, d, p, g: g * L_SA(z, d, p) + L_LA(z, p), "not the stack"),
        (lambda z, d, p, g: (1 - g) * L_SA(z, d, p) + g * L_LA(z, p), "1 − γ"),
        (lambda z, d, p, g: L_SA(z, 0 * d, p) + g * L_LA(z, p), "d is missing"),
        (lambda z, d, p, g: L_SA(z, d, p) * torch.ones(2), "one number"),
        (lambda z, d, p, g: L_SA(z, d, p) - g * L_LA(z, p), "the sign is wrong"),
        (lambda z, d, p, g: L_SA(z, d, p) + g * L_LA(z, p), "no long-axis view"),
    ],
)
def test_multi_view_names_the_mistake(answer, word) -> None:
    verdict = check.multi_view(answer)
    assert not verdict.right
    assert word in verdict.sentence


def test_even_gamma_is_right() -> None:
    assert check.even_gamma(lambda p: p.views[0].S_LA.numel() / p.S_LR.numel()).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda p: p.S_LR.numel() / p.views[0].S_LA.numel(), "undo"),
        (lambda p: 1 / p.stack.K, "as large"),
        (lambda p: 1.0, "not as many"),
        (lambda p: (p.views[0].S_LA > 0).sum() / (p.S_LR > 0).sum(), "background"),
        (lambda p: 0.01, "weighs"),
    ],
)
def test_even_gamma_names_the_mistake(answer, word) -> None:
    verdict = check.even_gamma(answer)
    assert not verdict.right
    assert word in verdict.sentence


def test_views_show_the_same_labels_where_they_cut() -> None:
    p, _ = known_scan("healthy_1", "none", views=["4ch"])
    rows, pixels = check.crossing(p.views[0], p.stack, 5)
    row, column = pixels.round().astype(int).T
    height, width = p.stack.shape
    seen = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    on_slice = p.S_LR[5].numpy()[row[seen], column[seen]]
    on_view = p.views[0].S_LA.numpy()[rows.round().astype(int)[seen], np.flatnonzero(seen)]
    assert len(np.unique(on_view)) == 4
    assert (on_slice == on_view).mean() > 0.95


def test_a_heart_on_a_plane_is_what_the_view_shows_once_the_translation_is_removed() -> None:
    p, truth = known_scan("healthy_1", "none", views=["4ch"])
    view = p.views[0]
    heart, t = one_hot_field(truth.S_HR), torch.tensor([5.0, -3.0])
    found = check.on_plane(truth, view.plane).labels(heart, truth.d)[0]
    assert (found == view.S_LA.numpy()).mean() > 0.99
    assert torch.equal(check.translated(p.G.decode(p.zero()[0]), 0 * t), p.G.decode(p.zero()[0]))
