"""The guided tour: what each of its stops does with the solver, and what it takes for done."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from srheart_demo.explorer.history import generator_name
from srheart_demo.explorer.moment import Moment
from srheart_demo.explorer.session import Session
from srheart_demo.explorer.subjects import ScanSettings
from srheart_demo.heart.generator import OURS
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.settings import PAPERS_SYSTEM, preset

SEVERE = 3.0  # Motion from which the slices plainly jump, × usual
WATCHED = 50  # Iterations of a slow run that are worth watching
DRAGGED_FAR = 10.0  # How far a slice must be dragged to be seen, mm
OUR_SYSTEM = "RECOMMENDED", OURS  # The best settings and generator that we know

SLICES = ScanSettings("healthy_1", motion=4.0)
DRAGGED = SLICES.moved(6, 0.0, 20.0)
STRANGER = ScanSettings("dilated", motion=4.0)
LEANING = ScanSettings("hypertrophic", motion=4.0, long_axis=0)
NO_BASE = ScanSettings("healthy_1", long_axis=0, missing=(8, 9, 10))
"""The scans of the stops; the last lacks the uppermost three slices with tissue."""


@dataclass(frozen=True)
class Act:
    """What "Show me" does once: it begins a run, or paints the heart that was found."""

    scan: ScanSettings | None = None  # of which a run begins; none: what there is stays
    system: tuple[str, str] = OUR_SYSTEM  # settings and generator of the run
    runs: bool = True  # whether the solver carries it on
    hidden: bool = False  # whether the truth is hidden
    paint: str = ""  # what the surfaces show, as of a session

    def do(self, session: Session) -> None:
        """Do it; other runs on the same scan are kept, but the same run is not kept twice."""
        session.show_truth(not self.hidden)
        session.paint = self.paint
        if self.scan is None:
            return
        session.configure(gamma=1.0)
        if session.scene.settings != self.scan:
            session.scan(self.scan)
        name, generator = self.system
        if (session.settings, generator_name(session.generator)) == (preset(name), generator):
            session.again()
        else:
            session.preset(name, generator)


@dataclass(frozen=True)
class Stop:
    """One stop of the tour."""

    name: str  # among the words
    acts: tuple[Act, ...]  # what "Show me" does, one after the other
    done: Callable[["Tour", Moment], bool]  # whether its task is done, by what a session shows


class Tour:
    """Where somebody is in the tour, and what has been done there."""

    def __init__(self) -> None:
        self.at, self.acts = 0, 0  # index of the stop, in `STOPS`, and how many acts were shown
        self.done = set[str]()  # names of the stops whose task has been done
        self.guess: float | None = None  # motion error guessed while the truth was hidden, mm
        self.error: float | None = None  # what it was, mm, once that is shown
        # Views used → lean at a run's end, mm, of the heart looked at last; NaN without the truth.
        self.leans: dict[int, float] = {}
        self._guessed: Step | None = None
        self._heart: ScanSettings | None = None

    @property
    def stop(self) -> Stop:
        """The stop that is looked at."""
        return STOPS[self.at]

    def go(self, at: int) -> None:
        """To another stop, if there is such a one."""
        self.at, self.acts = min(max(at, 0), len(STOPS) - 1), 0

    def act(self) -> Act:
        """What is to be shown next; after the last, the first again."""
        acts = self.stop.acts
        self.acts = self.acts % len(acts) + 1
        return acts[self.acts - 1]

    def look(self, now: Moment) -> None:
        """Notice what has been done."""
        if self.stop.done(self, now):
            self.done.add(self.stop.name)

    def may_guess(self, now: Moment) -> bool:
        """Whether there is anything to guess: a run at its end, and the truth hidden."""
        return now.scene.truth_hidden and now.step.stopped is not None

    def bet(self, guess: float, now: Moment) -> None:
        """Guess the motion error of what is looked at, mm; nothing where the truth is known."""
        if self.may_guess(now):
            self.guess, self.error, self._guessed = guess, None, now.step

    def learns_error(self, now: Moment) -> bool:
        """Whether the truth of what was guessed has been shown; kept from then on."""
        if now.step is self._guessed and not now.scene.truth_hidden:
            self.error, self._guessed = now.motion_error, None
        return self.error is not None

    def learns_lean(self, now: Moment) -> bool:
        """Whether a heart has been solved without a view and with one."""
        scan = now.scene.settings
        heart = replace(scan, long_axis=0, views_move=False, views_by_hand=())
        if heart != self._heart:
            self._heart, self.leans = heart, {}
        if now.step.stopped:
            self.leans[scan.long_axis if now.settings.gamma else 0] = now.lean
        return 0 in self.leans and len(self.leans) > 1


def _walks(_: Tour, now: Moment) -> bool:
    system = now.run.settings.name, generator_name(now.run.problem.G)
    return system == PAPERS_SYSTEM and now.at >= WATCHED


def _drags(_: Tour, now: Moment) -> bool:
    far = [abs(mm) for _, *moved in now.scene.settings.by_hand for mm in moved]
    return max(far, default=0.0) >= DRAGGED_FAR and now.step.stopped is not None


STOPS = (
    Stop(
        "look",
        (Act(SLICES, runs=False),),
        lambda _, now: now.at == 0 and now.scene.settings.motion >= SEVERE,
    ),
    Stop("walk", (Act(SLICES, PAPERS_SYSTEM),), _walks),
    Stop("drag", (Act(DRAGGED),), _drags),
    Stop("guess", (Act(STRANGER, hidden=True),), Tour.learns_error),
    Stop("lean", tuple(Act(replace(LEANING, long_axis=v)) for v in (0, 1, 2)), Tour.learns_lean),
    Stop(
        "sure",
        (Act(NO_BASE), *(Act(paint=what, runs=False) for what in ("uncertainty", "error"))),
        lambda _, now: now.paint == "uncertainty" and now.hearts is not None,
    ),
)
