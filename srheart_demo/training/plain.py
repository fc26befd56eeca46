"""The paper's recipe for the β-VAE (section 2.3): both networks learn together, from labels alone.

Loss of one heart, in nats: cross-entropy summed over the lattice plus β KL(q(z|x) ‖ N(0, I)).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.frame import N_CLASSES
from srheart_demo.heart.generator import Architecture, BetaVAE
from srheart_demo.training import loop
from srheart_demo.training.betavae import cross_entropy
from srheart_demo.training.hearts import Hearts
from srheart_demo.training.quality import encode_decode


@dataclass(frozen=True)
class PlainSettings(loop.Settings):
    """As the paper says: labels, β = 0.001, Adam at a constant 1e-4, 16 hearts a step.

    How its two terms are scaled it does not say. Read as means over voxels and over z, its β is
    here 0.001 × 131072 / 64 = 2; with sums, 131, which would not give the published weights'
    narrow q(z|x).

    Attributes:
        learning_rate: Adam's.
        beta: weight of the KL term.
        architecture: sizes of the network.
    """

    batch: int = 16
    warmup: int = 1
    final_rate: float = 1.0
    learning_rate: float = 1e-4
    beta: float = 2.0
    architecture: Architecture = Architecture()

    def recipe(self) -> "PlainTraining":
        """The β-VAE's training, as in the paper."""
        return PlainTraining(self)


class PlainTraining(loop.GeneratorRecipe):
    """One Adam on both networks."""

    def __init__(self, settings: PlainSettings) -> None:
        self.settings: PlainSettings = settings
        torch.manual_seed(settings.seed)
        self.model: BetaVAE = BetaVAE(settings.architecture)
        self.optimiser = torch.optim.Adam(self.model.parameters(), settings.learning_rate)
        self.modules = {"model": self.model}
        self.optimisers = {"model": self.optimiser}

    def step(self, i: int, batch: Hearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Encode, draw z, decode, descend."""
        classes = batch.probabilities().argmax(1)
        labels = F.one_hot(classes, N_CLASSES).movedim(-1, 1).float()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.settings.bfloat16):
            mean, log_variance = (x.float() for x in self.model.encode(labels))
            noise = torch.randn(mean.shape, generator=rng)
            field = self.model.decode(mean + (log_variance / 2).exp() * noise)
        losses = {
            "cross-entropy": cross_entropy(field.float(), labels) / len(batch),
            "kl": kl_to_prior(mean, log_variance),
        }
        self.optimiser.zero_grad()
        (losses["cross-entropy"] + self.settings.beta * losses["kl"]).backward()
        self.optimiser.step()
        return losses

    def quality(self) -> dict[str, float]:
        """`encode_decode`."""
        return encode_decode(self.model)


def kl_to_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(0, I)), (B, M) each, averaged over B; nats."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
