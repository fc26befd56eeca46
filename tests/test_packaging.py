"""pyproject.toml, constraints.txt and environment.yml agree, and name no machine."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

# The names that differ on conda-forge.
CONDA_NAMES = {"pytorch": "torch"}
EXTRAS = ("app", "lab", "cohort", "dicom", "hub", "page", "site", "test")


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def pins(root: Path) -> dict[str, str]:
    """Name to version of each line of constraints.txt, all of the form name==version."""
    lines = (root / "constraints.txt").read_text("utf-8").splitlines()
    entries = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(entry) == 2 for entry in entries), "only name==version may stand there"
    return {canonicalize_name(name): version for name, version in entries}


def test_pins_go_with_the_oldest_python_that_is_allowed(project: dict, pins: dict) -> None:
    """Debian 12 has 3.11.2; a pin that asks for 3.11.5 stopped the first command there."""
    oldest = project["requires-python"].removeprefix(">=") + ".0"
    asked = {}
    for name in pins:
        with suppress(metadata.PackageNotFoundError):  # Pins of other systems are not installed.
            asked[name] = metadata.metadata(name).get("Requires-Python")
    assert len(asked) > len(pins) / 2
    assert not {n: r for n, r in asked.items() if r and not SpecifierSet(r).contains(oldest)}


def test_pins_are_public_versions(pins: dict[str, str]) -> None:
    """No local build such as +cpu, which only one index offers, and no path."""
    for name, version in pins.items():
        assert str(Version(version)) == version or Version(version).local is None, name
        assert re.fullmatch(r"[\w.]+", version), f"{name}=={version}"


def test_pins_satisfy_the_declared_dependencies(project: dict, pins: dict[str, str]) -> None:
    extras = project["optional-dependencies"]
    assert set(extras) == set(EXTRAS)
    for line in project["dependencies"] + [line for extra in EXTRAS for line in extras[extra]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), line


def test_pins_cover_all_that_is_installed_transitively(project: dict, pins: dict[str, str]) -> None:
    """Walks the requirements of the installed packages, from the project's own downwards.

    Those of the site are walked where `make site` has installed them, as CI does.
    """
    extras = project["optional-dependencies"]
    walked = [extra for extra in EXTRAS if extra != "site" or find_spec("sphinx")]
    waiting = [
        Requirement(line)
        for line in project["dependencies"] + [line for extra in walked for line in extras[extra]]
    ]
    seen: set[tuple[str, frozenset[str]]] = set()
    missing: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name, wanted = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        if name not in pins:
            missing.add(name)
        for line in metadata.requires(name) or []:
            child = Requirement(line)
            on = [{"extra": extra} for extra in wanted | {""}]
            if child.marker is None or any(child.marker.evaluate(env) for env in on):
                waiting.append(child)
    assert not missing, f"not pinned in constraints.txt: {sorted(missing)}"


def test_conda_environment_equals_the_pins(root: Path, project: dict, pins: dict[str, str]) -> None:
    """Same versions, and everything that the library, the explorer and cohorts need."""
    environment = yaml.safe_load((root / "environment.yml").read_text("utf-8"))
    listed: dict[str, str] = {}
    for line in environment["dependencies"]:
        if isinstance(line, str) and line != "pip" and not line.startswith("python="):
            name, version, *_build = line.split("=")
            listed[canonicalize_name(CONDA_NAMES.get(name, name))] = version
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + extras["app"] + extras["lab"] + extras["cohort"]
    assert listed == {
        name: pins[name] for name in (canonicalize_name(Requirement(line).name) for line in needed)
    }


def test_binder_installs_the_same(root: Path) -> None:
    """All but the package itself, which its postBuild adds."""
    here, there = (
        yaml.safe_load((root / name).read_text("utf-8"))
        for name in ("environment.yml", "binder/environment.yml")
    )
    assert here["dependencies"].pop() == {"pip": ["-e ."]}
    assert there == here
    for script in ("postBuild", "start"):
        assert os.access(root / "binder" / script, os.X_OK), script


def test_conda_environment_asks_for_the_cpu_build(root: Path) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text("utf-8"))
    assert environment["channels"][0] == "conda-forge"
    assert any(
        re.fullmatch(r"pytorch=[\d.]+=cpu_\*", str(line)) for line in environment["dependencies"]
    )


def test_citation_names_the_paper(root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    assert "Latent Optimisation" in citation["references"][0]["title"]


def test_a_clone_carries_no_large_file_but_weights(root: Path) -> None:
    """Every version of a file stays in each clone; tools and caches do not belong there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    sizes = {name: (root / name).stat().st_size for name in listed if (root / name).is_file()}
    assert len(sizes) > 200
    large = {name: size for name, size in sizes.items() if size > 2_000_000}
    assert all(name.startswith("srheart_demo/heart/weights/") for name in large)
    assert sum(large.values()) <= 30e6
