"""Summaries in the paper's layout, mean ± SD with the top two in bold, and what plots show.

The bootstrap of `paired_interval` is ours: it is three lines, its numbers stand in docs/results,
and `scipy.stats.bootstrap`, of the same method, draws others and takes half a second to import.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from srheart_demo.experiments.scoring import STRUCTURES
from srheart_demo.experiments.tables import Cell, Results, Table, Values
from srheart_demo.frame import TISSUES
from srheart_demo.heart.measures import summary

BOLD = 2
"""How many of a column are in bold."""
RESAMPLES = 10_000

Printed = Mapping[str, Mapping[str, Mapping[str, tuple[float, float]]]]
"""What the paper prints: level → method → column → mean, SD."""


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


def cell(values: Values, digits: int = 3) -> Cell:
    """Mean ± SD of figures by subject."""
    return Cell(*summary(list(values)), digits)


def top_two(column: Mapping[str, Cell]) -> dict[str, Cell]:
    """A column with the two greatest means in bold."""
    means = [c.mean for c in column.values() if math.isfinite(c.mean)]
    best = sorted(means, reverse=True)[:BOLD]
    return {name: replace(c, bold=c.mean in best) for name, c in column.items()}


def column(results: Results, name: str, level: str, methods: Sequence[str]) -> dict[str, Cell]:
    """Method → its cell, over the subjects that all methods have."""
    found = results.paired(name, level, methods)
    return top_two({method: cell(values) for method, values in found.items()})


def printed_column(
    rows: Mapping[str, Mapping[str, tuple[float, float]]], name: str
) -> dict[str, Cell]:
    """The same of what the paper prints, to its two digits."""
    return top_two({method: Cell(*row[name], digits=2) for method, row in rows.items()})


def dice_table(
    results: Results,
    title: str,
    levels: Sequence[str],
    methods: Sequence[str],
    printed: Printed | None = None,
    structures: Sequence[str] = STRUCTURES,
    named: str = "dice_{}",
) -> Table:
    """Dice of each structure by level and method, beside the paper's where it has them.

    Args:
        results: what was measured.
        title: of the table.
        levels, methods: its rows.
        printed: what stands there in the paper.
        structures: its columns.
        named: what they are called in the results.
    """
    printed = printed or {}
    theirs = dict.fromkeys(n for level in printed.values() for row in level.values() for n in row)
    rows: list[Sequence[str | Cell]] = []
    for level in levels:
        ours = [column(results, named.format(s), level, methods) for s in structures]
        beside = [printed_column(printed.get(level, {}), name) for name in theirs]
        for method in methods:
            cells = [c[method] for c in ours], [c.get(method, "") for c in beside]
            rows.append((level, method, *cells[0], *cells[1]))
    head = ("motion", "method", *structures, *(f"paper {name}" for name in theirs))
    first = named.format(structures[0])
    counts = [len(results.paired(first, level, methods)[methods[0]]) for level in levels]
    n = ", ".join(map(str, dict.fromkeys(counts)))
    note = (
        f"Mean ± SD over {n} {'subject' if n == '1' else 'subjects'} that all methods restored; "
        "the two best in bold."
    )
    if printed:
        note += " Beside ours the paper's, on its own data."
    return _without_single_level(Table(title, head, rows, note), levels)


def _without_single_level(table: Table, levels: Sequence[str]) -> Table:
    if len(levels) > 1:
        return table
    return replace(table, head=table.head[1:], rows=[row[1:] for row in table.rows])


def crossed_table(
    results: Results,
    levels: Sequence[str],
    methods: Sequence[str],
    printed: Mapping[str, Mapping[str, tuple[float, float]]],
) -> Table:
    """Mean Dice of each method by the level tested on, beside the paper's."""
    ours = [column(results, "dice_mean", level, methods) for level in levels]
    theirs = [printed_column(printed, level) for level in levels]
    rows = [
        (name, *(c[name] for c in ours), *(c.get(name, "") for c in theirs)) for name in methods
    ]
    head = ("method", *levels, *(f"paper {level}" for level in levels))
    note = "Mean Dice of LV, MYO and RV, mean ± SD over subjects; columns: level tested on."
    return Table("Mean Dice", head, rows, note)


def differences(
    results: Results,
    levels: Sequence[str],
    methods: Sequence[str],
    structures: Sequence[str] = STRUCTURES,
) -> list[Table]:
    """The first variant of latent optimisation against the best other, where there are both."""
    ours = [name for name in methods if name.startswith("LO")]
    others = [name for name in methods if name not in ours]
    if not ours or not others:
        return []
    return [difference_table(results, levels, ours[0], others, structures)]


