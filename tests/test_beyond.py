from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, lattice_axes
from srheart_demo.heart.anatomy import topology
from srheart_demo.heart.distances import in_plane_distances
from srheart_demo.heart.generator import load_generator, to_labels
from srheart_demo.heart.measures import mean_dice
from srheart_demo.heart.phantom import HeartShape, class_logits, on_lattice
from srheart_demo.heart.population import draw
from srheart_demo.scan.degradation import HR_GRID, Stack, degrade, label_noise
from srheart_demo.scan.evidence import reader_on_nodes
from srheart_demo.scan.long_axis import Plane, long_axis_view
from srheart_demo.scan.samples import load_sample
from srheart_demo.solver import answer as beyond
from srheart_demo.solver.algorithm import latent_optimisation, solve
from srheart_demo.solver.answer import (
    ALONG,
    DAMPING,
    NOISE,
    answer,
    kriging_variance,
    kriging_weights,
    residual_field,
)
from srheart_demo.solver.problem import Problem, View
from srheart_demo.solver.settings import INTERACTIVE, Settings
from srheart_demo.solver.uncertainty import laplace
from tests.problems import ToyHeart, rotated, toy_problem, toy_stack

HEART = draw(1, seed=5)
OTHER = replace(HEART, radius=HEART.radius + 3.0, rv_width=HEART.rv_width - 4.0)
"""A wider LV beside a narrower RV."""

PLANES = torch.tensor(lattice_axes(LATTICE_SHAPE)[0])
STILL = torch.zeros(1, 7, 2)


def field_of(shape: HeartShape) -> Tensor:
    return class_logits(on_lattice(shape, LATTICE_SHAPE))


def seen(field: Tensor, stack: Stack, d: Tensor) -> Tensor:
    return degrade(field, stack, d)[0].argmax(0)


def scan(S_LR: Tensor, stack: Stack) -> Problem:
    return Problem(ToyHeart(), stack, S_LR)


def test_what_is_explained_already_leaves_no_residual():
    p, z, d = toy_problem()
    assert not residual_field(p.G.decode(z), d, p).any()
    assert residual_field(p.G.decode(z + 1), d, p).any()


@pytest.mark.parametrize("epsilon", [0.0, 0.05])
def test_the_residual_meets_slices_of_a_heart_that_differs(epsilon: float):
    field, truth, stack = field_of(HEART), field_of(OTHER), toy_stack()
    d = toy_problem()[2]
    S_LR = seen(truth, stack, d).numpy()
    noisy = torch.as_tensor(label_noise(S_LR, epsilon, seed=0))
    better = field + residual_field(field, d, scan(noisy, stack))

    def errors(heart: Tensor) -> tuple[float, float]:
        """On the slices, and in the whole heart."""
        return (
            1 - mean_dice(seen(heart, stack, d).numpy(), S_LR),
            1 - mean_dice(heart.argmax(1).numpy(), truth.argmax(1).numpy()),
        )

    before, after = errors(field), errors(better)
    assert after[0] < 0.35 * before[0]
    assert after[1] < 0.5 * before[1]


@pytest.mark.parametrize("degrees", [0.0, 30.0])
def test_the_residual_of_a_displaced_slice_lies_where_the_heart_is(
    degrees: float, monkeypatch: pytest.MonkeyPatch
):
    # No picture cuts off a displaced heart.
    wide = replace(toy_stack(), origin=torch.tensor([-79.0, -79.0]), shape=(80, 80))
    field, truth, stack = field_of(HEART), field_of(OTHER), rotated(wide, degrees)
    pixels = torch.tensor([[0, 0], [3, -2], [-4, 1], [0, 5], [-1, -3], [2, 2], [4, 0]])
    d = 2.0 * pixels[None]
    there, moved = scan(seen(truth, stack, STILL), stack), scan(seen(truth, stack, d), stack)
    same = residual_field(field, d, moved), residual_field(field, STILL, there)
    torch.testing.assert_close(*same, atol=0.05, rtol=0)
    monkeypatch.setattr(beyond, "TRUST", 0.0)  # leaves far logits as they are
    still = residual_field(field, STILL, there)
    torch.testing.assert_close(residual_field(field, d, moved), still, atol=1e-3, rtol=0)
    assert (residual_field(field, STILL, moved) - still).abs().max() > 0.5 * still.abs().max()


