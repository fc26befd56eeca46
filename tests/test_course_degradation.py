"""Lesson 2: each typical mistake gets a sentence of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.lessons import degradation as course
from srheart_demo.scan import degradation
from srheart_demo.scan.degradation import Stack


def downsample(field: Tensor, stack: Stack, offset=-0.5, pitch=0.0, weight=lambda w: w) -> Tensor:
    n = field.shape[2]
    i = (stack.z + 64) / (pitch or 128 / n) + offset
    low = i.floor().long().clamp(0, n - 2)
    w = weight(i - low)[:, None, None]
    return (1 - w) * field[:, :, low] + w * field[:, :, low + 1]


def aligned(field: Tensor, stack: Stack) -> Tensor:
    return downsample(field, stack, pitch=128 / (field.shape[2] - 1), offset=0.0)


def one_heart(field: Tensor, stack: Stack) -> Tensor:
    return downsample(field[:1, :1], stack).expand(*field.shape[:2], -1, -1, -1)


def blurred(planes: Tensor) -> Tensor:
    return F.avg_pool2d(planes.flatten(0, 1), 3, stride=1, padding=1)[None]


def move(
    planes: Tensor,
    stack: Stack,
    d: Tensor,
    sign: float = -1.0,
    turn: Callable[[Tensor], Tensor] = lambda grid: grid.flip(-1),
    **how: object,
) -> Tensor:
    grid = turn((stack.pixels() + sign * d[0][:, None, None]) / 80)
    how = {"align_corners": False} | how
    return F.grid_sample(planes[0].transpose(0, 1), grid, **how).transpose(0, 1)[None]


@pytest.mark.parametrize("mine", [downsample, degradation.downsample])
def test_downsample_is_right(mine) -> None:
    assert course.downsample(mine).right


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda field, stack: None, "still empty"),
        (lambda field, stack: downsample(field, stack).transpose(1, 2), "(B, C, K, H′, W′)"),
        (partial(downsample, offset=0.0), "+2 mm off"),
        (partial(downsample, weight=lambda w: 1 - w), "exchanged"),
        (partial(downsample, weight=lambda w: w.round()), "single nodes"),
        (partial(downsample, pitch=4.0), "16 planes"),
        (lambda field, stack: downsample(field.flip(2), stack), "upside down"),
        (aligned, "aligned corners"),
        (one_heart, "batch and classes"),
        (lambda field, stack: field[:, :, stack.z], "stopped with"),
    ],
)
def test_downsample_tells_mistakes_apart(mistake, hint: str) -> None:
    verdict = course.downsample(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


@pytest.mark.parametrize("mine", [move, degradation.move])
def test_move_is_right(mine) -> None:
    assert course.move(mine).right


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda planes, stack, d: None, "still empty"),
        (lambda planes, stack, d: move(planes, stack, d)[0], "(1, C, K, h, w)"),
        (partial(move, sign=1.0), "sign"),
        (partial(move, sign=0.0), "nothing moves"),
        (partial(move, sign=-1 / 1.25), "d is in mm"),
        (partial(move, turn=lambda grid: grid), "rows and columns are exchanged"),
        (partial(move, turn=lambda grid: grid.flip(-1) + 1 / 128), "+0.62 mm off"),
        (partial(move, align_corners=True), "stretched by 64/63"),
        (partial(move, mode="nearest"), "nearest"),
        (lambda planes, stack, d: move(planes, stack, d.flip(-1)), "order of (H, W)"),
        (lambda planes, stack, d: move(planes, stack, d[:, :1].expand_as(d)), "each has its own"),
        (lambda planes, stack, d: move(planes, stack, d.detach()), "no gradient"),
        (lambda planes, stack, d: move(blurred(planes), stack, d), "bilinearly"),
    ],
)
def test_move_tells_mistakes_apart(mistake, hint: str) -> None:
    verdict = course.move(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


@pytest.mark.parametrize(
    ("mm", "hint"),
    [
        (10, "was meant"),
        (128 / 12, "126 mm"),
        (126 / 13, "12 steps between"),
        (128 / 13, "12 steps, and"),
        (5.25, "a plane has 2 mm"),
        (7, "7 mm is not it"),
    ],
)
def test_linspace_step_tells_mistakes_apart(mm: float, hint: str) -> None:
    assert course.linspace_step(10.5).right
    verdict = course.linspace_step(mm)
    assert not verdict.right
    assert hint in verdict.sentence


def test_nearest_neighbours_show_what_bilinear_shows_but_have_no_slope() -> None:
    stack = Stack.from_hr(slices=2)
    rng = torch.Generator().manual_seed(0)
    planes = torch.randn(1, 4, 2, 8, 8, generator=rng)
    planes = F.interpolate(planes[0], 64)[None]  # constant in blocks: both readings agree within
    planes = planes.repeat_interleave(8, dim=3)
    d = torch.zeros(1, 2, 2)
    a, b = degradation.move(planes, stack, d), course.move_nearest(planes, stack, d)
    assert (a - b).abs().median() < 1e-5
    S_LR = a.argmax(1)[0]
    for mover, moves in ((degradation.move, True), (course.move_nearest, False)):
        _, slopes = course.look_along(mover, planes, stack, S_LR, 1, [-3.1, 0.4])
        assert any(slopes) == moves
