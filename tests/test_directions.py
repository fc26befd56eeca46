from functools import partial

import pytest
import torch

from srheart_demo.heart.population import TRAITS, TRAITS_SIZE
from srheart_demo.training import traits
from srheart_demo.training.traits import CodePosterior, gaussian_loss
from srheart_demo.training.traits import informative_directions as default_directions

informative_directions = partial(default_directions, chunk=2)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight hearts at once take 1.4 GB, which a training has and a test need not."""
    monkeypatch.setattr(traits, "informative_directions", informative_directions)


def test_directions_are_orthonormal_and_ordered():
    directions, information = informative_directions(6, "healthy", hearts=16, seed=0)
    torch.testing.assert_close(directions @ directions.T, torch.eye(6), atol=1e-4, rtol=0)
    assert (information.diff() <= 0).all()
    assert information[0] > 5 * information[5] > 0


def test_what_changes_no_heart_is_no_direction():
    directions, _ = informative_directions(8, "healthy", hearts=16, seed=0)
    idle = list(TRAITS).index("filling")
    assert TRAITS["filling"].sd == 0
    assert directions[:, idle].abs().max() < 1e-4


def test_the_population_s_codes_are_exactly_the_prior():
    posterior = CodePosterior(5)
    posterior.fit(beta=1.0, population="everyone", hearts=8, seed=0, tell=lambda *_: None)
    covariance = posterior.means @ posterior.means.T + torch.diag(posterior.sd**2)
    torch.testing.assert_close(covariance, torch.eye(5), atol=1e-4, rtol=0)
    z = posterior.draw(torch.zeros(20000, TRAITS_SIZE), torch.Generator().manual_seed(1))
    torch.testing.assert_close(z.std(0), posterior.sd, rtol=0.05, atol=1e-4)
    assert posterior.kl > 0


def test_more_beta_blurs_more():
    sharp, blurred = CodePosterior(4), CodePosterior(4)
    sharp.fit(0.5, "everyone", 8, 0, lambda *_: None)
    blurred.fit(50.0, "everyone", 8, 0, lambda *_: None)
    assert (blurred.sd > sharp.sd).all()
    assert blurred.kl < sharp.kl


def test_gaussian_loss_is_least_at_the_true_mean_and_spread():
    z = 0.3 + 0.5 * torch.randn(50000, 1, generator=torch.Generator().manual_seed(2))
    log_variance = torch.tensor(0.25).log()

    def loss(mean: float, shift: float) -> float:
        return float(gaussian_loss(torch.full_like(z, mean), log_variance + shift + 0 * z, z))

    best = loss(0.3, 0.0)
    assert all(best < loss(m, s) for m, s in ((0.2, 0.0), (0.4, 0.0), (0.3, 0.2), (0.3, -0.2)))
