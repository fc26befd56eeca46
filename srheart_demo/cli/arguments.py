"""The commands and their options; imports nothing heavy, so that help is immediate."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, TypeVar

Number = TypeVar("Number", int, float)


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, without the usage block."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


def parser() -> argparse.ArgumentParser:
    """The parser of ``srheart``."""
    top = Parser(
        prog="srheart",
        description="Joint motion correction and super-resolution of cardiac segmentations by "
        "latent optimisation (Wang et al., MICCAI 2021). Labels: 0 background, 1 LV, 2 MYO, 3 RV.",
    )
    top.add_argument("--version", action=_Version)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _sample(commands.add_parser("sample", help="list or copy the samples, or draw a heart"))
    _degrade(commands.add_parser("degrade", help="simulate a scan of a high-resolution heart"))
    _enhance(commands.add_parser("enhance", help="restore a heart from a short-axis stack"))
    _cohort(commands.add_parser("cohort", help="restore every scan of a folder"))
    _check(commands.add_parser("check", help="what a scan is, and whether to trust its heart"))
    _train(commands.add_parser("train", help="train a network on synthetic hearts"))
    _evaluate(commands.add_parser("evaluate", help="measure what a generator can do"))
    _experiment(commands.add_parser("experiment", help="the paper's tables, and more"))
    _population(commands.add_parser("population", help="compare synthetic hearts with real ones"))
    _explore(
        commands.add_parser("explore", help="the dashboard, in the browser", allow_abbrev=False)
    )
    return top


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """A command with its options; `passed_on` holds those of another program that it starts."""
    top = parser()
    options, others = top.parse_known_args(arguments)
    if others and not hasattr(options, "passed_on"):
        top.error(f"unrecognized arguments: {' '.join(others)}")
    options.passed_on = others
    return options


class _Version(argparse.Action):
    """Looks the version up only when asked."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"srheart {version('srheart-demo')}")
        parser.exit()


def _sample(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Without arguments, list the shipped synthetic subjects. With NAME, copy one; with "
        "--seed, draw a new synthetic heart: its HR truth, a 4-chamber view, SA stacks without, "
        "with normal and with severe motion, and the true displacements."
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument("name", nargs="?", metavar="NAME", help="a shipped subject")
    what.add_argument("--seed", type=whole, help="draw the synthetic heart of this seed")
    what.add_argument(
        "--rebuild", type=Path, metavar="FOLDER", help="make all shipped subjects again, in FOLDER"
    )
    _output(command, required=False)


def _degrade(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Eq. 1 of the paper: every fifth slice, each displaced in its plane, and label noise. "
        "Writes S_LR.nii.gz, the 4-chamber view S_LA.nii.gz and the true displacements d.json."
    )
    command.add_argument("heart", type=Path, metavar="S_HR.nii.gz", help="HR label map")
    command.add_argument(
        "--motion",
        default="normal",
        metavar="LEVEL",
        help="none, normal, severe, or a factor on 2.3 ± 0.87 mm (default: normal)",
    )
    command.add_argument("--seed", type=whole, default=0, help="of motion and noise (default: 0)")
    command.add_argument(
        "--noise",
        type=probability,
        default=0.0,
        metavar="EPSILON",
        help="probability that a voxel takes a neighbour's label (default: 0)",
    )
    _output(command)


def _enhance(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Algorithm 1: find the heart G(z) and the slice displacements d that explain the stack. "
        "Writes S_SR.nii.gz, d.json, convergence.csv and heart.stl."
    )
    command.add_argument("stack", type=Path, metavar="STACK.nii.gz", help="SA label stack")
    _long_axis(command)
    which = command.add_mutually_exclusive_group()
    _frame(which)
    which.add_argument(
        "--frames",
        choices=("all",),
        help="restore every frame with labels, each from the one before; writes a folder for each, "
        "and volumes.csv",
    )
    _reading(command)
    _no_check(command)
    _solver(command)
    _output(command)


def _check(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Say of each scan what was found, what was assumed, and whether its heart lies inside what "
        "the prior knows: it is solved quickly, and held against synthetic scans. For research and "
        "teaching only. Exit status 1: a heart is not to be trusted; 2: a file cannot be used."
    )
    command.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="SA label stacks, .nii or .nii.gz"
    )
    _long_axis(command)
    _frame(command)
    _reading(command)
    command.add_argument(
        "--no-solve", action="store_true", help="say what was found and assumed, and no more"
    )
    command.add_argument("--json", action="store_true", help="for programs: JSON on stdout")


def _long_axis(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--long-axis", type=Path, metavar="LA.nii.gz", help="LA label map of the same scan"
    )


