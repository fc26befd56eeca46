"""``srheart degrade``: Eq. 1, from a high-resolution heart to the scan that would show it."""

import argparse

import numpy as np

from srheart_demo.cli.commands import weight
from srheart_demo.cli.errors import BadInput, results_folder
from srheart_demo.files import write_json
from srheart_demo.scan.degradation import MOTION_LEVELS
from srheart_demo.scan.placement import on_hr_grid
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.simulate import long_axis_scan, simulate
from srheart_demo.scan.volume import write_volume


def run(options: argparse.Namespace) -> None:
    """Simulate a scan and write it with its truth."""
    factor = _factor(options.motion)
    heart = on_hr_grid(read_short_axis(options.heart))
    scan = simulate(heart, factor, options.seed, noise=options.noise)
    volumes = {"S_LR.nii.gz": scan.stack, "S_LA.nii.gz": long_axis_scan(heart)}
    with results_folder(options.output, [*volumes, "d.json"], [options.heart]) as folder:
        for name, volume in volumes.items():
            write_volume(volume, folder / name)
        truth = {
            "what": "True displacement of each slice in mm, along rows and columns; slices run "
            "from apex to base, and slice k shows the heart moved by d[k].",
            "d_mm": scan.d[0].numpy().astype(np.float64).round(4).tolist(),
            "direction_rad": scan.motion.direction.tolist(),
            "amplitude_mm": scan.motion.amplitude.tolist(),
            "factor": factor,
            "noise": options.noise,
            "seed": options.seed,
            "heart": str(options.heart),
        }
        write_json(truth, folder / "d.json")
    moved = f"{scan.d.shape[1]} slices, moved by {scan.d[0].norm(dim=-1).mean():.1f} mm on average"
    print(f"Wrote S_LR.nii.gz ({moved}), S_LA.nii.gz and d.json to {options.output}.")


def _factor(level: str) -> float:
    try:
        return MOTION_LEVELS[level] if level in MOTION_LEVELS else weight(level)
    except argparse.ArgumentTypeError:
        known = ", ".join(MOTION_LEVELS)
        raise BadInput.of("no level", level=level, known=known) from None
