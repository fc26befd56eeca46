"""Makes assignments of the lessons for nbgrader: ``srheart course export --nbgrader FOLDER``.

An assignment is a lesson whose solutions and checks nbgrader takes out before learners get it. It
is graded without the lesson's own cells: they are marked to be skipped, and a first cell imports
what exercises and checks need. So a copy is graded in seconds, and no widget is made.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from notebooks import build

POINTS = 1
SKIPPED = "skip-execution"  # What nbclient, and so nbgrader, does with cells of this tag
CONFIG = "nbgrader_config.py"
SETTINGS = f'''\
"""Settings of nbgrader for the assignments beside this file."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "srheart"
c.ClearSolutions.code_stub = {{"python": {build.PLACEHOLDER!r}}}
c.Execute.timeout = 600  # seconds a cell; the first one imports PyTorch
'''
ABOUT = """\
**This copy is graded.** Replace the three dots of each exercise, and leave the other cells as they
are. These are for reading, and are not run when your copy is graded. So use in an exercise only
the arguments of its function and what the next cell imports. Checks are run later."""
RELATIVE_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)[^)]*\)")


def write(folder: Path, numbers: Iterable[str] = ()) -> list[str]:
    """Write assignments of the lessons with these numbers, such as "04", or of all, and settings.

    Returns:
        Their names.

    Raises:
        KeyError: no lesson has such a number.
    """
    chosen = build.chosen(numbers)
    for source in chosen:
        target = folder / "source" / source.stem / f"{source.stem}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        build.write(assignment(build.read(source)), target)
    (folder / CONFIG).write_text(SETTINGS, encoding="utf-8")
    return [source.stem for source in chosen]


def assignment(lesson: NotebookNode) -> NotebookNode:
    """A lesson, as `build.read` gives it, as nbgrader's source version of an assignment.

    Raises:
        ValueError: an exercise or its check uses what no cell imports and no exercise defines.
    """
    imports = list(imported(lesson))
    (checks,) = (line for line in imports if line.endswith(" as lesson"))
    known, exercise = names_bound("\n".join(imports)), ""
    for cell in lesson.cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "markdown":
            cell.source = RELATIVE_LINK.sub(r"\1", cell.source)
        elif "exercise" in tags:
            known |= names_bound(cell.source)
            check_names(cell.source, known)
            (exercise,) = (n.name for n in ast.parse(cell.source).body if hasattr(n, "name"))
            mark(cell, exercise, solution=True)
        elif "check" in tags:
            check_names(cell.source, known)
            cell.source = hidden(cell.source, checks)
            mark(cell, f"check-{exercise}", grade=True, locked=True, points=POINTS)
        else:
            cell.metadata["tags"] = [*sorted(tags), SKIPPED]
    setup = new_code_cell("\n".join(imports), id="setup")
    mark(setup, "imports", locked=True)
    lesson.cells[1:1] = [new_markdown_cell(ABOUT, id="about"), setup]
    return lesson


def mark(cell: NotebookNode, name: str, **what: Any) -> None:
    """Write what nbgrader is to do with a cell into its metadata, in the third version of these."""
    no = {"grade": False, "locked": False, "solution": False, "task": False}
    cell.metadata["nbgrader"] = {**no, "schema_version": 3, "grade_id": name, **what}
    cell.metadata.pop("tags", None)


def hidden(check: str, imports: str) -> str:
    """A lesson's check as a test that learners do not see; its sentence becomes feedback."""
    return f"""\
# Checked when your copy is graded.
### BEGIN HIDDEN TESTS
{imports}

verdict = {check.strip()}
assert verdict.right, verdict.sentence
### END HIDDEN TESTS"""


def imported(lesson: NotebookNode) -> Iterator[str]:
    """The imports of all cells, each once, in their order."""
    told = set()
    for cell in lesson.cells:
        if cell.cell_type == "code":
            for line in ast.parse(cell.source).body:
                if isinstance(line, ast.Import | ast.ImportFrom) and ast.dump(line) not in told:
                    told.add(ast.dump(line))
                    yield ast.unparse(line)


def names_bound(code: str) -> set[str]:
    """What code imports, defines and assigns, arguments included."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {(alias.asname or alias.name).split(".")[0] for alias in names}
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
    return found


def check_names(code: str, known: set[str]) -> None:
    """Refuse code that needs a cell which is not run when a copy is graded."""
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    if missing := used - known - set(dir(builtins)):
        raise ValueError(f"only the lesson's own cells have {sorted(missing)}:\n{code}")
