"""Scans per minute and core of a cohort: ``python -m benchmarks.cohort [--scans N]``.

Synthetic scans under normal motion, 13 slices of 128 × 128, are written to a folder and restored
from files to files as `srheart cohort` does, by one process and by more. The rate is that after
each process could end its first scan; the start, which 100,000 scans need once, is told apart.
"""

import argparse
import os
import platform
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from benchmarks.throughput import FIRST_SEED
from srheart_demo.enhancement.cohort import Cohort
from srheart_demo.enhancement.folder import find_subjects
from srheart_demo.scan.degradation import MOTION_LEVELS
from srheart_demo.scan.simulate import simulate, synthetic_heart
from srheart_demo.scan.volume import write_volume
from srheart_demo.solver.settings import preset
from srheart_demo.solver.workers import in_processes


def write_scan(seed: int, path: Path) -> None:
    """A heart of the population that the generator learned, as a scanner might store it."""
    heart = synthetic_heart("everyone", seed)
    write_volume(simulate(heart, MOTION_LEVELS["normal"], seed).stack, path)


def restored(scans: Path, cohort: Cohort, processes: int) -> tuple[float, float]:
    """Seconds until as many scans as processes have ended, and scans a minute from then on."""
    subjects = find_subjects(scans, cohort.out).subjects
    ends = [time.perf_counter()]
    for record in cohort.restore_all(subjects, partial(in_processes, processes=processes)):
        if record.status != "done":
            raise SystemExit(record.message)
        ends.append(time.perf_counter())
    rest = len(subjects) - processes
    return ends[processes] - ends[0], 60 * rest / (ends[-1] - ends[processes])


def main() -> None:
    """Print a Markdown table, a line for each preset and number of processes."""
    parser = argparse.ArgumentParser(prog="benchmarks.cohort", description=__doc__)
    parser.add_argument("--scans", type=int, default=40, help="(default: 40)")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="(default: 1 2)")
    parser.add_argument("--preset", nargs="+", default=["INTERACTIVE", "RECOMMENDED"])
    parser.add_argument("--no-surface", action="store_true", help="leave out heart.stl")
    options = parser.parse_args()
    if options.scans <= max(options.processes):
        parser.error("give more scans than processes")
    print(f"PyTorch {torch.__version__}, {platform.machine()}, {os.cpu_count()} cores\n")
    print("| preset | processes | scans a minute | each core | scaling | start, s | kB a scan |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as home:
        scans = Path(home) / "in"
        scans.mkdir()
        for i in range(options.scans):
            write_scan(FIRST_SEED + i, scans / f"{i}.nii.gz")
        for name in options.preset:
            alone = 0.0
            for processes in options.processes:
                out = Path(home) / f"{name}-{processes}"
                cohort = Cohort(out, preset(name), surface=not options.no_surface)
                start, rate = restored(scans, cohort, processes)
                alone = alone or rate / processes
                size = sum(path.stat().st_size for path in out.rglob("*.*"))
                print(
                    f"| {name} | {processes} | {rate:.1f} | {rate / processes:.1f} |"
                    f" {rate / alone:.2f} | {start:.1f} | {size / options.scans / 1e3:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
