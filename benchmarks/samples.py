"""Dice and motion error with known truth: the baselines against a preset.

``python -m benchmarks.samples [--preset NAME] [--long-axis] [S_HR.nii.gz ...]`` prints a Markdown
table for the shipped samples, or for HR hearts that are given. Each stack is placed by its own
labels, as `srheart enhance` does; scores are taken at the true heart's voxels, after one
translation common to all slices (see `solver.gauge`), and in the world, as the heart lies.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from srheart_demo.experiments.cases import Case, read_heart, simulated
from srheart_demo.experiments.methods import METHODS, LatentOptimisation
from srheart_demo.experiments.scoring import score
from srheart_demo.scan.degradation import MOTION_LEVELS
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.baselines import BASELINES
from srheart_demo.solver.settings import preset

FIXED = ("dice_LV", "dice_MYO", "dice_RV")
SHOWN = (*FIXED, *(f"raw_{name}" for name in FIXED), "motion_error_mm")


def given(files: list[Path], level: str) -> Iterator[Case]:
    """HR hearts, degraded as in the paper; the seed of the motion is the file's place."""
    for seed, file in enumerate(files):
        yield simulated(read_heart(file), level, seed)


def shipped(level: str) -> Iterator[Case]:
    """The sample subjects; their scans are placed as anybody's."""
    for name in SAMPLES:
        sample = load_sample(name)
        scan, d = Scan.of(sample.stacks[level], sample.S_LA), torch.as_tensor(sample.d(level))
        yield Case(name, level, sample.S_HR, scan, d[None], sample.S_LA)


def main() -> None:
    """Print the table, and the means by motion level."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("hearts", nargs="*", type=Path, help="HR label maps (default: samples)")
    arguments.add_argument("--preset", default="RECOMMENDED")
    arguments.add_argument("--long-axis", action="store_true", help="give the 4-chamber view too")
    options = arguments.parse_args()
    settings = preset(options.preset)
    methods = {name: METHODS[name] for name in BASELINES}
    methods[settings.name] = LatentOptimisation(settings, int(options.long_axis))
    print("| motion | subject | method | LV / MYO / RV | in the world | motion error, mm |")
    print("|---|---|---|---|---|---:|")
    for level in MOTION_LEVELS:
        rows: dict[str, list[list[float]]] = {}
        for case in given(options.hearts, level) if options.hearts else shipped(level):
            for name, method in methods.items():
                figures = score(method, case)
                rows.setdefault(name, []).append([figures[shown] for shown in SHOWN])
                print(_row(level, Path(case.name).name, name, rows[name][-1]), flush=True)
        for name, values in rows.items():
            print(_row(level, "**mean**", name, list(np.mean(values, axis=0))), flush=True)


def _row(level: str, name: str, method: str, values: list[float]) -> str:
    *tissues, error = values
    fixed, world = (" / ".join(f"{v:.3f}" for v in part) for part in (tissues[:3], tissues[3:]))
    cells = [level, name, method, fixed, world, f"{error:.2f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
