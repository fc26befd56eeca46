"""The controller: a scan and settings in, runs with all their history, and what there is to see."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from srheart_demo.enhancement.check import Report
from srheart_demo.explorer import painting, recipe, why
from srheart_demo.explorer.history import History, Run
from srheart_demo.explorer.moment import Estimate, Moment, Setting, Spread
from srheart_demo.explorer.own import OwnFile, OwnScan
from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.subjects import Scan, Subject, load_subject
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.surface import Mesh
from srheart_demo.scan.samples import SAMPLES
from srheart_demo.solver.algorithm import Change, Step, latent_optimisation
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import INTERACTIVE, PRESETS, RECOMMENDED, Settings, preset

DIRECTIONS = 8
"""Principal directions of z that the views know."""
IN_MIDRUN = ("gamma", "lr_z", "lr_d")
"""Settings that may change in mid-run; another one begins another run."""


class Session:
    """A scan, and runs of Algorithm 1 on it.

    Not for use from several threads at once, but the fields of `wanted` may be set from any, and
    what `now` gives may be drawn while the session goes on.

    Attributes:
        settings: what the next run starts with.
        wanted: the settings of `IN_MIDRUN` that the next iteration uses.
        history: all runs that are kept, and what is looked at.
        paint: what the surfaces show, "error", "uncertainty", "spread" or nothing.
        all_painted: whether every slice is painted in 3-D, or only the one that is looked at.
    """

    samples = tuple(SAMPLES)
    presets = tuple(PRESETS)

    def __init__(
        self,
        scan: Scan | None = None,
        settings: Settings = RECOMMENDED,
        generator: Generator | None = None,
        live: bool = False,
    ) -> None:
        """Scan, and begin a run as `scan` does."""
        self._generator = generator or load_generator()
        self._principal = why.principal_directions(self._generator, DIRECTIONS)
        self._subjects: dict[str, Subject] = {}
        self.settings = settings
        self.wanted = {name: getattr(settings, name) for name in IN_MIDRUN}
        self.paint, self.all_painted = "", False
        self._ends: dict[Settings, int] = {}
        self._spread: Spread | None = None
        self._directions: list[why.Direction] | None = None
        self.scan(scan or Scan(self.samples[0]), live)

    # -- what is scanned -------------------------------------------------------------------

    def scan(self, scan: Scan, live: bool = False) -> None:
        """Scan anew; earlier runs were of another scan and are forgotten.

        Args:
            live: begin a run that is soon over, with INTERACTIVE, not with the chosen settings.
        """
        self._take(self._set_up(scan))
        self.reset(live)

    def _set_up(self, scan: Scan) -> Setting:
        subject = self._subjects.get(scan.subject) or load_subject(scan.subject)
        return Setting(Scene(scan, subject, self._generator), self._principal)

    def _take(self, setting: Setting) -> None:
        self._setting, subject = setting, setting.scene.subject
        # Shipped samples and random hearts are quickly made again: one is kept at a time.
        own = {n: s for n, s in self._subjects.items() if isinstance(s, OwnScan)}
        self._subjects = own | {subject.name: subject}

    def load(self, file: OwnFile) -> None:
        """Scan nothing, but take a segmented stack of the user's own (NIfTI).

        Raises:
            InvalidVolume: the file is none.
        """
        own = OwnScan(file)
        self._subjects[own.name] = own
        self.scan(Scan(own.name, motion=0.0, long_axis=file.view is not None))

    def report(self) -> Report | None:
        """What there is to say of the user's own scan; None while another is looked at."""
        subject = self.scene.subject
        return subject.report(self._generator) if isinstance(subject, OwnScan) else None

    @property
    def own(self) -> tuple[str, ...]:
        """Names of the user's own scans."""
        return tuple(n for n, s in self._subjects.items() if isinstance(s, OwnScan))

    # -- how it is solved ------------------------------------------------------------------

    def preset(self, name: str) -> None:
        """Take other settings and begin another run; γ stays as it is."""
        self.settings = preset(name)
        self.wanted |= {name: getattr(self.settings, name) for name in ("lr_z", "lr_d")}
        self._begin(self.settings)

    def configure(self, **changes: object) -> None:
        """Change single settings: those of `IN_MIDRUN` at once, others by another run."""
        self.wanted |= {n: float(v) for n, v in changes.items() if n in IN_MIDRUN}  # type: ignore
        others = {n: v for n, v in changes.items() if n not in IN_MIDRUN}
        if others:
            self.settings = replace(self.settings, **others)  # type: ignore[arg-type]
            self._begin(self.settings)

    def reset(self, live: bool = False) -> None:
        """Forget all runs and go back to iteration 0; `live` as in `scan`."""
        brief = replace(INTERACTIVE, gamma=self.wanted["gamma"])
        start = self._start(brief, wanted=False) if live else self._start(self.settings)
        self.history = History(start.state.settings, start)
        self._forget()

    def again(self) -> None:
        """Begin with the chosen settings: beside other runs, but not twice the same."""
        start = self._start(self.settings)
        if start.state.settings == self.history.active.settings:
            self.reset()
        else:
            self._begin(self.settings)

    def _begin(self, settings: Settings) -> None:
        start = self._start(settings)
        self.history.start(start.state.settings, start)
        self._forget()

    def _start(self, settings: Settings, wanted: bool = True) -> Step:
        if wanted:
            settings = replace(settings, **self.wanted)
        return next(latent_optimisation(self.problem, settings))

    def _forget(self) -> None:
        self._going: tuple[Step, object] | None = None
        self._estimate: Estimate | None = None

    # -- going on, and back ----------------------------------------------------------------

    @property
    def step(self) -> Step:
        """What is looked at."""
        return self.history.step

    @property
    def finished(self) -> bool:
        """Whether what is looked at is the end of a run, with nothing changed since."""
        return self.step.stopped is not None and self._change() is None

    @property
    def over(self) -> bool:
        """Whether only another run has anything new: this one is at its end, or was not made with
        the chosen settings."""
        other = self.history.active.settings.name != self.settings.name
        return self.finished or (other and self._change() is None)

    @property
    def at_end(self) -> bool:
        """Whether what is looked at is the last step so far."""
        return self.history.at == self.history.last

    def advance(self, seconds: float = 0.0) -> None:
        """One iteration, and more until `seconds` have passed; none once the run has ended.

        From an earlier step, the run is followed as it was; after a change it forks there.
        """
        end = time.monotonic() + seconds
        while not self.finished:
            self._iterate()
            if time.monotonic() >= end:
                return

    def _iterate(self) -> None:
        change = self._change()
        if not self.at_end:
            if change is None:
                self.history.look(self.history.at + 1)
                return
            self.history.fork()
        if self._going is None or self._going[0] is not self.step:
            going = latent_optimisation(self.problem, self.step.state.settings, self.step)
            next(going)
        else:
            going = self._going[1]  # type: ignore[assignment]
        step = going.send(change)
        self.history.append(step, change)
        if step.stopped:
            self._ends[step.state.settings] = step.iteration
        self._going = step, going

    def _change(self) -> Change | None:
        """What the user wants otherwise than the step that is looked at; INTERACTIVE's own
        learning rates stay."""
        settings = self.step.state.settings
        names = ("gamma",) if settings.name != self.settings.name else IN_MIDRUN
        other = {n: self.wanted[n] for n in names if self.wanted[n] != getattr(settings, n)}
        return Change(**other) if other else None

    def look(self, at: int) -> None:
        """Look at another iteration."""
        self.history.look(at)

    def fork(self) -> None:
        """Begin another run where is looked at; with nothing changed it does just the same."""
        self.history.fork()
        self._forget()

    def choose(self, run: int) -> None:
        """Look at another run's end."""
        self.history.choose(run)

    # -- as a text -------------------------------------------------------------------------

    def text(self) -> str:
        """The whole state as a text for `restore`."""
        courses = tuple(
            recipe.Course(
                run.settings,
                tuple(run.changes),
                len(run.steps) - 1,
                run.parted,
                run.colour,
                run.steps[-1].loss,
            )
            for run in self.history.runs
        )
        active = self.history.runs.index(self.history.active)
        return recipe.write(recipe.Recipe(self.scene.scan, courses, active, self.history.at))

    def restore(self, text: str, watch: why.Watch | None = None) -> tuple[str, ...]:
        """Compute the state of a text again; what was there before is forgotten at the end.

        Returns:
            What came out otherwise than the text says, in sentences.

        Raises:
            ValueError: the text is no state.
            KeyError: it is of a scan that is not here.
            Cancelled: by `watch`.
            Whatever is raised: all stays as it was.
        """
        watch = watch or why.Watch()
        wish = recipe.read(text)
        setting = self._set_up(wish.scan)
        total = sum(course.iterations for course in wish.courses) or 1
        runs: list[Run] = []
        for course in wish.courses:
            done = sum(len(run.steps) for run in runs)
            runs.append(_follow(course, setting.problem, watch, done, total))
        self._take(setting)
        self.history = History.of(runs)
        self.history.choose(wish.active)
        self.history.look(wish.at)
        settings = self.history.active.settings
        self.settings = settings
        self.wanted = {n: getattr(self.step.state.settings, n) for n in IN_MIDRUN}
        self._forget()
        said = (recipe.otherwise(*pair) for pair in zip(wish.courses, runs, strict=True))
        return tuple(filter(None, said))

    # -- what there is to see --------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """The scan, with the truth beside it."""
        return self._setting.scene

    @property
    def problem(self) -> Problem:
        """The scan as the solver has it, cropped."""
        return self._setting.problem

    @property
    def now(self) -> Moment:
        """All that there is to see of what is looked at, for any thread."""
        if self._estimate is None or self._estimate.step is not self.step:
            self._estimate = Estimate(self.step, self.problem)
        history = self.history
        return Moment(
            setting=self._setting,
            estimate=self._estimate,
            runs=tuple((run, tuple(run.steps)) for run in history.runs),
            active=history.active,
            at=history.at,
            usual=self._usual(self.step.state.settings),
            paint=self.paint,
            all_painted=self.all_painted,
            spread=self._spread,
        )

    def _usual(self, settings: Settings) -> int | None:
        """Iterations after which runs end: all of them, or where the last one was stopped."""
        stopped = settings.stop_change or settings.stop_dice
        return self._ends.get(settings) if stopped else settings.iterations

    def field(self) -> Tensor:
        """The heart here, class logits (1, 4, 32, 64, 64): G(z), at the end the run's answer."""
        return self.now.estimate.field

    def ghost(self) -> dict[str, Mesh]:
        """Surfaces of the truth."""
        return self.scene.subject.ghost

    # -- seeing why ------------------------------------------------------------------------

    def spread(self, what: str, watch: why.Watch) -> None:
        """Find hearts that explain the scan as well, to paint their spread on the surface.

        Args:
            what: "uncertainty" draws from the posterior at this step, "spread" starts anew at
                random places.
        """
        step = self.step
        self._spread = Spread(what, step, painting.hearts(what, step, self.problem, watch))

    def path(self) -> list[Step]:
        """The active run up to what is looked at."""
        return self.history.active.steps[: self.history.at + 1]

    def shift_map(self, k: int) -> why.Landscape:
        """L over slice k's displacement; the truth with the common translation of the estimate."""
        truth = self.scene.d
        if truth is not None:
            truth = truth + self.scene.gauge(self.step.d)
        return why.shift_map(self.problem, self.path(), k, truth)

    def valley(self, vector: Tensor, k: int, component: int, watch: why.Watch) -> why.Landscape:
        """L over a direction of z and slice k's displacement."""
        return why.valley(self.problem, self.path(), vector, k, component, watch)

    def direction(self, number: int) -> Tensor:
        """(M,) a principal direction of z, counted from 0."""
        return self._principal[number]

    def directions(self, watch: why.Watch) -> list[why.Direction]:
        """Principal directions of z, named; found once."""
        if self._directions is None:
            self._directions = why.named_directions(self._generator, self._principal, watch)
        return self._directions

    def traverse(self, vector: Tensor, watch: why.Watch) -> why.Traversal:
        """Volumes along a direction of z, from what is looked at."""
        return why.traverse(self._generator, self.step.z, vector, watch)

    @torch.no_grad()
    def heart_along(self, vector: Tensor, amount: float) -> Tensor:
        """The heart with its part along a direction of z replaced."""
        return self._generator.decode(why.along(self.step.z, vector, amount))

    def gauge_curve(self, kind: str, watch: why.Watch) -> why.GaugeCurve:
        """The losses as the heart moves one way and the slices the other."""
        return why.gauge_curve(self.problem, self.field(), self.step.d, kind, watch)

    def race(self, watch: why.Watch, show: Callable[[list[why.Lane]], None]) -> list[why.Lane]:
        """All presets from one start."""
        settings = [replace(s, gamma=self.wanted["gamma"]) for s in PRESETS.values()]
        return why.race(self.problem, settings, self.scene.d, watch, show)


def _follow(
    course: recipe.Course, problem: Problem, watch: why.Watch, done: int, total: int
) -> Run:
    """The run of a course, no further than it goes here."""
    going = latent_optimisation(problem, course.settings)
    steps, changes = [next(going)], dict(course.changes)
    for i in range(course.iterations):
        watch.tick(min((done + i) / total, 1.0))
        if steps[-1].stopped and changes.get(i) is None:
            break
        steps.append(going.send(changes.get(i)))
    made = [(i, change) for i, change in course.changes if i < len(steps) - 1]
    return Run(course.settings, steps, made, min(course.parted, len(steps) - 1), course.colour)
