"""Tables in the paper's layout, mean ± SD with the top two in bold, and what plots show."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from srheart_demo.experiments.results import Results
from srheart_demo.experiments.statistics import Values, paired_interval
from srheart_demo.frame import TISSUES
from srheart_demo.heart.measures import summary

STRUCTURES = (*TISSUES[1:], "mean")
"""LV, MYO, RV and the mean of their Dice."""
BOLD = 2
"""How many of a column are in bold."""


@dataclass(frozen=True)
class Cell:
    """Mean ± SD over subjects; `missing` are those without the figure (see `metrics.summary`)."""

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
    """A table to show; a note stands below it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Strips:
    """Every subject's figure, by panel and method.

    Attributes:
        title: of the plot.
        axis: what the figure is, with its unit.
        panels: title → method → (n,) values.
    """

    title: str
    axis: str
    panels: Mapping[str, Mapping[str, Values]]


@dataclass(frozen=True)
class Curves:
    """A mean and its spread against a setting.

    Attributes:
        title: of the plot.
        x_axis, axis: what is set and what was found, with units.
        x: the settings, in words.
        panels: title → line → a cell for each x.
    """

    title: str
    x_axis: str
    axis: str
    x: tuple[str, ...]
    panels: Mapping[str, Mapping[str, Sequence[Cell]]]


Plot = Strips | Curves

Paper = Mapping[str, Mapping[str, Mapping[str, tuple[float, float]]]]
"""What the paper prints: level → method → column → mean, SD."""


def cell(values: Values, digits: int = 3) -> Cell:
    """Mean ± SD of figures by subject."""
    return Cell(*summary(list(values)), digits)


def top_two(column: Mapping[str, Cell]) -> dict[str, Cell]:
    """A column with the two greatest means in bold."""
    means = [c.mean for c in column.values() if math.isfinite(c.mean)]
    best = sorted(means, reverse=True)[:BOLD]
    return {name: replace(c, bold=c.mean in best) for name, c in column.items()}


def columns(
    results: Results, names: Sequence[str], level: str, methods: Sequence[str]
) -> dict[str, dict[str, Cell]]:
    """Column → method → its cell, over the subjects that all methods have."""
    return {
        name: top_two({m: cell(v) for m, v in results.paired(name, level, methods).items()})
        for name in names
    }


def paper_columns(
    figures: Mapping[str, Mapping[str, tuple[float, float]]], names: Sequence[str]
) -> dict[str, dict[str, Cell]]:
    """The same of what the paper prints, to its two digits."""
    return {
        name: top_two({method: Cell(*row[name], digits=2) for method, row in figures.items()})
        for name in names
    }


def dice_table(
    results: Results,
    title: str,
    levels: Sequence[str],
    methods: Sequence[str],
    paper: Paper,
    structures: Sequence[str] = STRUCTURES,
    column: str = "dice_{}",
) -> Table:
    """Dice of each structure by level and method, beside the paper's where it has them.

    Args:
        results: what was measured.
        title: of the table.
        levels, methods: its rows.
        paper: what is printed there.
        structures: its columns.
        column: what they are called in the results.
    """
    names = [column.format(structure) for structure in structures]
    printed = list(
        dict.fromkeys(n for level in paper.values() for row in level.values() for n in row)
    )
    rows: list[tuple[str | Cell, ...]] = []
    for level in levels:
        ours = columns(results, names, level, methods)
        theirs = paper_columns(paper.get(level, {}), printed if level in paper else ())
        for method in methods:
            beside = [theirs.get(name, {}).get(method, "") for name in printed]
            rows.append((level, method, *(ours[name][method] for name in names), *beside))
    head = ("motion", "method", *structures, *(f"paper {name}" for name in printed))
    note = _subjects(results, levels, methods, names[0])
    if printed:
        note += " Beside ours the paper's, on its own data."
    return _without_single_level(Table(title, head, tuple(rows), note), levels)


def _without_single_level(table: Table, levels: Sequence[str]) -> Table:
    if len(levels) > 1:
        return table
    return replace(table, head=table.head[1:], rows=tuple(row[1:] for row in table.rows))


def _subjects(results: Results, levels: Sequence[str], methods: Sequence[str], column: str) -> str:
    """How many subjects the means are over."""
    counts = [len(results.paired(column, level, methods)[methods[0]]) for level in levels]
    text = ", ".join(map(str, dict.fromkeys(counts)))
    word = "subject" if text == "1" else "subjects"
    return f"Mean ± SD over {text} {word} that all methods restored; the two best in bold."


