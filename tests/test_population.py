import math
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
import torch

from srheart_demo.explorer.subjects import KnownHeart, load_subject
from srheart_demo.frame import HR_SPACING, LATTICE_SHAPE
from srheart_demo.heart import phantom
from srheart_demo.heart.measures import mean_dice, volumes_ml
from srheart_demo.heart.population import (
    POPULATIONS,
    SEEDS,
    TRAITS,
    TRAITS_SIZE,
    VOLUME_RANGES,
    HeartShape,
    draw,
    shapes,
)
from srheart_demo.heart.published import HEALTHY
from srheart_demo.scan.samples import SUBJECTS
from srheart_demo.training.hearts import make_hearts

LATTICE_SPACING = tuple(2 * mm for mm in HR_SPACING)


def volumes(hearts: HeartShape) -> list[dict[str, float]]:
    few = [hearts[i : i + 4] for i in range(0, len(hearts.centre), 4)]  # 24 take 0.5 GB
    labels = (phantom.nearest_labels(phantom.on_lattice(some, LATTICE_SHAPE)) for some in few)
    return [volumes_ml(heart, LATTICE_SPACING) for group in labels for heart in group]


def slice_of(trait: str) -> slice:
    """Where a trait lies in epsilon."""
    start = 0
    for name, spec in TRAITS.items():
        stop = start + math.prod(spec.shape)
        if name == trait:
            return slice(start, stop)
        start = stop
    raise KeyError(trait)


def differing(a: HeartShape, b: HeartShape) -> set[str]:
    return {f.name for f in fields(a) if not torch.equal(getattr(a, f.name), getattr(b, f.name))}


def test_a_seed_draws_the_same_hearts():
    assert not differing(draw(4, seed=1), draw(4, seed=1))
    assert "radius" in differing(draw(4, seed=1), draw(4, seed=2))


def test_a_heart_replays_from_its_epsilon():
    epsilon = torch.randn(3, TRAITS_SIZE, generator=torch.Generator().manual_seed(5))
    assert not differing(shapes(epsilon, "everyone"), draw(3, 5, "everyone"))
    alone = shapes(epsilon[1:2], "everyone")
    torch.testing.assert_close(alone.centre, draw(3, 5, "everyone").centre[1:2])


@pytest.mark.parametrize("population", POPULATIONS)
def test_epsilon_is_laid_out_alike(population):
    epsilon = torch.randn(2, TRAITS_SIZE, generator=torch.Generator().manual_seed(0))
    for trait, moved in {"bend": {"bend"}, "azimuth": {"azimuth", "centre"}}.items():
        changed = epsilon.clone()
        changed[:, slice_of(trait)] += 1
        assert differing(shapes(epsilon, population), shapes(changed, population)) == moved


def test_every_direction_that_varies_has_a_gradient():
    """No clip: also far out, a heart answers to each of its standard normals."""
    for scale in (0.5, 4.0):
        epsilon = (
            scale * torch.randn(1, TRAITS_SIZE, generator=torch.Generator().manual_seed(3)).double()
        )
        epsilon.requires_grad_()
        shape = shapes(epsilon, "everyone")
        sum(getattr(shape, f.name).square().sum() for f in fields(shape)).backward()
        assert epsilon.grad.isfinite().all()
        for name, spec in TRAITS.items():
            spread = POPULATIONS["everyone"].spread.get(name, spec.sd)
            varies = torch.tensor(spread).expand(spec.shape).flatten() > 0
            assert (epsilon.grad[0, slice_of(name)][varies] != 0).all(), name


def test_healthy_volumes_match_the_cohort():
    drawn = volumes(draw(24, seed=1))
    for tissue in ("LV", "MYO", "RV"):
        mean, sd = HEALTHY[f"{tissue} volume"]
        error = np.mean([v[tissue] for v in drawn]) - mean
        assert abs(error) < sd / 3 + 2 * sd / 24**0.5, tissue


@pytest.mark.parametrize("population", POPULATIONS)
def test_every_population_lies_in_the_ranges_of_everyone(population):
    for heart in volumes(draw(8, seed=2, population=population)):
        for tissue, (low, high) in VOLUME_RANGES.items():
            assert low < heart[tissue] < high


def test_populations_differ_as_their_names_say():
    mean = {
        name: {f.name: getattr(draw(200, 0, name), f.name).mean() for f in fields(HeartShape)}
        for name in POPULATIONS
    }
    assert mean["women"]["radius"] < mean["healthy"]["radius"] < mean["men"]["radius"]
    assert mean["women"]["wall"] < mean["healthy"]["wall"] < mean["men"]["wall"]
    assert mean["dilated"]["radius"] > 1.15 * mean["healthy"]["radius"]
    assert mean["hypertrophic"]["wall"] > 1.3 * mean["healthy"]["wall"]
    assert mean["rv_overload"]["rv_width"] > 1.15 * mean["healthy"]["rv_width"]
    assert mean["end_systole"]["radius"] < 0.8 * mean["healthy"]["radius"]
    assert mean["end_systole"]["wall"] > 1.2 * mean["healthy"]["wall"]


def test_an_infarct_thins_one_side_of_the_wall():
    """Towards u at s = 0.5, and nowhere to nothing."""
    epsilon = torch.zeros(1, TRAITS_SIZE)
    epsilon[:, slice_of("thinning_towards")] = torch.tensor([3.0, 0.0])
    sound, thinned = (shapes(epsilon, name) for name in ("healthy", "infarct"))

    def epicardium(shape: HeartShape, cos: float) -> float:
        waves = torch.tensor([cos, 1.0, cos])
        log = (shape.epi_harmonics[0, :, 0, 1:3].mean(1) * waves).sum()
        return float((shape.epi_profile[0, 2:4].mean() + log).exp())

    near, far = (epicardium(thinned, x) / epicardium(sound, x) for x in (1.0, -1.0))
    assert near < 0.95
    assert far > 0.98
    outer = float(thinned.radius + thinned.wall) * near
    assert outer - float(thinned.radius) > 3.0


def test_an_unknown_population_lists_the_known_ones():
    with pytest.raises(KeyError, match="healthy, men"):
        draw(1, 0, "athletes")


def test_the_seeds_of_hearts_have_one_use_each() -> None:
    ranges = sorted(SEEDS.values(), key=lambda seeds: seeds.start)
    assert all(a.stop <= b.start for a, b in pairwise(ranges))
    assert {seed for _, seed in SUBJECTS.values()} <= set(SEEDS["samples"])


def test_random_hearts_of_the_explorer_are_no_training_hearts() -> None:
    first = make_hearts(1, seed=0).epsilon
    for seed in (0, 999_999):
        heart = load_subject(f"random_{seed}")
        assert isinstance(heart, KnownHeart)
        assert heart.seed in SEEDS["explorer"]
    trained = phantom.label_maps(shapes(first, "everyone").double())[0]
    assert mean_dice(load_subject("random_0").S_HR, trained) < 0.95
    with pytest.raises(KeyError, match="random_SEED"):
        load_subject("random_1000000")
