"""What a user can put right: input, missing packages, places that cannot be written to.

To refuse is to raise `BadInput`.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Self

from srheart_demo.files import Unusable, atomic_folder, read_toml
from srheart_demo.machine import installed

TEXTS = read_toml(__file__, "sentences.toml")
STOPPED = 130  # Exit status after Ctrl-C


class BadInput(Unusable):
    """An option, or what it names."""

    @classmethod
    def of(cls, key: str, **facts: object) -> Self:
        """One of `refusals` in sentences.toml, with its facts."""
        return cls(TEXTS["refusals"][key].format(**facts))


def told(key: str, **facts: object) -> str:
    """One of `told` in sentences.toml, with its facts."""
    return str(TEXTS["told"][key].format(**facts))


@contextmanager
def refused(what: str, *kinds: type[Exception]) -> Iterator[None]:
    """Refuse a block's exceptions of some kinds, by `what` with what they say for ``{error}``."""
    try:
        yield
    except Unusable:
        raise
    except kinds as error:
        raise BadInput(what.replace("{error}", str(error.args[0]))) from error


@contextmanager
def writable(path: Path | None, what: str = "results cannot be written") -> Iterator[None]:
    """Refuse `path` if the block could not write to it."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise BadInput.of("not writable", path=path, what=what, why=why) from error


@contextmanager
def goes_on(path: Path) -> Iterator[None]:
    """Where a user stops the block, say that the same command goes on from `path`."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nThe same command goes on from {path}.", file=sys.stderr)
        raise


@contextmanager
def results_folder(
    path: Path,
    names: Sequence[str] = (),
    inputs: Sequence[Path] = (),
    others: Iterable[str] = (),
) -> Iterator[Path]:
    """Yield a staging folder whose files reach `path` only when the block succeeds.

    Before any work is done it is refused where nothing can be written, or where results of these
    `names` would be written over an input, or over something that is no result: where there are
    results, there is the first. Results of `others` names, of an earlier run, go in the end.
    """
    with writable(path), atomic_folder(path) as staging:
        check_inputs_stay(path, names, inputs)
        earlier = bool(names) and (path / names[0]).exists()
        for name in () if earlier else names:
            if (path / name).exists():
                raise BadInput.of("no result", path=path / name, first=names[0])
        yield staging
    if earlier:
        forget(path, others, inputs)


def forget(path: Path, names: Iterable[str], inputs: Sequence[Path]) -> None:
    """Remove results of these names, of an earlier run, unless they are inputs, and say so."""
    for old in (path / name for name in names):
        if old.exists() and not any(old.samefile(given) for given in inputs):
            old.unlink()
            print(told("of an earlier run", old=old))


def check_inputs_stay(path: Path, names: Iterable[str | Path], inputs: Sequence[Path]) -> None:
    """Refuse a folder in which results of these names would be written over an input."""
    for final in (path / name for name in names):
        if final.exists() and any(final.samefile(given) for given in inputs):
            raise BadInput.of("input", path=final)


def check_installed(extra: str, what: str) -> None:
    """Refuse `what` needs an extra that is not installed, and name the command that installs it."""
    if missing := missing_packages(extra):
        raise BadInput.of("not installed", what=what, todo=install_them(missing))


def missing_packages(extra: str) -> list[str]:
    """Requirements of an extra that are not installed."""
    needs = installed(metadata.requires("srheart_demo") or [], extra)
    return [f"{need.name}{need.specifier}" for need, there in needs if need.marker and not there]


def install_them(packages: Iterable[str]) -> str:
    """What to do, wherever this package itself came from."""
    names = " ".join(f'"{package}"' for package in packages)
    return f"install them with: {sys.executable} -m pip install {names}"
