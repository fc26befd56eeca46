import numpy as np
import pytest
import torch

from srheart_demo.frame import HR_SHAPE, LATTICE_SHAPE, hr_affine
from srheart_demo.heart import phantom
from srheart_demo.heart.generator import (
    DCGAN,
    Architecture,
    EncodedGenerator,
    available,
    likeliest,
    load_generator,
    read_generator,
    save_weights,
    to_labels,
)
from srheart_demo.heart.measures import mean_dice
from srheart_demo.heart.population import draw
from srheart_demo.scan.evidence import whole_heart
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.training.betavae import encode_decode

SMALL = Architecture(latent_size=5, widths=(4, 3, 2), encoder_widths=(4, 3, 2))


both_kinds = pytest.mark.parametrize("kind", [EncodedGenerator, DCGAN])


def test_shapes_of_codes_and_fields():
    model = EncodedGenerator(SMALL)
    field = model.decode(torch.zeros(2, 5))
    assert field.shape == (2, 4, *LATTICE_SHAPE)
    mean, log_variance = model.encode(field.softmax(1))
    assert mean.shape == log_variance.shape == (2, 5)


def test_the_likeliest_class_is_that_of_arg_max_also_where_two_are_alike():
    logits = torch.randint(3, (4, 5, 6, 7), generator=torch.Generator().manual_seed(0)).float()
    labels = likeliest(logits)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, logits.numpy().argmax(0))


@both_kinds
def test_samples_of_a_batch_do_not_touch_each_other(kind):
    model, z = kind(SMALL), torch.randn(3, 5)
    torch.testing.assert_close(model.decode(z)[1:2], model.decode(z[1:2]))


@both_kinds
def test_weights_survive_writing_to_half_precision(kind, tmp_path):
    torch.manual_seed(0)
    model = kind(SMALL)
    save_weights(model, tmp_path / "tiny.safetensors", {"seed": 0})
    again = read_generator(tmp_path / "tiny.safetensors")
    assert (type(again), again.name, again.architecture) == (kind, "tiny", SMALL)
    assert not any(p.requires_grad for p in again.parameters())
    z = torch.randn(1, 5)
    torch.testing.assert_close(again.decode(z), model.decode(z), atol=1e-3, rtol=1e-2)


@both_kinds
def test_fewer_latents_are_the_same_generator_with_the_rest_at_zero(kind, tmp_path):
    torch.manual_seed(0)
    model = kind(SMALL)
    model.information.copy_(torch.randn(5, 5))
    save_weights(model, tmp_path / "tiny.safetensors", {})
    full, few = (read_generator(tmp_path / "tiny.safetensors", M) for M in (None, 2))
    z = torch.randn(3, 5)
    z[:, 2:] = 0
    assert few.latent_size == few.architecture.latent_size == 2
    torch.testing.assert_close(few.decode(z[:, :2]), full.decode(z))
    assert torch.equal(few.information, full.information[:2, :2])
    if kind is EncodedGenerator:
        heart = full.decode(z).softmax(1)
        for of_few, of_full in zip(few.encode(heart), full.encode(heart), strict=True):
            torch.testing.assert_close(of_few, of_full[:, :2])


@pytest.mark.parametrize("latent_size", [0, 6])
def test_latents_that_a_generator_does_not_have_are_refused(latent_size, tmp_path):
    save_weights(DCGAN(SMALL), tmp_path / "tiny.safetensors", {})
    with pytest.raises(ValueError, match=f"5 latents; choose 1 to 5, not {latent_size}"):
        read_generator(tmp_path / "tiny.safetensors", latent_size)


def test_information_is_saved_as_it_is(tmp_path):
    """Its numbers are too large and too different for half precision."""
    model = EncodedGenerator(SMALL)
    model.information.copy_(torch.logspace(-6, 6, 25).view(5, 5) / 3)
    save_weights(model, tmp_path / "tiny.safetensors", {})
    assert torch.equal(read_generator(tmp_path / "tiny.safetensors").information, model.information)


def test_the_shipped_generator_makes_a_heart_at_zero_and_where_it_is_told():
    G = load_generator()
    assert "traits" in available()
    mean_heart = to_labels(G.decode(torch.zeros(1, G.latent_size)))
    assert mean_heart.shape == HR_SHAPE
    assert set(np.unique(mean_heart)) == {0, 1, 2, 3}
    labels = phantom.label_maps(draw(1, seed=2_500_000))[0]
    z, _ = G.encode(whole_heart(LabelVolume(labels, hr_affine(), "heart")))
    assert mean_dice(to_labels(G.decode(z)), labels) > mean_dice(mean_heart, labels) + 0.05


def test_the_papers_generator_gives_back_hearts_that_it_never_saw():
    G = load_generator("betavae")
    assert G.latent_size == 64
    quality = encode_decode(G, "healthy", hearts=4)
    for tissue, least in {"LV": 0.96, "MYO": 0.88, "RV": 0.93}.items():
        assert quality[f"dice_{tissue}"] > least
    assert quality["posterior_sd"] < 0.3


def test_the_shipped_generator_says_what_is_told_of_each_latent():
    assert torch.linalg.eigvalsh(load_generator().information).min() > 0


def test_an_unknown_generator_lists_the_known_ones():
    with pytest.raises(KeyError, match="traits"):
        load_generator("gan")


def test_more_latents_than_a_file_has_are_refused(tmp_path):
    save_weights(EncodedGenerator(SMALL), tmp_path / "betavae.safetensors", {})
    with pytest.raises(ValueError, match="choose 1 to"):
        read_generator(tmp_path / "betavae.safetensors", 128)