def _frame(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--frame", type=whole, metavar="N", help="which frame of a file with several, from 0"
    )


def _labels(command: argparse.ArgumentParser) -> None:
    for option, whose in (("--labels", ""), ("--view-labels", " of the long-axis view")):
        command.add_argument(
            option,
            nargs=3,
            metavar="TISSUE=VALUE",
            help=f"what the values{whose} mean, such as LV=1 MYO=2 RV=3 (default: recognised)",
        )


def _reading(command: argparse.ArgumentParser) -> None:
    """How a scan is read and placed, for `cli.scan.chosen_reading`."""
    _labels(command)
    command.add_argument(
        "--view-frame",
        type=whole,
        metavar="N",
        help="which frame of the long-axis view, from 0 (default: that of the stack); with "
        "--frames all and a view of one frame, the frame of the stack that it shows",
    )
    _stacks(command)
    _by_hand(command)


def _stacks(command: argparse.ArgumentParser) -> None:
    """What a stack's file does not say of itself."""
    command.add_argument(
        "--slice-axis",
        type=int,
        choices=(0, 1, 2),
        help="which axis of the stack's array runs across its slices (default: found)",
    )
    command.add_argument(
        "--unlabelled",
        choices=("auto", "empty", "unknown"),
        default="auto",
        help="slices without labels beyond the labelled ones: the heart ends there (empty), nobody "
        "looked (unknown), or what the labelled ones tell (auto, the default)",
    )
    command.add_argument(
        "--trust-spacing",
        action="store_true",
        help="the spacing is right, although no heart is so long or so short",
    )


def _no_check(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--no-check",
        action="store_true",
        help="do not ask whether the heart is to be trusted: saves some 2 s a scan",
    )


def _by_hand(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--turn",
        type=degrees,
        default=0.0,
        metavar="DEGREES",
        help="turn the heart in-plane by so much more than its placement does",
    )
    command.add_argument(
        "--flip", action="store_true", help="take the other end of the stack for the apex"
    )
    command.add_argument(
        "--mirror", action="store_true", help="read the columns of the slices the other way"
    )


def _cohort(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Restore every NIfTI label stack of a folder and of its sub-folders, frame by frame, as "
        "enhance does. Long-axis views go with the stack of the same name; pictures, empty label "
        "maps and other formats are passed over, and counted. Writes a folder of results for each, "
        "and summary.csv. A stopped run goes on where it was; what is done already, with the same "
        "settings, version and input, is not done again. Exit status 1: some scan failed. Whether "
        "a heart is to be trusted says the summary, not the status."
    )
    command.add_argument("input", type=Path, metavar="IN_DIR", help="folder of the scans")
    command.add_argument(
        "output", type=Path, nargs="?", metavar="OUT_DIR", help="folder for the results"
    )
    command.add_argument(
        "--list",
        "--dry-run",
        action="store_true",
        help="only say which file is what, and what would be done",
    )
    for option, what in {
        "--match": "stacks are the files of this name, such as '*_SA_*_gt' (default: all labels "
        "but views)",
        "--views": "long-axis views are those; {} in it is what a view's name has in common with "
        "its stack's: '{}_4ch' (default: by their names)",
        "--exclude": "pass these files over, or all that a folder of this name holds",
    }.items():
        command.add_argument(option, action="append", default=[], metavar="PATTERN", help=what)
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs",
        type=positive,
        metavar="N",
        help="scans at once, a process each (default: as many as there are cores)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a Dask cluster to work on, whose workers see the same folders; tcp://HOST:8786",
    )
    command.add_argument(
        "--no-surface",
        action="store_true",
        help="leave out heart.stl, which takes nearly all of the space",
    )
    _labels(command)
    _stacks(command)
    _no_check(command)
    _solver(command)


def _train(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Train a generator, or the baseline EDSR, on synthetic hearts. A stopped run goes on from "
        "the checkpoint in its folder. Writes NAME.safetensors (LEVEL.safetensors of an EDSR) and "
        "its card."
    )
    command.add_argument(
        "generator",
        nargs="?",
        default="betavae",
        choices=("betavae", "dcgan", "edsr"),
        metavar="NAME",
        help="betavae, dcgan, or the baseline edsr (default: betavae)",
    )
    command.add_argument(
        "--recipe",
        choices=("recommended", "plain"),
        default="recommended",
        metavar="NAME",
        help="recommended, or plain: the paper's beta-VAE (default: recommended)",
    )
    command.add_argument("--hearts", type=positive, metavar="N", help="synthetic hearts")
    command.add_argument("--steps", type=positive, metavar="N", help="optimiser steps")
    command.add_argument("--beta", type=weight, help="weight of the beta-VAE's KL term")
    command.add_argument("--latent-size", type=positive, metavar="M", help="dimension of z")
    command.add_argument(
        "--motion",
        choices=("none", "normal", "severe"),
        metavar="LEVEL",
        help="of the scans that edsr learns from (default: none)",
    )
    command.add_argument(
        "--start", metavar="FILE", help="weights that edsr goes on from (default: fresh)"
    )
    command.add_argument(
        "--bfloat16",
        action="store_true",
        default=None,
        help="compute in bfloat16: twice as fast where the processor has it",
    )
    command.add_argument("--seed", type=whole, help="of hearts, initial weights and batches")
    _output(command)


