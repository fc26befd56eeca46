"""``srheart experiment``: the paper's tables and more, each by one command."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from srheart_demo.cli import chosen, errors
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.enhancement.folder import find_subjects
from srheart_demo.enhancement.names import Choice, Pattern
from srheart_demo.experiments import runner
from srheart_demo.experiments.ablation import Ablation, DisplacedViews, Gap
from srheart_demo.experiments.cases import HeldOut
from srheart_demo.experiments.latent_study import LatentStudy
from srheart_demo.experiments.paper_tables import PAPER_TABLES
from srheart_demo.experiments.real_stacks import RealStacks, RealViews
from srheart_demo.experiments.rivals import Rivals, answers_in
from srheart_demo.experiments.runner import RESULTS_FILE, SETTINGS_FILE
from srheart_demo.experiments.tables import KEY, Results, Row, Table
from srheart_demo.files import atomic_path, write_text
from srheart_demo.heart.generator import load_generator
from srheart_demo.solver.workers import WorkerDied
from srheart_demo.training import BetaVAESettings

SUMMARY, REPORT = "summary.md", "report.html"


def run(options: argparse.Namespace) -> None:
    """Carry out the experiment of the options."""
    carry_out(_chosen(options), options)


def carry_out(experiment: runner.Experiment, options: argparse.Namespace) -> None:
    """Measure what the folder does not hold yet, then sum up."""
    folder = options.output
    with errors.refused("--methods: {error}.", KeyError):
        list(experiment.tasks())
    other = f"{folder / RESULTS_FILE} has {{error}} than this experiment; give another folder."
    with errors.writable(folder), errors.refused(other, ValueError):
        results = runner.open_results(experiment, folder, runner.provenance())
    _measure(experiment, results, options)
    tables = [*experiment.tables(results), *results.what_failed()]
    lines = [f"# {experiment.title}", ""]
    for table in tables:
        lines += [f"## {table.title}", "", *table.markdown()]
    lines.append(f"Every figure: `{RESULTS_FILE}`. Settings and software: `{SETTINGS_FILE}`.")
    print(*lines, sep="\n")
    write_text("\n".join([*lines, ""]), folder / SUMMARY)
    try:
        _picture(experiment, results, tables, folder)
    except ModuleNotFoundError as error:
        todo = errors.install_them(errors.missing_packages("app"))
        print(f"{REPORT} needs {error.name} and its kind; {todo}", file=sys.stderr)


def _picture(
    experiment: runner.Experiment, results: Results, tables: Sequence[Table], folder: Path
) -> None:
    """The page, and each picture of it."""
    from srheart_demo.dashboard.report import report
    from srheart_demo.lessons.scores import picture_plot

    pictures = dict[str, bytes]()
    for plot in experiment.plots(results):
        path = folder / (re.sub(r"\W+", "-", plot.title.lower()) + ".png")
        with atomic_path(path) as draft:
            picture_plot(plot).savefig(draft, dpi=150, bbox_inches="tight", format="png")
        pictures[plot.title] = path.read_bytes()
    record = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    facts = {name.replace("_", " "): record[name] for name in ("settings", "made_with")}
    write_text(report(experiment.title, tables, pictures, facts), folder / REPORT)


def _chosen(options: argparse.Namespace) -> runner.Experiment:
    if options.experiment == "real-stacks":
        files = _files(options.files)
        return RealStacks(files, options.simulate, options.seed, tuple(options.methods or ()))
    if options.experiment == "real-views":
        choice = (tuple(map(Pattern, words)) for words in (options.match, options.views))
        found = find_subjects(options.folder, None, Choice(*choice))
        seen = {subject.name: subject.paths for subject in found.subjects if subject.views}
        if not seen:
            raise errors.BadInput.of("no scan with a view", folder=options.folder)
        return RealViews(seen, tuple(options.methods or RealViews.methods))
    if options.experiment == "rivals":
        return _rivals(options)
    chosen.check_populations([options.population])
    subjects = HeldOut(options.population, options.hearts, options.seed)
    on_hearts = PAPER_TABLES | {kind.name: kind for kind in (Ablation, Gap, DisplacedViews)}
    if options.experiment in on_hearts:
        return on_hearts[options.experiment](subjects, tuple(options.methods or ()))
    solver, most = chosen.settings_of_preset(options), load_generator().latent_size
    if unknown := [M for M in options.latents if most < M]:
        raise errors.BadInput.of("too many latents", most=most, asked=unknown[0])
    recipe = BetaVAESettings(hearts=options.train_hearts, steps=options.train_steps, bfloat16=True)
    swept = tuple(options.latents), tuple(options.betas)
    return LatentStudy(subjects, options.output, solver, *swept, options.draws, recipe)


def _rivals(options: argparse.Namespace) -> Rivals:
    """What lies in the folder; what of it is passed over is said."""
    folder: Path = options.folder
    found = answers_in(folder) if folder.is_dir() else {}
    used = {path for files in found.values() for path in files.values()}
    if not used:
        raise errors.BadInput.of("no rivals", folder=folder)
    if rest := [path.name for path in sorted(folder.iterdir()) if path not in used]:
        print(f"{folder}: passed over: {', '.join(rest)}.", file=sys.stderr)
    return Rivals(folder, tuple(options.methods or Rivals.methods))


def _files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files, and the stacks in and below the folders, as `srheart cohort` finds them."""
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = find_subjects(path)
        files += [subject.paths[0] for subject in found.subjects]
        if found.rest:
            print(f"{path}: passed over: {found.rest}.", file=sys.stderr)
    if not files:
        raise errors.BadInput.of("no files")
    if missing := [path for path in files if not path.is_file()]:
        raise errors.BadInput.of("no file", path=missing[0])
    return tuple(dict.fromkeys(files))


def _measure(experiment: runner.Experiment, results: Results, options: argparse.Namespace) -> None:
    with errors.goes_on(options.output), ProgressLine() as progress:

        def watch(done: int, total: int, row: Row) -> None:
            progress.update("measured", done, total, ", ".join(row[name] for name in KEY))

        def show(name: str, phase: str, done: int, total: int, _: object) -> None:
            progress.update(f"{name}, {phase}", done, total)

        try:
            experiment.prepare(show)
            runner.measure_all(experiment, results, options.jobs, watch)
        except WorkerDied as error:
            raise errors.BadInput.of("process ended", folder=options.output) from error
