"""The best code for a heart that is known: the most that a generator can hold of it.

Minimised is Σ (1 − soft Dice) of LV, MYO and RV on the generator's lattice, without a prior; an
iteration costs little more than the decoder. L-BFGS (Liu and Nocedal 1989) runs in units of z in
which a step in any direction changes a heart alike.
"""

import torch
from torch import Tensor

from srheart_demo.machine import one_thread
from srheart_demo.solver.curvature import whitening
from srheart_demo.solver.problem import Encoder, Generator

ITERATIONS = 30  # Of L-BFGS; twice as many gain 0.0002 Dice
SCOUTING = 5  # Iterations from each of several starts, before the best goes on
SCOUTED = 3
BANK = 256  # Draws of z among which starts are looked up where there is no encoder
WEIGHT = 1000.0
"""Of 1 − soft Dice; brings its curvature near that of the cross-entropy, which sets the units."""


class Ceiling:
    """Finds best codes with one generator; what does not depend on the heart is prepared once."""

    @one_thread()
    def __init__(self, G: Generator, seed: int = 0) -> None:
        self.G = G
        rng = torch.Generator().manual_seed(seed)
        # The identity, the prior's, keeps directions finite that do nothing.
        self._units = whitening(G.information + torch.eye(G.latent_size))
        if not isinstance(G, Encoder):
            self._codes = torch.randn(BANK, G.latent_size, generator=rng)
            with torch.no_grad():
                hearts = [G.decode(z).max(1).indices.to(torch.uint8) for z in self._codes.split(1)]
            self._hearts = torch.cat(hearts)

    @one_thread()
    def best_code(self, target: Tensor) -> Tensor:
        """The code (1, M) whose field is nearest to class probabilities (1, 4, D', H', W').

        It starts from the encoder's mean, or without an encoder from the most similar of many
        draws from N(0, I).
        """
        if isinstance(self.G, Encoder):
            with torch.no_grad():
                start, _ = self.G.encode(target)
        else:
            scouted = [self._descend(target, z, SCOUTING) for z in self._similar(target).split(1)]
            with torch.no_grad():
                start = min(scouted, key=lambda z: float(dice_loss(self.G.decode(z), target)))
        return self._descend(target, start, ITERATIONS)

    def _similar(self, target: Tensor) -> Tensor:
        """The codes (SCOUTED, M) of the bank with the greatest mean Dice to a target."""
        truth, dice = target.argmax(1), torch.zeros(BANK)
        for label in range(1, target.shape[1]):
            a, b = self._hearts == label, truth == label
            total = (a.sum((1, 2, 3)) + b.sum()).clamp_min(1)
            dice += 2 * (a & b).sum((1, 2, 3)) / total
        return self._codes[dice.topk(SCOUTED).indices]

    def _descend(self, target: Tensor, start: Tensor, iterations: int) -> Tensor:
        step = torch.zeros_like(start, requires_grad=True)
        most = {"max_iter": iterations, "max_eval": 2 * iterations, "history_size": iterations}
        optimiser = torch.optim.LBFGS([step], **most, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimiser.zero_grad()
            value = WEIGHT * dice_loss(self.G.decode(start + step @ self._units), target)
            value.backward()
            return value

        optimiser.step(loss)
        return (start + step @ self._units).detach()


def dice_loss(field: Tensor, target: Tensor) -> Tensor:
    """Σ (1 − soft Dice) over the tissues, soft Dice being 2 Σ pt / Σ (p² + t²) (Milletari 2016).

    `field` are class logits (1, 4, D', H', W'), `target` class probabilities.
    """
    p, t = field.softmax(1)[:, 1:], target[:, 1:]
    overlap = (p * t).sum((0, 2, 3, 4))
    return (1 - 2 * overlap / (p**2 + t**2).sum((0, 2, 3, 4))).sum()