def test_one_slice_acts_along_the_heart_as_kriging_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beyond, "PASSES", 1)
    monkeypatch.setattr(beyond, "TRUST", 0.0)
    field, stack = field_of(HEART), toy_stack()
    S_LR = seen(field, stack, STILL)
    S_LR[3] = seen(field_of(OTHER), stack, STILL)[3]
    residual = residual_field(field, STILL, scan(S_LR, stack))[0]
    weights = kriging_weights(stack, DAMPING)[:, 3]
    on_slice = residual[:, 16] / weights[16]
    expected = on_slice[:, None] * weights[:, None, None]
    assert expected.abs().max() > 1
    torch.testing.assert_close(residual, expected, atol=1e-4, rtol=0)


def test_far_from_all_slices_the_residual_vanishes():
    stack = replace(toy_stack(), z=torch.tensor([-42.0, -28.0, -14.0]))
    d = torch.zeros(1, 3, 2)
    residual = residual_field(
        field_of(HEART), d, scan(seen(field_of(OTHER), stack, d), stack)
    ).abs()
    near, far = (PLANES + 14).abs() < 3, PLANES > -14 + 3 * ALONG
    assert residual[:, :, far].max() < 0.06 * residual[:, :, near].max()


def long_axis_plane() -> Plane:
    """64 rows along D and 64 columns along W, 2 mm apart."""
    mm = torch.linspace(-63, 63, 64)
    D, W = torch.meshgrid(mm, mm, indexing="ij")
    return Plane(torch.stack([D, 1 + 0 * D, W], dim=-1))


def seen_in(field: Tensor, view: View, d_LA: Tensor | None = None) -> Tensor:
    return long_axis_view(field, view.plane, d_LA)[0].argmax(0)


def with_view(labels: Tensor, lacks: tuple[int, ...] = ()) -> Problem:
    """Slices of HEART in the lower half, and a view of these labels."""
    stack = replace(toy_stack(), z=torch.tensor([-42.0, -28.0, -14.0]))
    p = scan(seen(field_of(HEART), stack, torch.zeros(1, 3, 2)), stack)
    return replace(p, views=(View(long_axis_plane(), labels, lacks),))


def test_a_view_is_met_where_no_slice_looked():
    field, truth = field_of(HEART), field_of(OTHER)
    p = with_view(seen_in(truth, View(long_axis_plane(), torch.zeros(64, 64))))
    d, view = torch.zeros(1, 3, 2), p.views[0]
    better = field + residual_field(field, d, p)

    def wrong(heart: Tensor) -> Tensor:
        """In the view, at slices and far above them."""
        missed = (seen_in(heart, view) != view.S_LA).sum(1)
        return torch.stack([missed[10:26].sum(), missed[42:].sum()])

    before, after = wrong(field), wrong(better)
    assert after[1] < 0.35 * before[1]
    assert after[0] > 0.5 * before[0]
    above = PLANES > 10

    def whole(heart: Tensor) -> float:
        pair = heart[:, :, above].argmax(1).numpy(), truth[:, :, above].argmax(1).numpy()
        return mean_dice(*pair)

    assert 1 - whole(better) < 0.85 * (1 - whole(field))


def test_the_residual_of_a_displaced_view_lies_where_the_heart_is():
    field, truth, d = field_of(HEART), field_of(OTHER), torch.zeros(1, 3, 2)
    view = View(long_axis_plane(), torch.zeros(64, 64))
    d_LA = torch.tensor([[[4.0, -6.0]]])
    still = residual_field(field, d, with_view(seen_in(truth, view)))
    moved = with_view(seen_in(truth, view, d_LA[:, 0]))
    found = residual_field(field, d, moved, d_LA)
    # The heart reaches the view's sides, where a displaced view shows less of it.
    inner = still[..., 14:46]
    torch.testing.assert_close(found[..., 14:46], inner, atol=0.1, rtol=0)
    blind = residual_field(field, d, moved)[..., 14:46]
    assert (blind - inner).abs().max() > 0.3 * inner.abs().max()