def difference_table(
    results: Results,
    levels: Sequence[str],
    ours: str,
    others: Sequence[str],
    structures: Sequence[str] = STRUCTURES,
) -> Table:
    """`ours` less the best of the others by mean, subject by subject, with a 95 % interval."""
    rows = []
    for level in levels:
        for structure in structures:
            found = results.paired(f"dice_{structure}", level, [ours, *others])
            if n := len(found[ours]):
                best = max(others, key=lambda name: found[name].mean())
                mean, low, high = paired_interval(found[ours], found[best])
                interval = f"{low:+.3f} to {high:+.3f}"
                rows.append((level, structure, best, f"{mean:+.3f}", interval, str(n)))
    head = ("motion", "structure", "best other", "difference", "95 % interval", "subjects")
    title = f"{ours} less {others[0] if len(others) == 1 else 'the best other'}"
    note = "Differences of Dice, subject by subject; intervals by bootstrap over subjects."
    return _without_single_level(Table(title, head, rows, note), levels)


def paired_interval(
    a: Values, b: Values, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Mean of a − b over subjects, and its bootstrap interval by percentiles (Efron 1979).

    Args:
        a, b: (n,) figures of two methods on the same subjects.
        level: how often such an interval holds the mean of all subjects.
        seed: of the resampling.

    Returns:
        Mean, lower and upper end.

    Raises:
        ValueError: not as many of one as of the other, or none.
    """
    if a.shape != b.shape or not len(a):
        raise ValueError(f"pairs are needed, not {len(a)} and {len(b)} values")
    difference = a - b
    chosen = np.random.default_rng(seed).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.quantile(difference[chosen].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return float(difference.mean()), float(low), float(high)


_EACH = " / ".join(TISSUES[1:])
OTHER_MEASURES: Mapping[str, tuple[str, int | None]] = {
    f"raw Dice {_EACH}": ("raw_dice_{}", 3),
    f"ASSD {_EACH}, mm": ("assd_{}_mm", 2),
    f"HD95 {_EACH}, mm": ("hd95_{}_mm", 1),
    f"volume error {_EACH}, ml": ("volume_{}_ml", None),
    "LV mass error, g": ("lv_mass_g", None),
    "motion error, raw, mm": ("raw_motion_error_mm", 2),
    "motion error, mm": ("motion_error_mm", 2),
    "motion error, unsheared, mm": ("unsheared_motion_error_mm", 2),
    "seconds": ("seconds", 2),
}
"""Heading → column of the results and digits of its mean; None: mean ± SD of estimate − truth."""


def other_measures(results: Results, levels: Sequence[str], methods: Sequence[str]) -> Table:
    """Means of all else that was measured."""
    rows = [
        (
            level,
            method,
            *(
                " / ".join(
                    _mean(results, name, level, method, digits)
                    for name in dict.fromkeys(named.format(tissue) for tissue in TISSUES[1:])
                )
                for named, digits in OTHER_MEASURES.values()
            ),
        )
        for level in levels
        for method in methods
    ]
    note = (
        "Means over the subjects of each method. All but what is called raw is taken after one "
        "translation common to all slices and tissues; unsheared, after the linear drift along the "
        "stack as well, which SA slices alone cannot tell from a leaning heart. Errors: estimate "
        "less truth."
    )
    head = ("motion", "method", *OTHER_MEASURES)
    return _without_single_level(
        Table("Distances, volumes, motion and time", head, rows, note), levels
    )


def _mean(results: Results, name: str, level: str, method: str, digits: int | None) -> str:
    """Over the subjects of one method, as text; empty where none has the figure."""
    values = results.by_subject(name, level, method)
    true = results.by_subject(f"true_{name}", level, method) if digits is None else {}
    found = summary([value - true.get(subject, 0.0) for subject, value in values.items()])
    if not math.isfinite(found.mean):
        return ""
    if digits is None:
        return f"{found.mean:+.1f} ± {found.sd:.1f}"
    return f"{found.mean:.{digits}f}{f' ({found.missing} missing)' if found.missing else ''}"


def along(results: Results, name: str, level: str, methods: Iterable[str]) -> list[Cell]:
    """A figure for each method, over the subjects that all have."""
    return [cell(values) for values in results.paired(name, level, methods).values()]


def dice_strips(
    results: Results,
    title: str,
    levels: Sequence[str],
    methods: Sequence[str],
    named: str = "dice_{}",
) -> Strips:
    """Every subject's Dice by structure and level."""
    panels = {
        f"{tissue}, {level}" if len(levels) > 1 else tissue: results.paired(
            named.format(tissue), level, methods
        )
        for level in levels
        for tissue in TISSUES[1:]
    }
    return Strips(title, "Dice", panels)
