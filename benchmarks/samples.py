"""Dice and motion error on the shipped samples: nearest neighbour against a preset.

``python -m benchmarks.samples [--preset NAME] [--long-axis]`` prints a Markdown table. The stack is
read from its file and placed by its own labels, as `srheart enhance` does; scores are taken at
the true heart's voxels, after one translation common to all slices (see `srheart_demo.gauge`).
"""

import argparse

import numpy as np
import torch
from torch import Tensor

from srheart_demo.baselines import nearest
from srheart_demo.degradation import MOTION_LEVELS, one_hot_field
from srheart_demo.gauge import common_translation, labels_at, motion_error
from srheart_demo.generator import load_generator
from srheart_demo.metrics import dice
from srheart_demo.optimise import solve
from srheart_demo.placement import place, plane_geometry, stack_geometry
from srheart_demo.presets import preset
from srheart_demo.problem import Problem
from srheart_demo.samples import SAMPLES, Sample, load_sample
from srheart_demo.settings import Settings

Score = tuple[dict[str, float], float]


def score(sample: Sample, level: str, settings: Settings, long_axis: bool) -> dict[str, Score]:
    """Dice and motion error (mm) of nearest neighbour and of latent optimisation."""
    stack = sample.stacks[level]
    placement = place(stack)
    geometry = stack_geometry(stack, placement)
    seen = torch.as_tensor(stack.labels).long()
    plane = plane_geometry(sample.S_LA, placement) if long_axis else None
    S_LA = torch.as_tensor(sample.S_LA.labels[0]).long() if long_axis else None
    G = load_generator()
    problem = Problem(G, geometry, seen, plane, S_LA).crop()
    end = solve(problem, settings)
    d_true = torch.as_tensor(sample.d(level))[None]
    voxels = torch.as_tensor(placement.to_model(sample.S_HR.points())).float()

    def scored(field: Tensor, d: Tensor) -> Score:
        shift = geometry.in_model_axes(common_translation(d, d_true, problem.tissue))[0]
        labels = labels_at(field, voxels, shift)
        return dice(labels, sample.S_HR.labels), motion_error(d, d_true, problem.tissue)

    restored = one_hot_field(nearest.restore(stack.labels, geometry))
    return {
        "nearest neighbour": scored(restored, torch.zeros_like(d_true)),
        settings.name: scored(G.decode(end.z), end.d),
    }


def main() -> None:
    """Print the table, and the means by motion level."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--preset", default="RECOMMENDED")
    arguments.add_argument("--long-axis", action="store_true", help="give the 4-chamber view too")
    options = arguments.parse_args()
    settings = preset(options.preset)
    print("| motion | subject | method | LV | MYO | RV | motion error, mm |")
    print("|---|---|---|---:|---:|---:|---:|")
    for level in MOTION_LEVELS:
        rows: dict[str, list[list[float]]] = {}
        for name in SAMPLES:
            scores = score(load_sample(name), level, settings, options.long_axis)
            for method, (tissues, error) in scores.items():
                rows.setdefault(method, []).append([*tissues.values(), error])
                print(_row(level, name, method, rows[method][-1]), flush=True)
        for method, values in rows.items():
            print(_row(level, "**mean**", method, list(np.mean(values, axis=0))), flush=True)


def _row(level: str, name: str, method: str, values: list[float]) -> str:
    *tissues, error = values
    cells = [level, name, method, *(f"{v:.3f}" for v in tissues), f"{error:.2f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
