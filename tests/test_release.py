"""What others get: a release's archives and notes, the recipe of conda, and what a forge reads."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "one"
version = "0.2.0"
"""
CHANGES = "# Changes\n\n## 0.2.0 – 2026-12-01\n\n- New.\n\n## 0.1.0 – 2026-11-01\n\n- First.\n"


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def script(root: Path) -> dict[str, Any]:
    return runpy.run_path(str(root / ".ci/release.py"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small one, ready for a release."""
    (tmp_path / "pyproject.toml").write_text(PROJECT, "utf-8")
    (tmp_path / "CHANGELOG.md").write_text(CHANGES, "utf-8")
    (tmp_path / ".gitignore").write_text("dist/\n", "utf-8")
    (tmp_path / "one").mkdir()
    (tmp_path / "one/__init__.py").write_text("", "utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.email", "a@b.invalid")
    git(tmp_path, "config", "user.name", "A")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "One")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env=clean)


def test_a_release_is_archives_notes_and_what_is_left(
    script: dict[str, Any], repository: Path
) -> None:
    (repository / "dist").mkdir()
    (repository / "dist/one-0.1.0.tar.gz").write_text("old")
    left = script["release"](repository)
    names = {path.name for path in (repository / "dist").iterdir()}
    assert names == {"one-0.2.0.tar.gz", "one-0.2.0-py2.py3-none-any.whl", "NOTES.md"}
    assert (repository / "dist/NOTES.md").read_text("utf-8") == "srheart-demo 0.2.0\n\n- New.\n"
    assert "git tag -a v0.2.0" in left


def changed(repository: Path) -> None:
    (repository / "one/__init__.py").write_text("a = 1", "utf-8")


def released(repository: Path) -> None:
    git(repository, "tag", "v0.2.0")


def undated(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text(CHANGES.replace("2026-12-01", "unreleased"), "utf-8")


def unsaid(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text(CHANGES.replace("0.2.0", "0.3.0"), "utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (changed, "not committed"),
        (released, r"v0\.2\.0 is there already"),
        (undated, "unreleased; write the day"),
        (unsaid, r"no section ## 0\.2\.0"),
    ],
)
def test_what_is_not_ready_is_not_released(
    script: dict[str, Any], repository: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(repository)
    with pytest.raises(script["Refused"], match=said):
        script["release"](repository)
    assert not (repository / "dist").exists()


def test_the_changelog_has_the_version_that_comes(root: Path, project: dict[str, Any]) -> None:
    """The newest section is that of the version, dated or not."""
    first = re.search(r"^## (\S+) – ", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first
    assert first[1] == project["version"]


def test_the_version_stands_in_one_place(root: Path, project: dict[str, Any]) -> None:
    for name in ("CITATION.cff", ".zenodo.json", "conda/meta.yaml", "docs/install.md", "README.md"):
        assert project["version"] not in (root / name).read_text("utf-8"), name


def test_the_recipe_of_conda_needs_what_the_package_needs(
    root: Path, project: dict[str, Any]
) -> None:
    """Library and explorer, with the same lower bounds."""
    template = jinja2.Template((root / "conda/meta.yaml").read_text("utf-8"))
    text = template.render(load_file_data=lambda *_, **__: {"project": project}, PYTHON="python")
    recipe = yaml.safe_load(text)
    assert recipe["package"] == {"name": "srheart-demo", "version": project["version"]}
    assert recipe["build"]["entry_points"] == ["srheart = srheart_demo.cli:main"]
    needed = project["dependencies"] + project["optional-dependencies"]["app"]
    listed = {}
    for line in recipe["requirements"]["run"]:
        name, bound = line.split()
        listed[CONDA_NAMES.get(name, name)] = bound
    assert listed.pop("python") == project["requires-python"]
    assert listed == {
        canonicalize_name(one.name): str(one.specifier) for one in map(Requirement, needed)
    }


def test_zenodo_is_told_what_the_package_says(root: Path, project: dict[str, Any]) -> None:
    told = json.loads((root / ".zenodo.json").read_text("utf-8"))
    assert told["description"] == project["description"]
    assert told["keywords"] == project["keywords"]
    assert told["license"] == project["license"]
    assert told["creators"] == project["authors"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    dois = {one["identifier"] for one in told["related_identifiers"]}
    assert dois == {one["doi"] for one in citation["references"]}


def test_workflows_and_hooks_name_what_is_there(root: Path, project: dict[str, Any]) -> None:
    """Files, extras and tools that a forge, a hook and a container call exist here."""
    workflow = yaml.safe_load((root / ".github/workflows/check.yml").read_text("utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = "\n".join(step["run"] for step in steps if "run" in step)
    paths = re.findall(r"(?:tests|\.ci)/[\w./]+", commands)
    assert len(paths) > 5
    assert all((root / path).is_file() for path in paths)
    (extras,) = re.findall(r"\.\[([\w,]+)\]", commands)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"], "with the ruff of the environment"
    container = json.loads((root / ".devcontainer/devcontainer.json").read_text("utf-8"))
    assert container["postCreateCommand"].endswith("make env")
