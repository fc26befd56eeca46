"""Places that the documents name are there, and no word is used before it is explained."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from notebooks import build
from srheart_demo.solver.settings import Settings

ROW = re.compile(r"^\| \*\*(?P<term>.+?)\*\* \| .+ \| \[(?P<lesson>\d+) · .*\]\(.*\) \|$", re.M)
LATEX = {"$": "", r"\downarrow_s": "↓ₛ", r"\odot": "⊙", r"\alpha": "α", r"\epsilon": "ε"}


def terms(page: str) -> dict[str, int]:
    """Each term of the glossary, and the number of the lesson that explains it."""
    return {row["term"]: int(row["lesson"]) for row in ROW.finditer(page)}


def text_of(source: Path) -> str:
    """What a lesson says, in plain letters; without its map, which names what comes later."""
    cells = [c.source for c in build.read(source).cells if c.cell_type == "markdown"]
    lines = [
        line for line in "\n".join(cells).splitlines() if "_" not in line or ".ipynb)" not in line
    ]
    text = re.sub(r"\]\([^)]*\)", "]", "\n".join(lines))
    for mark, plain in LATEX.items():
        text = text.replace(mark, plain)
    return re.sub(r"_\{(\w+)\}", r"_\1", text)


def first_lesson(term: str, texts: dict[int, str]) -> int | None:
    """The lesson that uses a term first."""
    word = re.escape(term[0].upper() + term[1:]) + "|" if len(term) > 3 else ""
    pattern = rf"(?<![\w’'])({word}{re.escape(term)})s?(?![\w]|_\w)"
    return next((number for number, text in texts.items() if re.search(pattern, text)), None)


@pytest.fixture(scope="module")
def texts() -> dict[int, str]:
    return {int(source.name[:2]): text_of(source) for source in build.sources()}


def test_each_term_is_explained_in_the_lesson_that_uses_it_first(
    root: Path, texts: dict[int, str]
) -> None:
    explained = terms((root / "docs/glossary.md").read_text("utf-8"))
    assert len(explained) > 80
    late = {t: (n, first_lesson(t, texts)) for t, n in explained.items()}
    assert {t: both for t, both in late.items() if both[0] != both[1]} == {}


def test_a_term_that_is_used_too_early_is_found() -> None:
    texts = {0: "a heart", 1: r"a Code, $\downarrow_s$ and encoders", 2: "a code; an encoder"}
    assert first_lesson("code", texts) == 1
    assert first_lesson("encoder", texts) == 1
    assert first_lesson("heartless", texts) is None


def sections(source: Path) -> dict[str, str]:
    """Heading of a lesson → the text below it."""
    parts = re.split(r"^#+ (.*)$", text_of(source), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_term_stands_where_the_glossary_says(root: Path) -> None:
    page = (root / "docs/glossary.md").read_text("utf-8")
    lessons = {int(source.name[:2]): sections(source) for source in build.sources()}
    astray = {}
    for row in ROW.finditer(page):
        term, number = row["term"], int(row["lesson"])
        heading = row[0].rsplit(" · ", 1)[1].split("](")[0]
        if first_lesson(term, {number: lessons[number].get(heading, "")}) is None:
            astray[term] = heading
    assert astray == {}


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return rows[1:]


def test_each_setting_leads_to_cells_that_teach_it_whole(root: Path) -> None:
    rows = rows_of((root / "docs/teaching.md").read_text("utf-8"), "Concepts")
    concepts = " ".join(row[0] for row in rows)
    missing = {f.name for f in fields(Settings)} - {"name"} - set(re.findall(r"`(\w+)`", concepts))
    assert not missing
    taught = [row for row in rows if not row[0].startswith("**")]
    assert len(taught) > 40
    for concept, what, extremes in taught:
        assert ".ipynb#" in what, concept
        assert ".ipynb#" in extremes, concept


def test_each_question_has_an_answer_and_the_cell_that_gives_it(root: Path) -> None:
    page = (root / "docs/questions.md").read_text("utf-8")
    asked = re.findall(r"^\| (\d+) \| [^|]+\? \| [^|]+ \| \[.*\]\(\S+\.ipynb#.+\) \|$", page, re.M)
    assert [int(n) for n in asked] == list(range(1, len(asked) + 1))
    assert len(asked) >= 30
