"""A session as a text or a link: paste it, and the very same runs are there again.

What is written is how they came about, not their numbers: the scan, each run's settings and
generator, the changes made by hand, how far it went and its loss there. Algorithm 1 is
deterministic, so it leads back, but for another machine's or version's rounding: the loss tells
whether it did.
"""

import json
import math
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any, NamedTuple, get_args, get_type_hints

from srheart_demo.explorer.history import MOST, History, Run, generator_name
from srheart_demo.explorer.subjects import MOST_BY_HAND, ScanSettings
from srheart_demo.heart.generator import OURS, available, load_generator
from srheart_demo.solver.algorithm import Change, latent_optimisation
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import PRESETS, Settings

VERSION, LOSS_DIGITS = 1, 5
SAME = 1e-4  # Losses that differ by no more, nats per voxel, are those of the same run
POSSIBLE = {
    "motion": (0.0, 10.0),
    "spacing": (2.0, 60.0),
    "noise": (0.0, 1.0),
    "long_axis": (0, 99),
    "by_hand": (-MOST_BY_HAND, MOST_BY_HAND),
    "views_by_hand": (-MOST_BY_HAND, MOST_BY_HAND),
}
"""Of a scan; by hand, of each mm."""
POSSIBLE_OF = {int: (0, 2**63 - 1), float: (-1e9, 1e9)}
"""Of any number. With 1e300 a run has no numbers any more, and PyTorch may end the process."""
IN_MIDRUN = ("gamma", "lr_z", "lr_d")
"""Settings that may change in mid-run; another begins another run."""

MARK = "#state="  # What the packed text follows
MOST_TEXT = 2**20  # Characters of a text: of a link of strangers no more is unpacked

Said = tuple[str, dict[str, Any]]
"""What there is to say of a state that is restored: which sentence, and the facts in it."""


class NoState(ValueError):
    """A text or link that is no state, or not one for here."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(f"no state that can be restored: {reason} {facts or ''}".strip())
        self.said: Said = reason, facts  # why


class SavedRun(NamedTuple):
    """How a run came about: as a `Run`, with how far it went and L there; NaN in early texts."""

    generator: Generator
    settings: Settings
    changes: dict[int, Change]
    iterations: int
    parted: int
    colour: int
    loss: float

    def again(self, problem: Problem, tick: Callable[[], None]) -> Run:
        """Run it again, no further than it goes here; `tick` is called with every iteration."""
        problem = replace(problem, G=self.generator)
        going = latent_optimisation(problem, self.settings)
        try:
            steps = [next(going)]
        except (KeyError, ValueError) as error:
            raise NoState("settings", names=error.args[0]) from error
        for i in range(self.iterations):
            tick()
            if steps[-1].stopped and i not in self.changes:
                break
            steps.append(going.send(self.changes.get(i)))
        done = len(steps) - 1
        made = [(i, change) for i, change in self.changes.items() if i < done]
        return Run(problem, steps, made, min(self.parted, done), self.colour)

    def otherwise(self, run: Run) -> Said | None:
        """What came of it otherwise than was saved; None where it is the same."""
        name, done, loss = run.settings.name, len(run.steps) - 1, run.steps[-1].loss
        if done < self.iterations:
            return "ended", {"name": name, "here": done, "there": self.iterations}
        if abs(loss - self.loss) > SAME:
            return "loss", {"name": name, "here": loss, "there": self.loss}
        return None


FAULTS = ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError
"""What a text that is no state may raise where it is read."""


class SavedState(NamedTuple):
    """All that leads back to a state: the scan, the runs, the one and the iteration looked at."""

    scan: ScanSettings
    runs: list[SavedRun]
    active: int
    at: int


def write(scan: ScanSettings, history: History) -> str:
    """A state as one line of text."""
    state = {
        "srheart": VERSION,
        "scan": _brief(scan, ScanSettings(scan.subject)) | {"subject": scan.subject},
        "runs": [_write_run(run) for run in history.runs],
        "active": history.runs.index(history.active),
        "at": history.at,
    }
    return json.dumps(state, separators=(",", ":"))


def _write_run(run: Run) -> dict[str, Any]:
    name, G = run.settings.name, run.problem.G
    usual = {} if G is load_generator() else {"generator": generator_name(G)}
    return usual | {
        "settings": _brief(run.settings, PRESETS.get(name) or Settings(name=name)) | {"name": name},
        "changes": [[i, _brief(change, Change())] for i, change in run.changes],
        "iterations": len(run.steps) - 1,
        "parted": run.parted,
        "colour": run.colour,
        "loss": round(run.steps[-1].loss, LOSS_DIGITS),
    }


def _brief(value: Any, usual: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from the usual one's."""
    table, other = asdict(value), asdict(usual)
    return {name: entry for name, entry in table.items() if entry != other[name]}


