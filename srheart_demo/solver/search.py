"""Where a run starts, and the global search of each slice's shift.

For a fixed heart, the cross-entropy of slice k at every whole-pixel shift is the
cross-correlation of the heart's log-probabilities with the slice's one-hot labels, so one
Fourier transform per slice gives the whole landscape and with it the global minimum.
"""

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor

from srheart_demo.scan.degradation import move
from srheart_demo.scan.evidence import evidence
from srheart_demo.scan.long_axis import long_axis_view
from srheart_demo.solver.losses import observations
from srheart_demo.solver.problem import Decoded, Problem, View
from srheart_demo.solver.settings import Settings

STARTS = ("zero", "random", "encoder")  # Where z may start
LEAST = 60.0  # −log p counts at most so much, nats: a Fourier transform takes no infinity


@torch.no_grad()
def start_of(p: Problem, settings: Settings) -> Tensor:
    """z (1, M) where the settings say."""
    if settings.start == "random":
        rng = torch.Generator().manual_seed(settings.seed)
        return torch.randn(1, p.G.latent_size, generator=rng)
    if settings.start == "encoder" and p.encoder:
        return p.encoder.encode(evidence(p.S_LR, p.stack))[0]
    return torch.zeros(1, p.G.latent_size)


@torch.no_grad()
def search(heart: Decoded, p: Problem, settings: Settings) -> Tensor:
    """The best shifts of all planes for all of a heart, as the settings of a run have them,
    (1, K + V, 2), mm."""
    if p.held is not None:
        return p.held
    sd, share = math.inf, 1.0
    if settings.prior and "d" in settings.prior_of:
        sd, share = settings.search_sd, observations(p, settings) / p.S_LR.numel()
    d = [best_shifts(heart.planes, p, settings.reach, sd, share, settings.search_mm)]
    for view in p.views:
        assert heart.field is not None
        # In L a view's voxels weigh γ times as much as so many of the stack.
        weight = share * settings.gamma * p.S_LR.numel() / view.S_LA.numel()
        found = view_landscape(heart.field, view, settings.reach)
        d.append(_best(found, view.plane.spacing, sd, weight)[None])
    return torch.cat(d, dim=1)


def shift_landscape(planes: Tensor, p: Problem, reach: float = 20.0) -> Tensor:
    """Summed log-likelihood of every slice at every whole-pixel shift up to `reach`, mm, for a
    heart of which the slices' planes are ↓_s G(z), (1, C, K, H', W').

    (K, 2a + 1, 2b + 1), nats; the centre is no shift, a and b are `reach` in pixels.
    """
    (h, w), (row, column) = p.stack.shape, p.stack.spacing
    a, b = math.ceil(reach / row), math.ceil(reach / column)
    wide = replace(
        p.stack,
        origin=p.stack.origin - a * p.stack.row_step - b * p.stack.column_step,
        shape=(h + 2 * a, w + 2 * b),
    )
    still = torch.zeros(1, p.stack.K, 2, dtype=planes.dtype)
    return _correlated(move(planes, wide, still)[0], p.S_LR)


def view_landscape(field: Tensor, view: View, reach: float = 20.0) -> Tensor:
    """`shift_landscape` of one long-axis view, (1, 2a + 1, 2b + 1)."""
    a, b = (math.ceil(reach / mm) for mm in view.plane.spacing)
    logits = view.told(long_axis_view(field, view.plane.padded(a, b)))
    return _correlated(logits.movedim(0, 1), view.S_LA[None])


def _correlated(logits: Tensor, labels: Tensor) -> Tensor:
    """Summed log-likelihood of labels (n, h, w) at each place (n, i, j) of wider logits."""
    log_p = logits.log_softmax(0).clamp_min(-LEAST)
    seen = F.one_hot(labels, len(log_p)).movedim(-1, 0).to(log_p.dtype)
    size = [next_fast_len(n, real=True) for n in log_p.shape[2:]]
    spectrum = torch.fft.rfft2(log_p, s=size) * torch.fft.rfft2(seen, s=size).conj()
    # Entry (i, j) scores the heart read at x + (i - a, j - b), which is a shift of the opposite
    # sign, hence the flip.
    rows, columns = (m - n + 1 for m, n in zip(log_p.shape[2:], labels.shape[1:], strict=True))
    scores = torch.fft.irfft2(spectrum.sum(0), s=size)[:, :rows, :columns]
    return scores.flip(-1, -2)


def best_shifts(
    planes: Tensor,
    p: Problem,
    reach: float = 20.0,
    sd: float = math.inf,
    tempering: float = 1.0,
    apart: float = 0.0,
) -> Tensor:
    """d that explains each slice best for a heart, by exhaustive search; `planes` are ↓_s G(z).

    Shifts reach as far as `reach`, mm, along rows and columns. `sd` is that of a Gaussian prior on
    each component, mm, against which `tempering` is the share of a voxel that counts as an
    independent observation. d (1, K, 2), mm, is refined below a pixel by a parabola, and zero for
    slices without tissue. Of pixels nearer than `apart`, mm, some stand for all.
    """
    d = planes.new_zeros(1, p.stack.K, 2)
    if p.tissue.any():
        rows, columns = (max(1, round(apart / mm)) for mm in p.stack.spacing)
        stack = p.stack.slices(p.tissue).every(rows, columns)
        told = replace(p, stack=stack, S_LR=p.S_LR[p.tissue, ::rows, ::columns])
        landscape = rows * columns * shift_landscape(planes[:, :, p.tissue], told, reach)
        d[0, p.tissue] = _best(landscape, stack.spacing, sd, tempering).to(d.dtype)
    return d


def _best(landscape: Tensor, spacing: tuple[float, float], sd: float, tempering: float) -> Tensor:
    """The best shifts (n, 2), mm, of landscapes (n, rows, columns); see `best_shifts`."""
    _, rows, columns = landscape.shape
    row, column = spacing
    offset_r = (torch.arange(rows) - rows // 2) * row
    offset_c = (torch.arange(columns) - columns // 2) * column
    penalty = (offset_r[:, None] ** 2 + offset_c[None, :] ** 2) / (2 * sd**2)
    landscape = tempering * landscape - penalty
    best = landscape.flatten(1).argmax(1)
    i, j = best // columns, best % columns
    k = torch.arange(len(best))
    d_row = (i - rows // 2 + _peak(landscape[k, :, j], i)) * row
    d_column = (j - columns // 2 + _peak(landscape[k, i, :], j)) * column
    return torch.stack([d_row, d_column], dim=-1)


def _peak(profile: Tensor, i: Tensor) -> Tensor:
    """Offset of the maximum of a parabola through the neighbours of index i; 0 at an end."""
    k = torch.arange(len(profile))
    last = profile.shape[1] - 1
    before, at, after = (profile[k, (i + step).clamp(0, last)] for step in (-1, 0, 1))
    curvature = before - 2 * at + after
    inner = (i > 0) & (i < last) & (curvature < 0)
    safe = torch.where(inner, curvature, -torch.ones_like(curvature))
    return torch.where(inner, (before - after) / (2 * safe), 0.0).clamp(-0.5, 0.5)
