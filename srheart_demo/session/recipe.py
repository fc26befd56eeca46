"""A session as a text: paste it, and the very same runs are there again.

What is written is how they came about, not their numbers: the scan, each run's settings, the
changes made by hand and how far it went. Algorithm 1 is deterministic, so it leads back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from srheart_demo.optimise import Change
from srheart_demo.presets import PRESETS
from srheart_demo.session.subjects import Scan
from srheart_demo.settings import Settings

VERSION = 1


@dataclass(frozen=True)
class Course:
    """How a run came about.

    Attributes:
        settings: at its start.
        changes: those made by hand, with the iteration after which each was made.
        iterations: how far it went.
        parted, colour: as in `history.Run`.
    """

    settings: Settings
    changes: tuple[tuple[int, Change], ...]
    iterations: int
    parted: int
    colour: int


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
        scan = table["scan"]
        for name in ("missing", "by_hand"):
            if name in scan:
                scan[name] = tuple(tuple(x) if isinstance(x, list) else x for x in scan[name])
        courses = tuple(_read_course(entry) for entry in table["runs"])
        recipe = Recipe(Scan(**scan), courses, int(table["active"]), int(table["at"]))
        if not 0 <= recipe.active < len(courses):
            raise ValueError("it names a run that it does not hold")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"This text is no state of the explorer ({error}); paste all of what “Copy” gave."
        ) from error
    return recipe


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
    }


def _change(change: Change) -> dict[str, float]:
    values = {name: getattr(change, name) for name in ("gamma", "lr_z", "lr_d")}
    return {name: value for name, value in values.items() if value is not None}


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
    )