def _evaluate(command: argparse.ArgumentParser) -> None:
    command.description = "Measure parts of this software on hearts that are known."
    subjects = command.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    _evaluate_generator(
        subjects.add_parser("generator", help="how well generators hold hearts, and how fast")
    )


def _evaluate_generator(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Measure generators on synthetic hearts that no training has seen, and on HR hearts in "
        "FILES. Ceiling: the best heart that a generator can make of a known one, found by "
        "optimisation. Encode-decode: what its encoder makes of it. Also how well its latent space "
        "is filled, how many of its draws are hearts, its speed and its size. Prints tables."
    )
    command.add_argument("files", type=Path, nargs="*", metavar="FILES", help="HR label maps")
    command.add_argument(
        "--generator",
        nargs="+",
        metavar="NAME",
        help="shipped generators, or files of weights (default: all shipped)",
    )
    command.add_argument(
        "--population",
        nargs="+",
        metavar="NAME",
        help="populations of synthetic hearts (default: all)",
    )
    command.add_argument(
        "--hearts",
        type=whole,
        default=200,
        metavar="N",
        help="synthetic hearts of each population; 0 leaves them out (default: 200)",
    )
    command.add_argument(
        "--draws",
        type=whole,
        default=1000,
        metavar="N",
        help="draws of z, and hearts encoded for the latent space; 0 leaves them out "
        "(default: 1000)",
    )
    command.add_argument(
        "--jobs",
        type=positive,
        default=1,
        metavar="N",
        help="hearts measured at once, one thread each (default: 1)",
    )
    command.add_argument("--seed", type=whole, default=0, help="of hearts and draws (default: 0)")
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="table to write, OUT.csv or OUT.md; a stopped run goes on from its OUT.csv",
    )


def _experiment(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Measure methods on scans whose truth is known, and sum up in the paper's layout. Writes "
        "results.csv, one row for each subject, level and method, settings.json, summary.md and "
        "report.html, a page that needs no network. A stopped run goes on with the same command."
    )
    names = command.add_subparsers(dest="experiment", metavar="NAME", required=True)
    for name, what in {
        "table1": "NN, SBI, EDSR and LO under severe motion",
        "table-s1": "the same under no, normal and severe motion",
        "table2": "EDSR trained on each level of motion and tested on each, against LO",
        "table3": "the same and LO-multi-view on clinical scans, with a sweep of γ",
    }.items():
        _on_synthetic_hearts(names.add_parser(name, help=what), what)
    _real_stacks(names.add_parser("real-stacks", help="NN, SBI and LO on hidden slices of stacks"))
    _latent_study(names.add_parser("latent-study", help="sizes of z, values of beta, generators"))


def _on_synthetic_hearts(command: argparse.ArgumentParser, what: str) -> None:
    command.description = f"Dice, distances and more of {what}, on synthetic hearts."
    _subjects(command)
    _methods(command)
    _running(command)


def _subjects(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--hearts", type=positive, default=50, metavar="N", help="subjects (default: 50)"
    )
    command.add_argument(
        "--population", default="healthy", metavar="NAME", help="of them (default: healthy)"
    )
    command.add_argument("--seed", type=whole, default=0, help="which subjects (default: 0)")


def _real_stacks(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Hide every second slice of each stack, restore the heart from the rest, and score it on "
        "the hidden ones. Hearts of 64 x 128 x 128 voxels of 2 x 1.25 x 1.25 mm are degraded as "
        "in the paper instead, and scored as in Table S1."
    )
    command.add_argument(
        "files", type=Path, nargs="+", metavar="FILES", help="label maps, or folders of them"
    )
    command.add_argument(
        "--simulate", action="store_true", help="degrade all files, whatever their grid"
    )
    command.add_argument(
        "--seed", type=whole, default=0, help="of the simulated motion (default: 0)"
    )
    _methods(command)
    _running(command)


