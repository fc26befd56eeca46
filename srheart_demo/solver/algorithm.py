"""Algorithm 1, latent optimisation: as printed, and as a Python generator to steer and resume.

`latent_optimisation` yields a `Step` per iteration and takes a `Change` through ``send``. Pausing
is not asking for the next step; a `Step` holds all that an exact resume needs.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from srheart_demo.heart.measures import class_dice
from srheart_demo.machine import one_thread
from srheart_demo.scan.degradation import downsample
from srheart_demo.solver.losses import long_axis_loss, short_axis_loss
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.search import STARTS, search, start_of
from srheart_demo.solver.settings import PAPER, Settings
from srheart_demo.solver.solvers import SOLVERS, Eye, Point
from srheart_demo.solver.step import Change, RunState, Step, hardly_changes
from srheart_demo.solver.workers import in_processes

Outcome = Step | Exception  # The last step of a subject's run, or why there is none


def algorithm_1(p: Problem, settings: Settings = PAPER) -> tuple[Tensor, Tensor]:
    """Algorithm 1 as printed: z (1, M) and d (1, K, 2), mm, by Adam (section 2.3).

    What `latent_optimisation` does with `PAPER`, without all that makes it fast; slices that show
    no tissue move as well.

    >>> from dataclasses import replace
    >>> z, d = sr.algorithm_1(problem, replace(sr.PAPER, iterations=2))
    >>> S_SR = sr.to_labels(G.decode(z))
    """
    z = torch.zeros(1, p.G.latent_size, requires_grad=True)  # line 1
    d = torch.zeros(1, p.stack.K, 2, requires_grad=True)
    adam = torch.optim.Adam(
        [{"params": z, "lr": settings.lr_z}, {"params": d, "lr": settings.lr_d}]
    )

    def loss() -> Tensor:
        field = p.G.decode(z)  # Eq. 2
        L = short_axis_loss(downsample(field, p.stack), d, p)  # Eqs. 1, 3
        return L + settings.gamma * long_axis_loss(field, p) if p.views else L  # Eqs. 4, 5

    L = loss()
    losses = [L.item()]
    while len(losses) <= settings.iterations and not hardly_changes(losses, settings):  # line 2
        adam.zero_grad()
        L.backward()
        adam.step()  # lines 4 and 5
        L = loss()  # line 3
        losses.append(L.item())
    return z.detach(), d.detach()  # line 7: S_SR = G(z)


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
    on one thread of torch; the caller's setting holds again when it is yielded. The start comes as
    iteration 0, then each iteration; the last one says why it `stopped`. Where `start` is given, a
    step to go on from, that comes first, and the settings are its own.
    """
    eye = Eye(problem)
    step = start or _start(eye, settings)
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
    problem: Problem,
    settings: Settings,
    watch: Callable[[Step], None] | None = None,
    z: Tensor | None = None,
) -> Step:
    """Run Algorithm 1 to its end and return the last step.

    >>> step = sr.solve(problem, sr.INTERACTIVE)
    >>> step.iteration, step.stopped
    (5, 'converged')

    `watch` sees each step; z (1, M) is where to start, in place of where the settings say.
    """
    start = None if z is None else _start(Eye(problem), settings, z)
    for step in latent_optimisation(problem, settings, start):
        if watch:
            watch(step)
    return step


def solve_all(
    problems: Sequence[Problem],
    settings: Settings,
    processes: int = 1,
    watch: Callable[[int, Outcome], None] = lambda subject, outcome: None,
) -> list[Outcome]:
    """Solve N subjects; each outcome is exactly that of `solve`.

    A subject that fails leaves its exception in its place, and the others go on. One process is
    this one; for more, see `workers.in_processes`. `watch` is told index and outcome of each
    subject as it ends, in whatever order they end. They are solved one by one: a decoder that takes
    several hearts at once is no faster per core.
    """
    if processes < 1:
        raise ValueError(f"subjects are solved in one process or more, not in {processes}")
    here = ((i, _attempt(p, settings)) for i, p in enumerate(problems))
    work = partial(_attempt, settings=settings)
    outcomes: dict[int, Outcome] = {}
    with closing(here if processes == 1 else in_processes(work, problems, processes)) as ends:
        for i, outcome in ends:
            outcomes[i] = outcome
            watch(i, outcome)
    return [outcomes[i] for i in range(len(problems))]


