"""The rows of an experiment, kept in a CSV as they come."""

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srheart_demo.files import atomic_path

KEY = ("subject", "level", "method")
"""What a row is known by."""

Row = Mapping[str, str]


class Results:
    """Rows by subject, level and method; one that failed has an `error` and no figures.

    A row is written by one call and flushed to the disk. What a killed process leaves of a line is
    dropped when the file is opened again.
    """

    def __init__(self, path: Path, figures: Sequence[str]) -> None:
        """Open a file, or make it.

        Args:
            path: of the CSV.
            figures: names of the columns between the key and the error.

        Raises:
            ValueError: the file has other columns.
            OSError: it cannot be written.
        """
        self.path = path
        self.columns = [*KEY, *figures, "error"]
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1] or self._line(
            dict(zip(self.columns, self.columns, strict=True))
        )
        table = csv.DictReader(whole.decode().splitlines())
        if table.fieldnames != self.columns:
            raise ValueError(f"{path} has other columns than this experiment")
        self.rows: list[Row] = list(table)
        if whole != content:
            with atomic_path(path) as draft:
                draft.write_bytes(whole)

    def add(self, row: Row) -> None:
        """Append a row; columns that it lacks stay empty."""
        with self.path.open("ab") as file:
            file.write(self._line(row))
            file.flush()
            os.fsync(file.fileno())
        self.rows.append(row)

    def _line(self, row: Row) -> bytes:
        text = io.StringIO()
        csv.DictWriter(text, self.columns, restval="", lineterminator="\n").writerow(row)
        return text.getvalue().encode()

    @property
    def done(self) -> set[tuple[str, ...]]:
        """Keys of all rows."""
        return {tuple(row[name] for name in KEY) for row in self.rows}

    @property
    def failures(self) -> list[Row]:
        """Rows without figures."""
        return [row for row in self.rows if row.get("error")]

    def by_subject(self, column: str, level: str, method: str) -> dict[str, float]:
        """A figure of a method at a level, by subject, where there is one."""
        return {
            row["subject"]: float(row[column])
            for row in self.rows
            if row["level"] == level and row["method"] == method and row.get(column)
        }

    def paired(
        self, column: str, level: str, methods: Iterable[str]
    ) -> dict[str, NDArray[np.float64]]:
        """A figure of several methods over the subjects that all of them have, in one order."""
        found = {method: self.by_subject(column, level, method) for method in methods}
        first, *others = found.values()
        subjects = [subject for subject in first if all(subject in other for other in others)]
        return {m: np.array([values[s] for s in subjects]) for m, values in found.items()}
