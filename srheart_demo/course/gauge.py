"""Checks of lesson 5: shifts by Fourier transform, and what a stack cannot tell."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fft import fftshift, irfft2, rfft2

from srheart_demo.course.verdict import Cases, exercise


def _slices() -> Cases:
    rng = torch.Generator().manual_seed(5)

    def pair(classes: int, h: int, w: int) -> tuple[Tensor, Tensor]:
        log_p = torch.randn(classes, h, w, generator=rng).log_softmax(0)
        labels = torch.randint(0, classes, (h, w), generator=rng)
        return log_p, torch.eye(classes)[labels].movedim(-1, 0)

    return {"12 × 9 pixels": pair(4, 12, 9), "7 × 10 pixels and three classes": pair(3, 7, 10)}


def _scores(log_p: Tensor, seen: Tensor) -> Tensor:
    return irfft2((rfft2(seen) * rfft2(log_p).conj()).sum(0), s=seen.shape[-2:])


_SUM = "these are scores of each class on its own; sum over the classes."
_SIZE = "tell irfft2 the size with s=(h, w): for an odd width it gives one column too few."


@exercise(
    _slices,
    "one Fourier transform tells of all 108 shifts what 108 comparisons would.",
    mistakes=(
        (
            lambda log_p, seen: _scores(seen, log_p),
            "the shifts have the wrong sign; the complex conjugate belongs to log_p.",
        ),
        (
            lambda p, y: irfft2((rfft2(y) * rfft2(p)).sum(0), s=y.shape[-2:]),
            "that is a convolution, which mirrors one picture; conjugate a spectrum.",
        ),
        (
            lambda p, y: irfft2((rfft2(y).conj() * rfft2(p).conj()).sum(0), s=y.shape[-2:]),
            "both spectra are conjugated; conjugate that of log_p alone.",
        ),
        (lambda p, y: fftshift(_scores(p, y)), "no shift belongs at [0, 0]; leave out fftshift."),
        (
            lambda p, y: _scores(p, y) / y[0].numel(),
            "these are means; a log-likelihood is a sum over pixels.",
        ),
        (lambda p, y: _scores(p, y) / len(y), "sum over the classes; you take their mean."),
        (lambda p, y: _scores(p.exp(), y), "take log_p as it is, without exp()."),
        (
            lambda p, y: -_scores(p, y),
            "the sign of all scores is wrong: these are losses, and the likelihood is wanted.",
        ),
        (lambda p, y: irfft2(rfft2(y) * rfft2(p).conj(), s=y.shape[-2:]), _SUM),
        (lambda p, y: irfft2(rfft2(y) * rfft2(p).conj()), f"{_SUM[:-1]}, and {_SIZE}"),
        (lambda p, y: irfft2((rfft2(y) * rfft2(p).conj()).sum(0)), _SIZE),
        (lambda p, y: irfft2((rfft2(y) * rfft2(p)).sum(0)), f"conjugate log_p's; and {_SIZE}"),
        (
            lambda p, y: (rfft2(y) * rfft2(p).conj()).sum(0),
            "that is a spectrum; irfft2 leads back to shifts.",
        ),
        (
            lambda p, y: (p * y).sum(),
            "that is the score of no shift, one number; all shifts are wanted.",
        ),
        (
            lambda p, y: (p * y).sum(0),
            "these are the pixels' scores without a shift; sum over pixels, for each shift.",
        ),
    ),
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


_LEAN = "the lean is missing: at depth z the heart has moved by z × lean too."


@exercise(
    _leaning,
    "the heart goes one way, the slices the other, and the scan stays as it was.",
    mistakes=(
        (lambda d, z, t, lean: d, "the heart has moved and d has not, so the stack changes."),
        (
            lambda d, z, t, lean: d + _moved(z, t, lean),
            "your slices move with the heart. A slice displaced by d shows at x what lies at "
            "x − d; if the heart has moved by t, d must lose t.",
        ),
        (lambda d, z, t, lean: d - t, _LEAN),
        (
            lambda d, z, t, lean: d + t,
            f"{_LEAN[:-1]}; and the sign is wrong: if the heart has moved by t, d must lose t.",
        ),
        (lambda d, z, t, lean: d - z[:, None] * lean, "the translation is missing."),
        (
            lambda d, z, t, lean: d + z[:, None] * lean,
            "the translation is missing; and the sign is wrong: d must lose what the heart moved.",
        ),
        (
            lambda d, z, t, lean: d - t + z[:, None] * lean,
            "the lean has the wrong sign: all that the heart has moved is taken from d; brackets?",
        ),
        (
            lambda d, z, t, lean: d + t - z[:, None] * lean,
            "the translation has the wrong sign: all that the heart has moved is taken from d.",
        ),
        (lambda d, z, t, lean: d - t - lean, "a lean grows along the stack; multiply it by z."),
        (
            lambda d, z, t, lean: d - (t + z[:, None]) * lean,
            "only z is multiplied by the lean; the translation is not.",
        ),
        (
            lambda d, z, t, lean: d - _moved(z - z.mean(), t, lean),
            "the heart leans about z = 0, not about the middle of its slices.",
        ),
        (
            lambda d, z, t, lean: d - _moved(torch.arange(float(len(z))), t, lean),
            "z is the slice's depth in mm, not its number.",
        ),
        (
            lambda d, z, t, lean: d - _moved(z, t, lean).flip(-1),
            "rows and columns have changed places.",
        ),
        (
            lambda d, z, t, lean: -_moved(z, t, lean)[None].expand_as(d),
            "the d that was there is gone; take the heart's move from it.",
        ),
        (
            lambda d, z, t, lean: _moved(z, t, lean) - d,
            "the sign is wrong: d less the heart's move, not the move less d.",
        ),
        (
            lambda d, z, t, lean: d - t - lean / z[:, None],
            "the heart moves by z × lean at depth z; multiply, do not divide.",
        ),
    ),
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
    mistakes=(
        (lambda e, z: e, "nothing is taken off e."),
        (lambda e, z: _less(e), "the translation is gone, and the lean is still there."),
        (
            lambda e, z: e - _line(e, z - z.mean()),
            "the lean is gone, and the translation is still there.",
        ),
        (
            lambda e, z: e - _line(e, z),
            "you fit a line through zero; z has a mean and so have the errors.",
        ),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean(), along=z),
            "z has a mean, so the slope times z moves all slices; take z less its mean.",
        ),
        (lambda e, z: _less(e) - _line(_less(e), z), "fit the slope to z less its mean too."),
        (lambda e, z: _less(e) - _line(e, z), "fit the slope to z less its mean, and not to z."),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean(), base=z),
            "the slope is divided by the sum of z²; divide by that of (z less its mean)².",
        ),
        (
            lambda e, z: _less(e) + _line(e, z - z.mean()),
            "the slope has the wrong sign: take the line off, do not add it.",
        ),
        (
            lambda e, z: e + e.mean(0) - _line(e, z - z.mean()),
            "the mean has the wrong sign: take it off, do not add it.",
        ),
        (
            lambda e, z: e.mean(0) + _line(e, z - z.mean()),
            "that is the line itself; what it leaves of e is wanted.",
        ),
        (
            lambda e, z: e - e.mean() - _line(e, z - z.mean()),
            "rows and columns have a mean each; you took one mean of all numbers.",
        ),
        (
            lambda e, z: e - e.mean(1, keepdim=True) - _line(e, z - z.mean()),
            "the mean is to be taken over the slices, axis 0, not over the components.",
        ),
        (
            lambda e, z: e - e[0] - _line(e, z - z.mean()),
            "you take the first slice's error off, and not the mean.",
        ),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean()).mean(1, keepdim=True),
            "rows and columns have a slope each; you took one for both.",
        ),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean()).flip(1),
            "the slopes of rows and columns have changed places.",
        ),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean()) / (z - z.mean())[:, None],
            "the slope is one number; times z less its mean it is a line.",
        ),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean()) * ((z - z.mean()) ** 2).sum(),
            "the slope is not divided by the sum of (z less its mean)².",
        ),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean()) * len(z),
            "the slope is a sum over a sum, or a mean over a mean; you have mixed the two.",
        ),
        (
            lambda e, z: _less(e) - _line(e, z - z.mean()) / len(z),
            "the slope is a sum over a sum, or a mean over a mean; you have mixed the two.",
        ),
    ),
    shape="e is (K, 2)",
    hint="for rows and for columns, fit a line a + b z to e and keep what it leaves",
)
def without_drift(e: Tensor, z: Tensor) -> Tensor:
    """Exercise 3: errors of d less what is constant and what is linear along the stack."""
    return _less(e) - _line(e, z - z.mean())
