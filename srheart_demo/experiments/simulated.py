"""Tables 1, 2 and S1: hearts degraded as in the paper, at three levels of motion."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

from srheart_demo.experiments import paper
from srheart_demo.experiments.cases import Case, held_out_seeds, simulated, synthetic_heart
from srheart_demo.experiments.methods import method, weights_in_use
from srheart_demo.experiments.results import Results
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import COLUMNS, score
from srheart_demo.experiments.summary import (
    STRUCTURES,
    Cell,
    Paper,
    Plot,
    Table,
    columns,
    dice_strips,
    dice_table,
    difference_table,
    other_measures,
    paper_columns,
)
from srheart_demo.frame import TISSUES
from srheart_demo.scan.degradation import MOTION_LEVELS


@dataclass(frozen=True)
class Hearts:
    """Synthetic subjects that nothing was trained on.

    Attributes:
        population: one of `population.POPULATIONS`.
        hearts: how many.
        seed: which.
    """

    population: str = "healthy"
    hearts: int = 50
    seed: int = 0

    @property
    def seeds(self) -> range:
        """Of heart, motion and noise of each subject."""
        return held_out_seeds(self.hearts, self.seed)

    def settings(self) -> dict[str, Any]:
        """For the record."""
        seeds = f"{self.seeds[0]} to {self.seeds[-1]}"
        return {**asdict(self), "seeds of hearts and motion": seeds}


@dataclass(frozen=True)
class Simulated(Experiment):
    """Methods on simulated scans of synthetic hearts."""

    subjects: Hearts
    methods: tuple[str, ...] = ("NN", "SBI", "EDSR", "LO")
    levels: ClassVar[tuple[str, ...]] = tuple(MOTION_LEVELS)
    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[Paper]
    structures: ClassVar[tuple[str, ...]] = STRUCTURES
    figures: ClassVar[tuple[str, ...]] = COLUMNS

    def settings(self) -> dict[str, Any]:
        """The subjects, the methods, and the weights."""
        return {
            "experiment": self.name,
            **self.subjects.settings(),
            "methods": self.methods,
            "weights": weights_in_use(self.methods, self.levels),
        }

    def tasks(self) -> Sequence[Task]:
        """Each heart at each level, so that a heart is made once for all."""
        return [
            Task(
                f"{self.subjects.population} {seed}",
                level,
                partial(simulated_heart, self.subjects.population, seed, level),
                {name: partial(score, method(name, level)) for name in self.methods},
            )
            for seed in self.subjects.seeds
            for level in self.levels
        ]

    def tables(self, results: Results) -> list[Table]:
        """Dice as in the paper, what the difference is worth, and all else."""
        return [
            dice_table(results, self.title, self.levels, self.methods, self.paper, self.structures),
            *differences(results, self.levels, self.methods, self.structures),
            other_measures(results, self.levels, self.methods),
        ]

    def plots(self, results: Results) -> list[Plot]:
        """Every subject's Dice."""
        return [dice_strips(results, "Dice of every subject", self.levels, self.methods)]


class Table1(Simulated):
    """Table 1: severe motion."""

    levels = ("severe",)
    name = "table1"
    title = "Table 1: severe motion"
    paper: ClassVar[Paper] = {"severe": paper.TABLE_1}
    structures = TISSUES[1:]


class TableS1(Simulated):
    """Table S1: no, normal and severe motion."""

    name = "table-s1"
    title = "Table S1: no, normal and severe motion"
    paper: ClassVar[Paper] = paper.TABLE_S1


@dataclass(frozen=True)
class Table2(Simulated):
    """Table 2: networks trained on each level and tested on each."""

    methods: tuple[str, ...] = ("EDSR (none)", "EDSR (normal)", "EDSR (severe)", "LO")
    name: ClassVar[str] = "table2"
    title: ClassVar[str] = "Table 2: trained on one level of motion, tested on each"
    paper: ClassVar[Paper] = {}
    structures: ClassVar[tuple[str, ...]] = ("mean",)

    def tables(self, results: Results) -> list[Table]:
        """Mean Dice by the level tested on, then as elsewhere."""
        ours = {
            level: columns(results, ["dice_mean"], level, self.methods)["dice_mean"]
            for level in self.levels
        }
        theirs = paper_columns(paper.TABLE_2, self.levels)
        rows = []
        for name in self.methods:
            beside: list[str | Cell] = [theirs[level].get(name, "") for level in self.levels]
            rows.append((name, *(ours[level][name] for level in self.levels), *beside))
        head = ("method", *self.levels, *(f"paper {level}" for level in self.levels))
        note = "Mean Dice of LV, MYO and RV, mean ± SD over subjects; columns: level tested on."
        return [
            Table("Mean Dice", head, tuple(rows), note),
            *differences(results, self.levels, self.methods, self.structures),
            other_measures(results, self.levels, self.methods),
        ]


def ours_and_others(methods: Sequence[str]) -> tuple[list[str], list[str]]:
    """Latent optimisation in its variants, and what it is compared with."""
    ours = [name for name in methods if name.startswith("LO")]
    return ours, [name for name in methods if name not in ours]


def differences(
    results: Results,
    levels: Sequence[str],
    methods: Sequence[str],
    structures: Sequence[str] = STRUCTURES,
) -> list[Table]:
    """The first of ours against the best other, where there are both."""
    ours, others = ours_and_others(methods)
    if not ours or not others:
        return []
    return [difference_table(results, levels, ours[0], others, structures)]


def simulated_heart(population: str, seed: int, level: str) -> Case:
    """A synthetic heart, degraded; its seed is the motion's too."""
    return simulated(synthetic_heart(population, seed), level, seed)
