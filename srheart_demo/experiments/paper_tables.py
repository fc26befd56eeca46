"""Tables 1, 2, 3 and S1 of the paper, on synthetic hearts; some are recorded in docs/results.

In Tables 1, 2 and S1 hearts are degraded as in the paper, at levels of motion. In Table 3 they are
scanned as in UK Biobank, and methods may see long-axis views. There the paper scores on its one
view alone, for the true hearts are unknown; here they are known, so each method is scored against
the true heart as well.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

from srheart_demo.experiments import cases
from srheart_demo.experiments.cases import CLINICAL, LEVELS, Case, HeldOut
from srheart_demo.experiments.methods import (
    LO_OURS,
    LO_PAPER,
    LO_PRINTED,
    SEEN,
    SWEEP,
    VIEWS_OURS,
    VIEWS_PAPER,
    weights_in_use,
)
from srheart_demo.experiments.runner import RESULTS_FILE, SETTINGS_FILE, Experiment, Task
from srheart_demo.experiments.scoring import COLUMNS, SCORED, More, score, scores_of
from srheart_demo.experiments.summary import PRINTED, TABLES, Comparison, Plot, lines, mean_cells
from srheart_demo.experiments.tables import Results, Scores, Table
from srheart_demo.files import shipped
from srheart_demo.frame import TISSUES

RESULTS_FOLDER = Path(os.environ.get("SRHEART_RESULTS", shipped("docs/results")))


@dataclass(frozen=True)
class MethodsOnHearts(Experiment):
    """Methods on scans of synthetic hearts; the `usual` ones where none are named."""

    subjects: HeldOut
    methods: tuple[str, ...] = ()
    usual: ClassVar[tuple[str, ...]] = ("NN", "SBI", "EDSR", LO_PAPER, LO_PRINTED, LO_OURS)
    levels: ClassVar[tuple[str, ...]] = LEVELS
    printed: ClassVar[Mapping[str, Any]] = {}  # level → what stands in the paper
    structures: ClassVar[tuple[str, ...]] = SCORED  # whose Dice is shown
    figures: ClassVar[tuple[str, ...]] = COLUMNS
    more: ClassVar[tuple[More, ...]] = ()  # what is scored besides, and named in `figures`
    made = staticmethod(cases.simulated_heart)  # the case of a heart at a level

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", tuple(self.methods) or self.usual)

    def settings(self) -> dict[str, Any]:
        """The subjects, the methods, and the weights."""
        return {
            **self.subjects.settings(),
            "methods": self.methods,
            "weights": weights_in_use(self.methods, self.levels),
        }

    def measures(self, level: str) -> dict[str, Callable[[Case], Scores]]:
        """Method → what scores it on a case of a level."""
        return scores_of(self.methods, level, partial(score, more=self.more))

    def tasks(self) -> Iterator[Task]:
        """Each heart at each level, so that a heart is made once for all."""
        population = self.subjects.population
        for seed, level in product(self.subjects.seeds, self.levels):
            case = partial(self.made, population, seed, level)
            yield Task(f"{population} {seed}", level, case, self.measures(level))

    def compared(self, results: Results) -> Comparison:
        """The methods at all levels."""
        return Comparison(results, self.levels, self.methods)

    def tables(self, results: Results) -> list[Table]:
        """Dice as in the paper, what differences are worth, and all else."""
        compared = self.compared(results)
        dice = compared.dice(self.title, self.printed, self.structures)
        return [dice, *compared.differences(self.structures), compared.means()]

    def plots(self, results: Results) -> list[Plot]:
        """Every subject's Dice."""
        return [self.compared(results).strips("Dice of every subject")]


class Table1(MethodsOnHearts):
    """Table 1 of the paper."""

    name, title = "table1", "Table 1: severe motion"
    levels, structures = ("severe",), TISSUES[1:]
    printed: ClassVar = {"severe": PRINTED["table_1"]}


class TableS1(MethodsOnHearts):
    """Table S1 of the paper."""

    name, title = "table-s1", "Table S1: no, normal and severe motion"
    printed = PRINTED["table_s1"]


class Table2(MethodsOnHearts):
    """Table 2 of the paper: each EDSR at every level of motion."""

    name, title = "table2", "Table 2: trained on one level of motion, tested on each"
    usual = ("EDSR (none)", "EDSR (normal)", "EDSR (severe)", LO_PAPER, LO_OURS)

    def tables(self, results: Results) -> list[Table]:
        """Mean Dice by the level tested on, beside the paper's."""
        compared, printed = self.compared(results), PRINTED["table_2"]
        columns = [(level, "dice_mean") for level in self.levels]
        rows = compared.rows(columns, printed, self.levels)
        head = ("method", *self.levels, *(f"paper {level}" for level in self.levels))
        crossed = Table("Mean Dice", head, rows, TABLES["table2"]["note"])
        return [crossed, *compared.differences(["mean"]), compared.means()]


