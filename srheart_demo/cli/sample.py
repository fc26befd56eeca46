"""``srheart sample``: the shipped subjects, or a new one."""

import argparse
import shutil

from srheart_demo.cli.errors import BadInput, results_folder
from srheart_demo.scan.samples import FOLDER, SUBJECTS, make_samples, make_subject


def run(options: argparse.Namespace) -> None:
    """List, copy, draw or rebuild."""
    name, out = options.name, options.output
    if options.rebuild is not None:
        with results_folder(options.rebuild) as staging:
            make_samples(staging)
        print(f"Wrote {', '.join(SUBJECTS)} to {options.rebuild}.")
    elif name is None and options.seed is None:
        width = max(map(len, SUBJECTS))
        for subject, (population, _) in SUBJECTS.items():
            print(f"{subject:{width}}  {population}, in {FOLDER / subject}")
    elif out is None:
        raise BadInput.of("no folder")
    elif options.seed is not None:
        with results_folder(out) as staging:
            make_subject("healthy", options.seed, staging)
        print(f"Wrote the synthetic heart of seed {options.seed} to {out}.")
    elif name not in SUBJECTS:
        raise BadInput.of("unknown sample", name=name, known=", ".join(SUBJECTS))
    elif not (FOLDER / name).is_dir():
        raise BadInput.of("no samples", folder=FOLDER / name)
    else:
        with results_folder(out) as staging:
            for file in (FOLDER / name).iterdir():
                shutil.copyfile(file, staging / file.name)
        print(f"Copied {name} to {out}.")
