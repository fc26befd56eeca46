"""The controller: a scan and settings in, runs with all their history, and what there is to see."""

from __future__ import annotations

import time
from collections.abc import Generator as Going
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from srheart_demo.explorer import painting, saved
from srheart_demo.explorer.history import History, Run
from srheart_demo.explorer.moment import Estimate, Moment
from srheart_demo.explorer.own import OwnFile, OwnScan
from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.subjects import Scannable, ScanSettings, load_subject
from srheart_demo.explorer.watch import Watch
from srheart_demo.explorer.why import DIRECTIONS, principal_directions
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.samples import SAMPLES
from srheart_demo.solver.algorithm import Change, Step, latent_optimisation
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED, Settings, preset

if TYPE_CHECKING:
    from srheart_demo.enhancement.check import Report


class Session:
    """A scan, and runs of Algorithm 1 on it.

    Not for use from several threads at once, but what `now` gives may be drawn while the session
    goes on.
    """

    scene: Scene  # the scan, with the truth beside it
    history: History  # all runs that are kept, and what is looked at
    generator: Generator  # that the next run must explain its scan with
    settings: Settings  # what the next run starts with; the next iteration takes `IN_MIDRUN` of it
    paint = ""  # what the surfaces show, "error", "uncertainty", "spread" or nothing
    all_painted = False  # whether every slice is painted in 3-D, or only the one looked at
    truth_shown = True  # whether the truth is beside a scan, where it is known
    _going: tuple[Step, Going[Step, Change | None, None]] | None
    _estimate: Estimate | None

    def __init__(
        self, scan: ScanSettings | None = None, settings: Settings = RECOMMENDED, live: bool = False
    ) -> None:
        """Scan, and begin a run as `scan` does."""
        self.generator = load_generator()
        self._subjects: dict[str, Scannable] = {}
        self.settings = settings
        self._principal: dict[Generator, Tensor] = {}
        self._ends: dict[tuple[Settings, Generator], int] = {}
        self._spread: tuple[str, Step, Tensor] | None = None
        self.scan(scan or ScanSettings(SAMPLES[0]), live)

    # -- what is scanned -------------------------------------------------------------------

    def scan(self, scan: ScanSettings, live: bool = False) -> None:
        """Scan anew; earlier runs were of another scan and are forgotten. `live` begins a run that
        is soon over, with INTERACTIVE, not with the chosen settings."""
        self._look_at(self._scene(scan))
        self.reset(live)

    def _scene(self, scan: ScanSettings) -> Scene:
        subject = self._subjects.get(scan.subject) or load_subject(scan.subject)
        return Scene(scan, subject, self.generator)

    def _look_at(self, scene: Scene) -> None:
        self.scene = scene.with_truth(self.truth_shown)
        self._going = self._estimate = None
        # Shipped samples and random hearts are quickly made again: one is kept at a time.
        own = {n: s for n, s in self._subjects.items() if isinstance(s, OwnScan)}
        self._subjects = own | {scene.subject.name: scene.subject}

    def show_truth(self, shown: bool) -> None:
        """Show the truth beside every scan, or hide it; nothing else changes."""
        self.truth_shown, self.scene = shown, self.scene.with_truth(shown)

    def load(self, file: OwnFile) -> None:
        """Scan nothing, but take a segmented stack of the user's own (NIfTI); `InvalidVolume` where
        the file is none. A view that is none is left out (`OwnScan.refused`)."""
        own = OwnScan(file)
        self._subjects[own.name] = own
        self.scan(ScanSettings(own.name, motion=0.0, long_axis=own.views))

    def report(self) -> Report | None:
        """What there is to say of the user's own scan; None while another is looked at."""
        subject = self.scene.subject
        return subject.report if isinstance(subject, OwnScan) else None

    @property
    def own(self) -> tuple[str, ...]:
        """Names of the user's own scans."""
        return tuple(n for n, s in self._subjects.items() if isinstance(s, OwnScan))

    # -- how it is solved ------------------------------------------------------------------

    def preset(self, name: str, generator: str | None = None) -> None:
        """Take other settings, and another generator if one is named, and begin another run; γ
        stays as it is."""
        self.settings = replace(preset(name), gamma=self.settings.gamma)
        self.explain_with(generator)

    def explain_with(self, generator: str | None) -> None:
        """Begin another run, with another shipped generator if one is named."""
        G = self.generator if generator is None else load_generator(generator)
        self.generator, self.scene.problem = G, replace(self.scene.problem, G=G)
        self.history.start(self._start())

    def configure(self, **changes: Any) -> None:
        """Change single settings: those of `IN_MIDRUN` at once, others by another run."""
        self.settings = replace(self.settings, **changes)
        if not changes.keys() <= {*saved.IN_MIDRUN}:
            self.history.start(self._start())

    def reset(self, live: bool = False) -> None:
        """Forget all runs and go back to iteration 0; `live` as in `scan`."""
        self.history = History(self._start(live))

    def again(self) -> None:
        """Begin with what is chosen: beside other runs, but not twice the same."""
        run, active = self._start(), self.history.active
        if run.settings == active.settings and run.problem.G is active.problem.G:
            self.history = History(run)
        else:
            self.history.start(run)

    def _start(self, live: bool = False) -> Run:
        problem, gamma = self.scene.problem, self.settings.gamma
        settings = replace(INTERACTIVE, gamma=gamma) if live else self.settings
        return Run(problem, [next(latent_optimisation(problem, settings))])

    # -- going on --------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """What is looked at."""
        return self.history.step

    @property
    def problem(self) -> Problem:
        """What the run solves that is looked at."""
        return self.history.active.problem

    @property
    def principal(self) -> Tensor:
        """(n, M) directions of its z that change hearts most."""
        G = self.problem.G
        if G not in self._principal:
            self._principal[G] = principal_directions(G, DIRECTIONS)
        return self._principal[G]

    @property
    def finished(self) -> bool:
        """Whether what is looked at is the end of a run, with nothing changed since."""
        return self.step.stopped is not None and self._change() is None

    @property
    def over(self) -> bool:
        """Whether only another run has anything new: this one is at its end, or was not made with
        what is chosen."""
        return self.finished or (self._other and self._change() is None)

    @property
    def _other(self) -> bool:
        run = self.history.active
        return run.settings.name != self.settings.name or run.problem.G is not self.generator

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
        if not self.history.at_end:
            if change is None:
                self.history.look(self.history.at + 1)
                return
            self.history.fork()
        if self._going is not None and self._going[0] is self.step:
            going = self._going[1]
        else:
            going = latent_optimisation(self.problem, self.step.state.settings, self.step)
            next(going)
        step = going.send(change)
        self.history.append(step, change)
        if step.stopped:
            self._ends[step.state.settings, self.problem.G] = step.iteration
        self._going = step, going

    def _change(self) -> Change | None:
        """What the user wants otherwise than the step that is looked at; INTERACTIVE's own
        learning rates stay."""
        settings = self.step.state.settings
        wanted = {n: getattr(self.settings, n) for n in saved.IN_MIDRUN}
        names = ("gamma",) if self._other else saved.IN_MIDRUN
        other = {n: wanted[n] for n in names if wanted[n] != getattr(settings, n)}
        return Change(**other) if other else None

    # -- as a text -------------------------------------------------------------------------

    def text(self) -> str:
        """The whole state as a text for `restore`."""
        return saved.write(self.scene.settings, self.history)

    def link(self) -> str:
        """The same as what follows the page's address, for `restore` too."""
        return saved.link_of(self.text())

    def restore(self, text: str, watch: Watch | None = None) -> tuple[saved.Said, ...]:
        """Compute the state of a text or a link again, and return what came out otherwise than it
        says; what was there before is forgotten at the end.

        `NoState` where it is no state, or of a scan that is not here, and `Cancelled` by `watch`:
        whatever is raised, all stays as it was.
        """
        state, watch = saved.read(text), watch or Watch()
        try:
            scene = self._scene(state.scan)
        except KeyError as error:
            raise saved.NoState("scan", name=state.scan.subject) from error
        count = watch.counted(sum(run.iterations for run in state.runs))
        runs = [run.again(scene.problem, count) for run in state.runs]
        self._look_at(scene)
        self.history = History(*runs)
        self.history.choose(state.active)
        self.history.look(state.at)
        self.generator, self.scene.problem = self.problem.G, self.problem
        here = {n: getattr(self.step.state.settings, n) for n in saved.IN_MIDRUN}
        self.settings = replace(self.history.active.settings, **here)
        said = (of.otherwise(run) for of, run in zip(state.runs, runs, strict=True))
        return tuple(filter(None, said))

    # -- what there is to see --------------------------------------------------------------

    @property
    def now(self) -> Moment:
        """All that there is to see of what is looked at, for any thread."""
        if self._estimate is None or self._estimate.step is not self.step:
            self._estimate = Estimate(self.step, self.problem)
        history, spread = self.history, self._spread
        found = spread is not None and spread[:2] == (self.paint, self.step)
        return Moment(
            scene=self.scene,
            estimate=self._estimate,
            principal=self.principal,
            runs=tuple(replace(run, steps=[*run.steps]) for run in history.runs),
            active=history.runs.index(history.active),
            at=history.at,
            usual=self._usual(),
            paint=self.paint,
            all_painted=self.all_painted,
            hearts=spread[2] if found and spread else None,
        )

    def _usual(self) -> int | None:
        """Iterations after which runs end: all of them, or where the last one was stopped."""
        settings = self.step.state.settings
        if settings.stop_change or settings.stop_dice:
            return self._ends.get((settings, self.problem.G))
        return self.step.most

    def spread(self, what: str, watch: Watch) -> None:
        """Find hearts that explain the scan as well (`painting.hearts`), to paint their spread."""
        self._spread = what, self.step, painting.hearts(what, self.step, self.problem, watch)
