"""Where starting fails, the first thing a user reads names what to do."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from srheart_demo.cli import errors, main

make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def told(root: Path, *arguments: str) -> str:
    """What make says where it fails."""
    done = subprocess.run(
        ["make", "--no-print-directory", "env", *arguments],
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    return done.stderr


@make
@pytest.mark.parametrize("python", ["", "/nowhere/python"])
def test_make_without_a_python_says_how_to_name_one(
    root: Path, tmp_path: Path, python: str
) -> None:
    error = told(root, f"VENV={tmp_path / 'venv'}", f"PYTHON={python}")
    assert "make PYTHON=/path/to/python" in error


@make
@pytest.mark.parametrize(
    ("reason", "cure"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
         "about 2 GB are needed"),
        ("ERROR: Could not find a version that satisfies the requirement hatchling>=1.27"
         " (from versions: none)", "is there a network?"),
        ("WARNING: Retrying after connection broken by 'NameResolution'", "is there a network?"),
        ("ERROR: Cannot install srheart_demo because these package versions have conflicts.",
         "make clean"),
    ],
)  # fmt: skip
def test_make_says_why_pip_failed_and_what_to_do(
    root: Path, tmp_path: Path, reason: str, cure: str
) -> None:
    pip = tmp_path / "venv" / "bin" / "python"
    pip.parent.mkdir(parents=True)
    pip.write_text(f'#!/bin/sh\ncase "$*" in *"pip install"*) echo "{reason}" >&2; exit 1;; esac\n')
    pip.chmod(0o755)
    error = told(root, f"VENV={tmp_path / 'venv'}", f"PYTHON={sys.executable}")
    assert error.startswith(reason)
    assert cure in error
    assert not (tmp_path / "venv" / ".app").exists()


def test_a_port_in_use_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["explore", "--port", str(port)]) == 2
    assert f"--port: {port} cannot be had" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("extra", "command"),
    [("app", ["explore"]), ("cohort", ["cohort", "in", "out", "--scheduler", "tcp://none:1"])],
)
def test_missing_packages_are_named_in_a_command_that_brings_them(
    extra: str,
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    needs = ["numpy>=1", f"absent>=2.5; extra == '{extra}'", "other; extra == 'test'"]
    monkeypatch.setattr(errors.metadata, "requires", lambda _: needs)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.nii").touch()
    assert main(command) == 2
    error = capfd.readouterr().err
    assert error.endswith(f'{sys.executable} -m pip install "absent>=2.5"\n')


@pytest.mark.parametrize("absent", ["srheart_demo.dashboard", "ipywidgets"])
def test_the_explorers_notebook_on_another_python_says_where_it_is(root: Path, absent: str) -> None:
    (cell,) = json.loads((root / "apps" / "explorer.ipynb").read_text("utf-8"))["cells"]
    code = f"import sys; sys.modules[{absent!r}] = None\n" + "".join(cell["source"])
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert absent in first
    assert f'"{sys.executable}" -m pip install' in done.stdout


def test_an_option_that_no_command_has_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sample", "--nonsense"])
    assert end.value.code == 2
    assert "--nonsense" in capfd.readouterr().err
