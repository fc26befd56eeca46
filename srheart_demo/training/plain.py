"""The paper's training of the β-VAE (section 2.3): both networks together, from labels alone.

Loss of one heart, in nats: cross-entropy summed over the lattice plus β KL(q(z|x) ‖ N(0, I)).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

from srheart_demo.frame import N_CLASSES
from srheart_demo.heart.generator import Architecture, BetaVAE
from srheart_demo.heart.measures import dice
from srheart_demo.training.hearts import VALIDATION_SEED, StoredHearts, make_hearts
from srheart_demo.training.loop import GeneratorTraining, TrainingSettings


@dataclass(frozen=True)
class PlainSettings(TrainingSettings):
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

    def training(self) -> "PlainTraining":
        """The β-VAE's, as in the paper."""
        return PlainTraining(self)


class PlainTraining(GeneratorTraining[PlainSettings]):
    """One Adam on both networks."""

    def __init__(self, settings: PlainSettings) -> None:
        super().__init__(settings)
        self.model: BetaVAE = BetaVAE(settings.architecture)
        self.modules = {"model": self.model}
        self.optimisers = {
            "model": torch.optim.Adam(self.model.parameters(), settings.learning_rate)
        }

    def step(self, i: int, batch: StoredHearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Encode, draw z, decode, descend."""
        classes = batch.probabilities().argmax(1)
        labels = F.one_hot(classes, N_CLASSES).movedim(-1, 1).float()
        with self.autocast():
            mean, log_variance = (x.float() for x in self.model.encode(labels))
            noise = torch.randn(mean.shape, generator=rng)
            field = self.model.decode(mean + (log_variance / 2).exp() * noise)
        losses = {
            "cross-entropy": soft_cross_entropy(field.float(), labels) / len(batch),
            "kl": kl_to_prior(mean, log_variance),
        }
        self.descend("model", losses["cross-entropy"] + self.settings.beta * losses["kl"])
        return losses

    def quality(self) -> dict[str, float]:
        """`encode_decode`."""
        return encode_decode(self.model)


class _CrossEntropy(torch.autograd.Function):
    """A third of the time of log-softmax and its product with the target, each on its own."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, target: Tensor) -> Tensor:
        log_p = torch.log_softmax(logits, 1)
        ctx.save_for_backward(log_p, target)
        return -torch.dot(log_p.flatten(), target.flatten())

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        log_p, target = ctx.saved_tensors  # type: ignore[attr-defined]
        return log_p.exp_().sub_(target).mul_(gradients[0]), None


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """−Σ target · log softmax(logits) over everything, (B, C, ...) each; nats."""
    total: Tensor = _CrossEntropy.apply(logits, target)
    return total


def kl_to_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(0, I)), (B, M) each, averaged over B; nats."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()


def dice_of(answers: Sequence[tuple[Tensor, Tensor]]) -> dict[str, float]:
    """Mean Dice of each tissue over pairs of estimated and true labels."""
    scores = [dice(estimate.numpy(), truth.numpy()) for estimate, truth in answers]
    return {f"dice_{t}": float(np.mean([s[t] for s in scores])) for t in scores[0]}


@torch.no_grad()
def encode_decode(model: BetaVAE, hearts: int = 100) -> dict[str, float]:
    """Dice on the lattice of held-out hearts, encoded and decoded, and how q fits N(0, I)."""
    held_out = make_hearts(hearts, VALIDATION_SEED)
    means, variances, answers = [], [], []
    for i in range(hearts):
        target = held_out[i : i + 1].probabilities()
        mean, log_variance = model.encode(target)
        answers.append((model.decode(mean).argmax(1), target.argmax(1)))
        means.append(mean)
        variances.append(log_variance.exp())
    return {
        **dice_of(answers),
        "posterior_sd": float(torch.cat(variances).mean().sqrt()),
        "aggregate_mean_sd": float(torch.cat(means).std(0).mean()),
    }
