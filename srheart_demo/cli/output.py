"""Folders of results, written completely or not at all."""

from __future__ import annotations

import json
import re
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
    """JSON with one vector a line; NaN, which JSON lacks, is an error, not a broken file."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    vector = re.compile(r"\[[^\[\]{}\"]+\]")
    text = vector.sub(
        lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text
    )
    path.write_text(text + "\n", encoding="utf-8")
