"""How large a latent space, how strong a prior, and which generator (paper, supplement).

The sizes are nested, not retrained: M is how many leading latents of `traits` are kept, the rest
being zero. The values of β are compared on β-VAEs of the paper's recipe (`training.betavae`),
trained here on a small budget: they say which β is better, not how good the paper's network is.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import torch

from srheart_demo.experiments import generators
from srheart_demo.experiments.cases import LEVELS, HeldOut, drawn_heart, simulated_heart
from srheart_demo.experiments.restoration import LatentOptimisation, find_generator
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import COLUMNS, SCORED, score, with_mean
from srheart_demo.experiments.summary import Comparison, LinePlot, Plot, mean_cells, top_two
from srheart_demo.experiments.tables import Cell, Results, Scores, Table
from srheart_demo.files import fingerprint
from srheart_demo.frame import TISSUES, hr_affine
from srheart_demo.heart.generator import OURS, weights_file
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.solver.best_code import Ceiling
from srheart_demo.solver.settings import Settings
from srheart_demo.training import BetaVAESettings, TrainingProgress, train

BEST_CODE, DRAWS = "best code", "draws"
"""Levels of rows that no scan enters: the nearest G(z) to a true heart, and draws of z."""
_DCGAN = "DCGAN"
CHECKPOINT_EVERY = 25
NOTE = "Mean Dice ± SD, the two best in bold; LO's answer is G(z), without a residual."


@dataclass(frozen=True)
class Budget:
    """The small budget of each β-VAE.

    Attributes:
        hearts, steps: as in `BetaVAESettings`.
    """

    hearts: int
    steps: int

    def settings(self, beta: float) -> BetaVAESettings:
        """The recipe at another β."""
        return BetaVAESettings(beta=beta, bfloat16=True, **asdict(self))


@dataclass(frozen=True)
class LatentStudy(Experiment):
    """Generators compared by their best codes, their draws, and latent optimisation with them.

    Attributes:
        subjects: hearts to restore.
        folder: where the β-VAEs are trained.
        solver: settings of latent optimisation; its answer is G(z) alone, without what the slices
            show beyond it, which would make generators alike.
        latent_sizes, betas: what to compare.
        draws: of z ~ N(0, I), whose hearts are checked.
        training: budget of each β.
    """

    subjects: HeldOut
    folder: Path
    solver: Settings
    latent_sizes: tuple[int, ...]
    betas: tuple[float, ...]
    draws: int
    training: Budget
    name: ClassVar[str] = "latent-study"
    title: ClassVar[str] = "Latent study"
    figures: ClassVar[tuple[str, ...]] = (*COLUMNS, "sound")

    def settings(self) -> dict[str, Any]:
        """The subjects, what is compared, the training, and the weights."""
        return {
            "experiment": self.name,
            **self.subjects.settings(),
            "latent sizes": self.latent_sizes,
            "betas": self.betas,
            "draws": self.draws,
            "training": {k.replace("_", " "): x for k, x in asdict(self.training).items()},
            "preset": self.solver.name,
            "weights": {name: fingerprint(weights_file(name)) for name in (OURS, "dcgan")},
        }

    def prepare(self, show: Callable[[str, TrainingProgress], None]) -> None:
        """Train what is not trained yet, each from its checkpoint."""
        for beta in self.betas:
            weights = self._weights(beta)
            if not weights.exists():
                settings = self.training.settings(beta)
                train(settings, weights.parent, partial(show, f"β = {beta:g}"), CHECKPOINT_EVERY)

    def _weights(self, beta: float) -> Path:
        return self.folder / "training" / f"beta-{beta:g}" / "betavae.safetensors"

    @property
    def nested(self) -> dict[str, LatentOptimisation]:
        """The shipped generators: each leading part of `traits`, and the DCGAN."""
        solver = replace(self.solver, residual=False)
        sizes = {f"M = {M}": LatentOptimisation(solver, latent_size=M) for M in self.latent_sizes}
        return {**sizes, _DCGAN: LatentOptimisation(solver, generator="dcgan")}

    @property
    def trained(self) -> dict[str, LatentOptimisation]:
        """Those trained here; their encoders know whole hearts, not scans, so z starts at 0."""
        solver = replace(self.solver, start="zero", residual=False)
        return {
            f"β = {beta:g}": LatentOptimisation(solver, generator=str(self._weights(beta)))
            for beta in self.betas
        }

    def tasks(self) -> Sequence[Task]:
        """Each heart at each level and by its best codes, then the draws."""
        methods = {**self.nested, **self.trained}
        which = {name: (m.generator, m.latent_size) for name, m in methods.items()}
        scores = {name: partial(score, method) for name, method in methods.items()}
        codes = {name: partial(_best_code, *generator) for name, generator in which.items()}
        sound = {name: partial(sound_draw, *generator) for name, generator in which.items()}
        tasks = []
        for seed in self.subjects.seeds:
            drawn = self.subjects.population, seed
            subject = "{} {}".format(*drawn)
            tasks += [Task(subject, x, partial(simulated_heart, *drawn, x), scores) for x in LEVELS]
            tasks.append(Task(subject, BEST_CODE, partial(known_heart, *drawn), codes))
        draws = [Task(f"draw {i}", DRAWS, partial(int, i), sound) for i in range(self.draws)]
        return [*tasks, *draws]

    def tables(self, results: Results) -> list[Table]:
        """By size, with the DCGAN; by β; and all else that latent optimisation is scored by."""
        notes = {
            "Nested sizes of traits, and the DCGAN": (
                [*self.nested],
                "M leading latents of traits, of 128, the rest zero: nested, not retrained. "
                "The DCGAN has a training of its own.",
            ),
            "β of the paper's recipe": (
                [*self.trained],
                f"β-VAEs of 64 latents, each trained on {self.training.hearts} hearts in "
                f"{self.training.steps} steps of 16: a "
                "small budget that says which β is better, not how good it gets. β weighs "
                "means over voxels and over z; z starts at 0.",
            ),
        }
        tables = [
            self._table(results, title, names, note)
            for title, (names, note) in notes.items()
            if names
        ]
        every = Comparison(results, LEVELS, [*self.nested, *self.trained])
        return [*tables, every.means()]

    def plots(self, results: Results) -> list[Plot]:
        """Mean Dice along M, and along β."""
        plots: list[Plot] = []
        for title, axis, names in (
            ("Size of the latent space", "M (nested)", [n for n in self.nested if n != _DCGAN]),
            ("β of the paper's recipe", "β", [*self.trained]),
        ):
            if len(names) > 1:
                lines = {BEST_CODE: BEST_CODE, **{f"LO, {level}": level for level in LEVELS}}
                panel = {
                    line: [*mean_cells(results, "dice_mean", level, names).values()]
                    for line, level in lines.items()
                }
                x = tuple(name.partition(" = ")[2] for name in names)
                plots.append(LinePlot(title, axis, "mean Dice ± SD", x, {"": panel}))
        return plots

    def _table(self, results: Results, title: str, names: Sequence[str], note: str) -> Table:
        best = {f"best code {s}": (f"dice_{s}", BEST_CODE) for s in SCORED}
        shown = best | {f"LO, {level}": ("dice_mean", level) for level in LEVELS}
        columns = [top_two(mean_cells(results, *which, names)) for which in shown.values()]
        sound = results.paired("sound", DRAWS, names)
        rows: list[Sequence[str | Cell]] = [
            (
                name,
                *(cells[name] for cells in columns),
                f"{sound[name].mean():.0%}" if len(sound[name]) else "",
            )
            for name in names
        ]
        return Table(title, ("generator", *shown, "sound draws"), rows, f"{NOTE} {note}")


def known_heart(population: str, seed: int) -> LabelVolume:
    """The heart itself, in the model's frame."""
    return replace(drawn_heart(population, seed), affine=hr_affine())


def _best_code(generator: str, latent_size: int | None, heart: LabelVolume) -> Scores:
    """Dice at a heart's voxels of the nearest heart that a generator holds."""
    found = generators.accuracy(_ceiling(generator, latent_size), heart)
    return with_mean("dice_{}", {tissue: found[f"ceiling Dice {tissue}"] for tissue in TISSUES[1:]})


@cache
def _ceiling(generator: str, latent_size: int | None) -> Ceiling:
    return Ceiling(find_generator(generator, latent_size))


def sound_draw(generator: str, latent_size: int | None, draw: int) -> Scores:
    """Whether the heart of a draw of z ~ N(0, I) passes the checks of its anatomy."""
    G = find_generator(generator, latent_size)
    z = torch.randn(1, G.latent_size, generator=torch.Generator().manual_seed(draw))
    return {"sound": generators.soundness(G, z)["sound hearts"]}
