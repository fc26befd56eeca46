"""Runs an experiment: every method on every case, in several processes, to be gone on with."""

import json
import os
import platform
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from srheart_demo.experiments.summary import Plot
from srheart_demo.experiments.tables import Results, Row, Scores, Table
from srheart_demo.files import Unusable, write_json
from srheart_demo.machine import one_thread
from srheart_demo.solver.workers import WorkerDied, in_processes

SETTINGS_FILE = "settings.json"
RESULTS_FILE = "results.csv"


@dataclass(frozen=True)
class Task:
    """A case and what is measured on it; it must be possible to pickle all of it."""

    subject: str
    level: str
    prepare: Callable[[], Any]  # makes the case
    measures: Mapping[str, Callable[[Any], Scores]]  # method → its scores on that case


class Experiment(ABC):
    """What is measured on what, and how it is summed up under a title."""

    name: ClassVar[str]  # on the command line
    title: ClassVar[str]
    figures: ClassVar[tuple[str, ...]]

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All that the figures depend on, as JSON has it; a run goes on only with the same."""

    def prepare(self, show: Callable[..., None]) -> None:  # noqa: B027 (most need none)
        """Train what must be; `show` is told what, and what `training.loop.Progress` is told."""

    @abstractmethod
    def tasks(self) -> Iterable[Task]:
        """All cases, in the order in which they are measured."""

    @abstractmethod
    def tables(self, results: Results) -> list[Table]:
        """The summary."""

    def plots(self, results: Results) -> list[Plot]:
        """Its pictures; most have some."""
        return []


def open_results(experiment: Experiment, folder: Path, made_with: Mapping[str, Any]) -> Results:
    """The results in a folder, which is made where there is none.

    When a run begins, or methods come to those of a run, `made_with` is written beside the
    settings, for the record. `Unusable` where the folder holds results of other settings, or of
    something else; OSError where it cannot be written.
    """
    todo = "give the same options, or another folder."
    folder.mkdir(parents=True, exist_ok=True)
    path, results = folder / SETTINGS_FILE, folder / RESULTS_FILE
    wanted = json.loads(json.dumps({"experiment": experiment.name, **experiment.settings()}))
    if path.exists():
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            found, earlier = dict(record["settings"]), record["made_with"]
        except (ValueError, KeyError, TypeError):
            raise Unusable(f"{path} is not of an experiment; {todo}") from None
        other = [
            f"{name} {_short(found.get(name))}, not {_short(wanted.get(name))}"
            for name in {**wanted, **found}
            if not _goes_on(name, found.get(name), wanted.get(name))
        ]
        if other:
            said = ", ".join(other)
            raise Unusable(f"{folder} holds results of other settings ({said}); {todo}")
        if found == wanted:
            return Results(results, experiment.figures)
        made_with = {**made_with, "before that": earlier}
    elif results.exists():
        raise Unusable(f"{results} is not of an experiment with settings beside it; {todo}")
    write_json({"settings": wanted, "made_with": made_with}, path)
    return Results(results, experiment.figures)


def _goes_on(name: str, found: Any, wanted: Any) -> bool:
    """Whether a setting is as it was, but for methods that have come to the others."""
    if name == "methods" and found and wanted:
        return set(found) <= set(wanted)
    if name == "weights" and found and wanted:
        return found.items() <= wanted.items()
    return found == wanted


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def measure_all(
    experiment: Experiment,
    results: Results,
    jobs: int = 1,
    watch: Callable[[int, int, Row], None] = lambda done, of, row: None,
) -> None:
    """Measure what the results do not hold yet.

    A case or method that fails leaves its error in its rows, and the others go on. So they do when
    a process dies, say for want of memory: the rows of its case stay open, and when all else is
    measured `WorkerDied` is raised. `jobs` are processes, each on one torch thread; 1 works here.
    `watch` is told after each row how many of how many are measured, and the row.
    """
    done, total, waiting = results.done, 0, list[Task]()
    for task in experiment.tasks():
        key, total = (task.subject, task.level), total + len(task.measures)
        left = {name: of for name, of in task.measures.items() if (*key, name) not in done}
        waiting += [replace(task, measures=left)] if left else []
    for row in _all_of(waiting, jobs):
        results.add(row)
        watch(len(results.rows), total, row)


def _measured(task: Task) -> Iterator[Row]:
    """The task's rows, each as soon as it is known; an error is on one line, since a row is one."""
    prepare = cache(task.prepare)
    for method, scores_of in task.measures.items():
        try:
            with one_thread():
                scores = scores_of(prepare())
            figures = {name: f"{value:.6g}" for name, value in scores.items()}
        except Exception as error:
            figures = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        yield {"subject": task.subject, "level": task.level, "method": method, **figures}


def _all_of(tasks: Sequence[Task], jobs: int) -> Iterator[Row]:
    if jobs == 1:
        for task in tasks:
            yield from _measured(task)
        return
    died: WorkerDied | None = None
    with closing(in_processes(_rows, tasks, jobs)) as ends:
        for _, outcome in ends:
            if isinstance(outcome, WorkerDied):
                died = outcome
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                yield from outcome
    if died:
        raise died


def _rows(task: Task) -> list[Row]:
    return list(_measured(task))


def provenance() -> dict[str, str]:
    """Version, commit, machine and date, so that others can make results again."""
    return {
        "srheart-demo": version("srheart-demo"),
        "commit": _commit(Path(__file__).parent) or "not from a repository",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "processor": _processor(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _commit(folder: Path) -> str:
    """The commit that a folder is checked out at, marked where files differ from it, if any."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    with suppress(OSError):  # of a machine without git
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return ""


def _processor() -> str:
    """Its name, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
