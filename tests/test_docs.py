"""The documents speak of what exists: links, rooms of the house, names of symbols."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/install.md",
    "docs/notation.md",
    "docs/decisions.md",
    "docs/cohort.md",
    "docs/cheatsheet.md",
    "docs/teaching.md",
    "docs/deployment.md",
    "docs/own_scan.md",
]


def table_cells(text: str, column: int) -> list[str]:
    """One column of the first table of a markdown text, without its head."""
    rows = re.search(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert rows, "no table"
    return [row.split("|")[1 + column] for row in rows[0].splitlines()[2:]]


def code_in(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(root: Path, document: str) -> None:
    page = root / document
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
    missing = [
        link for link in links if "://" not in link and not (page.parent / link).resolve().exists()
    ]
    assert not missing


def test_each_room_of_the_house_exists_and_none_is_forgotten(root: Path) -> None:
    package = root / "srheart_demo"
    built = {path.stem for path in package.glob("*.py")} - {"__init__"}
    built |= {path.parent.name for path in package.glob("*/__init__.py")}
    listed = code_in("".join(table_cells((root / "ARCHITECTURE.md").read_text("utf-8"), 0)))
    assert {name.rstrip("/") for name in listed} == built


def defined_names(root: Path) -> set[str]:
    """Functions, classes, attributes and arguments of the package."""
    defined: set[str] = set()
    for path in (root / "srheart_demo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                defined.add(node.target.id)
            elif isinstance(node, ast.arg):
                defined.add(node.arg)
    return defined


def test_each_symbol_has_the_name_that_the_notation_gives(root: Path) -> None:
    defined = defined_names(root)
    for name in code_in("".join(table_cells((root / "docs/notation.md").read_text("utf-8"), 2))):
        words = set(re.findall(r"[A-Za-z_]\w*", name))
        assert words <= defined, f"{name}: no {sorted(words - defined)} in srheart_demo"
