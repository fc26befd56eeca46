"""The package away from its repository: what a wheel holds, and what it does in another place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from pathlib import Path

import psutil
import pytest
from jupyter_core.paths import SYSTEM_JUPYTER_PATH, jupyter_path
from processes import PATIENCE_S, free_port, wait_until

from notebooks import build

SOURCES = ("srheart_demo", "data", "apps", "notebooks", "share", "tests", "docs", "benchmarks")
"""Folders of the repository that a source distribution must hold as they are."""


@pytest.fixture(scope="module")
def unpacked(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    out = tmp_path_factory.mktemp("sdist")
    build_of(root, "sdist", out)
    (archive,) = out.glob("*.tar.gz")
    shutil.unpack_archive(archive, out)
    return out / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of the source distribution, as installers make it."""
    out = tmp_path_factory.mktemp("wheel")
    build_of(unpacked, "wheel", out)
    (made,) = out.glob("*.whl")
    return made


def build_of(folder: Path, kind: str, out: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def tracked(root: Path) -> set[str]:
    """Files of the repository that belong to it, and not to a run or an editor."""
    skip = {"__pycache__", ".ipynb_checkpoints", "node_modules"}
    return {
        path.relative_to(root).as_posix()
        for folder in SOURCES
        for path in (root / folder).rglob("*")
        if path.is_file() and not skip & set(path.parts)
    }


def test_the_source_distribution_is_the_repository(root: Path, unpacked: Path) -> None:
    assert tracked(root) - tracked(unpacked) == set()
    for name in ("pyproject.toml", "constraints.txt", "Makefile", "README.md", "voila.json"):
        assert (unpacked / name).read_bytes() == (root / name).read_bytes()
    assert not (unpacked / ".ci").exists()


def test_the_wheel_holds_each_file_once_and_nothing_of_the_workshop(
    root: Path, wheel: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        sums = [(entry.CRC, entry.file_size) for entry in archive.infolist() if entry.file_size]
    package = {name for name in tracked(root) if name.startswith("srheart_demo/")}
    assert package <= set(names)
    assert len(names) == len(set(names))
    assert len(sums) == len(set(sums))
    tops = {name.split("/")[0] for name in names if "-0." not in name.split("/")[0]}
    assert tops == {"srheart_demo"}


class Elsewhere:
    """An environment that has the wheel, sees the packages installed here, and no repository."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.data = folder / "jupyter"
        borrow(self.data)
        venv.create(folder / "venv", with_pip=False)
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = folder / "venv" / scripts / "python"
        self.scripts = self.python.parent
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "-q"]
        subprocess.run([*command, "--no-deps", "--no-index", str(wheel)], check=True)
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        ours = Path(self.run(self.python, "-c", where).strip())
        # A plain line: .pth files over there, one of which leads to the repository, do not count.
        (ours / "others.pth").write_text(sysconfig.get_path("purelib"))

    @property
    def environment(self) -> dict[str, str]:
        leave = ("PYTHON", "JUPYTER", "SRHEART")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(leave)}
        return kept | {
            "HOME": str(self.home), "JUPYTER_PATH": str(self.data), "JUPYTER_PREFER_ENV_PATH": "1",
        }  # fmt: skip

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.home, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


def borrow(data: Path) -> None:
    """What other packages keep in Jupyter's folders, but not this package's template."""
    for found in map(Path, [*reversed(SYSTEM_JUPYTER_PATH), *reversed(jupyter_path())]):
        for part in ("labextensions", "kernels", "nbconvert/templates", "voila/templates"):
            for one in (found / part).glob("*"):
                if one.name != "srheart" and not (data / part / one.name).exists():
                    (data / part).mkdir(parents=True, exist_ok=True)
                    (data / part / one.name).symlink_to(one)


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return Elsewhere(tmp_path_factory.mktemp("elsewhere"), wheel)


def test_the_command_restores_a_shipped_sample(elsewhere: Elsewhere) -> None:
    srheart = elsewhere.scripts / "srheart"
    elsewhere.run(srheart, "sample", "healthy_1", "-o", "sample")
    elsewhere.run(
        srheart, "enhance", "sample/S_LR_severe.nii.gz", "--preset", "interactive", "-o", "out"
    )
    assert (elsewhere.home / "out" / "S_SR.nii.gz").is_file()


def test_lessons_find_what_they_import_and_read(elsewhere: Elsewhere, root: Path) -> None:
    lesson = (build.NOTEBOOKS / "sources" / "01_quickstart.py").read_text("utf-8")
    imports = re.findall(r"^(?:from|import) .*", lesson, re.M)
    assert len(imports) > 4
    code = [
        *imports,
        "from srheart_demo.lessons.installation import RESULTS, full_tables, samples",
        "samples(), full_tables(), RESULTS.read_text()",
        "import srheart_demo",
        "print(srheart_demo.__file__)",
    ]
    came_from = Path(elsewhere.run(elsewhere.python, "-c", "\n".join(code)).strip())
    assert elsewhere.python.parents[1] in came_from.parents
    assert root not in came_from.parents


def test_the_explorer_opens_with_its_template_and_settings(
    elsewhere: Elsewhere, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log.txt"
    with log.open("w") as output:
        server = psutil.Popen(
            [elsewhere.scripts / "srheart", "explore", "--no-browser", f"--port={port}"],
            cwd=elsewhere.home, env=elsewhere.environment,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        wait_until(lambda: "is running at" in log.read_text() or server.poll(), log.read_text)
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=PATIENCE_S) as answer:
            assert answer.status == 200
            page = answer.read().decode()
        *_, kernel = server.children(recursive=True)
        assert kernel.exe() == Path(elsewhere.python).resolve().as_posix()
    finally:
        server.terminate()
        server.wait(PATIENCE_S)
    assert "srh-notice" in page, "the page's own template"
    assert "application/vnd.jupyter.widget-view+json" in page, "what the notebook shows"
    assert not re.search("Traceback|There was an error", page)