def difference_table(
    results: Results,
    levels: Sequence[str],
    ours: str,
    others: Sequence[str],
    structures: Sequence[str] = STRUCTURES,
    column: str = "dice_{}",
) -> Table:
    """`ours` less the best of the others by mean, subject by subject, with a 95 % interval."""
    rows = []
    for level in levels:
        for structure in structures:
            found = results.paired(column.format(structure), level, [ours, *others])
            if not len(found[ours]):
                continue
            means = {name: float(found[name].mean()) for name in others}
            best = max(means, key=means.__getitem__)
            mean, low, high = paired_interval(found[ours], found[best])
            interval = f"{low:+.3f} to {high:+.3f}"
            rows.append((level, structure, best, f"{mean:+.3f}", interval, str(len(found[ours]))))
    head = ("motion", "structure", "best other", "difference", "95 % interval", "subjects")
    title = f"{ours} less {others[0]}" if len(others) == 1 else f"{ours} less the best other"
    note = "Differences of Dice, subject by subject; intervals by bootstrap over subjects."
    return _without_single_level(Table(title, head, tuple(rows), note), levels)


@dataclass(frozen=True)
class _Measured:
    """Means of one method at one level, as text."""

    results: Results
    level: str
    method: str

    def values(self, column: str) -> Values:
        return np.array([*self.results.by_subject(column, self.level, self.method).values()])

    def mean(self, column: str, digits: int) -> str:
        found = summary(list(self.values(column)))
        note = f" ({found.missing} missing)" if found.missing else ""
        return f"{found.mean:.{digits}f}{note}" if math.isfinite(found.mean) else ""

    def by_tissue(self, column: str, digits: int) -> str:
        return " / ".join(self.mean(column.format(tissue), digits) for tissue in TISSUES[1:])

    def error(self, found: str, true: str) -> str:
        errors = summary(list(self.values(found) - self.values(true)))
        return f"{errors.mean:+.1f} ± {errors.sd:.1f}" if math.isfinite(errors.mean) else ""


def other_measures(results: Results, levels: Sequence[str], methods: Sequence[str]) -> Table:
    """Means of all else that was measured."""
    tissues = " / ".join(TISSUES[1:])
    head = (
        "motion",
        "method",
        f"raw Dice {tissues}",
        f"ASSD {tissues}, mm",
        f"HD95 {tissues}, mm",
        f"volume error {tissues}, ml",
        "LV mass error, g",
        "motion error, raw, mm",
        "motion error, mm",
        "motion error, unsheared, mm",
        "seconds",
    )
    rows = []
    for level in levels:
        for method in methods:
            seen = _Measured(results, level, method)
            rows.append(
                (
                    level,
                    method,
                    seen.by_tissue("raw_dice_{}", 3),
                    seen.by_tissue("assd_{}_mm", 2),
                    seen.by_tissue("hd95_{}_mm", 1),
                    " / ".join(
                        seen.error(f"volume_{t}_ml", f"true_volume_{t}_ml") for t in TISSUES[1:]
                    ),
                    seen.error("lv_mass_g", "true_lv_mass_g"),
                    seen.mean("raw_motion_error_mm", 2),
                    seen.mean("motion_error_mm", 2),
                    seen.mean("unsheared_motion_error_mm", 2),
                    seen.mean("seconds", 2),
                )
            )
    note = (
        "Means over the subjects of each method. All but what is called raw is taken after one "
        "translation common to all slices and tissues; unsheared, after the linear drift along the "
        "stack as well, which SA slices alone cannot tell from a leaning heart. Errors: estimate "
        "less truth."
    )
    table = Table("Distances, volumes, motion and time", head, tuple(rows), note)
    return _without_single_level(table, levels)


def dice_strips(
    results: Results,
    title: str,
    levels: Sequence[str],
    methods: Sequence[str],
    column: str = "dice_{}",
) -> Strips:
    """Every subject's Dice by structure and level."""
    panels = {
        f"{tissue}, {level}" if len(levels) > 1 else tissue: results.paired(
            column.format(tissue), level, methods
        )
        for level in levels
        for tissue in TISSUES[1:]
    }
    return Strips(title, "Dice", panels)
