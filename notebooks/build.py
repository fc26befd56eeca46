"""Makes the lessons: ``python -m notebooks.build [NN ...]``, or ``make lessons``.

A lesson has one source, ``notebooks/sources/NN_name.py``, in jupytext's percent format. Two
notebooks are made of it: the one that learners get, in which the solutions of exercises are left
out and folded below, and one with the solutions in place.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from srheart_demo.files import atomic_path

NOTEBOOKS = Path(__file__).resolve().parent
SOLUTION = re.compile(
    r"^(?P<indent> *)### BEGIN SOLUTION\n(?P<code>.*?)^ *### END SOLUTION\n?", re.M | re.S
)
PLACEHOLDER = "...  # your code here"
WIDGET = "application/vnd.jupyter.widget-view+json"
WORDS_A_MINUTE, MINUTES_A_CELL = 180, 0.75
"""How fast a lesson's text is read, and how long a cell of code with what it shows takes."""
FURTHER = "## Further"
"""The heading of a lesson's last part, which no other lesson builds on."""
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def main() -> None:
    """Make and run the lessons that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lessons", nargs="*", metavar="NN", help="which (default: all)")
    text = "write them there with their solutions, and do not run them"
    parser.add_argument("--solutions", type=Path, metavar="DIR", help=text)
    options = parser.parse_args()
    try:
        lessons = chosen(options.lessons)
    except KeyError as error:
        sys.exit(error.args[0])
    if options.solutions:
        options.solutions.mkdir(parents=True, exist_ok=True)
    for source in lessons:
        if options.solutions:
            write(solved(read(source)), options.solutions / f"{source.stem}.ipynb")
            continue
        print(f"{source.stem} …", flush=True)
        target = NOTEBOOKS / f"{source.stem}.ipynb"
        write(still(run(unsolved(read(source)))), target)
        print(f"  {target.stat().st_size / 1000:.0f} kB")


def sources() -> list[Path]:
    """The sources of all lessons, in their order."""
    return sorted((NOTEBOOKS / "sources").glob("[0-9][0-9]_*.py"))


def chosen(numbers: Iterable[str]) -> list[Path]:
    """The sources of the lessons with these numbers ("04"), or of all if there are none.

    Raises:
        KeyError: no lesson has one of the numbers.
    """
    known = {source.name[:2]: source for source in sources()}
    if unknown := set(numbers) - set(known):
        raise KeyError(f"no lesson {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [known[number] for number in sorted(set(numbers) or known)]


def read(source: Path) -> NotebookNode:
    """A lesson as it is written, with the marks of its solutions."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
    return notebook


def unsolved(lesson: NotebookNode) -> NotebookNode:
    """A lesson as learners get it: each solution is folded below the check of its exercise."""
    cells, waiting = [], ""
    for cell in lesson.cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            waiting = _without_marks(cell.source)
            cell.source = SOLUTION.sub(rf"\g<indent>{PLACEHOLDER}\n", cell.source + "\n").rstrip()
        cells.append(cell)
        if "check" in tags:
            cell.metadata["tags"] = [*tags, "nbval-check-output"]
            fold = (
                f"<details><summary>Solution</summary>\n\n```python\n{waiting}\n```\n\n</details>"
            )
            cells.append(new_markdown_cell(fold, id=f"{cell.id}-solution"))
    lesson.cells = cells
    return lesson


def solved(lesson: NotebookNode) -> NotebookNode:
    """A lesson with its solutions in place."""
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.source = _without_marks(cell.source)
    return lesson


def minutes_to_read(lesson: NotebookNode) -> float:
    """How long a lesson takes to read without its exercises, which are counted apart.

    Text by its words, without folded hints and without sections that are headed "Exercise"; each
    cell of code, with what it shows, a fixed time. What comes after the heading "Further" is not
    counted.
    """
    words = cells = 0
    for cell in lesson.cells:
        if cell.source.startswith(FURTHER):
            break
        if cell.cell_type == "code":
            cells += not {"exercise", "check"} & set(cell.metadata.get("tags", []))
            continue
        text = re.sub(r"<details>.*?</details>|\]\([^)]*\)", "", cell.source, flags=re.S)
        sections = re.split(r"^(?=##+ )", text, flags=re.M)
        told = " ".join(s for s in sections if not s.startswith("### Exercise"))
        words += len(re.findall(r"\w[\w’'-]*", told))
    return words / WORDS_A_MINUTE + MINUTES_A_CELL * cells


def run(notebook: NotebookNode, seconds_a_cell: int = 900) -> NotebookNode:
    """The notebook with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    # Two waiting threads on a busy machine slow a solve twenty-fold.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(
        notebook, timeout=seconds_a_cell, resources=resources, coalesce_streams=True
    )
    return client.execute()


def still(notebook: NotebookNode) -> NotebookNode:
    """Leave of the outputs what shows without running: pictures and text, no widgets."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def _without_marks(code: str) -> str:
    return SOLUTION.sub(r"\g<code>", code + "\n").rstrip()


def write(notebook: NotebookNode, target: Path) -> None:
    """Write a notebook, whole and valid or not at all."""
    nbformat.validate(notebook)
    with atomic_path(target) as draft:
        nbformat.write(notebook, draft)


if __name__ == "__main__":
    main()
