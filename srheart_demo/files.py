"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path


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
    of the same name in ``path`` are replaced one by one; other files there are left alone.

    Raises:
        OSError: at once, before any work is done, if nothing can be written there.
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
            final.parent.mkdir(exist_ok=True)
            os.replace(draft, final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def fingerprint(path: Path) -> str:
    """Twelve hexadecimal digits that tell a file's content from others'."""
    return sha256(path.read_bytes()).hexdigest()[:12]
