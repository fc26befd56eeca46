from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Independent, Normal, kl_divergence

from page import sketch
from page.sketch import SketchSettings
from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart.generator import DCGAN, Architecture, read_generator
from srheart_demo.training import (
    BetaVAESettings,
    DCGANSettings,
    TraitsSettings,
    betavae,
    dcgan,
    loop,
    make_hearts,
    train,
    traits,
)
from srheart_demo.training.loop import rate

TINY = {"hearts": 6, "steps": 6, "batch": 2, "warmup": 2}
AUTOENCODER = Architecture(4, (4, 3, 2), (4, 3, 2))
TINY_TRAITS = TraitsSettings(**TINY, information_hearts=4, architecture=AUTOENCODER)
TINY_VAE = BetaVAESettings(**TINY, architecture=AUTOENCODER)
TINY_GAN = DCGANSettings(
    **TINY,
    penalty_every=2,
    architecture=Architecture(4, (4, 3, 2), ()),
    discriminator_widths=(4, 3, 2),
)
TINY_SKETCH = SketchSettings(**TINY | {"hearts": 0}, architecture=Architecture(4, (4, 3, 2), ()))
each_recipe = pytest.mark.parametrize(
    "settings",
    [TINY_TRAITS, TINY_VAE, TINY_GAN, TINY_SKETCH],
    ids=["traits", "betavae", "dcgan", "sketch"],
)


class Interrupted(Exception):
    pass


