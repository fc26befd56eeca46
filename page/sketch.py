"""The training of `sketch`: a small decoder that draws what the default generator draws.

    python -m page.sketch [--bfloat16] -o FOLDER

Distillation (Hinton et al. 2015): z is drawn at random, and the small decoder learns the large
one's class probabilities by cross-entropy. The page without a server solves with it (`make page`).
A stopped run goes on from the checkpoint in its folder.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from srheart_demo.heart.generator import (
    OURS,
    Architecture,
    HeartGenerator,
    read_generator,
    weights_file,
)
from srheart_demo.training.betavae import dice_of, soft_cross_entropy
from srheart_demo.training.hearts import VALIDATION_SEED, StoredHearts
from srheart_demo.training.loop import GeneratorTraining, TrainingSettings, train

SPREAD = (0.7, 1.3)
"""Range of the SD that codes are drawn with: real hearts lie far out, first guesses near 0."""


@dataclass(frozen=True)
class SketchSettings(TrainingSettings):
    """Training of `sketch`; its hearts are the large decoder's, so none are made beforehand."""

    hearts: int = 0
    steps: int = 3000
    learning_rate: float = 2e-3  # Adam's peak
    architecture: Architecture = Architecture(32, (64, 24, 8), ())

    def training(self) -> "SketchTraining":
        """The small decoder's."""
        return SketchTraining(self)


class SketchTraining(GeneratorTraining[SketchSettings]):
    """One Adam on the small decoder; the large one stays as it is."""

    def __init__(self, settings: SketchSettings) -> None:
        super().__init__(settings)
        # Read anew each time: this takes random numbers before the first weights do.
        self.teacher = read_generator(weights_file(OURS), settings.architecture.latent_size)
        self.model = HeartGenerator(settings.architecture, "sketch")
        self.learns("model", self.model, settings.learning_rate)

    def step(self, i: int, batch: StoredHearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw codes, decode them twice, descend."""
        n, (least, most) = self.settings.batch, SPREAD
        spread = least + (most - least) * torch.rand(n, 1, generator=rng)
        z = spread * torch.randn(n, self.model.latent_size, generator=rng)
        target = self.compute(self.teacher.decode, z).softmax(1)
        loss = soft_cross_entropy(self.compute(self.model.decode, z), target) / n
        entropy = -torch.xlogy(target, target).sum() / n
        return {"KL": self.descend("model", loss, clip=1e4) - entropy}

    @torch.no_grad()
    def quality(self) -> dict[str, float]:
        """Mean Dice on the lattice with the large decoder's hearts, of codes never trained on."""
        rng = torch.Generator().manual_seed(VALIDATION_SEED)
        codes = torch.randn(100, 1, self.model.latent_size, generator=rng)
        small, large = self.model.decode, self.teacher.decode
        return dice_of((small(z).argmax(1), large(z).argmax(1)) for z in codes)


def main() -> None:
    """Train, or go on where a stopped run left off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bfloat16", action="store_true", help="compute in bfloat16")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    options = parser.parse_args()

    def show(phase: str, done: int, total: int, losses: dict[str, float]) -> None:
        if done % 100 == 0:
            print(phase, done, total, *(f"{n} {x:.2f}" for n, x in losses.items()), flush=True)

    train(replace(SketchSettings(), bfloat16=options.bfloat16), options.output, show)


if __name__ == "__main__":
    main()
