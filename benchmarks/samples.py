"""Dice and motion error with known truth: the baselines against a preset.

``python -m benchmarks.samples [--preset NAME] [--long-axis] [S_HR.nii.gz ...]`` prints a Markdown
table for the shipped samples, or for HR hearts that are given. Each stack is placed by its own
labels, as `srheart enhance` does; scores are taken at the true heart's voxels, after one
translation common to all slices (see `srheart_demo.gauge`).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from srheart_demo.baselines import BASELINES
from srheart_demo.beyond import answer
from srheart_demo.degradation import (
    HR_GRID,
    MOTION_LEVELS,
    Motion,
    Stack,
    one_hot_field,
    simulate_stack,
)
from srheart_demo.frame import HR_SHAPE, hr_affine
from srheart_demo.gauge import common_translation, labels_at, motion_error
from srheart_demo.generator import load_generator
from srheart_demo.metrics import dice
from srheart_demo.optimise import solve
from srheart_demo.placement import place, plane_geometry, stack_geometry
from srheart_demo.presets import preset
from srheart_demo.problem import Problem
from srheart_demo.samples import SAMPLES, four_chamber_volume, load_sample, stack_volume
from srheart_demo.settings import Settings
from srheart_demo.volume import LabelVolume, read_short_axis

Score = tuple[dict[str, float], float]


@dataclass(frozen=True)
class Case:
    """A scan with its truth: the heart, its LA view, the stack and its displacements."""

    name: str
    level: str
    S_HR: LabelVolume
    S_LA: LabelVolume
    stack: LabelVolume
    d: Tensor


def shipped(level: str) -> Iterator[Case]:
    """The sample subjects."""
    for name in SAMPLES:
        sample = load_sample(name)
        d = torch.as_tensor(sample.d(level))[None]
        yield Case(name, level, sample.S_HR, sample.S_LA, sample.stacks[level], d)


def simulated(files: list[Path], level: str) -> Iterator[Case]:
    """HR hearts, degraded as in the paper; the seed of the motion is the file's place."""
    stack = Stack.from_hr().to(torch.float64)
    for seed, file in enumerate(files):
        heart = read_short_axis(file)
        if heart.shape != HR_SHAPE:
            raise SystemExit(f"{file}: give a heart on the HR grid, {HR_SHAPE} voxels.")
        world = heart.affine @ np.linalg.inv(hr_affine())
        d = Motion.draw(stack.K, seed).displacement(MOTION_LEVELS[level])
        scan = stack_volume(simulate_stack(heart.labels, stack, d.double()), stack, world)
        view = four_chamber_volume(heart.labels, world)
        yield Case(file.name.removesuffix(".nii.gz"), level, heart, view, scan, d)


def score(case: Case, settings: Settings, long_axis: bool) -> dict[str, Score]:
    """Dice and motion error (mm) of each baseline and of latent optimisation."""
    placement = place(case.stack)
    geometry = stack_geometry(case.stack, placement)
    seen = torch.as_tensor(case.stack.labels).long()
    plane = plane_geometry(case.S_LA, placement) if long_axis else None
    S_LA = torch.as_tensor(case.S_LA.labels[0]).long() if long_axis else None
    G = load_generator()
    problem = Problem(G, geometry, seen, plane, S_LA).crop()
    end = solve(problem, settings)
    voxels = torch.as_tensor(placement.to_model(case.S_HR.points())).float()

    def scored(field: Tensor, d: Tensor) -> Score:
        shift = geometry.in_model_axes(common_translation(d, case.d, problem.tissue))[0]
        labels = labels_at(field, voxels, shift)
        return dice(labels, case.S_HR.labels), motion_error(d, case.d, problem.tissue)

    baselines = {
        name: scored(
            one_hot_field(restore(case.stack.labels, geometry, HR_GRID)), torch.zeros_like(case.d)
        )
        for name, restore in BASELINES.items()
    }
    return {**baselines, settings.name: scored(answer(end, problem), end.d)}


def main() -> None:
    """Print the table, and the means by motion level."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("hearts", nargs="*", type=Path, help="HR label maps (default: samples)")
    arguments.add_argument("--preset", default="RECOMMENDED")
    arguments.add_argument("--long-axis", action="store_true", help="give the 4-chamber view too")
    options = arguments.parse_args()
    settings = preset(options.preset)
    print("| motion | subject | method | LV | MYO | RV | motion error, mm |")
    print("|---|---|---|---:|---:|---:|---:|")
    for level in MOTION_LEVELS:
        cases = simulated(options.hearts, level) if options.hearts else shipped(level)
        rows: dict[str, list[list[float]]] = {}
        for case in cases:
            for method, (tissues, error) in score(case, settings, options.long_axis).items():
                rows.setdefault(method, []).append([*tissues.values(), error])
                print(_row(level, case.name, method, rows[method][-1]), flush=True)
        for method, values in rows.items():
            print(_row(level, "**mean**", method, list(np.mean(values, axis=0))), flush=True)


def _row(level: str, name: str, method: str, values: list[float]) -> str:
    *tissues, error = values
    cells = [level, name, method, *(f"{v:.3f}" for v in tissues), f"{error:.2f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
