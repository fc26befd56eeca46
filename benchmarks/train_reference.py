"""Trains the reference method's network on the population that our generator learned.

``python -m benchmarks.train_reference OUT [--steps N] [--seed N]`` writes
``reference.safetensors`` (its decoder, fp16) and a card; a stopped run goes on from its checkpoint.
The network is the public code's: convolutions of 4, 8, 16 and 32 channels (kernel 4, stride 2,
batch norm), a fully connected layer to mean and log-variance of z, and the mirror image. Loss: mean
cross-entropy over the 64 × 128 × 128 voxels plus 0.001 times the mean KL term over z: the paper's,
with both terms read as means. Its learning rate of 1e-4 needs many more steps than fit into an
hour, so the peak is 1e-3 here, and a cosine brings it down.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.reference import COARSE, LATENTS, WEIGHTS, WIDTHS, decoder
from srheart_demo.frame import HR_SHAPE
from srheart_demo.training import loop
from srheart_demo.training.betavae import kl_to_prior
from srheart_demo.training.hearts import StoredHearts


def encoder() -> nn.Sequential:
    """One-hot labels (B, 4, 64, 128, 128) → mean and log-variance of z, (B, 128)."""
    channels = (4, *WIDTHS[::-1])
    layers: list[nn.Module] = []
    for narrow, wide in pairwise(channels):
        layers += [
            nn.Conv3d(narrow, wide, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm3d(wide),
            nn.LeakyReLU(0.2),
        ]
    inputs = WIDTHS[0] * COARSE[0] * COARSE[1] * COARSE[2]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, 2 * LATENTS))


@dataclass(frozen=True)
class ReferenceSettings(loop.TrainingSettings):
    """The reference's training.

    Attributes:
        learning_rate: Adam's peak.
        beta: weight of the KL term, both terms being means.
    """

    steps: int = 3400
    batch: int = 2
    learning_rate: float = 1e-3
    beta: float = 1e-3

    def training(self) -> ReferenceTraining:
        """Both networks, as the public code trains them."""
        return ReferenceTraining(self)


class ReferenceTraining(loop.Training[ReferenceSettings]):
    """One Adam on both networks."""

    def __init__(self, settings: ReferenceSettings) -> None:
        super().__init__(settings)
        self.modules = {"encoder": encoder(), "decoder": decoder()}
        parameters = [p for module in self.modules.values() for p in module.parameters()]
        self.optimisers = {"adam": torch.optim.Adam(parameters, settings.learning_rate)}

    def step(self, i: int, batch: StoredHearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Encode, draw z, decode, descend."""
        shares = F.interpolate(batch.probabilities(), size=HR_SHAPE, mode="trilinear")
        labels = shares.argmax(1)
        one_hot = F.one_hot(labels, 4).movedim(-1, 1).float()
        mean, log_variance = self.modules["encoder"](one_hot).chunk(2, dim=1)
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=rng)
        losses = {
            "cross-entropy": F.cross_entropy(self.modules["decoder"](z), labels),
            "kl": kl_to_prior(mean, log_variance) / LATENTS,
        }
        self.descend("adam", losses["cross-entropy"] + self.settings.beta * losses["kl"])
        return {"cross-entropy x 1e4": 1e4 * losses["cross-entropy"], "kl": losses["kl"]}

    def quality(self) -> dict[str, float]:
        """Nothing: `benchmarks.solver` judges it."""
        return {}

    def write(self, folder: Path, card: dict[str, object]) -> Path:
        """The decoder alone; latent optimisation needs no more."""
        weights = {
            name: tensor.half() if tensor.is_floating_point() else tensor
            for name, tensor in self.modules["decoder"].state_dict().items()
        }
        path = folder / WEIGHTS.name
        save_file(weights, path, {"card": json.dumps(card)})
        return path


def main() -> None:
    """Train, or go on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=ReferenceSettings.steps)
    parser.add_argument("--hearts", type=int, default=ReferenceSettings.hearts)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = ReferenceSettings(steps=options.steps, hearts=options.hearts, seed=options.seed)

    def show(state: loop.TrainingProgress) -> None:
        if state.done % 20 == 0:
            losses = ", ".join(f"{name} {value:.2f}" for name, value in state.losses.items())
            print(f"{state.phase} {state.done}/{state.total}, {state.seconds:.0f} s, {losses}")

    print(f"Wrote {loop.train(settings, options.output, show)} and its card.")


if __name__ == "__main__":
    main()
