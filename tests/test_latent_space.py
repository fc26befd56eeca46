"""Statistics of a latent space whose moments are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from srheart_demo.experiments.generators import (
    interpolations,
    latent_statistics,
    posterior,
    soundness,
)
from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart import phantom
from srheart_demo.heart.population import draw


def test_the_aggregate_posterior_by_hand() -> None:
    """Means at ±a around m and posteriors of variance v make a Gaussian of variance a² + v."""
    a, m, v = torch.tensor([0.6, 2.0]), torch.tensor([0.0, -0.5]), torch.tensor([0.64, 0.25])
    signs = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    found = latent_statistics(m + signs * a, v.expand(4, 2))
    variance = a**2 + v
    kl = 0.5 * (variance + m**2 - 1 - variance.log()).sum()
    assert found["aggregate posterior: KL to N(0, I), nats"] == pytest.approx(kl.item(), rel=1e-4)
    assert found["aggregate posterior: mean farthest from 0"] == pytest.approx(0.5)
    assert found["aggregate posterior: least SD"] == pytest.approx(1.0)
    assert found["aggregate posterior: greatest SD"] == pytest.approx(4.25**0.5)
    assert found["posterior: mean SD"] == pytest.approx(0.65)
    assert found["active dimensions"] == 2


def test_a_collapsed_dimension_is_not_active() -> None:
    means = torch.stack(
        [torch.randn(50, generator=torch.Generator().manual_seed(0)), torch.zeros(50)]
    )
    assert latent_statistics(means.T, torch.ones(50, 2))["active dimensions"] == 1


class Volumes:
    """Encodes a heart as how much of each class it holds; decodes z[0] < 0 as one sound heart."""

    latent_size = 4

    def __init__(self) -> None:
        shape = draw(1, 5, "healthy")
        self.field = phantom.class_logits(phantom.on_lattice(shape, LATTICE_SHAPE))

    def encode(self, probabilities: Tensor) -> tuple[Tensor, Tensor]:
        shares = probabilities.mean((2, 3, 4))
        return shares, shares.log()

    def decode(self, z: Tensor) -> Tensor:
        return self.field if z[0, 0] < 0 else self.field.roll(32, dims=4)


def test_the_posterior_is_that_of_a_heart_of_the_seed() -> None:
    mean, variance = posterior(Volumes(), 3)
    assert mean.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert 0.7 < mean[0, 0] < 0.99
    torch.testing.assert_close(variance, mean)
    assert torch.equal(posterior(Volumes(), 3)[0], mean)
    assert not torch.equal(posterior(Volumes(), 4)[0], mean)


def test_interpolations_lie_between_the_ends_and_are_none_of_them() -> None:
    ends = torch.tensor([[[0.0, 0.0], [6.0, -6.0]], [[1.0, 1.0], [1.0, 7.0]]])
    codes = interpolations(ends, points=5)
    torch.testing.assert_close(codes[:5], torch.arange(1.0, 6)[:, None] * torch.tensor([1.0, -1.0]))
    torch.testing.assert_close(codes[5:, 0], torch.ones(5))


def test_a_heart_is_sound_and_one_cut_in_two_is_not() -> None:
    assert soundness(Volumes(), torch.tensor([[-1.0, 0, 0, 0]])) == {"sound hearts": 1.0}
    assert soundness(Volumes(), torch.tensor([[1.0, 0, 0, 0]])) == {"sound hearts": 0.0}
