"""The training of the DCGAN (Radford et al. 2016, in 3D; paper, section 3.2).

A discriminator learns to tell class probabilities of synthetic hearts from those that the decoder
makes of z ~ N(0, I), the decoder to deceive it. Both losses are the non-saturating ones of
Goodfellow et al. (2014). What keeps them in balance is the penalty R1 on the discriminator's
gradient at hearts (Mescheder et al. 2018), at every few steps only (Karras et al. 2020), and what
is kept is a running average of the decoder's weights. No layer normalises: batch normalisation
would couple samples.
"""

from copy import deepcopy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srheart_demo.frame import HALF_EXTENT, LATTICE_SHAPE
from srheart_demo.heart.generator import DCGAN, Architecture, reader
from srheart_demo.heart.measures import volumes_ml
from srheart_demo.training.hearts import VALIDATION_SEED, StoredHearts, make_hearts
from srheart_demo.training.loop import GeneratorTraining, TrainingSettings


@dataclass(frozen=True)
class DCGANSettings(TrainingSettings):
    """Training of the DCGAN; rates are the peaks of two Adams.

    The first of their betas is 0 because each update moves the other's goal; with the second, one
    outlying gradient moves no weight by more than three learning rates.
    """

    steps: int = 6000
    warmup: int = 20
    learning_rate: float = 5e-4
    discriminator_rate: float = 5e-4
    betas: tuple[float, float] = (0.0, 0.9)
    penalty: float = 0.5  # weight γ/2 of R1, the mean squared gradient norm at hearts
    penalty_every: int = 8  # steps from one penalty to the next; it is weighted so much more
    average: float = 0.995  # share of the old average that each step keeps
    architecture: Architecture = Architecture(widths=(64, 48, 16), encoder_widths=())
    discriminator_widths: tuple[int, int, int] = (64, 48, 16)  # from its last lattice outwards

    def training(self) -> "DCGANTraining":
        """The DCGAN's."""
        return DCGANTraining(self)


class DCGANTraining(GeneratorTraining[DCGANSettings]):
    """One update of the discriminator, then one of the decoder, each step."""

    def __init__(self, settings: DCGANSettings) -> None:
        super().__init__(settings)
        self.generator = DCGAN(settings.architecture, "dcgan")
        # Its score is high for hearts.
        self.discriminator = reader(settings.discriminator_widths, nn.LeakyReLU(0.2), 1)
        self.model: DCGAN = deepcopy(self.generator).requires_grad_(False)
        self.modules = {"average": self.model}
        rate, betas = settings.discriminator_rate, settings.betas
        self.learns("generator", self.generator, settings.learning_rate, betas=betas)
        self.learns("discriminator", self.discriminator, rate, betas=betas)

    def step(self, i: int, batch: StoredHearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Both players' updates, on the same made hearts."""
        z = torch.randn(len(batch), self.generator.latent_size, generator=rng)
        made = self.compute(self.generator.decode, z).softmax(1)
        taught = self._teach_discriminator(batch.probabilities(), made.detach(), i)
        self.discriminator.requires_grad_(False)
        deceived = F.softplus(-self.compute(self.discriminator, made)).mean()
        losses = {"discriminator": taught, "generator": self.descend("generator", deceived)}
        kept = min(self.settings.average, i / (i + 10))
        for mean, weights in zip(self.model.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(weights.detach(), 1 - kept)
        return losses

    def _teach_discriminator(self, hearts: Tensor, made: Tensor, i: int) -> Tensor:
        penalise = i % self.settings.penalty_every == 0
        hearts.requires_grad_(penalise)
        self.discriminator.requires_grad_(True)
        of_hearts = self.compute(self.discriminator, hearts)
        of_made = self.compute(self.discriminator, made)
        loss = F.softplus(-of_hearts).mean() + F.softplus(of_made).mean()
        penalty = torch.zeros(())
        if penalise:
            (gradient,) = torch.autograd.grad(of_hearts.sum(), hearts, create_graph=True)
            squared_norm = gradient.flatten(1).square().sum(1).mean()
            penalty = self.settings.penalty * self.settings.penalty_every * squared_norm
        self.descend("discriminator", loss + penalty)
        return loss.detach()

    @torch.no_grad()
    def quality(self) -> dict[str, float]:
        """Mean and SD of the volumes, ml, of a hundred draws and of as many held-out hearts."""
        drawn = [self.model.decode(z).argmax(1) for z in self.codes(100).split(1)]
        hearts = make_hearts(100, VALIDATION_SEED)
        held_out = [hearts[i : i + 1].probabilities().argmax(1) for i in range(100)]
        D, H, W = (2 * half / n for half, n in zip(HALF_EXTENT, LATTICE_SHAPE, strict=True))
        found = {}
        for whose, labels in {"drawn": drawn, "held_out": held_out}.items():
            volumes = [volumes_ml(heart.numpy(), (D, H, W)) for heart in labels]
            for tissue in volumes[0]:
                ml = torch.tensor([v[tissue] for v in volumes])
                found[f"{whose}_{tissue}_ml"] = float(ml.mean())
                found[f"{whose}_{tissue}_ml_sd"] = float(ml.std())
        return found
