"""``srheart enhance``: from a stack of slices to a heart."""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from srheart_demo.beyond import answer
from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.output import results_folder, write_json
from srheart_demo.cli.progress import Progress
from srheart_demo.frame import TISSUES, hr_affine
from srheart_demo.generator import load_generator, to_labels
from srheart_demo.optimise import Step, solve
from srheart_demo.placement import (
    Placement,
    check_long_axis,
    place,
    plane_geometry,
    stack_geometry,
)
from srheart_demo.presets import preset
from srheart_demo.problem import Generator, Problem
from srheart_demo.settings import Settings
from srheart_demo.surface import heart_surfaces, write_stl
from srheart_demo.volume import LabelVolume, read_long_axis, read_short_axis, write_volume

GAUGE = (
    "As solved: a common translation of all slices with the opposite one of the heart leaves L_SA "
    "unchanged, so only the preset's priors, its start and a long-axis view fix it. S_SR and d "
    "belong together; d_mean_removed_mm is d less its mean over the slices with tissue."
)


def run(options: argparse.Namespace) -> None:
    """Read, place, solve, and write all results or none."""
    settings = _settings(options)
    stack = read_short_axis(options.stack)
    placement = place(stack)
    view = read_long_axis(options.long_axis) if options.long_axis else None
    if view is not None:
        check_long_axis(view, stack, placement)
    problem = _problem(load_generator(), stack, view, placement)
    with results_folder(options.output) as folder:
        steps = _solve(problem, settings)
        last = steps[-1]
        if not math.isfinite(last.objective):
            raise BadInput(
                f"{stack.name}: the optimisation diverged with preset {settings.name}; use another "
                "preset."
            )
        field = answer(last, problem)
        S_SR = LabelVolume(to_labels(field), placement.world_from_model @ hr_affine())
        write_volume(S_SR, folder / "S_SR.nii.gz")
        meshes = heart_surfaces(field, refine=2)
        world = {name: mesh.transform(placement.world_from_model) for name, mesh in meshes.items()}
        write_stl(world, folder / "heart.stl")
        _write_convergence(steps, folder / "convergence.csv")
        report = _report(last, problem, stack, view, placement, options)
        write_json(report, folder / "d.json")
    _summarise(S_SR, last, placement, options.output)


def _settings(options: argparse.Namespace) -> Settings:
    try:
        settings = preset(options.preset)
    except KeyError as error:
        raise BadInput(f"--preset: {error.args[0]}.") from error
    if options.gamma is not None:
        if options.long_axis is None:
            raise BadInput(
                "--gamma: it weighs the long-axis view, and there is none; add --long-axis FILE."
            )
        settings = replace(settings, gamma=options.gamma)
    if options.start is not None:
        settings = replace(settings, start=options.start)
    if options.seed is not None:
        if settings.start != "random":
            raise BadInput("--seed: only a random start needs one; add --start random.")
        settings = replace(settings, seed=options.seed)
    if options.no_residual:
        settings = replace(settings, residual=False)
    return settings


def _problem(
    G: Generator, stack: LabelVolume, view: LabelVolume | None, placement: Placement
) -> Problem:
    problem = Problem(
        G=G,
        stack=stack_geometry(stack, placement),
        S_LR=torch.from_numpy(stack.labels.astype(np.int64)),
        plane=None if view is None else plane_geometry(view, placement),
        S_LA=None if view is None else torch.from_numpy(view.labels[0].astype(np.int64)),
    )
    return problem.crop()


def _solve(problem: Problem, settings: Settings) -> list[Step]:
    """All steps from the start to the end."""
    steps: list[Step] = []
    with Progress() as progress:

        def watch(step: Step) -> None:
            steps.append(step)
            total = step.iteration if step.stopped else settings.iterations
            progress.update("iteration", step.iteration, total, f"L = {step.loss:.4f}")

        solve(problem, settings, watch)
    return steps


def _write_convergence(steps: Sequence[Step], path: Path) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["iteration", "L", "L_SA", "L_LA", "objective", "gradient_z", "gradient_d", "seconds"]
        )
        for step in steps:
            numbers = (
                step.loss,
                step.loss_sa,
                step.loss_la,
                step.objective,
                step.gradient_z,
                step.gradient_d,
                step.seconds,
            )
            table.writerow([step.iteration, *("" if n != n else f"{n:.6g}" for n in numbers)])


def _report(
    last: Step,
    problem: Problem,
    stack: LabelVolume,
    view: LabelVolume | None,
    placement: Placement,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """What ``d.json`` holds: displacements in the stack's own axes and order of slices."""
    d = last.d[0].numpy().astype(np.float64)
    tissue = problem.tissue.numpy()
    in_plane = stack.affine[:3, 1:3] / np.array(stack.spacing[1:])
    return {
        "what": "Displacement of each slice in mm, along rows' and columns' index directions; "
        "slice k shows the heart moved by d[k].",
        "gauge": GAUGE,
        "d_mm": _rounded(d),
        "d_mean_removed_mm": _rounded(np.where(tissue[:, None], d - d[tissue].mean(axis=0), 0.0)),
        "d_world_mm": _rounded(d @ in_plane.T),
        "slice_has_tissue": tissue.tolist(),
        "slice_order": "base to apex" if placement.flipped else "apex to base",
        "row_direction_ras": _rounded(in_plane[:, 0], 6),
        "column_direction_ras": _rounded(in_plane[:, 1], 6),
        "z": _rounded(last.z[0].numpy(), 5),
        "stopped": last.stopped,
        "iterations": last.iteration,
        "seconds": round(last.seconds, 3),
        "L": last.loss,
        "L_SA": last.loss_sa,
        "L_LA": None if view is None else last.loss_la,
        "placement": {
            "world_from_model": _rounded(placement.world_from_model, 6),
            "rv_azimuth_deg": round(placement.azimuth_deg, 2),
            "rotation_deg": round(placement.rotation_deg, 2),
            "orientation_known": placement.orientation_known,
            "notes": list(placement.notes),
        },
        "stack": str(options.stack),
        "long_axis": None if view is None else str(options.long_axis),
        "settings": asdict(last.state.settings),
        "version": version("srheart-demo"),
    }


def _rounded(numbers: np.ndarray, digits: int = 4) -> list[Any]:
    return (np.round(numbers.astype(np.float64), digits) + 0.0).tolist()


def _summarise(S_SR: LabelVolume, last: Step, placement: Placement, output: Path) -> None:
    for note in placement.notes:
        print(f"Note: {note}")
    volumes = ", ".join(
        f"{tissue} {(S_SR.labels == value).sum() * S_SR.voxel_ml:.0f} ml"
        for value, tissue in enumerate(TISSUES)
        if value
    )
    print(f"{volumes}; L = {last.loss:.4f} after {last.iteration} iterations ({last.stopped}).")
    print(f"Wrote S_SR.nii.gz, d.json, convergence.csv and heart.stl to {output}.")
