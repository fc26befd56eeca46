"""``srheart enhance``: from a stack of slices to a heart, or from all frames to a beating one."""

import argparse
import sys
from functools import partial

from srheart_demo.cli.errors import BadInput, refused, results_folder, writable
from srheart_demo.cli.options import (
    check_view_names,
    chosen_generator,
    chosen_reading,
    chosen_settings,
    refusal,
)
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.enhancement.check import judged
from srheart_demo.enhancement.cycle import Beat, ejection_fraction, restore_cycle, write_volumes
from srheart_demo.enhancement.enhance import Diverged, enhance
from srheart_demo.files import atomic_folder
from srheart_demo.heart.measures import volumes_ml
from srheart_demo.scan.read import read_cycle, read_scan
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import InvalidVolume
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.settings import Settings


def run(options: argparse.Namespace) -> None:
    """Read, place, solve, and write all results or none."""
    settings = chosen_settings(options)
    for name in ("gamma", "trust_views", "view_frame", "view_labels", "view_lacks"):
        asked = getattr(options, name)
        if asked is not None and asked is not False and not options.long_axis:
            raise BadInput(
                f"--{name.replace('_', '-')}: it is about the long-axis view, and there is none; "
                "add --long-axis FILE."
            )
    check_view_names(chosen_reading(options), options.long_axis)
    with refused("{error}", Diverged):
        (_one if options.frames is None else _all)(options, settings)


def _one(options: argparse.Namespace, settings: Settings) -> None:
    scan = read_scan(options.stack, *options.long_axis, how=chosen_reading(options))
    G = chosen_generator(options.generator)
    with results_folder(options.output) as folder:
        with ProgressLine() as progress:

            def show(step: Step) -> None:
                most = settings.most(len(scan.views))
                total = step.iteration if step.stopped else most
                progress.update("iteration", step.iteration, total, f"L = {step.loss:.4f}")

            found = enhance(scan, G, settings, show)
            if not options.no_check:
                found = judged(found, partial(progress.update, "checking"))
        found.write(folder)
    for note in (*found.scan.notes, *found.astray):
        print(f"Note: {note}")
    volumes = volumes_ml(found.S_SR.labels, found.S_SR.spacing)
    text = ", ".join(f"{tissue} {ml:.0f} ml" for tissue, ml in volumes.items())
    last = found.last
    print(f"{text}; L = {last.loss:.4f} after {last.iteration} iterations ({last.stopped}).")
    if found.trust:
        print(f"Verdict: {found.trust}")
    print(f"Wrote S_SR.nii.gz, d.json, convergence.csv and heart.stl to {options.output}.")


def _all(options: argparse.Namespace, settings: Settings) -> None:
    """Each frame's folder is written when it is done, so that what is done stays."""
    out = options.output
    found = read_cycle(options.stack, *options.long_axis, how=chosen_reading(options))
    scans = [scan for scan in found if isinstance(scan, Scan)]
    bad = [error for error in found if isinstance(error, InvalidVolume)]
    if not scans:
        raise bad[0]
    G = chosen_generator(options.generator)
    beats: list[Beat] = []
    with ProgressLine() as progress, writable(out):

        def show(i: int, step: Step) -> None:
            detail = f"iteration {step.iteration}, L = {step.loss:.4f}"
            progress.update("frame", i, len(scans), detail)

        for e in restore_cycle(scans, G, settings, show):
            frame = e.scan.frame
            heart = e if options.no_check else judged(e)
            with atomic_folder(out / f"frame_{frame:03d}") as folder:
                heart.write(folder)
            beats.append(Beat.of(frame, heart))
            write_volumes(beats, out / "volumes.csv")
        progress.update("frame", len(scans), len(scans))
    for error in bad:
        print(f"Left out: {refusal(error, options)}", file=sys.stderr)
    fullest = max(scans, key=lambda scan: int((scan.stack.labels > 0).sum()))
    for note in fullest.notes:
        print(f"Note (frame {fullest.frame}): {note}")
    odd = [str(beat.frame) for beat in beats if beat.verdict == "distrust"]
    if odd:
        print(f"Not to be trusted: frame {', '.join(odd)}; d.json in each folder says why.")
    fractions = ", ".join(f"{side} {ejection_fraction(beats, side):.0%}" for side in ("LV", "RV"))
    left_out = f" of {len(found)}, {len(bad)} left out" if bad else ""
    print(f"{len(beats)} frames{left_out}; ejection fraction {fractions}.")
    print(f"Wrote volumes.csv and a folder for each frame to {out}.")
