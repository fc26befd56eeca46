"""Algorithm 1, latent optimisation, as a Python generator.

``latent_optimisation`` yields a `Step` per iteration and takes a `Change` through ``send``.
Pausing is not asking for the next step; a `Step` holds all that an exact resume needs.
"""

import math
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT, LATTICE_SHAPE
from srheart_demo.heart.measures import class_dice
from srheart_demo.machine import one_thread
from srheart_demo.scan.degradation import downsample
from srheart_demo.scan.evidence import evidence
from srheart_demo.solver.curvature import whitening
from srheart_demo.solver.losses import multi_view_loss
from srheart_demo.solver.problem import Decoded, Encoder, Problem
from srheart_demo.solver.search import best_shifts
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.solvers import SOLVERS, Along, Landscape, Memory, Point


@dataclass(frozen=True, eq=False)
class State:
    """What the next iteration needs besides z and d.

    Attributes:
        settings: how the run goes on.
        point: where it is.
        memory: the solver's.
        units: the landscape's, which depend on the settings' weights.
        objectives: the last of them, for the paper's rule to stop.
        mark: where it was when last compared with what could be seen, and whether it had changed
            since the mark before.
        searched: whether the last search was done.
    """

    settings: Settings
    point: Point
    memory: Memory
    units: Tensor
    objectives: tuple[float, ...]
    mark: Point
    changed: bool = True
    searched: bool = False

    @classmethod
    def fresh(cls, settings: Settings, point: Point, p: Problem) -> "State":
        """A start without a past."""
        return cls(settings, point, Memory(), units(p, settings), (point.objective,), point)


@dataclass(frozen=True, eq=False)
class Step:
    """Where the optimisation stands after `iteration` updates.

    >>> step.z.shape, step.d.shape, step.stopped is not None
    (torch.Size([1, 128]), torch.Size([1, 13, 2]), True)

    Attributes:
        iteration: 0 is the start.
        z: (1, M).
        d: (1, K, 2), mm along rows and columns.
        loss, loss_sa, loss_la: L, L_SA, L_LA of Eqs. 3-5 here, nats per voxel; L_LA is NaN
            without an LA view.
        objective: what is minimised: L, or with priors L less the log-priors.
        gradient_z, gradient_d: norms of the objective's gradients.
        seconds: computing time so far; waiting for the caller is not counted.
        stopped: why the run ended, on its last step.
        state: for an exact resume.
    """

    iteration: int
    z: Tensor
    d: Tensor
    loss: float
    loss_sa: float
    loss_la: float
    objective: float
    gradient_z: float
    gradient_d: float
    seconds: float
    state: State
    stopped: str | None = None


@dataclass(frozen=True, eq=False)
class Change:
    """What may be changed in mid-run; None leaves things as they are.

    >>> run = sr.latent_optimisation(problem, sr.PAPER)
    >>> next(run).iteration
    0
    >>> run.send(sr.Change(lr_z=0.05)).state.settings.lr_z
    0.05

    Attributes:
        gamma, lr_z, lr_d: as in `Settings`.
        d: (1, K, 2) new displacements, mm.
        restart: an earlier step to go on from.
        stop: end the run.
    """

    gamma: float | None = None
    lr_z: float | None = None
    lr_d: float | None = None
    d: Tensor | None = None
    restart: Step | None = None
    stop: bool = False


