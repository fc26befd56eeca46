"""How near are base and apex of the left ventricle, and how sure? Of hearts whose truth is known.

``python -m benchmarks.ends [--hearts N] [FILE...]`` scans each heart with normal motion, 13 slices
10 mm apart, all of them or without the highest; restores it as `srheart enhance` does, placed by
its own labels; and prints a Markdown table: how far base and apex lie from the true ones, outwards,
and the share that lies within 50 % and 90 % intervals. Hearts are synthetic ones of each population
in turn, or those of high-resolution label maps. Of one synthetic heart in four no slice is left
out; of the others those above the base and 0, 1 or 2 more.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import INTERVALS, SEED
from srheart_demo.enhancement.enhance import enhance, sure
from srheart_demo.experiments.cases import read_heart
from srheart_demo.heart.ends import ENDS, ends
from srheart_demo.heart.population import POPULATIONS
from srheart_demo.scan.degradation import Stack, one_hot_field
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.simulate import simulate, stack_volume, synthetic_heart, world_from_model
from srheart_demo.scan.volume import LabelVolume

FARTHEST = 25.0  # No base lies farther beyond the slices, mm
MOTION = 700  # Seeds of the motion of files' hearts are counted from here


def hearts(n: int, files: list[Path]) -> Iterator[tuple[LabelVolume, int, tuple[int | None, ...]]]:
    """Heart, seed of its motion, and what `scan` leaves out of it."""
    for seed, path in enumerate(files, start=MOTION):
        yield read_heart(path), seed, (None, 1)
    for i in range(0 if files else n):
        population = list(POPULATIONS)[i % len(POPULATIONS)]
        seed = SEED + i
        yield synthetic_heart(population, seed), seed, ((None, 0, 1, 2)[(i + i // 4) % 4],)


def scan(heart: LabelVolume, seed: int, left_out: int | None) -> Scan:
    """Without the slices above the base and so many below it; None leaves none out."""
    stack = Stack.from_hr()
    labels = simulate(heart, 1.0, seed, stack).stack.labels
    base, z = float(ends(one_hot_field(heart.labels))[0, 0, 0]), stack.z.numpy()
    n = len(z) if left_out is None else np.count_nonzero(z < base) - left_out
    n += base - z[n - 1] > FARTHEST
    kept = np.arange(n)
    return Scan.of(stack_volume(labels[kept], stack.slices(kept), world_from_model(heart)))


def judged(heart: LabelVolume, scan: Scan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far base and apex (2,) lie beyond the true ones, mm, and their standard deviations."""
    e, world = sure(enhance(scan)), world_from_model(heart)
    true = ends(one_hot_field(heart.labels))[0].double().numpy() @ world[:3, :3].T + world[:3, 3]
    found = np.array([e.ends[name].world_mm for name in ENDS])
    off = (found - true) @ scan.placement.world_from_model[:3, 0]
    return off * [1, -1], np.array([e.ends[name].sd_mm for name in ENDS])


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("files", nargs="*", type=Path, help="high-resolution label maps")
    arguments.add_argument("--hearts", type=int, default=20, help="synthetic ones, without files")
    options = arguments.parse_args()
    found = defaultdict(list)
    for heart, seed, ways in hearts(options.hearts, options.files):
        for left_out in ways:
            off, sd = judged(heart, scan(heart, seed, left_out))
            slices = "all" if left_out is None else "none above the base"
            for i, name in enumerate(ENDS):
                found[slices, name].append((off[i], sd[i]))
            print(heart.name, slices, off.round(1), sd.round(1), file=sys.stderr, flush=True)
    print(f"| slices | end | mean, mm | mean absolute | {' | '.join(INTERVALS)} | hearts |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for (slices, name), pairs in found.items():
        off, sd = np.array(pairs).T
        within = [f"{(np.abs(off) < most * sd).mean():.2f}" for most in INTERVALS.values()]
        means = f"{off.mean():+.1f} | {np.abs(off).mean():.1f}"
        print(f"| {slices} | {name} | {means} | {' | '.join(within)} | {len(off)} |")


if __name__ == "__main__":
    main()
