"""The lessons: what is committed comes from the sources, and the solutions pass every check."""

from __future__ import annotations

import ast
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from notebooks import build

RIGHT = 'assert repr(verdict).startswith("Right: "), verdict'
LESSONS = [pytest.param(source, id=source.stem) for source in build.sources()]


def committed(source: Path) -> NotebookNode:
    return nbformat.read(build.NOTEBOOKS / f"{source.stem}.ipynb", as_version=4)


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def said(cell: NotebookNode) -> str:
    """The verdict that a check's cell shows."""
    (output,) = cell.outputs
    return output["data"]["text/plain"]


@pytest.mark.parametrize("source", LESSONS)
def test_the_notebook_is_made_of_its_source(source: Path) -> None:
    def content(notebook: NotebookNode) -> list[tuple]:
        return [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells]

    made = build.unsolved(build.read(source))
    assert content(committed(source)) == content(made), (
        f"run: make lessons LESSONS={source.stem[:2]}"
    )


@pytest.mark.parametrize("source", LESSONS)
def test_learners_get_no_solution_and_are_told_what_is_missing(source: Path) -> None:
    notebook = committed(source)
    exercises = tagged(notebook, "exercise")
    assert len(exercises) == len(tagged(notebook, "check"))
    assert all("# your code here" in cell.source for cell in exercises)
    for cell in tagged(notebook, "check"):
        assert said(cell).startswith("Not yet: "), cell.source


def names_of(code: str, *kinds: type[ast.stmt]) -> set[str]:
    """Names that code uses, or those of the functions and classes that it defines."""
    tree = ast.parse(code)
    if kinds:
        return {node.name for node in tree.body if isinstance(node, kinds)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def rehearsal(source: Path) -> NotebookNode:
    """A lesson's cells as a learner runs them who solves each exercise late, and undoes it again.

    What uses an exercise further down is run without its solution, and once more with it. The
    lesson's text is left out.
    """
    lesson = build.unsolved(build.read(source))
    solutions = {cell.id: cell for cell in build.solved(build.read(source)).cells}
    code = [cell for cell in lesson.cells if cell.cell_type == "code"]
    cells, exercises = [], {}
    for cell in code:
        cells.append(cell)
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            defined = names_of(cell.source, ast.FunctionDef, ast.ClassDef)
            exercises[cell.id] = defined, cell
            last = cell
            continue
        used = names_of(cell.source)
        needed = [last] if "check" in tags else [e for d, e in exercises.values() if used & d]
        if needed:
            again = [*(solutions[exercise.id] for exercise in needed), cell]
            cells += [marked(one) for one in again] + [deepcopy(exercise) for exercise in needed]
    for number, cell in enumerate(cells):
        cell.id = f"run-{number:02d}"
    lesson.cells = cells
    return lesson


def marked(cell: NotebookNode) -> NotebookNode:
    """A copy that runs with a solution: its check must say that this is right."""
    copy = deepcopy(cell)
    tags = copy.metadata.get("tags", [])
    copy.metadata["tags"] = [tag for tag in tags if tag != "nbval-check-output"]
    if "check" in tags:
        *before, verdict = ast.parse(copy.source).body
        told = f"verdict = {ast.unparse(verdict)}", RIGHT
        copy.source = "\n".join([*map(ast.unparse, before), *told])
    return copy


def with_outputs(lesson: NotebookNode, stored: NotebookNode) -> NotebookNode:
    """The cells that are compared, with what they must show."""
    expected = iter(tagged(stored, "nbval-check-output"))
    for cell in tagged(lesson, "nbval-check-output"):
        shown = next(expected)
        cell.outputs, cell.execution_count = shown.outputs, shown.execution_count
    assert next(expected, None) is None
    return lesson


@pytest.mark.parametrize("source", LESSONS)
@pytest.mark.usefixtures("warm_kernels")
def test_it_runs_without_the_solutions_and_these_pass_every_check(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By nbval, which compares what the cells tagged so show with what is committed."""
    lesson = with_outputs(rehearsal(source), committed(source))
    right = [cell for cell in lesson.cells if cell.source.endswith(RIGHT)]
    assert len(right) == len(tagged(lesson, "check")) / 2 > 0
    path = tmp_path / f"{source.stem}.ipynb"
    nbformat.write(lesson, path)
    (tmp_path / "pytest.ini").touch()  # no settings from above
    monkeypatch.chdir(tmp_path)
    quiet = ["-qs", "--color=no", "-pno:cacheprovider", "-pno:faulthandler", "-pno:xdist"]
    status = pytest.main(["--nbval-lax", "--nbval-cell-timeout=900", *quiet, str(path)])
    told = capsys.readouterr().out
    assert status == 0, told[-4000:]
    assert f"{len(lesson.cells)} passed" in told


def test_the_course_is_small() -> None:
    sizes = [path.stat().st_size for path in build.NOTEBOOKS.glob("*.ipynb")]
    assert max(sizes) < 1.5e6
    assert sum(sizes) < 6e6


def test_pictures_show_without_running() -> None:
    for source in build.sources():
        outputs = [o for cell in committed(source).cells for o in cell.get("outputs", [])]
        assert not any(build.WIDGET in o.get("data", {}) for o in outputs), source.name
        assert any("image/png" in o.get("data", {}) for o in outputs), source.name


def printed(source_start: str) -> str:
    (source,) = (s for s in build.sources() if s.name.startswith(source_start))
    outputs = [o for cell in committed(source).cells for o in cell.get("outputs", [])]
    return "".join(o["text"] for o in outputs if o.get("name") == "stdout")


def test_a_sweep_of_gamma_shows_runs_that_came_to_their_end() -> None:
    ends = [line for line in printed("06").splitlines() if line.startswith("γ = ")]
    assert len(ends) >= 4
    assert all(": converged" in line for line in ends)


def test_an_error_of_a_run_that_has_not_moved_is_explained_beside_it() -> None:
    (source,) = (s for s in build.sources() if s.name.startswith("04"))
    assert "PAPER                  10" in printed("04")
    assert "     0.0 mm" in printed("04")
    assert "**Motion error 0.0 mm** of PAPER is no merit" in source.read_text("utf-8")


def test_minutes_are_said_to_be_for_reading_wherever_they_are_said() -> None:
    for source in build.sources():
        head = source.read_text("utf-8").split("# %%")[1]
        if "minute" in head and not source.name.startswith("00"):
            assert "to read" in head, source.name
