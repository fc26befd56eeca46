"""Summaries in the paper's layout, mean ± SD with the top two in bold, and what plots show.

The bootstrap of `paired_interval` is ours: it is three lines, its numbers stand in docs/results,
and `scipy.stats.bootstrap`, of the same method, draws others and takes half a second to import.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from srheart_demo.experiments.methods import LO_OURS, LO_PAPER
from srheart_demo.experiments.scoring import SCORED
from srheart_demo.experiments.tables import Cell, Results, Table, Values
from srheart_demo.files import read_toml
from srheart_demo.frame import TISSUES
from srheart_demo.heart.measures import summary

BOLD = 2  # How many of a column are in bold
RESAMPLES = 10_000

TABLES: dict[str, dict[str, Any]] = read_toml(__file__, "tables.toml")
"""What is said below tables, and which columns those of means have, from tables.toml."""
Printed = dict[str, dict[str, tuple[float, float]]]  # Method → structure or column → mean, SD
PRINTED: dict[str, Any] = read_toml(__file__, "paper.toml")
"""Dice that the paper prints, from paper.toml: table → `Printed`; of table_s1, level → that."""


@dataclass(frozen=True, eq=False)
class StripPlot:
    """Every subject's figure: (n,) values by panel and method."""

    title: str
    axis: str  # what the figure is, with its unit
    panels: Mapping[str, Mapping[str, Values]]


@dataclass(frozen=True)
class LinePlot:
    """A mean and its spread against a setting."""

    title: str
    x_axis: str  # what is set, with its unit
    axis: str  # what was found, likewise; empty where the title of each panel says it
    x: tuple[str, ...]  # the settings, in words
    panels: Mapping[str, Mapping[str, Sequence[Cell]]]  # title → line → a cell for each x


Plot = StripPlot | LinePlot


def cell(values: Values) -> Cell:
    """Mean ± SD of figures by subject."""
    return Cell(*summary(list(values)))


def mean_cells(results: Results, name: str, level: str, methods: Iterable[str]) -> dict[str, Cell]:
    """Method → its cell, over the subjects that all methods have."""
    return {method: cell(found) for method, found in results.paired(name, level, methods).items()}


def top_two(column: Mapping[str, Cell]) -> dict[str, Cell]:
    """A column with the two greatest means in bold."""
    means = [c.mean for c in column.values() if math.isfinite(c.mean)]
    best = sorted(means, reverse=True)[:BOLD]
    return {name: replace(c, bold=c.mean in best) for name, c in column.items()}


def lines(
    results: Results,
    methods: Mapping[str, str],
    title: str,
    axes: tuple[str, str],
    panels: Mapping[str, Mapping[str, tuple[str, str]]],
) -> LinePlot:
    """Means along methods, which x stands for, in panels: title → line → level and figure."""
    found = {
        panel: {
            line: [*mean_cells(results, figure, level, methods.values()).values()]
            for line, (level, figure) in shown.items()
        }
        for panel, shown in panels.items()
    }
    return LinePlot(title, *axes, tuple(methods), found)


