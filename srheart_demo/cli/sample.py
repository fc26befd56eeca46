"""``srheart sample``: the shipped subjects, or a new one."""

from __future__ import annotations

import argparse
import shutil

from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.output import results_folder
from srheart_demo.scan.samples import FOLDER, SUBJECTS, make_samples, make_subject


def run(options: argparse.Namespace) -> None:
    """List, copy, draw or rebuild."""
    if options.rebuild is not None:
        with results_folder(options.rebuild) as staging:
            make_samples(staging)
        print(f"Wrote {', '.join(SUBJECTS)} to {options.rebuild}.")
    elif options.name is None and options.seed is None:
        _list()
    elif options.output is None:
        raise BadInput("-o: no folder is given for the results; add -o OUT.")
    elif options.seed is not None:
        with results_folder(options.output) as staging:
            make_subject("healthy", options.seed, staging)
        print(f"Wrote the synthetic heart of seed {options.seed} to {options.output}.")
    else:
        _copy(options)


def _list() -> None:
    width = max(map(len, SUBJECTS))
    for name, (population, _) in SUBJECTS.items():
        print(f"{name:{width}}  {population}, in {FOLDER / name}")


def _copy(options: argparse.Namespace) -> None:
    if options.name not in SUBJECTS:
        raise BadInput(f"{options.name}: unknown sample; choose from {', '.join(SUBJECTS)}.")
    if not (FOLDER / options.name).is_dir():
        raise BadInput(
            f"{FOLDER / options.name}: the samples are not here; install srheart_demo anew, or set "
            "SRHEART_DATA to their folder."
        )
    with results_folder(options.output) as staging:
        for file in (FOLDER / options.name).iterdir():
            shutil.copyfile(file, staging / file.name)
    print(f"Copied {options.name} to {options.output}.")
