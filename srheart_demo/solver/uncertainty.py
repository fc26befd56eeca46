"""How sure an answer is.

Near its mode the posterior of (z, d) is taken to be Gaussian (Laplace): its precision is the
Gauss-Newton matrix of the objective, with the priors of the run, and tempered further. Hearts drawn
from it show what the scan leaves open, the stack's common translation aside (see `gauge`). What
`answer` could not learn is added, most between slices and beyond the last. Both grow with how far
G(z) misses the slices: what G cannot make errs alike over long arcs, so of such a heart they tell
less. To a volume such errors add up, where a voxel's would cancel.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import torch
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, TISSUES
from srheart_demo.machine import one_thread
from srheart_demo.scan.degradation import hat, lattice_index, move, sample
from srheart_demo.scan.long_axis import long_axis_view
from srheart_demo.solver.algorithm import Step, solve
from srheart_demo.solver.answer import (
    answer,
    beyond_pixels,
    kriging_variance,
    misfit,
    residual_field,
    trust_in_slices,
)
from srheart_demo.solver.curvature import DIFFERENCE, DIFFERENCE_MM, gauss_newton, whitening
from srheart_demo.solver.losses import observations
from srheart_demo.solver.motion_prior import motion_precision
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings

FIXED_MM = 0.01  # The stack's common translation, which SA slices do not tell, is held to this, mm
OUTLINE, UNSEEN = 0.15, 0.5
"""Error of an outline where a slice shows it, and besides where none is near, as a share of the
distance by which G(z) misses the slices beyond pixels; see ``docs/decisions.md``."""
TEMPER = 8.0  # How much less the slices tell where G(z) misses them, 1/mm²
ALIKE = 0.6  # A surface's error that is alike all over it and in no draw, by the root of `excess`
FROM_ALL_SLICES = 1.4  # Factor on the spread of draws, of what all slices together tell
FINEST_SD = 0.1  # No outline is better known, mm
STILL_MM = 0.1  # Motion below which a stack counts as straight, mm; a run's `motion_mm` is wider
SETTLING = 5  # Rounds of expectation and maximisation that find the level of motion


@dataclass(frozen=True, eq=False)
class Posterior:
    """Gaussian around the end of a run."""

    # problem, step: what was solved, and its mode
    problem: Problem
    step: Step
    # (n, n) rows whose standard normal sums are deviations of z and of the planes that may move
    spread: Tensor

    def draw(self, n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """z (n, M) and d (n, K, 2), mm."""
        z, d = self._draw(n, seed)
        return z, self.problem.split(d)[0]

    def _draw(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """z (n, M) and d (n, K + V, 2) of slices and views, mm."""
        rng = torch.Generator().manual_seed(seed)
        deviations = torch.randn(n, len(self.spread), generator=rng) @ self.spread
        M, moves = self.step.z.shape[1], self.problem.sought(self.step.state.settings.seeks_views)
        d = self.step.state.point.d.repeat(n, 1, 1)
        d[:, moves] += deviations[:, M:].unflatten(1, (int(moves.sum()), 2))
        return self.step.z + deviations[:, :M], d

    @one_thread()
    @torch.no_grad()
    def hearts(self, n: int, seed: int = 0) -> Tensor:
        """Class logits (n, 4, 32, 64, 64) of hearts that explain the scan."""
        settings, off, fields = self.step.state.settings, missed(self.step, self.problem), []
        p = self.problem.heeded(settings.gamma)
        for z, d in zip(*(x.split(1) for x in self._draw(n, seed)), strict=True):
            field = p.G.decode(z)
            if settings.residual:
                d_SA, d_LA = p.split(d[:, : p.stack.K + len(p.views)])
                field = field + residual_field(field, d_SA, p, d_LA, off)
            fields.append(field)
        return torch.cat(fields)


@one_thread()
def laplace(step: Step, p: Problem) -> Posterior:
    """The posterior around the end of a run with priors.

    >>> z, d = sr.laplace(step, problem).draw(5)
    >>> z.shape, d.shape
    (torch.Size([5, 128]), torch.Size([5, 13, 2]))
    """
    settings = step.state.settings
    if not settings.prior or settings.prior_of != "zd":
        raise ValueError("a run without priors has no posterior; use a preset with prior=True")
    M, moves, d_end = step.z.shape[1], p.sought(settings.seeks_views), step.state.point.d
    x = torch.cat([step.z, d_end[:, moves].flatten(1)], dim=1)
    steps = torch.full((x.shape[1],), DIFFERENCE_MM)
    steps[:M] = DIFFERENCE
    with torch.no_grad():
        mode = p.decode(step.z)

    def shown(x: Tensor) -> Tensor:
        d = d_end.clone()
        d[:, moves] = x[:, M:].unflatten(1, (int(moves.sum()), 2))
        d_SA, d_LA = p.split(d)
        heart = mode if torch.equal(x[:, :M], step.z) else p.decode(x[:, :M], d_SA)
        planes = [move(heart.planes, p.stack, d_SA)]
        for view, own in zip(p.views, d_LA.unbind(1), strict=True):
            assert heart.field is not None  # where there are views
            planes.append(view.told(long_axis_view(heart.field, view.plane, own)))
        return torch.cat([logits.flatten(2) for logits in planes], dim=2)

    parts = [(1.0, p.S_LR), *((settings.gamma, view.S_LA) for view in p.views)]
    weights = [torch.full((seen.numel(),), weight / seen.numel()) for weight, seen in parts]
    told = observations(p, settings) / (1 + TEMPER * missed(step, p))
    precision = gauss_newton(shown, x, steps, told * torch.cat(weights))
    precision[:M, :M] += torch.eye(M)
    if moves.any():
        T = int(p.tissue.sum())
        together = torch.kron(torch.ones(T, T) / T, torch.eye(2)) / FIXED_MM**2
        precision[M : M + 2 * T, M : M + 2 * T] += together
        precision = _with_motion(precision, M, d_end, p, replace(settings, motion_mm=STILL_MM))
    return Posterior(p, step, whitening(precision))


def _with_motion(told: Tensor, M: int, d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """A precision (n, n) and the prior's on d, of a level of motion that nobody knows.

    The level that d suggests is too low by what is open of d, which in turn depends on the level:
    expectation and maximisation.
    """
    left_open: Tensor | float = 0.0
    for _ in range(SETTLING):
        whole = told.clone()
        whole[M:, M:] += motion_precision(d, p, settings, left_open)
        left_open = torch.linalg.inv(whole).diagonal()[M:].unflatten(0, (-1, 2)).sum(1)
    return whole


@one_thread()
@torch.no_grad()
def probabilities(posterior: Posterior, points: Tensor, n: int = 16, seed: int = 0) -> Tensor:
    """Probability of each class, (4, ...), at points (..., 3), mm.

    Each class's surface lies where the answer has it, with a Gaussian error: what `n` draws spread
    by, and the `unexplained_variance`. Between the lattice's nodes it is the distances that are
    interpolated: of probabilities, which leap from node to node, too little would be sure.
    """
    step, p = posterior.step, posterior.problem
    inside = beyond_surfaces(answer(step, p), points)[0]
    first = second = torch.zeros(())
    for heart in posterior.hearts(n, seed).split(1):
        off = beyond_surfaces(heart, points)[0] - inside
        first, second = first + off, second + off**2
    drawn = (second - first**2 / n).clamp_min(0) / max(n - 1, 1)
    chances = torch.special.ndtr(
        inside / (drawn + _at(points, unexplained_variance(step, p))).sqrt()
    )
    return chances / chances.sum(0)


def beyond_surfaces(hearts: Tensor, points: Tensor) -> Tensor:
    """How far points (..., 3) lie inside the surface of each class, mm, (B, 4, ...).

    Of hearts (B, 4, 32, 64, 64): two classes' logits differ by twice the distance to their border.
    """
    logits = sample(hearts, points)
    best, next_best = logits.topk(2, dim=1).values.split(1, dim=1)
    return (logits - torch.where(logits == best, next_best, best)) / 2


def _at(points: Tensor, of_planes: Tensor) -> Tensor:
    """What each plane of the lattice has, (32,), at points (..., 3), mm."""
    planes = of_planes[None, None, :, None, None].expand(-1, -1, -1, *LATTICE_SHAPE[1:])
    return sample(planes, points)[0, 0]


def unexplained_variance(step: Step, p: Problem) -> Tensor:
    """(32,) of an outline on each plane of the lattice, mm², that draws around a step lack."""
    share = OUTLINE**2 + UNSEEN**2 * kriging_variance(p.stack)
    return FINEST_SD**2 + beyond_pixels(missed(step, p), p.stack) * share


@torch.no_grad()
def missed(step: Step, p: Problem) -> float:
    """Mean square of the distances by which G(z) misses the slices, mm²."""
    return misfit(p.G.decode(step.z), step.d, p)


@one_thread()
@torch.no_grad()
def surface_spread(hearts: Tensor, tissue: int, points: Tensor, variance: Tensor) -> Tensor:
    """Standard deviation of a tissue's surface at points on it, along its normal, mm.

    `hearts` are draws of `Posterior.hearts`, `tissue` is its label, points (V, 3) are mm on the
    surface of the mean heart, and the `unexplained_variance` is what no draw tells.
    """
    drawn = beyond_surfaces(hearts, points)[:, tissue].var(0)
    return (drawn + _at(points, variance)).sqrt()


@one_thread()
@torch.no_grad()
def measured_sd(
    posterior: Posterior, measure: Callable[[Tensor], Tensor], n: int = 16, seed: int = 0
) -> Tensor:
    """Standard deviation (N,) of what a measure finds in the answer.

    The measure takes class logits (B, 4, 32, 64, 64) to (B, N). Of `n` draws, and of what no draw
    tells: the outer surfaces of LV, of LV with MYO, and of RV err outwards or inwards alike all
    over, each by itself, least on a slice.
    """
    step, p = posterior.step, posterior.problem
    heart = answer(step, p)
    shift = ALIKE * (excess(step, p) * kriging_variance(p.stack)).sqrt()[:, None, None]
    variance = measure(posterior.hearts(n, seed)).var(0)
    for inside in ({"LV"}, {"LV", "MYO"}, {"RV"}):
        classes = torch.tensor([tissue in inside for tissue in TISSUES])[:, None, None, None]
        # Two classes' logits differ by twice the distance to their border.
        out, into = (measure(heart + 2 * way * shift * classes)[0] for way in (1, -1))
        variance += ((out - into) / 2) ** 2
    return variance.sqrt()


@one_thread()
@torch.no_grad()
def heights_sd(posterior: Posterior, heights: Tensor, drawn: Tensor) -> Tensor:
    """Standard deviations (N,), mm, of heights (N,) along D at which a tissue ends; draws: `drawn`.

    All slices together tell such a height, so what G cannot make, which errs alike from one to the
    next, does not cancel: see `FROM_ALL_SLICES`. Where between two slices it ends, no slice tells,
    and of a heart that G does not hold, such as one that is cut flat, G(z) does not either. So it
    may end anywhere between the two, as far as the answer trusts slices more than G(z).
    """
    step, p = posterior.step, posterior.problem
    trust = trust_in_slices(p.G.decode(step.z), step.d, p)
    share = hat(lattice_index(heights, 0, len(trust)), len(trust)) @ trust
    z = p.stack.z.sort().values.to(heights.dtype)
    above = torch.searchsorted(z, heights.contiguous()).clamp(1, len(z) - 1)
    return (FROM_ALL_SLICES * drawn).hypot((share / 12).sqrt() * (z[above] - z[above - 1]))


def excess(step: Step, p: Problem) -> float:
    """What G(z) misses most slices by, beyond what pixels explain, mm².

    The median of the slices' mean squares, less a sixth of a pixel's area: at the ends a few pixels
    of tissue are often missed by far, which tells little of the heart.
    """
    field, each = p.G.decode(step.z), []
    for k in torch.nonzero(p.tissue):
        one = replace(p, stack=p.stack.slices(k), S_LR=p.S_LR[k], views=())
        each.append(misfit(field, step.d[:, k], one))
    return beyond_pixels(median(each), p.stack)


def multi_start(
    p: Problem,
    settings: Settings,
    n: int,
    watch: Callable[[int, Step], None] = lambda start, step: None,
) -> list[Step]:
    """The ends of `n` runs from random starts, best first; seeds count from the settings' own.

    `watch` sees each step, and of which start it is.
    """
    starts = [replace(settings, start="random", seed=settings.seed + i) for i in range(n)]
    ends = [solve(p, start, partial(watch, i)) for i, start in enumerate(starts)]
    return sorted(ends, key=lambda step: step.objective)
