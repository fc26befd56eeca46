"""``srheart enhance``: from a stack of slices to a heart."""

from __future__ import annotations

import argparse
from pathlib import Path

from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.output import results_folder
from srheart_demo.cli.progress import Progress
from srheart_demo.cli.settings import chosen_settings
from srheart_demo.enhancement import Diverged, Enhancement, enhance
from srheart_demo.generator import load_generator
from srheart_demo.metrics import volumes_ml
from srheart_demo.optimise import Step
from srheart_demo.volume import read_long_axis, read_short_axis


def run(options: argparse.Namespace) -> None:
    """Read, place, solve, and write all results or none."""
    settings = chosen_settings(options)
    if options.gamma is not None and options.long_axis is None:
        raise BadInput(
            "--gamma: it weighs the long-axis view, and there is none; add --long-axis FILE."
        )
    stack = read_short_axis(options.stack)
    view = read_long_axis(options.long_axis) if options.long_axis else None
    G = load_generator()
    with results_folder(options.output) as folder:
        with Progress() as progress:

            def show(step: Step) -> None:
                total = step.iteration if step.stopped else settings.iterations
                progress.update("iteration", step.iteration, total, f"L = {step.loss:.4f}")

            try:
                enhancement = enhance(G, stack, view, settings, show)
            except Diverged as error:
                raise BadInput(str(error)) from error
        enhancement.write(folder)
    _summarise(enhancement, options.output)


def _summarise(enhancement: Enhancement, output: Path) -> None:
    for note in enhancement.placement.notes:
        print(f"Note: {note}")
    heart, last = enhancement.S_SR, enhancement.last
    volumes = volumes_ml(heart.labels, heart.spacing)
    text = ", ".join(f"{tissue} {ml:.0f} ml" for tissue, ml in volumes.items())
    print(f"{text}; L = {last.loss:.4f} after {last.iteration} iterations ({last.stopped}).")
    print(f"Wrote S_SR.nii.gz, d.json, convergence.csv and heart.stl to {output}.")
