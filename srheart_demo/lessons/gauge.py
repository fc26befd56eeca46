"""Checks of lesson 5: shifts by Fourier transform, and what a stack cannot tell."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fft import irfft2, rfft2

from srheart_demo.lessons.verdict import Cases, exercise


def _slices() -> Cases:
    rng = torch.Generator().manual_seed(5)

    def pair(classes: int, h: int, w: int) -> tuple[Tensor, Tensor]:
        log_p = torch.randn(classes, h, w, generator=rng).log_softmax(0)
        labels = torch.randint(0, classes, (h, w), generator=rng)
        return log_p, torch.eye(classes)[labels].movedim(-1, 0)

    return {"12 × 9 pixels": pair(4, 12, 9), "7 × 10 pixels and three classes": pair(3, 7, 10)}


def _scores(log_p: Tensor, seen: Tensor) -> Tensor:
    return irfft2((rfft2(seen) * rfft2(log_p).conj()).sum(0), s=seen.shape[-2:])


@exercise(
    _slices,
    "one Fourier transform tells of all 108 shifts what 108 comparisons would.",
    shape="one score for each shift, (h, w)",
    hint="entry [i, j] is the sum of log_p.roll((i, j), (1, 2)) * seen over classes and pixels",
)
def shift_scores(log_p: Tensor, seen: Tensor) -> Tensor:
    """Exercise 1: the log-likelihood of every whole-pixel shift by one Fourier transform."""
    return _scores(log_p, seen)


def _leaning() -> Cases:
    rng = torch.Generator().manual_seed(6)

    def case(K: int, low: float) -> tuple[Tensor, ...]:
        d, z = torch.randn(1, K, 2, generator=rng), torch.linspace(low, 42.0, K)
        return (d, z, *(torch.randn(2, 2, generator=rng) * torch.tensor([[3.0], [0.2]])))

    return {"seven slices": case(7, -30.0), "seven others": case(7, -10.0)}


def _moved(z: Tensor, translation: Tensor, lean: Tensor) -> Tensor:
    return translation + z[:, None] * lean


@exercise(
    _leaning,
    "the heart goes one way, the slices the other, and the scan stays as it was.",
    shape="d is (1, K, 2)",
    hint="at depth z the heart has moved by translation + z × lean; take that from d",
)
def compensate(d: Tensor, z: Tensor, translation: Tensor, lean: Tensor) -> Tensor:
    """Exercise 2: the d under which a translated and leaning heart shows the same stack."""
    return d - _moved(z, translation, lean)


def _errors() -> Cases:
    rng = torch.Generator().manual_seed(7)

    def case(low: float) -> tuple[Tensor, Tensor]:
        z = torch.linspace(low, 50.0, 8)
        t, lean = torch.randn(2, 2, generator=rng) * torch.tensor([[4.0], [0.2]])
        return torch.randn(8, 2, generator=rng) + _moved(z, t, lean), z

    return {"eight slices": case(-20.0), "eight others": case(0.0)}


def _line(e: Tensor, x: Tensor, base: Tensor | None = None, along: Tensor | None = None) -> Tensor:
    """The best slope of e along x times `along`, by sums of squares of `base` (both x)."""
    base, along = x if base is None else base, x if along is None else along
    return (x[:, None] * e).sum(0) / (base**2).sum() * along[:, None]


def _less(e: Tensor) -> Tensor:
    return e - e.mean(0)


@exercise(
    _errors,
    "what is left no heart that merely lies or leans elsewhere could explain.",
    shape="e is (K, 2)",
    hint="for rows and for columns, fit a line a + b z to e and keep what it leaves",
)
def without_drift(e: Tensor, z: Tensor) -> Tensor:
    """Exercise 3: errors of d less what is constant and what is linear along the stack."""
    return _less(e) - _line(e, z - z.mean())
