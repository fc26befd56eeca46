"""The house stands as ARCHITECTURE.md says: import contracts, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

# The same thing in each: commands, ways to answer, and the words, which are read as `texts.NAME`.
SHARED = {"HELP", "DESCRIPTION", "add_options", "run", "restore", "Labels"}
WORDS = "dashboard/texts.py"
# Named as the exercise, which is to write the library's function of that name.
EXERCISES = "lessons/"
UI_LIBRARIES = ["IPython", "anywidget", "ipywidgets", "matplotlib", "plotly", "rich", "tqdm"]
SLOW_LIBRARIES = ["skimage", "trimesh"]


def test_import_contracts(root: Path) -> None:
    """The contracts in pyproject.toml: layers, and no display below ui."""
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; exit(lint_imports())"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("module", ["srheart_demo", "srheart_demo.cli"])
def test_import_brings_no_display_and_nothing_slow(module: str) -> None:
    """Checked in a fresh interpreter, so it sees what the libraries bring themselves."""
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not set(UI_LIBRARIES + SLOW_LIBRARIES) & set(loaded.stdout.split())


def names_in(module: Path) -> set[str]:
    """What a module defines for others."""
    names: set[str] = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        for target in node.targets if isinstance(node, ast.Assign) else ():
            names |= {target.id} if isinstance(target, ast.Name) else set()
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def test_no_name_stands_for_two_things(root: Path) -> None:
    package = root / "srheart_demo"
    homes: dict[str, list[str]] = defaultdict(list)
    for module in sorted(package.rglob("*.py")):
        place = module.relative_to(package).as_posix()
        if module.name != "__init__.py" and place != WORDS and not place.startswith(EXERCISES):
            for name in names_in(module) - SHARED:
                homes[name].append(place)
    assert len(homes) > 500
    assert not {name: places for name, places in homes.items() if len(places) > 1}
