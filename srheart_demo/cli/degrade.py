"""``srheart degrade``: Eq. 1, from a high-resolution heart to the scan that would show it."""

from __future__ import annotations

import argparse

import numpy as np
import torch
from numpy.typing import NDArray

from srheart_demo.cli.arguments import weight
from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.output import results_folder
from srheart_demo.degradation import MOTION_LEVELS, Motion, Stack, label_noise, simulate_stack
from srheart_demo.files import write_json
from srheart_demo.frame import HR_SHAPE, HR_SPACING, hr_affine, lattice_points
from srheart_demo.placement import place
from srheart_demo.samples import four_chamber_volume, stack_volume
from srheart_demo.volume import LabelVolume, read_short_axis, write_volume


def run(options: argparse.Namespace) -> None:
    """Simulate a scan and write it with its truth."""
    factor = _factor(options.motion)
    heart = read_short_axis(options.heart)
    S_HR, world_from_model = _on_hr_grid(heart)
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


def _on_hr_grid(heart: LabelVolume) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A heart's labels on the HR grid, and the grid's frame in the world.

    A map on that grid is used as it is. Another is placed by its labels, then each HR voxel takes
    the nearest voxel's label.
    """
    if heart.shape == HR_SHAPE and np.allclose(heart.spacing, HR_SPACING, rtol=1e-3):
        return heart.labels, heart.affine @ np.linalg.inv(hr_affine())
    world_from_model = place(heart).world_from_model
    index_from_model = np.linalg.inv(heart.affine) @ world_from_model
    index = lattice_points() @ index_from_model[:3, :3].T + index_from_model[:3, 3]
    nearest = np.rint(index).astype(int)
    inside = ((nearest >= 0) & (nearest < heart.shape)).all(axis=-1)
    labels = np.zeros(HR_SHAPE, np.uint8)
    labels[inside] = heart.labels[tuple(nearest[inside].T)]
    return labels, world_from_model
