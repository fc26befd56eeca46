"""``srheart enhance``: from a stack of slices to a heart, or from all frames to a beating one."""

from __future__ import annotations

import argparse
from pathlib import Path

from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.output import results_folder, writable
from srheart_demo.cli.progress import Progress
from srheart_demo.cli.scan import chosen_by_hand, chosen_convention
from srheart_demo.cli.settings import chosen_settings
from srheart_demo.cycle import Beat, ejection_fraction, restore_cycle, write_volumes
from srheart_demo.enhancement import Diverged, Enhancement, enhance
from srheart_demo.files import atomic_folder
from srheart_demo.generator import load_generator
from srheart_demo.metrics import volumes_ml
from srheart_demo.optimise import Step
from srheart_demo.placement import place
from srheart_demo.settings import Settings
from srheart_demo.volume import (
    LabelVolume,
    Reading,
    read_frames,
    read_long_axis,
    read_short_axis,
)


def run(options: argparse.Namespace) -> None:
    """Read, place, solve, and write all results or none."""
    settings = chosen_settings(options)
    if options.gamma is not None and options.long_axis is None:
        raise BadInput(
            "--gamma: it weighs the long-axis view, and there is none; add --long-axis FILE."
        )
    restore = _one if options.frames is None else _all
    try:
        restore(options, settings)
    except Diverged as error:
        raise BadInput(str(error)) from error


def _one(options: argparse.Namespace, settings: Settings) -> None:
    stack = read_short_axis(options.stack, chosen_convention(options), options.frame)
    view = _view(options)
    placement = place(stack, chosen_by_hand(options))
    G = load_generator()
    with results_folder(options.output) as folder:
        with Progress() as progress:

            def show(step: Step) -> None:
                total = step.iteration if step.stopped else settings.iterations
                progress.update("iteration", step.iteration, total, f"L = {step.loss:.4f}")

            enhancement = enhance(G, stack, view, settings, show, placement)
        enhancement.write(folder)
    _summarise(enhancement, options.output)


def _all(options: argparse.Namespace, settings: Settings) -> None:
    """Each frame's folder is written when it is done, so that what is done stays."""
    frames = [
        f for f in read_frames(options.stack, chosen_convention(options)) if isinstance(f, Reading)
    ]
    view, out = _view(options), options.output
    beats: list[Beat] = []
    with Progress() as progress, writable(out):

        def show(i: int, step: Step) -> None:
            detail = f"iteration {step.iteration}, L = {step.loss:.4f}"
            progress.update("frame", i, len(frames), detail)

        by_hand = chosen_by_hand(options)
        for frame, e in restore_cycle(load_generator(), frames, view, settings, by_hand, show):
            with atomic_folder(out / f"frame_{frame:03d}") as folder:
                e.write(folder)
            beats.append(Beat.of(frame, e))
            write_volumes(beats, out / "volumes.csv")
        progress.update("frame", len(frames), len(frames))
    fractions = ", ".join(f"{side} {ejection_fraction(beats, side):.0%}" for side in ("LV", "RV"))
    print(f"{len(beats)} frames; ejection fraction {fractions}.")
    print(f"Wrote volumes.csv and a folder for each frame to {out}.")


def _view(options: argparse.Namespace) -> LabelVolume | None:
    if options.long_axis is None:
        return None
    return read_long_axis(options.long_axis, chosen_convention(options))


def _summarise(enhancement: Enhancement, output: Path) -> None:
    for note in enhancement.placement.notes:
        print(f"Note: {note}")
    heart, last = enhancement.S_SR, enhancement.last
    volumes = volumes_ml(heart.labels, heart.spacing)
    text = ", ".join(f"{tissue} {ml:.0f} ml" for tissue, ml in volumes.items())
    print(f"{text}; L = {last.loss:.4f} after {last.iteration} iterations ({last.stopped}).")
    print(f"Wrote S_SR.nii.gz, d.json, convergence.csv and heart.stl to {output}.")
