"""``srheart course``: assignments of the lessons, for teachers."""

import argparse

from srheart_demo.cli.errors import BadInput, install_them, refused, results_folder
from srheart_demo.files import shipped


def run(options: argparse.Namespace) -> None:
    """Export the lessons, whose sources lie in the repository and in no wheel."""
    lessons = shipped("notebooks")
    if not lessons.is_dir():
        raise BadInput.of("no lessons", place=lessons.parent)
    try:
        from notebooks import export
    except ModuleNotFoundError as error:
        todo = install_them([str(error.name)])
        raise BadInput.of("not installed", what="srheart course export", todo=todo) from error
    folder = options.nbgrader
    with refused("--lessons: {error}.", KeyError), results_folder(folder) as staging:
        names = export.write(staging, options.lessons)
        if kept := (folder / export.CONFIG).exists():
            (staging / export.CONFIG).unlink()
    print(f"Wrote {len(names)} assignments to {folder}: {', '.join(names)}.")
    if kept:
        print(f"Its {export.CONFIG} was there and is left as it was.")
    print("Next, in that folder: nbgrader generate_assignment NAME")
