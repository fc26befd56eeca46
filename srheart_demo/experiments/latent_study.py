"""How large a latent space, how strong a prior, and which generator (paper, supplement).

The sizes are nested, not retrained: M is how many leading latents of `traits` are kept, the rest
being zero. The values of β are compared on β-VAEs of the paper's recipe (`training.betavae`),
trained here for fewer steps: they say which β is better, not how good the paper's network is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from srheart_demo.experiments import generators
from srheart_demo.experiments.cases import LEVELS, HeldOut, drawn_heart, simulated_heart
from srheart_demo.experiments.methods import PAPERS, LatentOptimisation
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import COLUMNS, SCORED, score, with_mean
from srheart_demo.experiments.summary import TABLES, Comparison, Plot, lines
from srheart_demo.experiments.tables import Results, Scores, Table
from srheart_demo.files import fingerprint
from srheart_demo.frame import TISSUES, hr_affine
from srheart_demo.heart.generator import OURS, load_generator, weights_file
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.solver.settings import Settings
from srheart_demo.training import BetaVAESettings, train

BEST_CODE, DRAWS = "best code", "draws"
"""Levels of rows that no scan enters: the nearest G(z) to a true heart, and draws of z."""
SHIPPED = (PAPERS, "dcgan")  # Generators beside ours
CHECKPOINT_EVERY = 25


@dataclass(frozen=True)
class LatentStudy(Experiment):
    """Generators compared by their best codes, their draws, and latent optimisation with them.

    Its answer is G(z) alone, without what the slices show beyond it, which would make generators
    alike.
    """

    subjects: HeldOut
    folder: Path  # where the β-VAEs are trained
    solver: Settings
    latent_sizes: tuple[int, ...]
    betas: tuple[float, ...]
    draws: int  # of z ~ N(0, I), whose hearts are checked
    recipe: BetaVAESettings  # but for β
    name, title = "latent-study", "Latent study"
    figures = (*COLUMNS, "sound")

    def settings(self) -> dict[str, Any]:
        """The subjects, what is compared, the training, and the weights."""
        return {
            **self.subjects.settings(),
            "latent sizes": self.latent_sizes,
            "betas": self.betas,
            "draws": self.draws,
            "training": {"hearts": self.recipe.hearts, "steps": self.recipe.steps},
            "preset": self.solver.name,
            "weights": {name: fingerprint(weights_file(name)) for name in (OURS, *SHIPPED)},
        }

    def prepare(self, show: Callable[..., None]) -> None:
        """Train what is not trained yet, each from its checkpoint."""
        for beta in self.betas:
            weights = self._weights(beta)
            if not weights.exists():
                settings = replace(self.recipe, beta=beta)
                train(settings, weights.parent, partial(show, f"β = {beta:g}"), CHECKPOINT_EVERY)

    def _weights(self, beta: float) -> Path:
        return self.folder / "training" / f"beta-{beta:g}" / "betavae.safetensors"

    @property
    def nested(self) -> dict[str, LatentOptimisation]:
        """The shipped generators: each leading part of `traits`, and the others."""
        run = LatentOptimisation(replace(self.solver, residual=False))
        sizes = {f"M = {M}": replace(run, latent_size=M) for M in self.latent_sizes}
        return sizes | {name: replace(run, generator=name) for name in SHIPPED}

    @property
    def trained(self) -> dict[str, LatentOptimisation]:
        """Those trained here; their encoders know whole hearts, not scans, so z starts at 0."""
        run = LatentOptimisation(replace(self.solver, start="zero", residual=False))
        return {f"β = {x:g}": replace(run, generator=str(self._weights(x))) for x in self.betas}

    def tasks(self) -> Iterator[Task]:
        """Each heart at each level and by its best codes, then the draws."""
        methods = {**self.nested, **self.trained}
        which = {name: (m.generator, m.latent_size) for name, m in methods.items()}
        scores = {name: partial(score, method) for name, method in methods.items()}
        codes = {name: partial(_best_code, *generator) for name, generator in which.items()}
        sound = {name: partial(_sound_draw, *generator) for name, generator in which.items()}
        for seed in self.subjects.seeds:
            drawn = self.subjects.population, seed
            subject = "{} {}".format(*drawn)
            for level in LEVELS:
                yield Task(subject, level, partial(simulated_heart, *drawn, level), scores)
            yield Task(subject, BEST_CODE, partial(_known_heart, *drawn), codes)
        for i in range(self.draws):
            yield Task(f"draw {i}", DRAWS, partial(int, i), sound)

    def tables(self, results: Results) -> list[Table]:
        """By size, with the other generators; by β; and all that LO is scored by."""
        nested = "Nested sizes of traits, and other generators"
        tables = [self._table(results, nested, [*self.nested], "nested")]
        if self.trained:
            title = "β of the paper's recipe"
            tables.append(self._table(results, title, [*self.trained], "trained"))
        return [*tables, Comparison(results, LEVELS, [*self.nested, *self.trained]).means()]

    def plots(self, results: Results) -> list[Plot]:
        """Mean Dice along M, and along β."""
        panel = {BEST_CODE: (BEST_CODE, "dice_mean")}
        panel |= {f"LO, {level}": (level, "dice_mean") for level in LEVELS}
        plots: list[Plot] = []
        for title, axis, methods in (
            ("Size of the latent space", "M (nested)", self.nested),
            ("β of the paper's recipe", "β", self.trained),
        ):
            along = {name.partition(" = ")[2]: name for name in methods if " = " in name}
            if len(along) > 1:
                plots.append(lines(results, along, title, (axis, "mean Dice ± SD"), {"": panel}))
        return plots

    def _table(self, results: Results, title: str, names: Sequence[str], of: str) -> Table:
        columns = {f"best code {s}": (BEST_CODE, f"dice_{s}") for s in SCORED}
        columns |= {f"LO, {level}": (level, "dice_mean") for level in LEVELS}
        compared, sound = Comparison(results, LEVELS, names), results.paired("sound", DRAWS, names)
        rows = [
            (*row, f"{sound[name].mean():.0%}" if len(sound[name]) else "")
            for name, row in zip(names, compared.rows(columns.values(), {}), strict=True)
        ]
        note = f"{TABLES['latent']['note']} {TABLES[of]['note']}".format(**vars(self.recipe))
        return Table(title, ("generator", *columns, "sound draws"), rows, note)


def _known_heart(population: str, seed: int) -> LabelVolume:
    """The heart itself, in the model's frame."""
    return replace(drawn_heart(population, seed), affine=hr_affine())


def _best_code(generator: str, latent_size: int | None, heart: LabelVolume) -> Scores:
    """Dice at a heart's voxels of the nearest heart that a generator holds."""
    found = generators.accuracy(load_generator(generator, latent_size), heart)
    return with_mean("dice_{}", {tissue: found[f"ceiling Dice {tissue}"] for tissue in TISSUES[1:]})


def _sound_draw(generator: str, latent_size: int | None, draw: int) -> Scores:
    """Whether the heart of a draw of z ~ N(0, I) passes the checks of its anatomy."""
    G = load_generator(generator, latent_size)
    z = torch.randn(1, G.latent_size, generator=torch.Generator().manual_seed(draw))
    return {"sound": generators.soundness(G, z)["sound hearts"]}
