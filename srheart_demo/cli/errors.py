"""What a user can put right."""

import sys
from collections.abc import Iterable
from importlib import metadata


class BadInput(Exception):
    """One sentence that names the input, says what is wrong and what to do."""


def check_populations(names: Iterable[str]) -> None:
    """Refuse names that no population has.

    Raises:
        BadInput: with the known ones.
    """
    from srheart_demo.heart.population import POPULATIONS

    if unknown := set(names) - set(POPULATIONS):
        raise BadInput(
            f"--population: unknown {', '.join(sorted(unknown))}; known: {', '.join(POPULATIONS)}."
        )


def check_installed(extra: str, what: str) -> None:
    """Refuse what needs packages that are not installed.

    Args:
        extra: of this package, which needs them.
        what: the user wants.

    Raises:
        BadInput: names the command that installs them.
    """
    if missing := missing_packages(extra):
        raise BadInput(f"{what} needs more packages; {install_them(missing)}")


def missing_packages(extra: str) -> list[str]:
    """Requirements of an extra that are not installed."""
    from packaging.requirements import Requirement

    missing = []
    for need in map(Requirement, metadata.requires("srheart_demo") or []):
        if need.marker and need.marker.evaluate({"extra": extra}):
            try:
                metadata.version(need.name)
            except metadata.PackageNotFoundError:
                missing.append(f"{need.name}{need.specifier}")
    return missing


def install_them(packages: Iterable[str]) -> str:
    """What to do, wherever this package itself came from."""
    names = " ".join(f'"{package}"' for package in packages)
    return f"install them with: {sys.executable} -m pip install {names}"
