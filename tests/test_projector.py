"""Projector mode: larger text in pictures of the same size, and in JupyterLab."""

from __future__ import annotations

import subprocess
from pathlib import Path

import json5
import numpy as np
import pytest

from srheart_demo.lessons.pictures import ENLARGEMENT, PROJECTOR, slices

SETTINGS = Path(__file__).parents[1] / "share/projector"


def test_pictures_stay_as_large_and_their_text_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.zeros((3, 20, 20), np.uint8)
    labels[:, 5:15, 5:15] = 1
    found = {}
    for mode in ("", "1"):
        monkeypatch.setenv(PROJECTOR, mode)
        figure = slices({"scan": labels})
        dots = figure.get_size_inches() * figure.dpi
        text = figure.axes[0].yaxis.label.get_size() * figure.dpi
        found[mode] = dots, text
    assert np.allclose(found["1"][0], found[""][0])
    assert np.isclose(found["1"][1] / found[""][1], ENLARGEMENT)


@pytest.mark.parametrize("path", sorted(SETTINGS.rglob("*.jupyterlab-settings")))
def test_settings_can_be_read(path: Path) -> None:
    assert json5.loads(path.read_text("utf-8"))


def test_make_uses_them_only_when_asked(root: Path) -> None:
    def commands(*options: str) -> str:
        call = ["make", "--dry-run", "lab", *options]
        return subprocess.run(call, cwd=root, capture_output=True, text=True, check=True).stdout

    assert "JUPYTERLAB_SETTINGS_DIR" not in commands()
    assert "JUPYTERLAB_SETTINGS_DIR" in commands("PROJECTOR=1")
    assert PROJECTOR in commands("PROJECTOR=1")
