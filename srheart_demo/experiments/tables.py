"""Tables: rows kept in a CSV as they come, and what is shown, as Markdown and as HTML."""

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srheart_demo.files import atomic_path

KEY = ("subject", "level", "method")  # What a row of an experiment is known by

Row = Mapping[str, str]
Values = NDArray[np.float64]
Scores = dict[str, float]  # What was measured, by name


class Results:
    """Rows by subject, level and method; one that failed has an `error` and no figures.

    What is added is written by one call and flushed to the disk. What a killed process leaves of a
    line is dropped when the file is opened again. Columns that came since it was made are empty in
    its rows, and in the file from the next row on.
    """

    def __init__(self, path: Path | None, figures: Sequence[str]) -> None:
        """Open a CSV with these figures between the key and the error, or make it; without a path
        the rows stay in memory. ValueError where the file has other columns."""
        self.path, self.columns = path, [*KEY, *figures, "error"]
        self.rows: list[Row] = []
        self._head = dict(zip(self.columns, self.columns, strict=True))
        if path is None:
            return
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1] or self._lines(self._head)
        table = csv.DictReader(whole.decode().splitlines())
        known = [*(table.fieldnames or ())]
        if not {*KEY} <= {*known} <= {*self.columns}:
            raise ValueError("other columns")
        self.rows += table
        self._older = known != self.columns
        if whole != content:
            with atomic_path(path) as draft:
                draft.write_bytes(whole)

    def add(self, *rows: Row) -> None:
        """Append rows; columns that they lack stay empty."""
        if self.path:
            if self._older:
                with atomic_path(self.path) as draft:
                    draft.write_bytes(self._lines(self._head, *self.rows))
                self._older = False
            with self.path.open("ab") as file:
                file.write(self._lines(*rows))
                file.flush()
                os.fsync(file.fileno())
        self.rows += rows

    def _lines(self, *rows: Row) -> bytes:
        text = io.StringIO()
        csv.DictWriter(text, self.columns, restval="", lineterminator="\n").writerows(rows)
        return text.getvalue().encode()

    @property
    def done(self) -> set[tuple[str, ...]]:
        """Keys of all rows."""
        return {tuple(row[name] for name in KEY) for row in self.rows}

    @property
    def failures(self) -> list[Row]:
        """Rows without figures."""
        return [row for row in self.rows if row.get("error")]

    def what_failed(self) -> "list[Table]":
        """A table of the failures, if there are any."""
        head = (*KEY, "error")
        rows = [[row[name] for name in head] for row in self.failures]
        return [Table("What failed", head, rows)] if rows else []

    def by_subject(self, column: str, level: str, method: str) -> dict[str, float]:
        """A figure of a method at a level, by subject, where there is one."""
        return {
            row["subject"]: float(row[column])
            for row in self.rows
            if row["level"] == level and row["method"] == method and row.get(column)
        }

    def paired(self, column: str, level: str, methods: Iterable[str]) -> dict[str, Values]:
        """A figure of several methods over the subjects that all of them have, in one order."""
        found = {method: self.by_subject(column, level, method) for method in methods}
        first, *others = found.values()
        subjects = [subject for subject in first if all(subject in other for other in others)]
        return {m: np.array([values[s] for s in subjects]) for m, values in found.items()}


@dataclass(frozen=True)
class Cell:
    """Mean ± SD over subjects; `missing` are those without the figure (see `measures.summary`)."""

    mean: float
    sd: float
    missing: int = 0
    digits: int = 3
    bold: bool = False

    def __str__(self) -> str:
        if not math.isfinite(self.mean):
            return ""
        note = f" ({self.missing} missing)" if self.missing else ""
        spread = f" ± {self.sd:.{self.digits}f}" if math.isfinite(self.sd) else ""
        return f"{self.mean:.{self.digits}f}{spread}{note}"


@dataclass(frozen=True)
class Table:
    """A table to show; a note stands below it. A notebook shows it as it is."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    note: str = ""

    def markdown(self) -> list[str]:
        """Lines of the table without its title, with an empty one at the end."""
        lines = [self.head, *(map(_markdown, row) for row in self.rows)]
        text = [f"| {' | '.join(cells)} |" for cells in lines]
        text.insert(1, "|---" * len(self.head) + "|")
        return [*text, "", self.note, ""] if self.note else [*text, ""]

    def html(self) -> str:
        """The table and its note, without its title."""
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.head)
        rows = "".join(f"<tr>{''.join(map(_html, row))}</tr>\n" for row in self.rows)
        note = f"\n<p>{escape(self.note)}</p>" if self.note else ""
        return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>{note}"

    def _repr_html_(self) -> str:
        return f'<b>{escape(self.title)}</b>\n<div style="overflow-x: auto">{self.html()}</div>'


def _markdown(cell: str | Cell) -> str:
    return f"**{cell}**" if isinstance(cell, Cell) and cell.bold else str(cell)


def _html(cell: str | Cell) -> str:
    text = escape(str(cell))
    bold = isinstance(cell, Cell) and cell.bold
    return f'<td style="white-space: nowrap">{f"<b>{text}</b>" if bold else text}</td>'
