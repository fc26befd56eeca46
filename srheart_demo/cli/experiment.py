"""``srheart experiment``: the paper's tables and more, each by one command."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from srheart_demo.cli.errors import (
    BadInput,
    check_populations,
    install_them,
    missing_packages,
    writable,
)
from srheart_demo.cli.options import chosen_preset, option, positive, shared, weight, whole
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.files import atomic_path

if TYPE_CHECKING:
    from srheart_demo import training
    from srheart_demo.experiments.runner import Experiment
    from srheart_demo.experiments.tables import Results, Row, Table

HELP = "the paper's tables, and more"
DESCRIPTION = (
    "Measure methods on scans whose truth is known, and sum up in the paper's layout. Writes "
    "results.csv, one row for each subject, level and method, settings.json, summary.md, "
    "report.html, a page that needs no network, and each of its plots as a picture. A stopped run "
    "goes on with the same command, and with more methods too."
)
_ON_HEARTS = {
    "table1": ("NN, SBI, EDSR and LO under severe motion", 50),
    "table-s1": ("the same under no, normal and severe motion", 50),
    "table2": ("EDSR trained on each level of motion and tested on each, against LO", 50),
    "table3": ("the same and LO-multi-view on clinical scans, with a sweep of γ", 50),
    "ablation": ("each step from the paper's LO to ours", 30),
    "gap": ("the paper's LO with priors, other stops and best codes, against what is printed", 10),
}
"""Experiments on synthetic hearts: what is measured, and on how many."""
REAL_STACKS = (
    "Hide every second slice of each stack, restore the heart from the rest, and score it on the "
    "hidden ones. Hearts of 64 x 128 x 128 voxels of 2 x 1.25 x 1.25 mm are degraded as in the "
    "paper instead, and scored as in Table S1."
)
LATENT_STUDY = (
    "Compare generators: leading latents of traits (nested, not retrained), the others that are "
    "shipped, and beta-VAEs of the paper's recipe, trained here for each beta. Measured are best "
    "codes, whether draws are hearts, and latent optimisation; --preset reference is the paper's."
)
SETTINGS, RESULTS, SUMMARY, REPORT = "settings.json", "results.csv", "summary.md", "report.html"


def add_options(command: argparse.ArgumentParser) -> None:
    """An experiment, on what, and of which methods."""
    names = command.add_subparsers(dest="experiment", metavar="NAME", required=True)
    for name, (what, hearts) in _ON_HEARTS.items():
        description = f"Dice, distances and more of {what}, on synthetic hearts."
        table = names.add_parser(name, help=what, description=description)
        _subjects(table, hearts)
        _methods(table)
        _running(table)

    what = "NN, SBI and LO on hidden slices of stacks"
    stacks = names.add_parser("real-stacks", help=what, description=REAL_STACKS)
    add = partial(option, stacks)
    add("files FILES", "label maps, or folders of them", Path, nargs="+")
    add("--simulate", "degrade all files, whatever their grid")
    add("--seed", "of the simulated motion", whole, 0)
    _methods(stacks)
    _running(stacks)

    what = "sizes of z, values of beta, generators"
    study = names.add_parser("latent-study", help=what, description=LATENT_STUDY)
    _subjects(study, 20)
    add = partial(option, study)
    what, sizes = "leading latents kept (default: 8 16 32 64 128)", (8, 16, 32, 64, 128)
    add("--latents M", what, positive, nargs="*", default=sizes)
    what, betas = "in the paper's scaling (default: 0 0.001 0.01 0.1)", (0.0, 0.001, 0.01, 0.1)
    add("--betas BETA", what, weight, nargs="*", default=betas)
    add("--draws N", "of z to check", whole, 100)
    add("--train-hearts N", "that each beta is trained on", positive, 2000)
    add("--train-steps N", "of each training, half a second of one core each", positive, 4000)
    shared(study, "preset")
    _running(study)


def _subjects(command: argparse.ArgumentParser, hearts: int) -> None:
    option(command, "--hearts N", "subjects", positive, hearts)
    option(command, "--population NAME", "of them", usual="healthy")
    option(command, "--seed", "which subjects", whole, 0)


def _methods(command: argparse.ArgumentParser) -> None:
    option(command, "--methods NAME", "which to compare (default: the paper's)", nargs="+")


def _running(command: argparse.ArgumentParser) -> None:
    option(command, "--jobs N", "processes", positive, 1)
    shared(command, "output")


def run(options: argparse.Namespace) -> None:
    """Measure what the folder does not hold yet, then sum up."""
    experiment, folder = _chosen(options), options.output
    try:
        experiment.tasks()
    except KeyError as error:
        raise BadInput(f"--methods: {error.args[0]}.") from error
    results = _open(experiment, folder)
    _measure(experiment, results, options)
    tables = [*experiment.tables(results), *results.what_failed()]
    text = _summary(experiment.title, tables)
    print(text)
    with atomic_path(folder / SUMMARY) as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    try:
        _picture(experiment, results, tables, folder)
    except ModuleNotFoundError as error:
        todo = install_them(missing_packages("app"))
        print(f"{REPORT} needs {error.name} and its kind; {todo}", file=sys.stderr)


def _picture(
    experiment: Experiment, results: Results, tables: Sequence[Table], folder: Path
) -> None:
    """The page, and each plot of it as a picture."""
    from srheart_demo.dashboard.report import report
    from srheart_demo.lessons.scores import picture_plot

    plots = experiment.plots(results)
    record = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    facts = {name.replace("_", " "): record[name] for name in ("settings", "made_with")}
    with atomic_path(folder / REPORT) as draft:
        draft.write_text(report(experiment.title, tables, plots, facts), encoding="utf-8")
    for plot in plots:
        name = re.sub(r"\W+", "-", plot.title.lower())
        with atomic_path(folder / f"{name}.png") as draft:
            picture_plot(plot).savefig(draft, dpi=150, bbox_inches="tight")


def _chosen(options: argparse.Namespace) -> Experiment:
    from srheart_demo.experiments.ablation import Ablation, Gap
    from srheart_demo.experiments.cases import HeldOut
    from srheart_demo.experiments.latent_study import LatentStudy
    from srheart_demo.experiments.paper_tables import PAPER_TABLES
    from srheart_demo.experiments.real_stacks import RealStacks
    from srheart_demo.heart.generator import load_generator
    from srheart_demo.training import BetaVAESettings

    if options.experiment == "real-stacks":
        files = _files(options.files)
        return RealStacks(files, options.simulate, options.seed, tuple(options.methods or ()))
    check_populations([options.population])
    subjects = HeldOut(options.population, options.hearts, options.seed)
    if options.experiment in _ON_HEARTS:
        known = PAPER_TABLES | {kind.name: kind for kind in (Ablation, Gap)}
        return known[options.experiment](subjects, tuple(options.methods or ()))
    solver, most = chosen_preset(options), load_generator().latent_size
    if unknown := [M for M in options.latents if most < M]:
        raise BadInput(f"--latents: the shipped generator has {most}, not {unknown[0]}.")
    return LatentStudy(
        subjects,
        options.output,
        solver,
        tuple(options.latents),
        tuple(options.betas),
        options.draws,
        BetaVAESettings(hearts=options.train_hearts, steps=options.train_steps, bfloat16=True),
    )


def _files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files, and the stacks in and below the folders, as `srheart cohort` finds them."""
    from srheart_demo.enhancement.folder import UnusableCohort, find_subjects

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
    if not files:
        raise BadInput(
            "FILES: no .nii or .nii.gz of labels lies there; name files or a folder of them."
        )
    if missing := [path for path in files if not path.is_file()]:
        raise BadInput(f"{missing[0]}: there is no such file; check the path.")
    return tuple(dict.fromkeys(files))


