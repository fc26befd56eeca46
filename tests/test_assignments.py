"""Assignments: a solved copy gets every point, an unsolved one none, and nothing gives it away."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from notebooks import build, export
from srheart_demo.cli import course, main

LESSONS = [pytest.param(source, id=source.stem) for source in build.sources()]
HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS\n?", re.M | re.S)
KEYS = {"schema_version", "grade_id", "grade", "solution", "locked", "task"}
"""What nbgrader 0.9 asks of a cell's metadata; a graded one has points too."""


def assignment(source: Path) -> NotebookNode:
    return export.assignment(build.read(source))


def graded(notebook: NotebookNode) -> list[NotebookNode]:
    return [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")]


def answers(notebook: NotebookNode) -> list[NotebookNode]:
    return [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")]


def emptied(notebook: NotebookNode) -> NotebookNode:
    """With its solutions taken out, as `SETTINGS` tell nbgrader to."""
    for cell in answers(notebook):
        stub = f"{build.PLACEHOLDER}\n"
        cell.source = build.SOLUTION.sub(rf"\g<indent>{stub}", f"{cell.source}\n")
    return notebook


def missed(notebook: NotebookNode) -> list[str]:
    """Run what the grader runs, and return what the checks that fail say."""
    said, scope = [], {}
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and export.SKIPPED not in tags:
            try:
                exec(cell.source, scope)
            except AssertionError as error:
                said.append(str(error))
    return said


@pytest.mark.parametrize("source", LESSONS)
def test_a_solved_copy_gets_every_point_and_an_unsolved_one_none(source: Path) -> None:
    n = build.read(source).cells
    exercises = sum("exercise" in cell.metadata.get("tags", []) for cell in n)
    made = assignment(source)
    assert len(graded(made)) == len(answers(made)) == exercises > 0
    assert missed(made) == []
    assert len(missed(emptied(made))) == exercises


@pytest.mark.usefixtures("warm_kernels")
def test_a_copy_is_graded_by_a_kernel_without_the_lessons_own_cells(tmp_path: Path) -> None:
    (source,) = build.chosen(["01"])
    made = assignment(source)
    empty, wrong, _ = answers(made)
    empty.source = f"def unknowns(M, K):\n    {build.PLACEHOLDER}"
    wrong.source = "def without_common(d):\n    return d - d.mean()"
    here = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(made, timeout=600, allow_errors=True, resources=here).execute()
    failed = [o.evalue for c in made.cells for o in c.get("outputs", []) if "evalue" in o]
    assert len(failed) == 2
    assert "is still empty" in failed[0]
    assert "a mean each" in failed[1]
    skipped = [c for c in made.cells if export.SKIPPED in c.metadata.get("tags", [])]
    assert len(skipped) > 5
    assert not any(cell.outputs for cell in skipped)


@pytest.mark.parametrize("source", LESSONS)
def test_learners_get_neither_solutions_nor_checks_nor_links_to_nowhere(source: Path) -> None:
    lesson = build.solved(build.read(source))
    made = emptied(assignment(source))
    for cell in made.cells:
        cell.source = HIDDEN.sub("", cell.source)
    text = "\n".join(cell.source for cell in made.cells)
    for cell in lesson.cells:
        if "check" in cell.metadata.get("tags", []):
            assert cell.source not in text
        if "exercise" in cell.metadata.get("tags", []):
            assert cell.source not in text
    assert "<summary>Solution" not in text
    told = "\n".join(cell.source for cell in made.cells if cell.cell_type == "markdown")
    assert not export.RELATIVE_LINK.search(told)


@pytest.mark.parametrize("source", LESSONS)
def test_nbgrader_finds_in_its_cells_what_it_asks_for(source: Path) -> None:
    made = assignment(source)
    nbformat.validate(made)
    marks = [c.metadata.nbgrader for c in made.cells if "nbgrader" in c.metadata]
    assert all(set(mark) - {"points"} == KEYS for mark in marks)
    assert all(mark.schema_version == 3 for mark in marks)
    assert all(re.fullmatch(r"[\w-]+", mark.grade_id) for mark in marks)
    assert len({mark.grade_id for mark in marks}) == len(marks)
    assert all(("points" in mark) == mark.grade for mark in marks)


def test_an_exercise_that_needs_a_cell_which_is_not_run_is_refused() -> None:
    lesson = new_notebook(
        cells=[
            new_code_cell("from srheart_demo.lessons import start as lesson\nmine = 3"),
            new_code_cell("def answer(x):\n    return x * mine", metadata={"tags": ["exercise"]}),
            new_code_cell("lesson.answer(answer)", metadata={"tags": ["check"]}),
        ]
    )
    with pytest.raises(ValueError, match=r"only the lesson's own cells have \['mine'\]"):
        export.assignment(lesson)


def test_its_settings_leave_the_lessons_own_dots() -> None:
    c = SimpleNamespace(CourseDirectory=SimpleNamespace(), ClearSolutions=SimpleNamespace())
    c.Execute = SimpleNamespace()
    exec(export.SETTINGS, {"get_config": lambda: c})
    assert c.ClearSolutions.code_stub == {"python": build.PLACEHOLDER}


def exported(*arguments: Any) -> int:
    return main(["course", "export", "--nbgrader", *map(str, arguments)])


def test_the_command_writes_a_course_and_leaves_its_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "course"
    assert exported(folder, "--lessons", "00", "10") == 0
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    names = "00_start_here", "10_beyond_hearts"
    assert files == {export.CONFIG, *(f"source/{name}/{name}.ipynb" for name in names)}
    assert "Wrote 2 assignments" in capsys.readouterr().out
    (folder / export.CONFIG).write_text("# mine")
    assert exported(folder, "--lessons", "01") == 0
    assert (folder / export.CONFIG).read_text() == "# mine"
    assert "is left as it was" in capsys.readouterr().out


def test_what_it_cannot_export_it_says_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exported(tmp_path / "out", "--lessons", "01", "44") == 2
    assert "--lessons: no lesson 44; there are 00, 01" in capsys.readouterr().err
    monkeypatch.setattr(course, "shipped", lambda path: tmp_path / "wheel" / path)
    assert exported(tmp_path / "out") == 2
    assert "clone the repository" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_only_the_sources_need_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jupytext", None)
    for name in ("export", "build"):
        monkeypatch.delattr(sys.modules["notebooks"], name)
        monkeypatch.delitem(sys.modules, f"notebooks.{name}")
    assert exported(tmp_path / "out") == 2
    assert '-m pip install "jupytext"' in capsys.readouterr().err
