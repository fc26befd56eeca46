"""No lesson is forgotten: the map, the README and the teacher's guide speak of each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(("title", "minutes"), [("45 min", 45), ("90 min", 90), ("Half a", 225)])
def test_plans_fit_their_time(root: Path, title: str, minutes: int) -> None:
    guide = (root / "docs/teaching.md").read_text("utf-8")
    plan = re.search(rf"^### {title}.*?(?=^##)", guide, flags=re.M | re.S)
    assert plan
    marks = [int(m) for m in re.findall(r"^\| (\d+) \|", plan[0], flags=re.M)]
    assert marks == sorted(set(marks))
    assert marks[0] == 0
    assert marks[-1] < minutes
