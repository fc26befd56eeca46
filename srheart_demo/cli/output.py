"""Folders of results, written completely or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from srheart_demo.cli.errors import BadInput
from srheart_demo.files import atomic_folder


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """For a block that writes to `path`.

    Raises:
        BadInput: if it could not.
    """
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"{path}: results cannot be written here ({error.strerror or error}); choose a folder "
            "that you may write to."
        ) from error


@contextmanager
def results_folder(path: Path) -> Iterator[Path]:
    """Yield a staging folder whose files reach `path` only when the block succeeds.

    Raises:
        BadInput: if nothing can be written there; checked before any work is done.
    """
    with writable(path), atomic_folder(path) as staging:
        yield staging
