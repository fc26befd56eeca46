"""``srheart degrade``: Eq. 1, from a high-resolution heart to the scan that would show it."""

from __future__ import annotations

import argparse

import numpy as np
import torch

from srheart_demo.cli.arguments import weight
from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.output import results_folder
from srheart_demo.files import write_json
from srheart_demo.frame import hr_affine
from srheart_demo.scan.degradation import MOTION_LEVELS, Motion, Stack, label_noise, simulate_stack
from srheart_demo.scan.placement import on_hr_grid
from srheart_demo.scan.samples import four_chamber_volume, stack_volume
from srheart_demo.scan.volume import read_short_axis, write_volume


def run(options: argparse.Namespace) -> None:
    """Simulate a scan and write it with its truth."""
    factor = _factor(options.motion)
    heart = on_hr_grid(read_short_axis(options.heart))
    S_HR, world_from_model = heart.labels, heart.affine @ np.linalg.inv(hr_affine())
    stack = Stack.from_hr().to(torch.float64)
    motion = Motion.draw(stack.K, options.seed)
    d = motion.displacement(factor)
    S_LR = label_noise(simulate_stack(S_HR, stack, d.double()), options.noise, options.seed)
    with results_folder(options.output) as folder:
        write_volume(stack_volume(S_LR, stack, world_from_model), folder / "S_LR.nii.gz")
        write_volume(four_chamber_volume(S_HR, world_from_model), folder / "S_LA.nii.gz")
        truth = {
            "what": "True displacement of each slice in mm, along rows and columns; slices run "
            "from apex to base, and slice k shows the heart moved by d[k].",
            "d_mm": d[0].numpy().astype(np.float64).round(4).tolist(),
            "direction_rad": motion.direction.tolist(),
            "amplitude_mm": motion.amplitude.tolist(),
            "factor": factor,
            "noise": options.noise,
            "seed": options.seed,
            "heart": str(options.heart),
        }
        write_json(truth, folder / "d.json")
    length = d[0].norm(dim=-1).mean()
    print(f"Wrote S_LR.nii.gz ({stack.K} slices, moved by {length:.1f} mm on average), ", end="")
    print(f"S_LA.nii.gz and d.json to {options.output}.")


def _factor(level: str) -> float:
    if level in MOTION_LEVELS:
        return MOTION_LEVELS[level]
    try:
        return weight(level)
    except argparse.ArgumentTypeError:
        raise BadInput(
            f"--motion: {level!r} is no level; give {', '.join(MOTION_LEVELS)} or a factor, 0 or "
            "more."
        ) from None
