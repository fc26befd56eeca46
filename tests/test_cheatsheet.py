"""The cheat sheet speaks of what exists, and its code runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

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
