"""Runs an experiment: every method on every case, in several processes, to be gone on with."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from srheart_demo.experiments.results import Results, Row
from srheart_demo.experiments.scoring import Figures
from srheart_demo.experiments.summary import Plot, Table
from srheart_demo.files import atomic_path
from srheart_demo.machine import one_thread
from srheart_demo.solver.workers import WorkerDied, in_processes
from srheart_demo.training import Progress

SETTINGS_FILE = "settings.json"
RESULTS_FILE = "results.csv"


@dataclass(frozen=True)
class Task:
    """A case and what is measured on it; it must be possible to pickle all of it.

    Attributes:
        subject, level: what its rows are called.
        prepare: makes the case.
        measures: method → its figures on that case.
    """

    subject: str
    level: str
    prepare: Callable[[], Any]
    measures: Mapping[str, Callable[[Any], Figures]]


class Experiment(ABC):
    """What is measured on what, and how it is summed up.

    Attributes:
        title: of the summary.
        figures: names of what is measured.
    """

    title: ClassVar[str]
    figures: ClassVar[tuple[str, ...]]

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All that the figures depend on, as JSON has it; a run goes on only with the same."""

    def prepare(self, show: Callable[[str, Progress], None]) -> None:  # noqa: B027 (most need none)
        """What must be trained before anything can be measured; `show` is told what and how far."""

    @abstractmethod
    def tasks(self) -> Sequence[Task]:
        """All cases, in the order in which they are measured."""

    @abstractmethod
    def tables(self, results: Results) -> list[Table]:
        """The summary."""

    @abstractmethod
    def plots(self, results: Results) -> list[Plot]:
        """Its pictures."""


class OtherSettings(ValueError):
    """A folder holds results of other settings."""


def open_results(experiment: Experiment, folder: Path, made_with: Mapping[str, Any]) -> Results:
    """The results in a folder, which is made where there is none.

    Args:
        made_with: for the record, written with the settings when a run begins.

    Raises:
        OtherSettings: the folder holds results of other settings, or of something else.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, results = folder / SETTINGS_FILE, folder / RESULTS_FILE
    wanted = json.loads(json.dumps(experiment.settings()))
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))["settings"]
        other = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
        if other:
            text = ", ".join(
                f"{n} {_short(found.get(n))}, not {_short(wanted.get(n))}" for n in other
            )
            raise OtherSettings(f"{folder} holds results of other settings ({text})")
    elif results.exists():
        raise OtherSettings(f"{results} is not of an experiment with settings beside it")
    else:
        record = {"settings": wanted, "made_with": dict(made_with)}
        with atomic_path(path) as draft:
            draft.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return Results(results, experiment.figures)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def measure(
    experiment: Experiment,
    results: Results,
    jobs: int = 1,
    watch: Callable[[int, int, Row], None] | None = None,
) -> None:
    """Measure what the results do not hold yet.

    A case or method that fails leaves its error in its rows, and the others go on. So they do when
    a process dies: the rows of its case stay open.

    Args:
        experiment: what to measure.
        results: what is known already; grows by whole rows.
        jobs: processes, each on one torch thread; 1 works here.
        watch: told after each row how many of how many are measured, and the row.

    Raises:
        WorkerDied: all else is measured, but a case's process died, say for want of memory.
    """
    tasks = experiment.tasks()
    done = results.done
    waiting = [_without(task, done) for task in tasks]
    waiting = [task for task in waiting if task.measures]
    total = sum(len(task.measures) for task in tasks)
    rows = _here(waiting) if jobs == 1 else _in_processes(waiting, jobs)
    for row in rows:
        results.add(row)
        if watch:
            watch(len(results.rows), total, row)


def _without(task: Task, done: set[tuple[str, ...]]) -> Task:
    measures = {
        method: figures_of
        for method, figures_of in task.measures.items()
        if (task.subject, task.level, method) not in done
    }
    return replace(task, measures=measures)


def _measured(task: Task) -> Iterator[Row]:
    """The task's rows, each as soon as it is known."""
    key = {"subject": task.subject, "level": task.level}
    try:
        with one_thread():
            case = task.prepare()
    except Exception as error:
        for method in task.measures:
            yield {**key, "method": method, "error": _sentence(error)}
        return
    for method, figures_of in task.measures.items():
        try:
            with one_thread():
                found = figures_of(case)
            figures = {name: f"{value:.6g}" for name, value in found.items()}
        except Exception as error:
            figures = {"error": _sentence(error)}
        yield {**key, "method": method, **figures}


def _sentence(error: Exception) -> str:
    """On one line, since a row is one."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _here(tasks: Sequence[Task]) -> Iterator[Row]:
    for task in tasks:
        yield from _measured(task)


def _in_processes(tasks: Sequence[Task], jobs: int) -> Iterator[Row]:
    died: WorkerDied | None = None
    with closing(in_processes(_all_rows, tasks, jobs)) as ends:
        for _, outcome in ends:
            if isinstance(outcome, WorkerDied):
                died = outcome
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                yield from outcome
    if died:
        raise died


def _all_rows(task: Task) -> list[Row]:
    return list(_measured(task))
