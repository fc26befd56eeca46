"""Files: where the shipped ones lie, and writing so that a reader never meets half of one."""

import csv
import hashlib
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent


def shipped(path: str) -> Path:
    """A file or folder that comes with the package and lies beside it in the repository.

    `path` is as in the repository, such as ``data/sample``; in an installation from a wheel it lies
    inside the package (pyproject.toml names each).
    """
    inside = _PACKAGE / "shipped"
    return (inside if inside.is_dir() else _PACKAGE.parent) / path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` when the block succeeds.

    The temporary name keeps the suffixes, because writers choose the format by them.
    When the block raises, ``path`` is as it was before.
    """
    target = Path(path)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        draft = Path(folder) / target.name
        yield draft
        os.replace(draft, target)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a staging folder; move its files into ``path`` when the block succeeds.

    ``path`` and its missing parents are made at the end only, so a failure leaves nothing. Files
    of the same name in ``path`` are replaced one by one; other files there are left alone. Where
    nothing can be written there, an OSError says so at once, before any work is done.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{target} is a file")
    existing = next(folder for folder in (target, *target.absolute().parents) if folder.exists())
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=existing))
    try:
        yield staging
        target.mkdir(parents=True, exist_ok=True)
        for draft in sorted(path for path in staging.rglob("*") if path.is_file()):
            final = target / draft.relative_to(staging)
            final.parent.mkdir(parents=True, exist_ok=True)
            os.replace(draft, final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def whole_folder(path: Path, staging: Path) -> Iterator[Path]:
    """Yield a folder within `staging`; when the block succeeds it becomes ``path``, as a whole.

    What stood at ``path`` before goes, but not unless the new folder stands there: an exception,
    even between the two, leaves the old one. Whenever the process is killed, ``path`` is the old
    folder, the new one or not there; what may then be left in `staging`, on the same disk, is for
    the caller to clear.
    """
    desk = Path(tempfile.mkdtemp(dir=staging))
    draft, old = desk / "new", desk / "old"
    try:
        draft.mkdir()
        yield draft
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            os.replace(path, old)
        os.replace(draft, path)
    finally:
        if old.exists() and not path.exists():
            os.replace(old, path)
        shutil.rmtree(desk, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Whether no other process holds a folder; none does until the block ends, or this process.

    Where the system or the file system has no locks, nobody is kept out.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield True
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = True
    except OSError as error:
        free = not isinstance(error, BlockingIOError)
    try:
        yield free
    finally:
        os.close(handle)


def harmless_name(name: str, longest: int = 80) -> str:
    """The last part of a name that somebody else gave, of letters, digits, dots and the like."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w.\- ()]", "_", last)[-longest:]


def checksum(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_toml(module: str, name: str) -> dict[str, Any]:
    """What stands in a TOML file beside a module, of which ``__file__`` is given."""
    return tomllib.loads(Path(module).with_name(name).read_text("utf-8"))


class Unusable(ValueError):
    """What a user can put right; the message names it, says what is wrong and what to do.

    `remedy` is the caller's choice that would help, if there is one.
    """

    remedy = ""


def as_shipped(path: Path, folder: Path) -> Path:
    """`path`, if its bytes are what ``SHA256SUMS`` of its shipped folder says; else `Unusable`."""
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    name = path.relative_to(folder).as_posix()
    if sums.get(name) != checksum(path):
        raise Unusable(
            f"{name} is not the file that was shipped (its checksum differs): install "
            "srheart-demo anew, or check the file out again."
        )
    return path


def fingerprint(path: Path) -> str:
    """The first twelve digits of the `checksum`, for tables."""
    return checksum(path)[:12]


def write_json(content: dict[str, Any], path: Path) -> None:
    """JSON with one vector a line, whole or not at all; NaN, which JSON lacks, is an error."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    vector = re.compile(r"\[[^\[\]{}\"]+\]")
    text = vector.sub(
        lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text
    )
    write_text(text + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Text in UTF-8, whole or not at all; bytes of a file's name that are none as ``\\udcff``."""
    with atomic_path(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], path: Path) -> None:
    """Rows as CSV, whole or not at all; what is in none of the columns is left out."""
    with (
        atomic_path(path) as draft,
        draft.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
