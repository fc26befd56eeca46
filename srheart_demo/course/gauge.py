"""Checks of lesson 5: shifts by Fourier transform, and what a stack cannot tell."""

from collections.abc import Callable

import torch
from torch import Tensor

from srheart_demo.course.verdict import NotYet, check, written


@check
def shift_scores(mine: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Exercise 1: the log-likelihood of every whole-pixel shift by one Fourier transform."""
    rng = torch.Generator().manual_seed(5)
    log_p = torch.randn(4, 12, 9, generator=rng).log_softmax(0)
    seen = torch.eye(4)[torch.randint(0, 4, (12, 9), generator=rng)].movedim(-1, 0)
    found = written(mine(log_p, seen), "shift_scores")
    if found.is_complex():
        raise NotYet("scores are real numbers; irfft2 gives them.")
    if found.shape == log_p.shape:
        raise NotYet("these are scores of each class on its own; sum over the classes.")
    if found.shape != log_p.shape[1:]:
        raise NotYet(
            f"a slice of 12 × 9 pixels has 12 × 9 shifts, and you give {tuple(found.shape)}; tell "
            "irfft2 the size with s=…, for an odd width."
        )
    right = _by_rolling(log_p, seen)
    if _alike(found, right):
        return "one Fourier transform tells of all 108 shifts what 108 comparisons would."
    mirrored = right.flip(0, 1).roll((1, 1), (0, 1))
    convolved = _by_rolling(log_p.flip(1, 2).roll((1, 1), (1, 2)), seen)
    for wrong, sentence in (
        (mirrored, "the shifts have the wrong sign; the complex conjugate belongs to log_p."),
        (convolved, "that is a convolution, which mirrors one picture; conjugate a spectrum."),
        (right.roll((6, 4), (0, 1)), "no shift belongs at [0, 0]; leave out fftshift."),
        (right / right.numel(), "these are means; a log-likelihood is a sum over pixels."),
    ):
        if _alike(found, wrong):
            raise NotYet(sentence)
    raise NotYet(
        "entry [i, j] should be the sum of log_p.roll((i, j), (1, 2)) * seen over classes and "
        "pixels, and it is not."
    )


def _by_rolling(log_p: Tensor, seen: Tensor) -> Tensor:
    """(h, w) score of every cyclic shift of log_p, one after the other."""
    _, h, w = log_p.shape
    shifts = torch.cartesian_prod(torch.arange(h), torch.arange(w)).tolist()
    scores = [(log_p.roll(shift, (1, 2)) * seen).sum() for shift in shifts]
    return torch.stack(scores).view(h, w)


@check
def compensate(mine: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str:
    """Exercise 2: the d under which a translated and leaning heart shows the same stack."""
    rng = torch.Generator().manual_seed(6)
    d = torch.randn(1, 7, 2, generator=rng)
    z = torch.linspace(-30.0, 42.0, 7)
    translation, lean = torch.tensor([3.0, -2.0]), torch.tensor([0.1, 0.25])
    found = written(mine(d, z, translation, lean), "compensate")
    if found.shape != d.shape:
        raise NotYet(f"d is (1, 7, 2), and your result is {tuple(found.shape)}.")
    moved = translation + z[:, None] * lean
    if _alike(found, d - moved):
        return "the heart goes one way, the slices the other, and the scan stays as it was."
    for wrong, sentence in (
        (d, "the heart has moved and d has not, so the stack changes."),
        (
            d + moved,
            "your slices move with the heart. A slice displaced by d shows at x what lies at "
            "x − d; if the heart has moved by t, d must lose t.",
        ),
        (d - translation, "the lean is missing: at depth z the heart has moved by z × lean too."),
        (d - z[:, None] * lean, "the translation is missing."),
        (d - translation - lean, "a lean grows along the stack; multiply it by z."),
        (
            d - translation - (z - z.mean())[:, None] * lean,
            "the heart leans about z = 0, not about the middle of its slices.",
        ),
        (d - moved.flip(-1), "rows and columns have changed places."),
    ):
        if _alike(found, wrong):
            raise NotYet(sentence)
    raise NotYet("at depth z the heart has moved by translation + z × lean; take that from d.")


@check
def without_drift(mine: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Exercise 3: errors of d less what is constant and what is linear along the stack."""
    rng = torch.Generator().manual_seed(7)
    z = torch.linspace(-20.0, 50.0, 8)
    rest = torch.randn(8, 2, generator=rng)
    line = torch.stack([torch.ones_like(z), z - z.mean()], dim=1)
    rest = rest - line @ torch.linalg.pinv(line) @ rest
    e = rest + torch.tensor([4.0, -1.0]) + z[:, None] * torch.tensor([0.2, -0.1])
    found = written(mine(e, z), "without_drift")
    if found.shape != e.shape:
        raise NotYet(f"e is (8, 2), and your result is {tuple(found.shape)}.")
    if _alike(found, rest):
        return "what is left no heart that merely lies or leans elsewhere could explain."
    centred = z[:, None] - z.mean()
    slope = (centred * e).sum(0) / (centred**2).sum()
    through_zero = (z[:, None] * e).sum(0) / (z**2).sum()
    for wrong, sentence in (
        (e - e.mean(0), "the translation is gone, and the lean is still there."),
        (e - slope * centred, "the lean is gone, and the translation is still there."),
        (
            e - through_zero * z[:, None],
            "you fit a line through zero; z has a mean and so have the errors.",
        ),
        (
            e - e.mean(0) - slope * z[:, None],
            "z has a mean, so the slope times z moves all slices; take z less its mean.",
        ),
        (
            e - e.mean(0) - (z[:, None] * (e - e.mean(0))).sum(0) / (z**2).sum() * z[:, None],
            "fit the slope to z less its mean too.",
        ),
    ):
        if _alike(found, wrong):
            raise NotYet(sentence)
    raise NotYet("for rows and for columns, fit a line a + b z to e and keep what it leaves.")


def _alike(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a.to(b.dtype), b, rtol=1e-3, atol=1e-3)
