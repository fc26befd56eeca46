"""No lesson is forgotten: the map, the README and the teacher's guide speak of each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from notebooks import build

LESSONS = [pytest.param(source, id=source.stem) for source in build.sources()]


@pytest.mark.parametrize("source", LESSONS)
def test_each_lesson_is_on_the_map_and_in_the_readme(root: Path, source: Path) -> None:
    start = build.NOTEBOOKS / "sources" / "00_start_here.py"
    if source != start:
        assert f"({source.stem}.ipynb)" in start.read_text("utf-8")
    assert f"(notebooks/{source.stem}.ipynb)" in (root / "README.md").read_text("utf-8")


@pytest.mark.parametrize("source", LESSONS)
def test_the_guide_has_three_questions_with_answers_for_each_lesson(
    root: Path, source: Path
) -> None:
    guide = (root / "docs/teaching.md").read_text("utf-8")
    number = int(source.name[:2])
    section = re.search(rf"^### Lesson {number} ·.*?(?=^##|\Z)", guide, flags=re.M | re.S)
    assert section, f"docs/teaching.md has no section of lesson {number}"
    asked = re.findall(r"^\d\. \*\*[^*]*\?\*\* \S", section[0].replace("\n   ", " "), flags=re.M)
    assert len(asked) == 3
    assert "*Goes wrong:*" in section[0]


PLANS = [
    ("45 minutes: the explorer only", 45),
    ("45 minutes: with notebooks", 45),
    ("90 minutes: from the equation to the table", 90),
    ("Half a day: the whole method (3 h 45 min)", 225),
]
MINUTES_AN_EXERCISE = 7


def plan_of(root: Path, title: str) -> list[list[str]]:
    """The cells of each step of a plan in the guide, beginning with its minute."""
    guide = (root / "docs/teaching.md").read_text("utf-8")
    plan = guide.split(f"\n### {title}\n")[1].split("\n#")[0]
    return [row.strip("|").split("|") for row in re.findall(r"^\| \d+ \|.*$", plan, flags=re.M)]


@pytest.mark.parametrize(("title", "minutes"), PLANS)
def test_plans_fit_their_time_and_each_lesson_has_its_share(
    root: Path, title: str, minutes: int
) -> None:
    """Half of a lesson's minutes, and seven for each exercise."""
    steps = [(row[0].strip(), row[1].strip()) for row in plan_of(root, title)]
    marks = [*(int(at) for at, _ in steps), minutes]
    assert marks == sorted(set(marks))
    assert marks[0] == 0
    for (at, what), until in zip(steps, marks[1:], strict=True):
        lesson = re.match(r"Lesson (\d+)", what)
        if lesson:
            (source,) = (s for s in build.sources() if int(s.name[:2]) == int(lesson[1]))
            told = re.search(r"exercises? ([\d, and]+)", what)
            assert told, what
            exercises = len(re.findall(r"\d", told[1]))
            needed = stated(source) / 2 + MINUTES_AN_EXERCISE * exercises
            assert until - int(at) >= needed - 1, f"{what}: {needed} min, from {at} to {until}"


@pytest.mark.parametrize("title", [title for title, _ in PLANS])
def test_each_step_of_a_plan_says_what_is_seen_asked_answered_and_got_wrong(
    root: Path, title: str
) -> None:
    for _, do, *rest in plan_of(root, title):
        assert len(rest) == 4, do
        if not re.match(r" (\*Break|Close|The explorer)", do):
            assert all(cell.strip() for cell in rest), do


def stated(source: Path) -> int:
    """The minutes that a lesson says it takes to read."""
    (found,) = re.findall(r"(\d+) minutes to read", build.read(source).cells[0].source)
    return int(found)


@pytest.mark.parametrize("source", LESSONS)
def test_a_lesson_can_be_read_in_the_minutes_that_it_and_the_map_state(source: Path) -> None:
    lesson = build.read(source)
    assert abs(build.minutes_to_read(lesson) - stated(source)) <= 1.5
    more = re.search(r'and (\d+) for what is marked "Further"', lesson.cells[0].source)
    rest = new_notebook(cells=further(lesson))
    assert abs(build.minutes_to_read(rest) - (int(more[1]) if more else 0)) <= 1
    start = (build.NOTEBOOKS / "sources" / "00_start_here.py").read_text("utf-8")
    name = rf"\({source.stem}\.ipynb\)" if source.stem != "00_start_here" else "0 Start here"
    on_map = re.search(rf"^# \| [^|]*{name}[^|]* \|[^|]*\| (\d+) \|", start, flags=re.M)
    assert on_map
    assert int(on_map[1]) == stated(source)


def further(lesson: NotebookNode) -> list[NotebookNode]:
    """The cells of a lesson's part that is marked so, whose first loses the mark."""
    starts = [i for i, c in enumerate(lesson.cells) if c.source.startswith(build.FURTHER)]
    cells = lesson.cells[starts[0] :] if starts else []
    for cell in cells:
        cell.source = cell.source.removeprefix(build.FURTHER)
    return cells


def test_minutes_are_those_of_text_and_code_without_exercises() -> None:
    lesson = new_notebook(
        cells=[
            new_markdown_cell("word " * 360 + "<details>" + "hint " * 500 + "</details>"),
            new_code_cell("1 + 1"),
            new_markdown_cell("### Exercise 1: x\n\n" + "task " * 900),
            new_code_cell("...", metadata={"tags": ["exercise"]}),
            new_code_cell("...", metadata={"tags": ["check"]}),
            new_markdown_cell("## Further\n\n" + "word " * 180),
            new_code_cell("1 + 1"),
        ]
    )
    assert build.minutes_to_read(lesson) == pytest.approx(2 + 0.75)
    assert build.minutes_to_read(new_notebook(cells=further(lesson))) == pytest.approx(1 + 0.75)


@pytest.mark.parametrize("source", LESSONS)
def test_a_lesson_says_whether_it_is_of_the_core_and_leads_to_the_glossary(source: Path) -> None:
    if source.stem == "00_start_here":
        return
    head = build.read(source).cells[0].source
    core = int(source.name[:2]) <= 6
    assert ("Part of the core." in head) == core
    assert ("A further lesson" in head) == (not core)
    assert "(../docs/glossary.md)" in head
