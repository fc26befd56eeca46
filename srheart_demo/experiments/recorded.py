"""The full tables, measured beforehand and kept in ``docs/results``, for lessons to show."""

import json
import os
from pathlib import Path

from srheart_demo.experiments.clinical import Table3
from srheart_demo.experiments.results import Results
from srheart_demo.experiments.runner import RESULTS_FILE, SETTINGS_FILE
from srheart_demo.experiments.simulated import Hearts, Simulated, Table1, Table2, TableS1
from srheart_demo.files import shipped

FOLDER = Path(os.environ.get("SRHEART_RESULTS", shipped("docs/results")))

TABLES: dict[str, type[Simulated | Table3]] = {
    kind.name: kind for kind in (Table1, TableS1, Table2, Table3)
}
"""The paper's tables by their names on the command line."""


def recorded(name: str, folder: Path = FOLDER) -> tuple[Simulated | Table3, Results]:
    """An experiment that was run beforehand, and what it measured.

    Args:
        name: one of `TABLES`.
        folder: holds one folder for each experiment.

    Raises:
        KeyError: an unknown name, with the known ones.
        FileNotFoundError: it is not there; says how to get it.
    """
    if name not in TABLES:
        raise KeyError(f"unknown table {name!r}; known: {', '.join(TABLES)}")
    home = folder / name
    if missing := [f for f in (SETTINGS_FILE, RESULTS_FILE) if not (home / f).is_file()]:
        raise FileNotFoundError(
            f"{home} has no {missing[0]}. The full tables come with a clone of the repository, in "
            "docs/results; SRHEART_RESULTS names another folder. Or measure them, which takes an "
            f"hour or two: srheart experiment {name} -o {home}"
        )
    settings = json.loads((home / SETTINGS_FILE).read_text(encoding="utf-8"))["settings"]
    subjects = Hearts(settings["population"], settings["hearts"], settings["seed"])
    experiment = TABLES[name](subjects, tuple(settings["methods"]))
    return experiment, Results(home / RESULTS_FILE, experiment.figures)