def _latent_study(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Compare generators: leading latents of the shipped beta-VAE (nested, not retrained), the "
        "DCGAN, and beta-VAEs of the paper's recipe, trained here on a small budget for each beta. "
        "Measured are best codes, whether draws are hearts, and latent optimisation."
    )
    _subjects(command)
    command.add_argument(
        "--latents",
        type=positive,
        nargs="*",
        default=(8, 16, 32, 64, 128),
        metavar="M",
        help="leading latents kept (default: 8 16 32 64 128)",
    )
    command.add_argument(
        "--betas",
        type=weight,
        nargs="*",
        default=(0.0, 0.001, 0.01, 0.1),
        metavar="BETA",
        help="in the paper's scaling (default: 0 0.001 0.01 0.1)",
    )
    command.add_argument(
        "--draws", type=whole, default=100, metavar="N", help="of z to check (default: 100)"
    )
    command.add_argument(
        "--train-hearts",
        type=positive,
        default=1000,
        metavar="N",
        help="that each beta is trained on (default: 1000)",
    )
    command.add_argument(
        "--train-steps",
        type=positive,
        default=400,
        metavar="N",
        help="of each training: about 5 minutes of one core (default: 400)",
    )
    command.add_argument(
        "--preset", default="recommended", metavar="NAME", help="settings (default: recommended)"
    )
    _running(command)


def _methods(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--methods", nargs="+", metavar="NAME", help="which to compare (default: the paper's)"
    )


def _running(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)"
    )
    _output(command)


def _population(command: argparse.ArgumentParser) -> None:
    command.description = (
        "List the synthetic populations. With --check, draw hearts, compare their statistics with "
        "published ones of real hearts, and count those that pass the checks of their anatomy. "
        "Exit status 1: a statistic of the healthy population is out of tolerance."
    )
    command.add_argument("--check", action="store_true", help="draw hearts and compare")
    command.add_argument(
        "--population",
        nargs="+",
        default=["healthy"],
        metavar="NAME",
        help="which to check (default: healthy)",
    )
    command.add_argument(
        "--hearts", type=_several, default=200, metavar="N", help="of each (default: 200)"
    )
    command.add_argument("--seed", type=whole, default=0, help="of the hearts (default: 0)")


def _explore(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Open the dashboard in the browser, on a shipped sample or a scan of your own. Other "
        "options go to Voilà, which serves it (voila --help)."
    )
    command.add_argument(
        "--port", type=whole, help="to serve at (default: a free one from 8866 on)"
    )
    command.add_argument(
        "--no-browser", dest="browser", action="store_false", help="open none; print the address"
    )
    command.set_defaults(passed_on=[])


def _solver(command: argparse.ArgumentParser) -> None:
    """What `settings.chosen_settings` understands."""
    command.add_argument(
        "--preset", default="recommended", metavar="NAME", help="settings (default: recommended)"
    )
    command.add_argument(
        "--gamma", type=weight, metavar="G", help="weight of the long-axis loss (default: preset)"
    )
    command.add_argument(
        "--start", choices=("zero", "random", "encoder"), help="where z starts (default: preset)"
    )
    command.add_argument("--seed", type=whole, metavar="N", help="of a random start")
    command.add_argument(
        "--no-residual",
        action="store_true",
        help="give G(z) alone, without what the slices show beyond it",
    )


def _output(command: argparse.ArgumentParser, required: bool = True) -> None:
    command.add_argument(
        "-o", "--output", type=Path, required=required, metavar="OUT", help="folder for the results"
    )


def whole(text: str) -> int:
    """A whole number, 0 or more."""
    return _number(text, int, "a whole number, 0 or more", lambda value: value >= 0)


def positive(text: str) -> int:
    """A whole number, 1 or more."""
    return _number(text, int, "a whole number, 1 or more", lambda value: value >= 1)


def _several(text: str) -> int:
    return _number(text, int, "a whole number, 2 or more", lambda value: value >= 2)


def weight(text: str) -> float:
    """A finite number, 0 or more."""
    return _number(text, float, "a number, 0 or more", lambda value: 0 <= value < math.inf)


def degrees(text: str) -> float:
    """An angle between −360 and 360."""
    return _number(text, float, "an angle, -360 to 360", lambda value: -360 <= value <= 360)


def probability(text: str) -> float:
    """A number between 0 and 1."""
    return _number(text, float, "a number between 0 and 1", lambda value: 0 <= value <= 1)


def _number(text: str, kind: type[Number], wanted: str, accept: Callable[[Number], bool]) -> Number:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not accept(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return value
