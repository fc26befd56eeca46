"""A table of figures that grows section by section, as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from srheart_demo.cli import markdown
from srheart_demo.cli.errors import BadInput
from srheart_demo.files import atomic_path
from srheart_demo.frame import TISSUES
from srheart_demo.heart.measures import Summary, summary


class Section(NamedTuple):
    """What a group of figures was measured on.

    Attributes:
        generator, weights: its name, and a fingerprint of its weights.
        on: a population, a file, or a part of the generator.
        seed: of what was drawn.
        n: hearts or draws that the figures are means over.
    """

    generator: str
    weights: str
    on: str
    seed: int
    n: int


HEAD = [*Section._fields, "measure", *Summary._fields]


class Table:
    """Figures by section, written after each to a path that ends with .csv or .md, if one is given.

    A CSV that an earlier run has written there is gone on with.

    Raises:
        BadInput: nothing can be written to the path, or it holds something else.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.sections: dict[Section, dict[str, Summary]] = {}
        if path is None:
            return
        if path.suffix not in (".csv", ".md"):
            raise BadInput(
                f"{path}: the table is written as CSV or Markdown; end it with .csv or .md."
            )
        if path.suffix == ".csv" and path.exists():
            self._read(path)
        self._write(path)

    def add(self, section: Section, hearts: Sequence[Mapping[str, float]]) -> None:
        """Add the summary of each figure over hearts."""
        self.sections[section] = {
            measure: summary([figures[measure] for figures in hearts]) for measure in hearts[0]
        }
        if self.path is not None:
            self._write(self.path)

    def means(self, section: Section) -> dict[str, float]:
        """The figures of a section without their spread."""
        return {measure: figure.mean for measure, figure in self.sections[section].items()}

    def _read(self, path: Path) -> None:
        try:
            head, *rows = csv.reader(path.read_text("utf-8").splitlines())
            if head != HEAD:
                raise ValueError("other columns")
            for generator, weights, on, seed, n, measure, mean, sd, missing in rows:
                section = Section(generator, weights, on, int(seed), int(n))
                figures = self.sections.setdefault(section, {})
                figures[measure] = Summary(float(mean), float(sd), int(missing))
        except (UnicodeDecodeError, ValueError) as error:
            raise BadInput(
                f"{path}: this is no table of srheart evaluate ({error}); give another name."
            ) from error

    def _write(self, path: Path) -> None:
        text = self.csv() if path.suffix == ".csv" else self.markdown()
        try:
            with atomic_path(path) as draft:
                draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise BadInput(
                f"{path}: the table cannot be written here ({error.strerror or error}); choose a "
                "folder that you may write to."
            ) from error

    def csv(self) -> str:
        """One line for each figure."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(HEAD)
        for section, figures in self.sections.items():
            for measure, figure in figures.items():
                table.writerow([*section, measure, *(f"{x:.6g}" for x in figure)])
        return text.getvalue()

    def markdown(self) -> str:
        """For each generator one table over hearts, and one of all else."""
        generators = dict.fromkeys(section[:2] for section in self.sections)
        return "\n".join(self._of_generator(*generator) for generator in generators)

    def _of_generator(self, name: str, weights: str) -> str:
        sections = {s: f for s, f in self.sections.items() if s[:2] == (name, weights)}
        hearts = {s: _cells(f) for s, f in sections.items() if _by_tissue(f)}
        others = {s: _cells(f) for s, f in sections.items() if not _by_tissue(f)}
        columns = list(dict.fromkeys(column for cells in hearts.values() for column in cells))
        lines = [f"### {name} ({weights})", ""]
        if hearts:
            lines += markdown.head("hearts", "n", *columns)
            for section, cells in hearts.items():
                lines.append(
                    markdown.row(section.on, section.n, *(cells.get(c, "") for c in columns))
                )
            lines.append("")
        if others:
            lines += markdown.head("generator", "n", "value")
            for section, cells in others.items():
                lines += [
                    markdown.row(f"{section.on}: {m}", section.n, v) for m, v in cells.items()
                ]
            lines.append("")
        return "\n".join(lines)


def _by_tissue(figures: Mapping[str, Summary]) -> bool:
    return any(measure.endswith(TISSUES[1:]) for measure in figures)


def _cells(figures: Mapping[str, Summary]) -> dict[str, str]:
    """Means as text by measure; those of LV, MYO and RV share a cell."""
    groups: dict[str, list[str]] = {}
    for measure, (mean, _, missing) in figures.items():
        stem, _, tissue = measure.rpartition(" ")
        note = f" ({missing} missing)" if missing else ""
        if tissue in TISSUES:
            groups.setdefault(f"{stem} LV / MYO / RV", []).append(f"{mean:.3f}{note}")
        else:
            groups[measure] = [f"{mean:.4g}{note}"]
    return {name: " / ".join(means) for name, means in groups.items()}
