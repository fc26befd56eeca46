"""The cheat sheet speaks of what exists, and its code runs."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from notebooks import cheatsheet
from tests.test_docs import code_in, defined_names

SHEET = "docs/cheatsheet.md"
BUILT_IN = {"torch", "zeros", "for", "_", "in", "range", "backward"}
LOCAL = {"optimiser", "L", "S_SR", "field"}


@pytest.fixture(scope="module")
def sheet(root: Path) -> str:
    return (root / SHEET).read_text("utf-8")


def test_every_call_in_its_tables_exists(root: Path, sheet: str) -> None:
    known = defined_names(root) | BUILT_IN | LOCAL
    rows = [line for line in sheet.splitlines() if line.startswith("|")]
    for code in code_in("\n".join(rows)):
        words = set(re.findall(r"[A-Za-z_]\w*", code))
        assert words <= known, f"{code}: no {sorted(words - known)} in srheart_demo"


def test_its_code_runs_as_it_stands(sheet: str) -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", sheet, flags=re.S):
        exec(block, names)
    assert names["S_SR"].shape == names["sample"].S_HR.labels.shape
    assert names["step"].loss < names["start"].loss
    assert names["error"] < 2.3, "better than leaving the slices where they are"


def test_it_stays_one_page(sheet: str) -> None:
    assert len(sheet.splitlines()) <= 100


def test_it_is_one_page_of_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "new" / "sheet.pdf"
    monkeypatch.setattr("sys.argv", ["cheatsheet", "-o", str(target)])
    cheatsheet.main()
    assert len(re.findall(rb"/Type /Page\b", target.read_bytes())) == 1


def test_every_word_of_it_is_on_the_page_and_none_lies_on_another(sheet: str) -> None:
    figure = cheatsheet.page(sheet)
    drawn = " ".join(text.get_text() for text in figure.texts)
    words = re.sub(r"```(python)?|^\|[-:| ]+\|$|\]\([^)]*\)|[`*#|\[]", " ", sheet, flags=re.M)
    assert sorted(set(re.findall(r"\w+", words)) - set(re.findall(r"\w+", drawn))) == []
    figure.set_dpi(300)  # small letters are rounded to pixels
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.texts if text.get_text().strip()]
    page = figure.bbox
    assert all(page.x0 < box.x0 and box.x1 < page.x1 and page.y0 < box.y0 for box in boxes)
    beside = [(a, b) for a, b in combinations(boxes, 2) if abs(a.y0 - b.y0) < 2]
    assert all(a.x1 < b.x0 or b.x1 < a.x0 for a, b in beside)


@pytest.mark.parametrize("text", ["# A heading\n\n" * 200, f"```python\n{'wide' * 100}\n```\n"])
def test_a_sheet_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        cheatsheet.page(text)