@pytest.fixture(autouse=True)
def no_card(monkeypatch):
    """What the card says of a trained model takes a hundred hearts; its information takes less
    with one."""
    monkeypatch.setattr(loop, "INFORMATION_CODES", 1)
    for recipe in (betavae, traits):
        monkeypatch.setattr(recipe, "encode_decode", lambda model, population: {})
    monkeypatch.setattr(dcgan.DCGANTraining, "quality", lambda self: {})
    monkeypatch.setattr(sketch, "dice_of", lambda answers: {})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The weights of a training, done once, in a folder that stays as it is."""
    return cache(lambda settings: train(settings, tmp_path_factory.mktemp("training"), None, 3))


@each_recipe
def test_a_resumed_training_equals_an_uninterrupted_one(settings, trained, tmp_path):
    straight = trained(settings)

    def interrupt(phase, done, *_):
        if phase == "training" and done == 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(settings, tmp_path / "broken", interrupt, checkpoint_every=3)
    resumed = train(settings, tmp_path / "broken", checkpoint_every=3)
    a, b = (torch.load(path.with_name("checkpoint.pt")) for path in (straight, resumed))
    del a["seconds"], b["seconds"]
    assert a.pop("settings") == b.pop("settings")
    torch.testing.assert_close(a, b, rtol=0, atol=0)
    a, b = (read_generator(path).state_dict() for path in (straight, resumed))
    torch.testing.assert_close(a, b, rtol=0, atol=0)


@each_recipe
def test_a_checkpoint_of_other_settings_is_refused(settings, trained):
    with pytest.raises(ValueError, match="other settings"):
        train(replace(settings, batch=3), trained(settings).parent)


def test_a_checkpoint_of_another_recipe_is_refused(trained):
    with pytest.raises(ValueError, match="other settings"):
        train(TINY_GAN, trained(TINY_TRAITS).parent)


@pytest.mark.parametrize("settings", [TINY_TRAITS, TINY_VAE], ids=["traits", "betavae"])
def test_training_lowers_the_loss_and_reports_it(settings, tmp_path):
    seen = []
    settings = replace(settings, steps=42, learning_rate=1e-2)
    train(settings, tmp_path, lambda *state: seen.append(state))
    steps = [(done, losses) for phase, done, _, losses in seen if phase == "training"]
    assert [done for done, _ in steps] == list(range(1, 43))
    told = [losses["cross-entropy"] for _, losses in steps if "cross-entropy" in losses]
    assert told[-1] < 0.7 * told[0]


@pytest.mark.parametrize("steps", [2, 7, 42])
def test_of_any_number_of_steps_the_encoder_has_its_share(steps):
    recipe = replace(TINY_TRAITS, steps=steps).training()
    batch, rng = make_hearts(2, seed=3), torch.Generator().manual_seed(1)
    before = deepcopy(recipe.model)
    recipe.step(0, batch, rng)
    recipe.step(steps - 1, batch, rng)
    for part in ("decoder", "encoder"):
        was, is_ = (next(getattr(m, part).parameters()) for m in (before, recipe.model))
        assert not torch.equal(was, is_), part
    assert [recipe.stage(i)[0] for i in (0, recipe.settings.decoder_steps)] == [0, 0]


def test_the_papers_recipe_fits_labels_by_cross_entropy_and_beta_times_kl():
    recipe, batch = TINY_VAE.training(), make_hearts(2, seed=3)
    before = deepcopy(recipe.model)
    losses = recipe.step(0, batch, torch.Generator().manual_seed(1))
    labels = batch.probabilities()
    mean, log_variance = before.encode(labels)
    noise = torch.randn(2, 4, generator=torch.Generator().manual_seed(1))
    field = before.decode(mean + (log_variance / 2).exp() * noise)
    expected = F.cross_entropy(field, labels, reduction="sum") / 2
    torch.testing.assert_close(losses["cross-entropy"], expected, rtol=1e-5, atol=0)
    q = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    kl = kl_divergence(q, Independent(Normal(torch.zeros(4), torch.ones(4)), 1)).mean()
    torch.testing.assert_close(losses["kl"], kl, rtol=1e-4, atol=1e-6)


def test_a_discriminator_alone_learns_to_tell_hearts_from_what_is_made():
    recipe = replace(TINY_GAN, discriminator_rate=1e-2, learning_rate=0.0).training()
    hearts = make_hearts(4, seed=3)
    losses = [
        recipe.step(i, hearts, torch.Generator().manual_seed(i))["discriminator"] for i in range(15)
    ]
    assert losses[-1] < 0.5 * losses[0]


def test_what_is_kept_of_a_dcgan_is_the_average_of_its_generators():
    recipe = replace(TINY_GAN, learning_rate=1e-2).training()
    hearts = make_hearts(2, seed=3)
    passed = []
    for i in range(3):
        recipe.step(i, hearts, torch.Generator().manual_seed(i))
        passed.append(recipe.generator.decoder[0].bias.detach().clone())
    kept = recipe.model.decoder[0].bias
    assert not torch.equal(kept, passed[-1])
    low, high = torch.stack(passed).aminmax(dim=0)
    assert ((kept >= low - 1e-6) & (kept <= high + 1e-6)).all()


def test_a_trained_dcgan_loads_behind_the_common_interface(trained):
    G = read_generator(trained(TINY_GAN))
    assert isinstance(G, DCGAN)
    assert (G.name, G.latent_size, G.architecture) == ("dcgan", 4, TINY_GAN.architecture)
    assert G.decode(torch.zeros(1, 4)).shape == (1, 4, *LATTICE_SHAPE)


@each_recipe
def test_a_trained_generator_knows_what_is_told_of_each_latent(settings, trained):
    assert read_generator(trained(settings)).information.diagonal().min() > 0


def test_hearts_are_drawn_alike_and_are_probabilities():
    hearts, again = make_hearts(5, seed=3), make_hearts(5, seed=3)
    assert torch.equal(hearts.epsilon, again.epsilon)
    assert torch.equal(hearts.shares, again.shares)
    probabilities = hearts.probabilities()
    assert probabilities.shape == (5, 4, *LATTICE_SHAPE)
    assert probabilities.min() >= 0
    # Shares are rounded to 255ths.
    sums = probabilities.sum(1)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=2 / 255, rtol=0)


def test_the_learning_rate_rises_then_falls_and_the_papers_stays():
    settings = TraitsSettings(steps=1000, warmup=100)
    rates = [rate(step, settings.steps, settings) for step in range(1000)]
    assert rates[0] < 0.02
    assert max(rates) == pytest.approx(1.0, abs=0.03)
    assert rates[-1] == pytest.approx(0.01, abs=0.001)
    constant = BetaVAESettings(warmup=1, final_rate=1.0)
    assert {rate(step, 12000, constant) for step in range(0, 12000, 1000)} == {1.0}
