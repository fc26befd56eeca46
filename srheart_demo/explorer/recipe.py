"""A session as a text: paste it, and the very same runs are there again.

What is written is how they came about, not their numbers: the scan, each run's settings, the
changes made by hand, how far it went and its loss there. Algorithm 1 is deterministic, so it leads
back, but for another machine's or version's rounding: the loss tells whether it did.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from srheart_demo.explorer.history import MOST, Run
from srheart_demo.explorer.subjects import Scan
from srheart_demo.solver.algorithm import Change
from srheart_demo.solver.settings import PRESETS, Settings

VERSION = 1
LOSS_DIGITS = 5
SAME = 1e-4
"""Losses that differ by no more, nats per voxel, are those of the same run."""
POSSIBLE = {"motion": (0.0, 10.0), "spacing": (2.0, 60.0), "noise": (0.0, 1.0)}
"""Scans that can be simulated."""


@dataclass(frozen=True)
class Course:
    """How a run came about.

    Attributes:
        settings: at its start.
        changes: those made by hand, with the iteration after which each was made.
        iterations: how far it went.
        parted, colour: as in `history.Run`.
        loss: L where it was then; NaN in texts of earlier versions.
    """

    settings: Settings
    changes: tuple[tuple[int, Change], ...]
    iterations: int
    parted: int
    colour: int
    loss: float = math.nan


@dataclass(frozen=True)
class Recipe:
    """All that leads back to a state.

    Attributes:
        courses: of the runs that are kept.
        active: index of the one that is looked at.
        at: the iteration that is looked at.
    """

    scan: Scan
    courses: tuple[Course, ...]
    active: int
    at: int


def write(recipe: Recipe) -> str:
    """A recipe as one line of text."""
    return json.dumps(
        {
            "srheart": VERSION,
            "scan": _brief(recipe.scan, Scan(recipe.scan.subject))
            | {"subject": recipe.scan.subject},
            "runs": [_course(course) for course in recipe.courses],
            "active": recipe.active,
            "at": recipe.at,
        },
        separators=(",", ":"),
    )


def read(text: str) -> Recipe:
    """A recipe from its text.

    Raises:
        ValueError: the text is none, in plain words.
    """
    try:
        table = json.loads(text)
        if table["srheart"] != VERSION:
            raise ValueError(f"it is of version {table['srheart']}, this explorer of {VERSION}")
        courses = tuple(_read_course(entry) for entry in table["runs"])
        recipe = Recipe(_read_scan(table["scan"]), courses, int(table["active"]), int(table["at"]))
        if not 0 <= recipe.active < len(courses) <= MOST:
            raise ValueError("it names a run that it does not hold")
        if {course.colour for course in courses} - {*range(MOST)}:
            raise ValueError("it has a colour that there is not")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"This text is no state of the explorer ({error}); paste all of what “Copy” gave."
        ) from error
    return recipe


def otherwise(course: Course, run: Run) -> str:
    """What a run gave otherwise than its text says, in a sentence; empty where it is the same."""
    name, done = course.settings.name, len(run.steps) - 1
    if done < course.iterations:
        return (
            f"{name} ended after {done} iterations here, {course.iterations} where the text is of."
        )
    if abs(run.steps[-1].loss - course.loss) > SAME:
        return f"{name} came to L = {run.steps[-1].loss:.4f} here, {course.loss:.4f} there."
    return ""


def _brief(value: Any, usual: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from the usual one's."""
    table, other = asdict(value), asdict(usual)
    return {name: entry for name, entry in table.items() if entry != other[name]}


def _course(course: Course) -> dict[str, Any]:
    known = PRESETS.get(course.settings.name)
    base = known or Settings(name=course.settings.name)
    return {
        "settings": _brief(course.settings, base) | {"name": course.settings.name},
        "changes": [[i, _change(change)] for i, change in course.changes],
        "iterations": course.iterations,
        "parted": course.parted,
        "colour": course.colour,
        "loss": round(course.loss, LOSS_DIGITS),
    }


def _change(change: Change) -> dict[str, float]:
    values = {name: getattr(change, name) for name in ("gamma", "lr_z", "lr_d")}
    return {name: value for name, value in values.items() if value is not None}


def _read_scan(entry: dict[str, Any]) -> Scan:
    scan = Scan(
        **entry
        | {
            "missing": tuple(int(k) for k in entry.get("missing", ())),
            "by_hand": tuple((int(k), float(r), float(c)) for k, r, c in entry.get("by_hand", ())),
        }
    )
    for name, (least, most) in POSSIBLE.items():
        if not least <= getattr(scan, name) <= most:
            raise ValueError(f"its {name} is not within {least:g} and {most:g}")
    return scan


def _read_course(entry: dict[str, Any]) -> Course:
    changed = dict(entry["settings"])
    base = PRESETS.get(changed["name"]) or Settings()
    unknown = set(changed) - {f.name for f in fields(Settings)}
    if unknown:
        raise ValueError(f"unknown settings {', '.join(sorted(unknown))}")
    if "search_at" in changed:
        changed["search_at"] = tuple(changed["search_at"])
    return Course(
        settings=Settings(**(asdict(base) | changed)),
        changes=tuple((int(i), Change(**change)) for i, change in entry["changes"]),
        iterations=int(entry["iterations"]),
        parted=int(entry["parted"]),
        colour=int(entry["colour"]),
        loss=float(entry.get("loss", math.nan)),
    )
