"""``srheart enhance``: from a stack of slices to a heart, or from all frames to a beating one."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version

from srheart_demo.cli import chosen, errors
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.enhancement import cycle
from srheart_demo.enhancement.check import judged
from srheart_demo.enhancement.enhance import enhance, figure, sure
from srheart_demo.files import checksum
from srheart_demo.heart.generator import weights_file
from srheart_demo.scan.nifti import is_dicom
from srheart_demo.scan.read import HowToRead, read_cycle, read_scan
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import InvalidVolume
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.settings import Settings

RESULTS = "S_SR.nii.gz", "d.json", "convergence.csv", "heart.stl"
ASKED = "heart.glb", "S_stack.nii.gz", "S_within.nii.gz", "S_SR.dcm"  # or not


def run(options: argparse.Namespace) -> None:
    """Read, place, solve, and write all results or none."""
    settings = chosen.settings(options)
    for name in ("gamma", "trust_views", "view_frame", "view_labels", "view_lacks"):
        asked = getattr(options, name)
        if asked is not None and asked is not False and not options.long_axis:
            raise errors.BadInput.of("no view", option=name.replace("_", "-"))
    how = chosen.reading(options)
    chosen.check_view_names(how, options.long_axis)
    if options.free_muscle:
        if options.frames is None:
            raise errors.BadInput.of("no cine")
        settings = replace(settings, muscle_sd=0.0)
    for name in ("glb", "on_stack", "within"):
        if getattr(options, name) and options.frames:
            raise errors.BadInput.of("one frame", option=name.replace("_", "-"))
    (_one if options.frames is None else _all)(options, settings, how)


def _one(options: argparse.Namespace, settings: Settings, how: HowToRead) -> None:
    inputs = (options.stack, *options.long_axis)
    scan = read_scan(*inputs, how=how)
    G = chosen.generator(options.generator)
    with options.stack.open("rb") as file:
        dicom = is_dicom(file)
    asked = zip(ASKED, (options.glb, options.on_stack, options.within, dicom), strict=True)
    names = [*RESULTS]
    names += [name for name, wanted in asked if wanted]
    others = sorted({*ASKED} - {*names})
    with errors.results_folder(options.output, names, inputs, others) as folder:
        with ProgressLine() as progress:

            def show(step: Step) -> None:
                total = step.iteration if step.stopped else step.most
                progress.update("iteration", step.iteration, total, f"L = {step.loss:.4f}")

            found = enhance(scan, G, settings, show)
            if not options.no_check:
                found = sure(judged(found, partial(progress.update, "checking")))
        found.write(folder, scene=options.glb, on_stack=options.on_stack, within=options.within)
        if dicom:
            from srheart_demo.scan.dicom import write_segmentation

            write_segmentation(found.S_SR, options.stack, folder / "S_SR.dcm")
    for old in cycle.Kept(options.output).forget_others([], inputs):
        print(errors.told("of an earlier run", old=old))
    for note in (*found.scan.notes, *found.astray):
        print(f"Note: {note}")
    sds = found.sds or {}
    text = ", ".join(f"{t} {figure(ml, sds.get(t))} ml" for t, ml in found.volumes_ml.items())
    last = found.last
    print(f"{text}; L = {last.loss:.4f} after {last.iteration} iterations ({last.stopped}).")
    if found.ends:
        print(found.ends_said)
    if found.trust:
        print(f"Verdict: {found.trust}")
    print(f"Wrote {', '.join(names[:-1])} and {names[-1]} to {options.output}.")


def _all(options: argparse.Namespace, settings: Settings, how: HowToRead) -> None:
    """What is done stays, and the same command goes on from there."""
    out = options.output
    inputs = (options.stack, *options.long_axis)
    found = read_cycle(*inputs, how=how)
    scans = [scan for scan in found if isinstance(scan, Scan)]
    bad = [error for error in found if isinstance(error, InvalidVolume)]
    if not scans:
        raise bad[0]
    G = chosen.generator(options.generator)
    made_with = {
        "settings": asdict(settings),
        "generator": checksum(weights_file(options.generator)),
        "version": version("srheart-demo"),
        "check": not options.no_check,
        "reading": str(how),
        "files": [checksum(path) for path in inputs],
    }
    with errors.goes_on(out), ProgressLine() as progress, errors.writable(out):
        earlier = (out / cycle.KEPT_FILE).exists()
        kept, n = cycle.Kept.of(out, made_with), len(scans)
        hearts = [kept.folder(scan.frame) / "S_SR.nii.gz" for scan in scans]
        errors.check_inputs_stay(out, hearts, inputs)
        if kept.alone:
            progress.say(f"Goes on from {out}: {len(kept.beats)} of {n} frames are done.")

        def show(phase: str, i: int, step: Step) -> None:
            progress.update(phase, i, n, f"iteration {step.iteration}, L = {step.loss:.4f}")

        for e in cycle.restore_cycle(scans, G, settings, show, kept):
            kept.take(e if options.no_check else sure(judged(e)))
        progress.update(cycle.PHASES[1], n, n)
        for old in kept.forget_others([s.frame for s in scans], inputs) if earlier else ():
            progress.say(errors.told("of an earlier run", old=old))
    if (out / RESULTS[0]).exists():  # of one frame
        errors.forget(out, (*RESULTS, *ASKED), inputs)
    for error in bad:
        print(f"Left out: {chosen.refusal(error, options)}", file=sys.stderr)
    fullest = max(scans, key=lambda scan: int((scan.stack.labels > 0).sum()))
    notes = dict[str, str]()  # Of each kind one, whatever its figures
    for scan in (fullest, *scans):
        for note in scan.notes:
            notes.setdefault(re.sub(r"\d+", "", note), f"Note (frame {scan.frame}): {note}")
    for said in notes.values():
        print(said)
    beats = [kept.beats[scan.frame] for scan in scans]
    odd = [str(beat.frame) for beat in beats if beat.verdict == "distrust"]
    if odd:
        print(f"Not to be trusted: frame {', '.join(odd)}; d.json in each folder says why.")
    print(*volumes_told(beats, len(bad)), sep="\n")
    within = cycle.wandering([beat.MYO_ml for beat in beats])
    alone = cycle.wandering([own.muscle_ml for own in kept.alone])
    print(errors.told("muscle", mass=figure(*cycle.mass_g(beats)), within=within, alone=alone))
    if settings.muscle_sd and alone > cycle.ONE_MUSCLE:
        print(errors.told("other muscle"))
    left_out = f" of {len(found)}, {len(bad)} left out" if bad else ""
    print(f"{len(beats)} frames{left_out}: wrote volumes.csv and a folder for each to {out}.")


def volumes_told(beats: Sequence[cycle.Beat], left_out: int) -> Iterator[str]:
    """Volumes over a cycle in lines; ejection fractions are those of the frames that there are."""
    for side in ("LV", "RV"):
        ED, ES = cycle.extremes(beats, side)
        fraction, sd = cycle.ejected(beats, side)
        percent = figure(100 * fraction, sd and 100 * sd)
        if len(beats) == 1:
            yield f"{side} {figure(*ED)} ml; one frame tells of no ejection."
        else:
            yield f"{side} {figure(*ED)} to {figure(*ES)} ml, ejection fraction {percent} %."
    if left_out:
        yield errors.told("left out", n=left_out)
