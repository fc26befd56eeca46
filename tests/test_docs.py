"""The documents speak of what exists: links, rooms of the house, names of symbols."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from srheart_demo.cli import parser

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "data/sample", "srheart_demo/heart/weights")
    for path in (ROOT / folder).glob("*.md")
)

LESSONS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/*.ipynb"))


def table_cells(text: str, column: int) -> list[str]:
    """One column of the first table of a markdown text, without its head."""
    rows = re.search(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert rows, "no table"
    cells = [row.split("|")[1 + column] for row in rows[0].splitlines()[2:]]
    assert len(cells) >= 10, "a table that says nothing"
    return cells


def code_in(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def anchor(heading: str) -> str:
    """How a link names a heading."""
    text = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading.lower())
    return re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")


def text_of(page: Path) -> str:
    """What a page says; of a notebook without its code."""
    if page.suffix != ".ipynb":
        return page.read_text("utf-8")
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def anchors(page: Path) -> set[str]:
    """Headings of a page as links name them; of a notebook as JupyterLab and GitHub do."""
    headings = re.findall(r"^#+ (.*)", text_of(page), re.M)
    if page.suffix == ".ipynb":
        return {heading.replace(" ", "-") for heading in headings}
    return set(map(anchor, headings))


def dead_links(page: Path) -> list[str]:
    """Links of a page to files, or to headings of pages, that are not there."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)[^)]*\)", text_of(page)):
        file, _, heading = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if "://" in link:
            continue
        if not target.exists() or (heading and heading not in anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("document", [*DOCUMENTS, *LESSONS])
def test_links_lead_somewhere(root: Path, document: str) -> None:
    assert not dead_links(root / document)


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A place\n")
    lesson = new_notebook(
        cells=[new_markdown_cell("## Is it there?"), new_code_cell("# No heading")]
    )
    nbformat.write(lesson, tmp_path / "there.ipynb")
    page = tmp_path / "page.md"
    page.write_text("[a](there.md#a-place) [b](not.md) [c](#here) [d](there.md#not) [e](there.md)")
    assert dead_links(page) == ["not.md", "#here", "there.md#not"]
    page.write_text(
        "[a](there.ipynb#Is-it-there?) [b](there.ipynb#is-it-there) [c](there.ipynb#No-heading)"
    )
    assert dead_links(page) == ["there.ipynb#is-it-there", "there.ipynb#No-heading"]


def unknown_commands(text: str, root: Path) -> list[str]:
    """What a text tells readers to run, and does not exist."""
    commands = parser()._subparsers._group_actions[0].choices
    targets = re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.M)
    code = "\n".join(re.findall(r"```\n.*?```|`[^`\n]+`", text, re.S))
    unknown = [c for c in re.findall(r"\bsrheart ([a-z]+)\b", code) if c not in commands]
    unknown += [t for t in re.findall(r"\bmake ([a-z]+)\b", code) if t not in targets]
    for module in re.findall(r"python3? -m ([\w.]+)", code):
        top, *rest = module.split(".")
        path = root.joinpath(top, *rest)
        ours = (root / top).is_dir()
        if ours and not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()):
            unknown.append(module)
    files = re.findall(r"`((?:srheart_demo|tests|docs|apps|share|benchmarks)/[\w./-]+)`", text)
    return unknown + [file for file in files if not (root / file).exists()]


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_commands_and_files_that_are_named_exist(root: Path, document: str) -> None:
    assert not unknown_commands((root / document).read_text("utf-8"), root)


def test_an_unknown_command_is_found(root: Path) -> None:
    text = "`srheart dance`, `make tea`, `python -m benchmarks.absent`, `tests/test_absent.py`"
    assert unknown_commands(text, root) == [
        "dance", "tea", "benchmarks.absent", "tests/test_absent.py"
    ]  # fmt: skip


def test_the_program_of_the_readme_runs_as_it_stands(root: Path, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text("utf-8"), re.S)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "'LV'" in ran.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"S_SR.nii.gz", "d.json", "convergence.csv", "heart.stl"}


def test_each_room_of_the_house_exists_and_none_is_forgotten(root: Path) -> None:
    package, page = root / "srheart_demo", (root / "ARCHITECTURE.md").read_text("utf-8")
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert {name.rstrip("/") for name in code_in("".join(table_cells(page, 0)))} == rooms
    beside = {path.stem for path in package.glob("*.py")}
    assert beside <= set(code_in(page))
    assert len(beside) <= 4
    assert len(rooms) <= 10


def test_what_is_read_first_in_each_room_is_there(root: Path) -> None:
    page = (root / "ARCHITECTURE.md").read_text("utf-8")
    for room, first in zip(table_cells(page, 0), table_cells(page, 2), strict=True):
        for name in code_in(first):
            (folder,) = code_in(room)
            assert (root / "srheart_demo" / folder / f"{name}.py").exists(), f"{folder}{name}"


def test_no_module_is_long(root: Path) -> None:
    """Read in one sitting: 400 lines at most, 150 the median."""
    lines = sorted(
        len(path.read_text("utf-8").splitlines())
        for path in (root / "srheart_demo").rglob("*.py")
        if path.name != "__init__.py"
    )
    assert lines[-1] <= 400
    assert lines[len(lines) // 2] <= 150


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
    names = code_in("".join(table_cells((root / "docs/notation.md").read_text("utf-8"), 2)))
    assert len(names) > 30
    for name in names:
        words = set(re.findall(r"[A-Za-z_]\w*", name))
        assert words <= defined, f"{name}: no {sorted(words - defined)} in srheart_demo"
