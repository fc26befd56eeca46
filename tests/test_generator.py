import numpy as np
import pytest
import torch

from srheart_demo import phantom
from srheart_demo.encoding import whole_heart
from srheart_demo.frame import HR_SHAPE, LATTICE_SHAPE, hr_affine
from srheart_demo.generator import (
    DCGAN,
    Architecture,
    BetaVAE,
    available,
    load_generator,
    read_generator,
    save_generator,
    to_labels,
)
from srheart_demo.metrics import mean_dice
from srheart_demo.population import draw
from srheart_demo.volume import LabelVolume

SMALL = Architecture(latent_size=5, widths=(4, 3, 2), encoder_widths=(4, 3, 2))


both_kinds = pytest.mark.parametrize("kind", [BetaVAE, DCGAN])


def test_shapes_of_codes_and_fields():
    model = BetaVAE(SMALL)
    field = model.decode(torch.zeros(2, 5))
    assert field.shape == (2, 4, *LATTICE_SHAPE)
    mean, log_variance = model.encode(field.softmax(1))
    assert mean.shape == log_variance.shape == (2, 5)


@both_kinds
def test_samples_of_a_batch_do_not_touch_each_other(kind):
    model, z = kind(SMALL), torch.randn(3, 5)
    torch.testing.assert_close(model.decode(z)[1:2], model.decode(z[1:2]))


@both_kinds
def test_weights_survive_writing_to_half_precision(kind, tmp_path):
    torch.manual_seed(0)
    model = kind(SMALL)
    save_generator(model, tmp_path / "tiny.safetensors", {"seed": 0})
    again = read_generator(tmp_path / "tiny.safetensors")
    assert (type(again), again.name, again.architecture) == (kind, "tiny", SMALL)
    assert not any(p.requires_grad for p in again.parameters())
    z = torch.randn(1, 5)
    torch.testing.assert_close(again.decode(z), model.decode(z), atol=1e-3, rtol=1e-2)


def test_the_shipped_generator_makes_a_heart_at_zero_and_where_it_is_told():
    G = load_generator()
    assert "betavae" in available()
    mean_heart = to_labels(G.decode(torch.zeros(1, G.latent_size)))
    assert mean_heart.shape == HR_SHAPE
    assert set(np.unique(mean_heart)) == {0, 1, 2, 3}
    labels = phantom.label_maps(draw(1, seed=2_500_000))[0]
    z, _ = G.encode(whole_heart(LabelVolume(labels, hr_affine(), "heart")))
    assert mean_dice(to_labels(G.decode(z)), labels) > mean_dice(mean_heart, labels) + 0.05


def test_an_unknown_generator_lists_the_known_ones():
    with pytest.raises(KeyError, match="betavae"):
        load_generator("gan")
