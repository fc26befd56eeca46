"""``srheart check``: what a scan is, what was assumed, and whether to trust its heart.

Exit status 1: some heart is not to be trusted; 2: some file cannot be used.
"""

import argparse
import json
import sys
from pathlib import Path

from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.options import (
    READING,
    chosen_generator,
    chosen_reading,
    option,
    refusal,
    shared,
)
from srheart_demo.cli.progress import ProgressLine

HELP = "what a scan is, and whether to trust its heart"
DESCRIPTION = (
    "Say of each scan what was found, what was assumed, and whether its heart lies inside what the "
    "prior knows: it is solved quickly, and held against synthetic scans. For research and "
    "teaching only. Exit status 1: a heart is not to be trusted; 2: a file cannot be used."
)
NOT_TRUSTED, UNUSABLE = 1, 2
USE = "For research and teaching only, not for clinical use."


def add_options(command: argparse.ArgumentParser) -> None:
    """The scans, how they are read, and how much is said."""
    option(command, "files FILE", "SA label stacks, .nii or .nii.gz", Path, nargs="+")
    shared(command, "view", "frame", *READING)
    shared(command, "generator")
    option(command, "--no-solve", "say what was found and assumed, and no more")
    option(command, "--json", "for programs: JSON on stdout")


def run(options: argparse.Namespace) -> None:
    """Look at each file; one that cannot be used does not keep others from it."""
    from srheart_demo.enhancement.check import Report, report_on
    from srheart_demo.enhancement.quantities import Grade
    from srheart_demo.scan.read import read_scan
    from srheart_demo.scan.volume import InvalidVolume

    if options.long_axis and len(options.files) > 1:
        raise BadInput("--long-axis: it belongs to one scan; check that scan alone.")
    G = None if options.no_solve else chosen_generator(options.generator)
    reports: dict[Path, Report | str] = {}
    with ProgressLine() as progress:
        for n, path in enumerate(options.files, start=1):
            try:
                scan = read_scan(path, options.long_axis, chosen_reading(options))
                reports[path] = report_on(scan, G)
            except InvalidVolume as error:
                reports[path] = refusal(error, options)
            if len(options.files) > 1:
                progress.update("checking", n, len(options.files), path.name)
    if options.json:
        files = [
            report.as_json() if isinstance(report, Report) else {"file": str(path), "error": report}
            for path, report in reports.items()
        ]
        print(json.dumps({"files": files}, indent=2))
    for report in reports.values():
        if not isinstance(report, Report):
            print(f"srheart check: {report}", file=sys.stderr)
        elif not options.json:
            print(report, end="\n\n")
    if not options.json:
        print(USE)
    if not all(isinstance(report, Report) for report in reports.values()):
        sys.exit(UNUSABLE)
    if any(isinstance(r, Report) and r.verdict == Grade.DISTRUST for r in reports.values()):
        sys.exit(NOT_TRUSTED)