@dataclass(frozen=True)
class Comparison:
    """Methods at levels of an experiment, in tables and plots; one level goes without saying."""

    results: Results
    levels: Sequence[str]
    methods: Sequence[str]

    def rows(
        self, columns: Iterable[tuple[str, str]], printed: Printed, theirs: Iterable[str] = ()
    ) -> list[Sequence[str | Cell]]:
        """A row for each method: its cells in our columns, then in those that the paper prints.

        Ours are known by level and figure, the paper's by their names. The paper's latent
        optimisations have a row even where they were not run here.
        """
        ours = [mean_cells(self.results, name, level, self.methods) for level, name in columns]
        paper = [{m: Cell(*row[name], digits=2) for m, row in printed.items()} for name in theirs]
        cells = [top_two(column) for column in (*ours, *paper)]
        not_run = [m for m in printed if m.startswith("LO") and m not in self.methods]
        return [(m, *(column.get(m, "") for column in cells)) for m in (*self.methods, *not_run)]

    def dice(
        self,
        title: str,
        printed: Mapping[str, Printed] | None = None,
        structures: Sequence[str] = SCORED,
        named: str = "dice_{}",
    ) -> Table:
        """Dice of each structure by level and method, `named` so in the results, beside the
        paper's where it has them: `printed` is level → method → what stands there."""
        printed = printed or {}
        rows_printed = (row for level in printed.values() for row in level.values())
        theirs = dict.fromkeys(name for row in rows_printed for name in row)
        figures, names = [named.format(s) for s in structures], self.methods
        rows = [
            (level, *row)
            for level in self.levels
            for row in self.rows(product([level], figures), printed.get(level, {}), theirs)
        ]
        counts = [len(self.results.paired(figures[0], x, names)[names[0]]) for x in self.levels]
        n = ", ".join(map(str, dict.fromkeys(counts)))
        told = TABLES["dice"]
        note = told["note"].format(n=n, subjects="subject" if n == "1" else "subjects")
        note += told["printed"] if printed else ""
        head = ("method", *structures, *(f"paper {name}" for name in theirs))
        return self.table(title, head, rows, note)

    def differences(self, structures: Sequence[str] = SCORED) -> list[Table]:
        """Our latent optimisation, less the paper's and less the best other, where they are."""
        ours = next((name for name in reversed(self.methods) if name.startswith("LO")), "")
        ours = LO_OURS if LO_OURS in self.methods else ours
        others = [name for name in self.methods if not name.startswith("LO")]
        pairs = [others, [LO_PAPER] if {LO_OURS, LO_PAPER} <= {*self.methods} else []]
        return [self.less(ours, other, structures) for other in pairs if ours and other]

    def less(self, ours: str, others: Sequence[str], structures: Sequence[str] = SCORED) -> Table:
        """A method less the best of others by mean, subject by subject, with a 95 % interval."""
        rows = []
        for level, structure in product(self.levels, structures):
            found = self.results.paired(f"dice_{structure}", level, [ours, *others])
            if n := len(found[ours]):
                best = max(others, key=lambda name: found[name].mean())
                mean, low, high = paired_interval(found[ours], found[best])
                interval = f"{low:+.3f} to {high:+.3f}"
                rows.append((level, structure, best, f"{mean:+.3f}", interval, str(n)))
        head = ("structure", "best other", "difference", "95 % interval", "subjects")
        title = f"{ours} less {others[0] if len(others) == 1 else 'the best other'}"
        return self.table(title, head, rows, TABLES["less"]["note"])

    def means(
        self,
        title: str = "Distances, volumes, motion and time",
        of: Sequence[str] = ("others",),
        **facts: str,
    ) -> Table:
        """Means over the subjects of each method, with columns and notes `of` some `TABLES`.

        Columns of figures that nobody took are left out.
        """
        tables = [TABLES[x].get("columns", {}) for x in (*of, "means")]
        columns = {head: figure for table in tables for head, figure in table.items()}
        taken = {name for row in self.results.rows for name, value in row.items() if value}
        columns = {h: c for h, c in columns.items() if c[0].format(TISSUES[1]) in taken}
        note = " ".join(TABLES[x]["note"] for x in ("means", *of)).format(**facts)
        return self.table(title, ("method", *columns), self.mean_rows(columns), note)

    def mean_rows(self, columns: Mapping[str, Sequence[Any]]) -> list[tuple[str, ...]]:
        """Level, method and its cells of columns as in `TABLES`."""
        return [
            (level, method, *(self.mean_text(level, method, *of) for of in columns.values()))
            for level, method in product(self.levels, self.methods)
        ]

    def strips(self, title: str, named: str = "dice_{}") -> StripPlot:
        """Every subject's Dice by structure and level."""
        panels = {
            f"{tissue}, {level}" if len(self.levels) > 1 else tissue: self.results.paired(
                named.format(tissue), level, self.methods
            )
            for level, tissue in product(self.levels, TISSUES[1:])
        }
        return StripPlot(title, "Dice", panels)

    def table(
        self, title: str, head: Sequence[str], rows: Sequence[Sequence[str | Cell]], note: str
    ) -> Table:
        """Rows that begin with their level."""
        if len(self.levels) > 1:
            return Table(title, ("motion", *head), rows, note)
        return Table(title, head, [row[1:] for row in rows], note)

    def mean_text(self, level: str, method: str, named: str, digits: int | None = None) -> str:
        """A cell of `TABLES`; empty where no subject has the figure."""
        texts = []
        for name in dict.fromkeys(named.format(tissue) for tissue in TISSUES[1:]):
            values = self.results.by_subject(name, level, method)
            if digits is None:
                true = self.results.by_subject(f"true_{name}", level, method)
                values = {subject: value - true[subject] for subject, value in values.items()}
            mean, sd, missing = summary([*values.values()])
            text = f"{mean:+.1f} ± {sd:.1f}" if digits is None else f"{mean:.{digits}f}"
            note = f" ({missing} missing)" if missing and digits is not None else ""
            texts.append(text + note if math.isfinite(mean) else "")
        return " / ".join(texts) if any(texts) else ""


def paired_interval(a: Values, b: Values) -> tuple[float, float, float]:
    """Mean of a − b over subjects, and the lower and upper end of its 95 % bootstrap interval by
    percentiles (Efron 1979).

    a and b are (n,) figures of two methods on the same subjects; ValueError where there are not as
    many of one as of the other, or none.
    """
    if a.shape != b.shape or not len(a):
        raise ValueError(f"pairs are needed, not {len(a)} and {len(b)} values")
    difference = a - b
    chosen = np.random.default_rng(0).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.quantile(difference[chosen].mean(1), [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)
