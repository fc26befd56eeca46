"""The house stands as ARCHITECTURE.md says: import contracts, and what an import costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