def read(text: str) -> SavedState:
    """A state from its text, or from a link; `NoState` where it is none."""
    try:
        table = json.loads(text_of(text))
        if table["srheart"] != VERSION:
            raise NoState("version", there=table["srheart"], here=VERSION)
        runs = [_read_run(entry) for entry in table["runs"]]
        scan, looked_at = _read_scan(table["scan"]), {n: table[n] for n in ("active", "at")}
        state = SavedState(scan, runs, **_fields(looked_at, SavedState))
        if not 0 <= state.active < len(runs) <= MOST:
            raise ValueError("it names a run that it does not hold")
        if {run.colour for run in runs} - {*range(MOST)}:
            raise ValueError("it has a colour that there is not")
    except FAULTS as error:
        raise error if isinstance(error, NoState) else NoState("text") from error
    return state


def _check_known(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse what another version may know."""
    if unknown := {*names} - {*known}:
        raise NoState("settings", names=", ".join(sorted(unknown)))


def _fields(entry: dict[str, Any], of: type, *known: str) -> dict[str, Any]:
    """The fields of a class that an entry has, each of its type; no others, or than those known."""
    kinds, found = get_type_hints(of), dict[str, Any]()
    _check_known(entry, known or kinds)
    for name, value in entry.items():
        try:
            found[name] = _typed(value, kinds[name])
        except FAULTS as error:
            raise NoState("value", name=name) from error
    return found


def _typed(value: Any, kind: Any) -> Any:
    """What JSON has of a type, which equals it, and within `POSSIBLE_OF`."""
    if kinds := get_args(kind):  # of a tuple
        kinds = kinds[:1] * len(value) if kinds[-1] is ... else kinds
        return tuple(_typed(*each) for each in zip(value, kinds, strict=True))
    typed = kind(value)
    least, most = POSSIBLE_OF.get(kind, (typed, typed))
    if typed != value or not least <= typed <= most:
        raise ValueError("it is of another type, or too large")
    return typed


def _read_scan(entry: dict[str, Any]) -> ScanSettings:
    scan = ScanSettings(**_fields(entry, ScanSettings))
    for name, (least, most) in POSSIBLE.items():
        value = getattr(scan, name)
        held = [mm for _, *moved in value for mm in moved] if type(value) is tuple else [value]
        if not all(least <= number <= most for number in held):
            raise NoState("range", name=name, least=least, most=most)
    return scan


def _read_run(entry: dict[str, Any]) -> SavedRun:
    settings, generator = _fields(entry["settings"], Settings), entry.get("generator") or OURS
    _check_known([generator], available())  # else it might name a file of the server
    changes = {int(i): _fields(change, Settings, *IN_MIDRUN) for i, change in entry["changes"]}
    try:
        taken = replace(PRESETS.get(settings["name"]) or Settings(), **settings)
        for change in changes.values():
            replace(taken, **change)
    except ValueError as error:
        raise NoState("settings", names=error.args[0]) from error
    return SavedRun(
        generator=load_generator(generator),
        settings=taken,
        changes={i: Change(**change) for i, change in changes.items()},
        **_fields({name: entry[name] for name in ("iterations", "parted", "colour")}, SavedRun),
        loss=float(entry.get("loss", math.nan)),
    )


def link_of(text: str) -> str:
    """A state's text as what follows the address of a page."""
    return MARK + urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def text_of(link: str) -> str:
    """The text of a link, with its address or without; what is no link, as it is. ValueError where
    the link is broken."""
    _, mark, packed = link.strip().rpartition(MARK)
    if not mark:
        return link
    try:
        data = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        return zlib.decompressobj().decompress(data, MOST_TEXT).decode()
    except zlib.error as error:
        raise ValueError("the link is broken") from error