def _attempt(p: Problem, settings: Settings) -> Outcome:
    try:
        return solve(p, settings)
    except Exception as error:
        return error


@one_thread()
def _start(eye: Eye, settings: Settings, z: Tensor | None = None) -> Step:
    """Line 1 of Algorithm 1: d = 0, and z where the settings say or as given."""
    if settings.start not in STARTS:
        raise KeyError(f"unknown start {settings.start!r}; known: {', '.join(STARTS)}")
    if settings.solver not in SOLVERS:
        raise KeyError(f"unknown solver {settings.solver!r}; known: {', '.join(SOLVERS)}")
    began = time.perf_counter()
    z = start_of(eye.p, settings) if z is None else z
    searched = 0 in settings.searches(len(eye.p.views))  # by what is decoded, without a gradient
    d = torch.zeros(1, len(eye.p.carried), 2)
    point = eye.look(settings, z, d, whole=searched, slopes=not searched)
    return Step.at(eye.p, RunState.fresh(settings, point), 0, time.perf_counter() - began)


@one_thread()
def _iterate(step: Step, eye: Eye) -> Step:
    """Lines 3-5 of Algorithm 1, after a global search of d where the settings ask for one."""
    began = time.perf_counter()
    p, state, settings = eye.p, step.state, step.state.settings

    if step.iteration in settings.searches(len(p.views)):
        found = _searched(state.point, eye, settings)
        state = RunState.fresh(settings, found, state.memory)
    if settings.stop_dice:
        eye.shown(state.point)  # is at hand now
    solver = SOLVERS[settings.solver]
    point, memory = solver(settings, state.point, state.memory, eye, step.iteration)
    objectives = (*state.objectives[-settings.stop_window :], point.objective)
    marks = (*state.marks, point)[-settings.stop_window - 1 :]
    changed = True
    if settings.stop_dice:
        eye.shown(point)
        changed = len(marks) <= settings.stop_window or _changed(marks[0], point, eye, settings)
    state = RunState(settings, point, memory, objectives, marks, changed, state.searched)
    if settings.search_last and not state.searched and state.settled:
        found = _searched(point, eye, settings)
        if found.objective < point.objective:
            state = RunState.fresh(settings, found, memory)
        state = replace(state, searched=True)
    iteration = step.iteration + 1
    return Step.at(p, state, iteration, step.seconds + time.perf_counter() - began)


def _searched(here: Point, eye: Eye, settings: Settings) -> Point:
    """The same z after a global search of d."""
    return eye.look(settings, here.z, search(eye.whole(here), eye.p, settings), whole=True)


def _changed(a: Point, b: Point, eye: Eye, settings: Settings) -> bool:
    """Whether two points differ by more than `stop_dice` or `stop_mm`."""
    if (a.d - b.d).norm(dim=-1).max() > settings.stop_mm:
        return True
    (before, *_), (after, there, classes) = eye.shown(a), eye.shown(b)
    scores = class_dice(before * there, after, classes)
    return sum(scores) / len(scores) < 1 - settings.stop_dice


@one_thread()
def _apply(change: Change, step: Step, eye: Eye) -> Step:
    """The step that the run goes on from after a change, looked at anew."""
    step = change.restart or step
    new = {name: getattr(change, name) for name in ("gamma", "lr_z", "lr_d")}
    new = {name: value for name, value in new.items() if value is not None}
    if not new and change.d is None and change.d_LA is None:
        return step
    settings = replace(step.state.settings, **new)
    d = step.d if change.d is None else change.d
    d_LA = step.d_LA if change.d_LA is None else change.d_LA
    point = eye.look(settings, step.z, torch.cat([d, d_LA], dim=1))
    # A solver's memory is of another objective or place.
    return Step.at(eye.p, RunState.fresh(settings, point), step.iteration, step.seconds)