def _open(experiment: Experiment, folder: Path) -> Results:
    from srheart_demo.experiments.runner import OtherSettings, open_results, provenance

    try:
        with writable(folder):
            return open_results(experiment, folder, provenance())
    except OtherSettings as error:
        raise BadInput(f"{error}; give the same options, or another folder.") from error
    except ValueError as error:
        raise BadInput(
            f"{folder / RESULTS} has {error} than this experiment; give another folder."
        ) from error


def _measure(experiment: Experiment, results: Results, options: argparse.Namespace) -> None:
    from srheart_demo.experiments.runner import measure_all
    from srheart_demo.solver.workers import WorkerDied

    with ProgressLine() as progress:

        def watch(done: int, total: int, row: Row) -> None:
            progress.update("measured", done, total, ", ".join(row[name] for name in results.key))

        def show(name: str, state: training.TrainingProgress) -> None:
            progress.update(f"{name}, {state.phase}", state.done, state.total)

        try:
            experiment.prepare(show)
            measure_all(experiment, results, options.jobs, watch)
        except KeyboardInterrupt:
            print(f"\nThe same command goes on from {options.output}.", file=sys.stderr)
            raise
        except WorkerDied as error:
            raise BadInput(
                "A process was ended from outside, perhaps for want of memory; the same command "
                f"goes on from {options.output}, with fewer --jobs if memory is short."
            ) from error


def _summary(title: str, tables: Sequence[Table]) -> str:
    lines = [f"# {title}", ""]
    for table in tables:
        lines += [f"## {table.title}", "", *table.markdown()]
    return "\n".join([*lines, f"Every figure: `{RESULTS}`. Settings and software: `{SETTINGS}`."])