class Table3(MethodsOnHearts):
    """Table 3 of the paper: a clinical protocol, and the long-axis view."""

    name, title = "table3", "Table 3: a clinical protocol"
    usual = (
        *("NN", "SBI", "EDSR (normal)", LO_PAPER, VIEWS_PAPER),
        *SWEEP.values(),
        *(SEEN[n] for n in (2, 3)),
    )
    levels = (CLINICAL,)

    def settings(self) -> dict[str, Any]:
        """The protocol besides."""
        protocol = (
            f"slices of {cases.CLINICAL_GAP:g} mm, pixels of {cases.CLINICAL_PIXEL} mm, "
            f"normal motion, ε = {cases.CLINICAL_NOISE} on stack and views"
        )
        return {**super().settings(), "protocol": protocol}

    @property
    def swept(self) -> dict[str, str]:
        """γ, in words → method; empty unless there are several."""
        swept = {f"{gamma:g}": name for gamma, name in SWEEP.items() if name in self.methods}
        return swept if len(swept) > 1 else {}

    def compared(self, results: Results) -> Comparison:
        """All methods but those that only the sweep needs."""
        for_sweep = {*SWEEP.values()} - {LO_OURS, VIEWS_OURS}
        shown = [name for name in self.methods if name not in for_sweep]
        return replace(super().compared(results), methods=shown)

    def tables(self, results: Results) -> list[Table]:
        """Dice on the view and of the heart, what the view is worth, the sweep, and all else."""
        compared, printed = self.compared(results), {CLINICAL: PRINTED["table_3"]}
        tables = [
            compared.dice(f"{_ON_VIEW}, {_RAW}", printed, TISSUES[1:], "raw_la_dice_{}"),
            compared.dice(f"{_ON_VIEW}, {_FIXED}", named="la_dice_{}"),
            compared.dice(f"{_ON_HEART}, {_RAW}", named="raw_dice_{}"),
            compared.dice(f"{_ON_HEART}, {_FIXED}"),
            *compared.differences(),
        ]
        pairs = (VIEWS_OURS, LO_OURS), (SEEN[3], LO_OURS), (VIEWS_PAPER, LO_PAPER)
        for with_view, without in pairs:
            if {with_view, without} <= {*self.methods}:
                tables.append(compared.less(with_view, [without]))
        if self.swept:
            tables.append(self._sweep(results))
        return [*tables, compared.means()]

    def plots(self, results: Results) -> list[Plot]:
        """Every subject's Dice, and the sweep."""
        views = {f"{_ON_VIEW}, {_RAW}": "raw_la_dice_{}", f"{_ON_HEART}, {_FIXED}": "dice_{}"}
        plots: list[Plot] = [self.compared(results).strips(*view) for view in views.items()]
        if self.swept:
            panels = {
                title: {tissue: (CLINICAL, named.format(tissue)) for tissue in TISSUES[1:]}
                for title, named in views.items()
            }
            axes = "γ", "Dice, mean ± SD"
            plots.append(lines(results, self.swept, "Weight of the long-axis view", axes, panels))
        return plots

    def _sweep(self, results: Results) -> Table:
        figures = {
            **{f"view {tissue}": f"raw_la_dice_{tissue}" for tissue in TISSUES[1:]},
            **{f"heart {tissue}": f"dice_{tissue}" for tissue in TISSUES[1:]},
            "motion error, mm": "motion_error_mm",
        }
        swept = self.swept
        cells = (mean_cells(results, of, CLINICAL, swept.values()) for of in figures.values())
        rows = list(zip(swept, *(column.values() for column in cells), strict=True))
        note = TABLES["sweep"]["note"].format(ours=LO_OURS)
        return Table("Weight of the long-axis view", ("γ", *figures), rows, note)


_ON_VIEW, _ON_HEART = "On the long-axis view", "Against the true heart"
_RAW, _FIXED = "as it stands", "after the common translation"
_ALL: tuple[type[MethodsOnHearts], ...] = (Table1, TableS1, Table2, Table3)
PAPER_TABLES = {table.name: table for table in _ALL}
"""The paper's tables by their names on the command line."""


def recorded(
    kind: type[MethodsOnHearts], folder: Path = RESULTS_FOLDER
) -> tuple[MethodsOnHearts, Results]:
    """An experiment that was measured beforehand, for lessons to show, and its results;
    FileNotFoundError, which says how to get them, where they are not there."""
    home = folder / kind.name
    if missing := [f for f in (SETTINGS_FILE, RESULTS_FILE) if not (home / f).is_file()]:
        lacking = TABLES["recorded"]["lacking"]
        raise FileNotFoundError(lacking.format(home=home, file=missing[0], name=kind.name))
    settings = json.loads((home / SETTINGS_FILE).read_text(encoding="utf-8"))["settings"]
    subjects = HeldOut(settings["population"], settings["hearts"], settings["seed"])
    experiment = kind(subjects, tuple(settings["methods"]))
    return experiment, Results(home / RESULTS_FILE, experiment.figures)
