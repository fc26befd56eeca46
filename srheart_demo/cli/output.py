"""Folders of results, written completely or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from srheart_demo.cli.errors import BadInput
from srheart_demo.files import atomic_folder


@contextmanager
def results_folder(path: Path) -> Iterator[Path]:
    """Yield a staging folder whose files reach `path` only when the block succeeds.

    Raises:
        BadInput: if nothing can be written there; checked before any work is done.
    """
    try:
        with atomic_folder(path) as staging:
            yield staging
    except OSError as error:
        raise BadInput(
            f"{path}: results cannot be written here ({error.strerror or error}); choose a folder "
            "that you may write to."
        ) from error


def write_json(content: dict[str, Any], path: Path) -> None:
    """Readable JSON; NaN, which JSON lacks, is an error rather than a broken file."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
