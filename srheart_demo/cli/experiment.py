"""``srheart experiment``: the paper's tables and more, each by one command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from srheart_demo import training
from srheart_demo.cli import markdown
from srheart_demo.cli.errors import BadInput, check_populations, install_them, missing_packages
from srheart_demo.cli.progress import Progress
from srheart_demo.enhancement.folder import UnusableCohort, find_subjects
from srheart_demo.experiments.clinical import Table3
from srheart_demo.experiments.latent_study import LATENT_SIZES, LatentStudy, Training
from srheart_demo.experiments.provenance import provenance
from srheart_demo.experiments.real_stacks import RealStacks
from srheart_demo.experiments.recorded import TABLES
from srheart_demo.experiments.results import KEY, Results, Row
from srheart_demo.experiments.runner import (
    SETTINGS_FILE,
    Experiment,
    OtherSettings,
    measure,
    open_results,
)
from srheart_demo.experiments.simulated import Hearts, Simulated
from srheart_demo.experiments.summary import Cell, Table
from srheart_demo.files import atomic_path
from srheart_demo.solver.settings import preset
from srheart_demo.solver.workers import WorkerDied

SUMMARY, REPORT = "summary.md", "report.html"

Make = Callable[[argparse.Namespace], Experiment]


def run(options: argparse.Namespace) -> None:
    """Measure what the folder does not hold yet, then sum up."""
    experiment = EXPERIMENTS[options.experiment](options)
    results = _open(experiment, options.output)
    _measure(experiment, results, options)
    tables = experiment.tables(results)
    text = _markdown(experiment, tables, results, options.output)
    print(text)
    with atomic_path(options.output / SUMMARY) as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    _report(experiment, tables, results, options.output)


def _on_synthetic_hearts(
    kind: type[Simulated | Table3],
) -> Callable[[argparse.Namespace], Experiment]:
    def make(options: argparse.Namespace) -> Experiment:
        check_populations([options.population])
        subjects = Hearts(options.population, options.hearts, options.seed)
        experiment = kind(subjects, tuple(options.methods)) if options.methods else kind(subjects)
        _check_methods(experiment)
        return experiment

    return make


def _latent_study(options: argparse.Namespace) -> Experiment:
    check_populations([options.population])
    try:
        solver = preset(options.preset)
    except KeyError as error:
        raise BadInput(f"--preset: {error.args[0]}.") from error
    if unknown := [M for M in options.latents if LATENT_SIZES[-1] < M]:
        raise BadInput(
            f"--latents: the shipped generator has {LATENT_SIZES[-1]}, not {unknown[0]}."
        )
    return LatentStudy(
        Hearts(options.population, options.hearts, options.seed),
        options.output,
        solver,
        tuple(options.latents),
        tuple(options.betas),
        options.draws,
        Training(options.train_hearts, options.train_steps),
    )


def _check_methods(experiment: Experiment) -> None:
    try:
        experiment.tasks()
    except KeyError as error:
        raise BadInput(f"--methods: {error.args[0]}.") from error


def _real_stacks(options: argparse.Namespace) -> Experiment:
    files = _stacks(options.files)
    if not files:
        raise BadInput(
            "FILES: no .nii or .nii.gz of labels lies there; name files or a folder of them."
        )
    if missing := [str(path) for path in files if not path.is_file()]:
        raise BadInput(f"{missing[0]}: there is no such file; check the path.")
    experiment = RealStacks(files, options.simulate, options.seed)
    if options.methods:
        chosen = tuple(options.methods)
        experiment = replace(experiment, stack_methods=chosen, heart_methods=chosen)
    _check_methods(experiment)
    return experiment


def _stacks(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files, and the stacks in and below the folders, as `srheart cohort` finds them."""
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        try:
            found = find_subjects(path)
        except UnusableCohort as error:
            raise BadInput(str(error)) from error
        files += [subject.paths[0] for subject in found.subjects]
        if found.rest:
            print(f"{path}: passed over: {found.rest}.", file=sys.stderr)
    return tuple(dict.fromkeys(files))


EXPERIMENTS: dict[str, Make] = {
    **{name: _on_synthetic_hearts(kind) for name, kind in TABLES.items()},
    RealStacks.name: _real_stacks,
    LatentStudy.name: _latent_study,
}


def _open(experiment: Experiment, folder: Path) -> Results:
    try:
        return open_results(experiment, folder, provenance())
    except OtherSettings as error:
        raise BadInput(f"{error}; give the same options, or another folder.") from error
    except OSError as error:
        raise BadInput(
            f"{folder}: results cannot be written here ({error.strerror or error}); choose a "
            "folder that you may write to."
        ) from error
    except ValueError as error:
        raise BadInput(f"{error}; give another folder.") from error


def _measure(experiment: Experiment, results: Results, options: argparse.Namespace) -> None:
    with Progress() as progress:

        def watch(done: int, total: int, row: Row) -> None:
            progress.update("measured", done, total, ", ".join(row[name] for name in KEY))

        def show(name: str, state: training.Progress) -> None:
            progress.update(f"{name}, {state.phase}", state.done, state.total)

        try:
            experiment.prepare(show)
            measure(experiment, results, options.jobs, watch)
        except KeyboardInterrupt:
            print(f"\nThe same command goes on from {options.output}.", file=sys.stderr)
            raise
        except WorkerDied as error:
            raise BadInput(
                "A process was ended from outside, perhaps for want of memory; the same command "
                f"goes on from {options.output}, with fewer --jobs if memory is short."
            ) from error


def _markdown(experiment: Experiment, tables: list[Table], results: Results, folder: Path) -> str:
    lines = [f"# {experiment.title}", ""]
    for table in tables:
        lines += [f"## {table.title}", "", *markdown.head(*table.head)]
        lines += [markdown.row(*map(_text, cells)) for cells in table.rows]
        lines += ["", table.note, ""] if table.note else [""]
    if results.failures:
        lines += ["## What failed", "", *markdown.head(*KEY, "error")]
        lines += [
            markdown.row(*(row[name] for name in (*KEY, "error"))) for row in results.failures
        ]
        lines += [""]
    lines += [f"Every figure: `{results.path.name}`. Settings and software: `{SETTINGS_FILE}`."]
    return "\n".join(lines)


def _text(cell: str | Cell) -> str:
    return f"**{cell}**" if isinstance(cell, Cell) and cell.bold else str(cell)


def _report(experiment: Experiment, tables: list[Table], results: Results, folder: Path) -> None:
    """The HTML page, where plotly is installed."""
    try:
        from srheart_demo.dashboard.report import report
    except ModuleNotFoundError as error:
        todo = install_them(missing_packages("app"))
        print(f"{REPORT} needs {error.name} and its kind; {todo}", file=sys.stderr)
        return
    record = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    facts = {"settings": record["settings"], "made with": record["made_with"]}
    page = report(experiment.title, tables, experiment.plots(results), results.failures, facts)
    with atomic_path(folder / REPORT) as draft:
        draft.write_text(page, encoding="utf-8")
