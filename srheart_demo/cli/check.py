"""``srheart check``: what a scan is, what was assumed, and whether to trust its heart."""

import argparse
import json
import sys
from typing import Any

from srheart_demo.cli import chosen
from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.enhancement.check import Report, report_on
from srheart_demo.enhancement.quantities import Grade
from srheart_demo.scan.read import read_scan
from srheart_demo.scan.volume import InvalidVolume

NOT_TRUSTED, UNUSABLE = 1, 2
USE = "For research and teaching only, not for clinical use."


def run(options: argparse.Namespace) -> None:
    """Look at each file; one that cannot be used does not keep others from it."""
    if options.long_axis and len(options.files) > 1:
        raise BadInput.of("one scan's view")
    how = chosen.reading(options)
    chosen.check_view_names(how, options.long_axis)
    G = None if options.no_solve else chosen.generator(options.generator)
    reports, files = list[Report](), list[dict[str, Any]]()
    with ProgressLine() as progress:
        for n, path in enumerate(options.files, start=1):
            try:
                scan = read_scan(path, *options.long_axis, how=how)
                reports.append(report_on(scan, G))
                files.append(reports[-1].as_json())
            except InvalidVolume as error:
                files.append({"file": str(path), "error": chosen.refusal(error, options)})
                progress.say(f"srheart check: {files[-1]['error']}")
            if len(options.files) > 1:
                progress.update("checking", n, len(options.files), path.name)
    if options.json:
        print(json.dumps({"files": files}, indent=2))
    else:
        print(*(f"{report}\n" for report in reports), USE, sep="\n")
    if len(reports) < len(files):
        sys.exit(UNUSABLE)
    if any(report.verdict == Grade.DISTRUST for report in reports):
        sys.exit(NOT_TRUSTED)
