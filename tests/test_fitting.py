import torch

from benchmarks.fitting import fit
from srheart_demo.heart import phantom
from srheart_demo.heart.measures import dice
from srheart_demo.heart.population import TRAITS_SIZE, shapes

LATTICE = (16, 32, 32)


def test_fit_finds_a_heart_of_its_family():
    rng = torch.Generator().manual_seed(3)
    heart = shapes(torch.randn(1, TRAITS_SIZE, generator=rng), "healthy")
    target = phantom.class_logits(phantom.on_lattice(heart, LATTICE)).softmax(1)
    told = []
    found = fit(target, iterations=60, progress=lambda done, total: told.append((done, total)))
    truth = phantom.label_maps(heart)[0]
    assert min(dice(phantom.label_maps(found.shape)[0], truth).values()) > 0.93
    mean = phantom.label_maps(shapes(torch.zeros(1, TRAITS_SIZE), "everyone"))[0]
    assert max(dice(mean, truth).values()) < 0.9
    assert told[-1] == (60, 60)
    again = phantom.label_maps(shapes(found.epsilon, "everyone"))[0]
    assert (again == phantom.label_maps(found.shape)[0]).all()
