"""``srheart check``: what a scan is, what was assumed, and whether to trust its heart.

Exit status 1: some heart is not to be trusted; 2: some file cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.progress import Progress
from srheart_demo.cli.scan import chosen_reading, refusal
from srheart_demo.enhancement.check import Report, examine
from srheart_demo.enhancement.quantities import Grade
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.read import read_scan
from srheart_demo.scan.volume import InvalidVolume

NOT_TRUSTED, UNUSABLE = 1, 2
USE = "For research and teaching only, not for clinical use."


def run(options: argparse.Namespace) -> None:
    """Look at each file; one that cannot be used does not keep others from it."""
    if options.long_axis and len(options.files) > 1:
        raise BadInput("--long-axis: it belongs to one scan; check that scan alone.")
    reports: dict[Path, Report | InvalidVolume] = {}
    with Progress() as progress:
        for n, path in enumerate(options.files, start=1):
            try:
                reports[path] = _report(path, options)
            except InvalidVolume as error:
                reports[path] = InvalidVolume(refusal(error, options))
            if len(options.files) > 1:
                progress.update("checking", n, len(options.files), path.name)
    if options.json:
        print(json.dumps({"files": [_as_json(*item) for item in reports.items()]}, indent=2))
    for report in reports.values():
        if isinstance(report, InvalidVolume):
            print(f"srheart check: {report}", file=sys.stderr)
        elif not options.json:
            print(report, end="\n\n")
    if not options.json:
        print(USE)
    if status := max(map(_status, reports.values())):
        sys.exit(status)


def _report(path: Path, options: argparse.Namespace) -> Report:
    scan = read_scan(path, options.long_axis, chosen_reading(options))
    return examine(None if options.no_solve else load_generator(), scan)


def _as_json(path: Path, report: Report | InvalidVolume) -> dict[str, Any]:
    if isinstance(report, InvalidVolume):
        return {"file": str(path), "error": str(report)}
    return report.as_json()


def _status(report: Report | InvalidVolume) -> int:
    if isinstance(report, InvalidVolume):
        return UNUSABLE
    return NOT_TRUSTED if report.verdict == Grade.DISTRUST else 0
