"""The ceiling on a generator whose best codes are known."""

from __future__ import annotations

from functools import cached_property

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.heart.phantom import class_logits
from srheart_demo.solver.best_code import Ceiling, dice_loss
from srheart_demo.solver.curvature import information

TRUE = torch.tensor([[0.8, -1.1, 0.4]])


class Linear:
    """Signed distances to two balls and the shell of one, moved linearly by three numbers."""

    latent_size = 3

    def __init__(self) -> None:
        d, h, w = torch.meshgrid(*(torch.arange(n) - n / 2 for n in (12, 16, 24)), indexing="ij")
        left, right = ((d**2 + h**2 + (w - c) ** 2).sqrt() for c in (-5, 5))
        lv, epicardium, rv = left - 2.5, left - 4.5, right - 4.5
        heart = torch.minimum(epicardium, rv)
        distances = torch.stack(
            [heart, lv, torch.maximum(epicardium, -lv), torch.maximum(rv, -epicardium)]
        )
        self.logits = class_logits(distances[None])
        # Steps of very different length, as in a trained latent space.
        self.steps = torch.stack([d / 4, h / 40, w / 10]).repeat(1, 1, 1, 1)

    @cached_property
    def information(self) -> Tensor:
        return information(self, torch.zeros(1, 3))

    def decode(self, z: Tensor) -> Tensor:
        lv, myo, rv = torch.einsum("bm,mdhw->bmdhw", z, self.steps).unbind(1)
        return self.logits + torch.stack([torch.zeros_like(lv), lv, myo, rv], dim=1)


class WithEncoder(Linear):
    """Its encoder knows nothing."""

    def encode(self, probabilities: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(1, 3), torch.zeros(1, 3)


@pytest.mark.parametrize("kind", [Linear, WithEncoder])
def test_the_best_code_of_a_heart_that_the_generator_can_make_is_found(kind: type[Linear]) -> None:
    G = kind()
    z = Ceiling(G).best_code(G.decode(TRUE).softmax(1))
    torch.testing.assert_close(z, TRUE, atol=0.02, rtol=0)


def test_a_ceiling_is_the_same_each_time() -> None:
    G = Linear()
    target = G.decode(TRUE).softmax(1)
    assert torch.equal(Ceiling(G).best_code(target), Ceiling(G).best_code(target))


def test_the_loss_counts_tissues_that_are_missed() -> None:
    labels = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    labels[:, 1], labels[:, 2], labels[:, 3] = 1, 2, 3
    target = F.one_hot(labels, 4).movedim(-1, 1).float()
    assert dice_loss(50 * target, target).item() == pytest.approx(0.0, abs=1e-5)
    assert dice_loss(50 * target[:, [0, 2, 1, 3]], target).item() == pytest.approx(2.0, abs=1e-5)