def test_of_a_tissue_that_a_view_lacks_it_says_what_it_says_of_background(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(beyond, "PASSES", 1)
    labels = seen_in(field_of(OTHER), View(long_axis_plane(), torch.zeros(64, 64)))
    labels = torch.where(labels == 3, 0, labels)
    d = torch.zeros(1, 3, 2)
    lacking = residual_field(field_of(HEART), d, with_view(labels, lacks=(3,)))
    assert torch.equal(lacking[:, 3], lacking[:, 0])
    assert lacking.abs().max() > 1
    trusted = residual_field(field_of(HEART), d, with_view(labels))
    assert trusted[:, 3].abs().max() > 2 * lacking[:, 3].abs().max()


def test_the_answer_holds_the_residual_where_it_is_asked_for():
    p, _, _ = toy_problem()
    with_it, without = (
        next(latent_optimisation(p, Settings(residual=wanted))) for wanted in (True, False)
    )
    G_z = p.G.decode(without.z)
    assert torch.equal(answer(without, p), G_z)
    assert torch.equal(answer(with_it, p), G_z + residual_field(G_z, with_it.d, p))
    assert not torch.equal(answer(with_it, p), G_z)


def test_kriging_errs_as_much_as_it_says():
    """Over draws of a Gaussian process of the assumed covariance, seen with the assumed noise."""
    stack = replace(toy_stack(), z=toy_stack().z.double())
    positions = torch.cat([stack.z, PLANES])
    apart = positions[:, None] - positions
    covariance = torch.exp(-apart.abs() / ALONG) + 1e-9 * torch.eye(len(positions))
    rng = torch.Generator().manual_seed(0)
    normals = torch.randn(5000, len(positions), generator=rng, dtype=torch.float64)
    values = normals @ torch.linalg.cholesky(covariance).T
    noise = torch.randn(5000, stack.K, generator=rng, dtype=torch.float64)
    guess = (values[:, : stack.K] + NOISE**0.5 * noise) @ kriging_weights(stack).T
    errors = ((guess - values[:, stack.K :]) ** 2).mean(0)
    torch.testing.assert_close(errors, kriging_variance(stack), rtol=0.1, atol=0)


def test_least_is_left_open_at_slices_and_all_far_away():
    stack = replace(toy_stack(), z=PLANES[8:17:4])
    left_open = kriging_variance(stack)
    at, between = left_open[8:17:4], left_open[10:15:4]
    assert at.max() < between.min()
    assert at.max() < NOISE
    assert left_open[(stack.z[-1] + 2.5 * ALONG) < PLANES].min() > 0.99
    assert (left_open <= 1).all()


def test_slices_that_no_heart_explains_are_followed_from_one_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where G(z) misses the slices by millimetres, they are interpolated; where it fits, nothing
    changes, and beyond the stack's ends neither."""
    truth, stack = field_of(OTHER), toy_stack()
    p = scan(seen(truth, stack, STILL), stack)
    far = field_of(replace(HEART, radius=HEART.radius - 4.0))

    def changed(field: Tensor) -> Tensor:
        """By how much trust in slices changes the answer, plane by plane."""
        monkeypatch.setattr(beyond, "TRUST", 0.0)
        without = residual_field(field, STILL, p)
        monkeypatch.undo()
        return (residual_field(field, STILL, p) - without)[0].abs().amax((0, 2, 3))

    inside = (stack.z.min() <= PLANES) & (stack.z.max() >= PLANES)
    assert changed(far)[inside].min() > 1
    assert not changed(far)[~inside].any()
    assert not changed(truth).any()


def test_no_slice_is_followed_across_a_wide_gap() -> None:
    """Of a parabola interpolation errs with the square of the gap."""
    stack = toy_stack()
    hole = stack.slices([0, 1, 2, 5, 6])
    still = torch.zeros(1, hole.K, 2)
    p = scan(seen(field_of(OTHER), hole, still), hole)
    distances = in_plane_distances(p.S_LR.numpy(), hole.spacing, 6.0)
    outlines = reader_on_nodes(hole)(torch.from_numpy(distances))
    share, _ = beyond._from_slice_to_slice(outlines, p, missed=4.0)
    in_hole = (stack.z[2] < PLANES) & (stack.z[5] > PLANES)
    beside = (stack.z[1] < PLANES) & (stack.z[2] > PLANES)
    odds = share / (1 - share)
    torch.testing.assert_close(odds[in_hole] * 3**4, odds[beside][:1].expand(int(in_hole.sum())))


@pytest.mark.parametrize("planes", [0, 2])
def test_an_apex_that_lies_open_is_closed_and_a_sound_one_left_alone(planes: int) -> None:
    """A slice below it that shows nothing takes the wall away, and some of the LV."""
    sound = field_of(HEART)
    assert beyond.with_closed_apex(sound, sound) is sound
    parted = sound.clone()
    parted[:, 0, 22] += 60  # The LV above lies upon background, as a base may.
    assert ((to_labels(parted)[47:] == 1) & (to_labels(parted)[46:-1] == 0)).any()
    assert beyond.with_closed_apex(parted, sound) is parted
    empty = 0 * sound
    assert beyond.with_closed_apex(empty, sound) is empty
    end = lattice_axes()[0][(to_labels(sound) == 1).any((1, 2)).argmax() + planes]
    bare = sound.clone()
    bare[:, 0] += 4 * (end - PLANES).clamp(0)[:, None, None]
    assert topology(to_labels(bare))["open_lv"] == 1
    closed = beyond.with_closed_apex(bare, sound)
    before, after = to_labels(bare), to_labels(closed)
    assert (after[before != after] == 2).all()
    # A wall of one to four voxels beneath the LV, no more, and on every grid.
    beneath = int(((before[1:] == 1) & (before[:-1] == 0)).sum())
    assert beneath <= (before != after).sum() < 4 * beneath
    for up, aside in ((0.0, 0.0), (0.7, 0.4), (1.0, 0.6), (1.6, 0.9)):
        grid = replace(HR_GRID, z=HR_GRID.z + up)
        shown = degrade(closed, grid, torch.full((1, grid.K, 2), aside))[0].argmax(0)
        assert not any(topology(shown.numpy().astype(np.uint8)).values())
    # What a generator draws without a wall, such as a pea pod, is none of a heart's.
    assert beyond.with_closed_apex(bare, bare) is bare


def test_specks_and_bubbles_are_taken_away_and_parts_left_alone() -> None:
    sound = field_of(HEART).clamp(-1, 1)
    assert beyond.without_flecks(sound, sound) is sound
    empty = 0 * sound
    assert beyond.without_flecks(empty, sound) is empty
    labels = sound[0].argmax(0)
    deep = [[int(i) for i in (labels == tissue).nonzero().float().mean(0)] for tissue in (1, 3)]
    flecked = sound.clone()
    for (d, h, w), told in ((deep[0], 0), (deep[1], 2), ([2, 4, 4], 3)):
        flecked[0, told, d, h, w] = sound[0, :, d, h, w].max() + 3
    assert {**topology(to_labels(flecked))} == {"pieces": 2, "open_lv": 1, "holes": 1}
    after = to_labels(beyond.without_flecks(flecked, sound))
    assert (after == to_labels(sound)).all()
    # What a generator draws in specks, and what is too large to be one, is left alone.
    assert beyond.without_flecks(flecked, flecked) is flecked
    parted = sound.clone()
    parted[0, 3, 2:6, 4:8, 4:8] = 60
    assert beyond.without_flecks(parted, sound) is parted


def test_a_view_without_weight_changes_nothing() -> None:
    """Although its displacement, which nothing tells then, would put its outlines anywhere."""
    scan = load_sample("dilated").scan("severe", views=["4ch", "2ch"], displaced="severe")
    seen = Problem.of(scan, load_generator())
    unseen, settings = replace(seen, views=()), replace(INTERACTIVE, gamma=0.0)
    ends = [solve(p, settings) for p in (seen, unseen)]
    assert ends[0].iteration == ends[1].iteration
    assert not ends[0].d_LA.any()
    torch.testing.assert_close(ends[0].d, ends[1].d, atol=0.1, rtol=0)
    for of in (answer, lambda step, p: laplace(step, p).hearts(1)):
        hearts = map(of, ends, (seen, unseen))
        with_views, without = (to_labels(heart) for heart in hearts)
        assert mean_dice(with_views, without) > 0.999
