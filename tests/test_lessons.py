"""The lessons: what is committed comes from the sources, and the solutions pass every check."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from notebooks import build

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


@pytest.mark.parametrize("source", LESSONS)
def test_the_solutions_pass_every_check(source: Path) -> None:
    notebook = build.run(build.solved(build.read(source)))
    for cell in tagged(notebook, "check"):
        assert said(cell).startswith("Right: "), f"{cell.source}: {said(cell)}"


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
    assert all("converged after" in line for line in ends)


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