def negative_log_prior(z: Tensor, d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """−log p(z) − log p(d) up to a constant, (B,), nats.

    z ~ N(0, I). The components of d, less their mean over the slices with tissue (the stack's
    position is arbitrary), are Gaussian with an unknown common variance, which an inverse-gamma
    distribution of shape 1 and scale `motion_mm`² integrates out: a straight stack is held
    straight, a shaken one may move.
    """
    n = 2 * int(p.tissue.sum())
    return (z**2).sum(1) / 2 + (n / 2 + 1) * torch.log1p(_spread(d, p, settings))


def _spread(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """Σ |d − mean|² over slices with tissue in units of 2 `motion_mm`², (B,)."""
    seen = d[:, p.tissue]
    squares = (seen - seen.mean(1, keepdim=True)) ** 2
    return squares.flatten(1).sum(1) / (2 * settings.motion_mm**2)


def motion_precision(d: Tensor, p: Problem, settings: Settings) -> Tensor:
    """The prior's precision of d (2 T, 2 T), of T slices with tissue, at the motion's own scale.

    That is the Gaussian which the prior is a mixture of, at the variance that this d suggests.
    """
    T = int(p.tissue.sum())
    weight = (T + 1) / (settings.motion_mm**2 * (1 + _spread(d, p, settings)))
    centring = torch.eye(T) - 1 / T
    return weight * torch.kron(centring, torch.eye(2))


def observations(p: Problem, settings: Settings) -> float:
    """Number of independent observations in the SA stack: its area in patches."""
    row, column = p.stack.spacing
    return p.S_LR.numel() * row * column / settings.patch_mm2


def units(p: Problem, settings: Settings) -> Tensor:
    """Rows (M, M): steps of z along which the objective curves alike, for L-BFGS.

    The curvature is what a look at the whole lattice tells, thinned out to the stack's planes and
    to patches, and the prior's; a heart of its own, a view or an error of d are not in it.
    """
    planes, rows, columns = LATTICE_SHAPE
    area = 4 * HALF_EXTENT[1] * HALF_EXTENT[2] / (rows * columns)
    share = p.stack.K * area / (planes * settings.patch_mm2)
    return whitening(share * p.G.information + torch.eye(p.G.latent_size))


def objective(
    z: Tensor, d: Tensor, p: Problem, settings: Settings, heart: Decoded | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """What is minimised, (B,), and its parts L, L_SA and L_LA (Eqs. 3-5).

    `heart` is G(z) where it is decoded already.
    """
    heart = heart or p.decode(z, d)
    losses = multi_view_loss(heart, d, p, settings.gamma, settings.thinned)
    if not settings.prior:
        return losses[0], losses
    prior = negative_log_prior(z, d, p, settings) / observations(p, settings)
    return losses[0] + prior, losses


class _Eye:
    """Looks at a problem's objective.

    It keeps G(z) from a look along d for one along z: where they take turns, each is decoded once.
    """

    def __init__(self, p: Problem) -> None:
        self.p = p
        self._kept: tuple[Tensor, Decoded] | None = None

    def look(self, settings: Settings, z: Tensor, d: Tensor, along: Along = "both") -> Point:
        """The objective and its gradients at (z, d)."""
        tissue = self.p.tissue[:, None]
        d = (d.detach() * tissue).requires_grad_(along != "z")
        z, heart = self._decode(z, d, along)
        value, losses = objective(z, d, self.p, settings, heart)
        ends = {name: x for name, x in (("z", z), ("d", d)) if along in (name, "both")}
        slopes = torch.autograd.grad(value.sum(), tuple(ends.values()))
        gradients = {"z": torch.zeros_like(z), "d": torch.zeros_like(d)}
        gradients |= dict(zip(ends, slopes, strict=True))
        self._kept = (z, heart) if along == "d" else None
        L, L_SA, L_LA = (part.item() for part in losses)
        return Point(
            z=z.detach(),
            d=d.detach(),
            objective=value.item(),
            losses=(L, L_SA, L_LA),
            gradient_z=gradients["z"],
            gradient_d=gradients["d"] * tissue,
        )

    def _decode(self, z: Tensor, d: Tensor, along: Along) -> tuple[Tensor, Decoded]:
        if along == "z" and self._kept and torch.equal(self._kept[0], z):
            return self._kept
        z = z.detach().requires_grad_()
        # The next look, at another d, may want more; and a resumed run must round alike.
        return z, self.p.decode(z, d if along == "both" else None)


def latent_optimisation(
    problem: Problem, settings: Settings, start: Step | None = None
) -> Generator[Step, Change | None, None]:
    """Algorithm 1: gradient descent on L(z, d), one `Step` per iteration.

    >>> losses = []
    >>> for step in sr.latent_optimisation(problem, sr.INTERACTIVE):
    ...     losses.append(step.loss)
    >>> losses[-1] < losses[0]
    True

    Slices without tissue say nothing about their displacement and keep d = 0. Each iteration runs
    on one thread of torch; the caller's setting holds again when it is yielded.

    Args:
        problem: the scan, and the generator.
        settings: how to run; ignored where `start` is given.
        start: a step to go on from; it is yielded again first.

    Yields:
        The start as iteration 0, then each iteration; the last one says why it `stopped`.
    """
    eye = _Eye(problem)
    step = start or _first_step(eye, settings)
    while True:
        change = yield step
        if change is not None:
            if change.stop:
                return
            step = _apply(change, step, eye)
        elif step.stopped:
            return
        step = _iterate(step, eye)


def solve(
    problem: Problem, settings: Settings, watch: Callable[[Step], None] | None = None
) -> Step:
    """Run Algorithm 1 to its end and return the last step; `watch` sees each step.

    >>> step = sr.solve(problem, sr.INTERACTIVE)
    >>> step.iteration, step.stopped
    (12, 'iterations')
    """
    return last(latent_optimisation(problem, settings), watch)


def last(steps: Iterable[Step], watch: Callable[[Step], None] | None = None) -> Step:
    """Exhaust a run and return its last step."""
    step = None
    for step in steps:
        if watch:
            watch(step)
    if step is None:
        raise ValueError("the run yielded no step")
    return step


def start_at(z: Tensor, problem: Problem, settings: Settings) -> Step:
    """Iteration 0 of a run that starts at z (1, M) and d = 0, for `latent_optimisation`."""
    return _start(_Eye(problem), settings, lambda *_: z)


def _first_step(eye: _Eye, settings: Settings) -> Step:
    if settings.start not in STARTS:
        raise KeyError(f"unknown start {settings.start!r}; known: {', '.join(STARTS)}")
    return _start(eye, settings, STARTS[settings.start])


@one_thread()
def _start(eye: _Eye, settings: Settings, find_z: Callable[[Problem, Settings], Tensor]) -> Step:
    p = eye.p
    if settings.solver not in SOLVERS:
        raise KeyError(f"unknown solver {settings.solver!r}; known: {', '.join(SOLVERS)}")
    began = time.perf_counter()
    z = find_z(p, settings)
    point = eye.look(settings, z, torch.zeros(1, p.stack.K, 2))
    return _step(State.fresh(settings, point, p), 0, time.perf_counter() - began)


def _zero(p: Problem, settings: Settings) -> Tensor:
    return torch.zeros(1, p.G.latent_size)


def _random(p: Problem, settings: Settings) -> Tensor:
    rng = torch.Generator().manual_seed(settings.seed)
    return torch.randn(1, p.G.latent_size, generator=rng)


@torch.no_grad()
def _encoded(p: Problem, settings: Settings) -> Tensor:
    if not isinstance(p.G, Encoder):
        return _zero(p, settings)
    return p.G.encode(evidence(p.S_LR, p.stack))[0]


STARTS: dict[str, Callable[[Problem, Settings], Tensor]] = {
    "zero": _zero,
    "random": _random,
    "encoder": _encoded,
}
"""Where z may start."""


def _step(state: State, iteration: int, seconds: float) -> Step:
    point = state.point
    L, L_SA, L_LA = point.losses
    return Step(
        iteration=iteration,
        z=point.z,
        d=point.d,
        loss=L,
        loss_sa=L_SA,
        loss_la=L_LA,
        objective=point.objective,
        gradient_z=point.gradient_z.norm().item(),
        gradient_d=point.gradient_d.norm().item(),
        seconds=seconds,
        state=state,
        stopped=_reason_to_stop(state, iteration),
    )


@one_thread()
def _iterate(step: Step, eye: _Eye) -> Step:
    """Lines 3-5 of Algorithm 1, after a global search of d where the settings ask for one."""
    began = time.perf_counter()
    p, state, settings = eye.p, step.state, step.state.settings
    point, memory = state.point, state.memory
    landscape = Landscape(partial(eye.look, settings), state.units)

    if step.iteration in settings.search_at:
        point, memory = landscape.look(point.z, _search(point.z, p, settings)), Memory()
    point, memory = SOLVERS[settings.solver](settings, point, memory, landscape, step.iteration)
    objectives = (*state.objectives[-settings.stop_window :], point.objective)
    state = replace(state, point=point, memory=memory, objectives=objectives)
    iteration = step.iteration + 1
    whole_window = len(objectives) > settings.stop_window
    if settings.stop_dice and whole_window and iteration % settings.stop_window == 0:
        state = replace(state, mark=point, changed=_visibly_changed(state.mark, point, p, settings))
    if settings.search_last and not state.searched and _settled(state):
        state = _after_last_search(state, landscape, p)
    return _step(state, iteration, step.seconds + time.perf_counter() - began)


@torch.no_grad()
def _visibly_changed(a: Point, b: Point, p: Problem, settings: Settings) -> bool:
    """Whether two points differ by more than `stop_dice` or `stop_mm`."""
    if (a.d - b.d).norm(dim=-1).max() > settings.stop_mm:
        return True
    planes = [downsample(p.G.decode(x.z), p.stack) for x in (a, b)]
    before, after = (x.argmax(1).numpy() for x in planes)
    scores = class_dice(before, after, planes[0].shape[1])
    return sum(scores) / len(scores) < 1 - settings.stop_dice


def _after_last_search(state: State, landscape: Landscape, p: Problem) -> State:
    """From the best shifts, if they lower the objective; else where it was."""
    z = state.point.z
    found = landscape.look(z, _search(z, p, state.settings))
    if found.objective >= state.point.objective:
        return replace(state, searched=True)
    return replace(State.fresh(state.settings, found, p), searched=True)


@torch.no_grad()
def _search(z: Tensor, p: Problem, settings: Settings) -> Tensor:
    if not settings.prior:
        return best_shifts(z, p, settings.reach)
    share = observations(p, settings) / p.S_LR.numel()
    return best_shifts(z, p, settings.reach, settings.search_sd, share)


@one_thread()
def _apply(change: Change, step: Step, eye: _Eye) -> Step:
    """The step that the run goes on from after a change, looked at anew."""
    step = change.restart or step
    new = {name: getattr(change, name) for name in ("gamma", "lr_z", "lr_d")}
    new = {name: value for name, value in new.items() if value is not None}
    if not new and change.d is None:
        return step
    settings = replace(step.state.settings, **new)
    point = eye.look(settings, step.z, step.d if change.d is None else change.d)
    # A solver's memory is of another objective or place.
    return _step(State.fresh(settings, point, eye.p), step.iteration, step.seconds)


def _reason_to_stop(state: State, iteration: int) -> str | None:
    if not math.isfinite(state.point.objective):
        return "diverged"
    if iteration >= state.settings.iterations:
        return "iterations"
    return "converged" if _settled(state) else None


def _settled(state: State) -> bool:
    """Whether one of the rules says that nothing happens any more."""
    settings, objectives = state.settings, state.objectives
    if settings.stop_dice and not state.changed:
        return True
    if not settings.stop_change or len(objectives) <= settings.stop_window:
        return False
    change = sum(abs(b - a) / abs(a) for a, b in pairwise(objectives)) / settings.stop_window
    return change < settings.stop_change
