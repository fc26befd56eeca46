from dataclasses import fields

import numpy as np
import pytest
import torch

from srheart_demo import phantom
from srheart_demo.frame import HR_SPACING, LATTICE_SHAPE
from srheart_demo.metrics import volumes_ml
from srheart_demo.population import draw

# Means of 1,000 healthy adults' hearts, from the cohort that the paper used, ml.
COHORT = {"LV": (146, 38), "MYO": (125, 27), "RV": (174, 43)}


def test_a_seed_draws_the_same_hearts():
    a, b, c = draw(4, seed=1), draw(4, seed=1), draw(4, seed=2)
    for field in fields(a):
        assert torch.equal(getattr(a, field.name), getattr(b, field.name))
    assert not torch.equal(a.radius, c.radius)


def test_healthy_volumes_match_the_cohort():
    hearts = phantom.to_labels(phantom.on_lattice(draw(60, seed=1), LATTICE_SHAPE))
    volumes = [volumes_ml(labels, tuple(2 * mm for mm in HR_SPACING)) for labels in hearts]
    for tissue, (mean, sd) in COHORT.items():
        drawn = np.mean([v[tissue] for v in volumes])
        assert abs(drawn - mean) < sd / 3 + 2 * sd / 60**0.5, tissue


def test_populations_differ_as_their_names_say():
    mean = {name: draw(200, seed=0, population=name) for name in ("healthy", "dilated")}
    assert mean["dilated"].radius.mean() > 1.15 * mean["healthy"].radius.mean()
    thick = draw(200, seed=0, population="hypertrophic")
    assert thick.wall.mean() > 1.4 * mean["healthy"].wall.mean()


def test_an_unknown_population_lists_the_known_ones():
    with pytest.raises(KeyError, match="healthy, dilated"):
        draw(1, 0, "athletes")
