from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.autograd import gradcheck

from srheart_demo.frame import HR_SPACING, LATTICE_SHAPE, lattice_axes
from srheart_demo.heart import phantom
from srheart_demo.heart.population import POPULATIONS, draw

labels_of = phantom.label_maps


@pytest.mark.parametrize("population", POPULATIONS)
def test_hearts_are_anatomical(population):
    for labels in labels_of(draw(3, seed=11, population=population)):
        for tissue in (1, 2, 3):
            pieces, n = ndimage.label(labels == tissue)
            sizes = np.bincount(pieces.ravel())[1:]
            assert sizes.max() / sizes.sum() > 0.999, f"{tissue} falls into {n} pieces"
        base = np.flatnonzero((labels == 1).any((1, 2)))[-1]
        around = ndimage.binary_dilation(labels == 1) & (labels != 1)
        below_base = around.copy()
        below_base[base - 4 :] = False
        assert (labels[below_base] == 2).all(), "the LV must be closed by myocardium"


def test_the_rv_lies_on_the_myocardium_without_a_gap():
    labels = labels_of(draw(1, seed=4))[0]
    mid = labels[24:44]
    near_rv = ndimage.binary_dilation(mid == 3, np.ones((1, 3, 3))) & (mid != 3)
    assert (mid[near_rv] == 2).mean() > 0.2
    enclosed = ndimage.binary_fill_holes((mid > 0).any(0)) & ~(mid > 0).any(0)
    assert not enclosed.any()


def test_distances_are_millimetres_near_the_surface():
    shape = draw(1, seed=2)
    d, h, w = (torch.tensor(a, dtype=torch.float32) for a in lattice_axes((64, 128, 128)))
    distance = phantom.signed_distances(shape, d[:, None, None], h[:, None], w)[0, 1]
    inside = (distance < 0).numpy()
    true = ndimage.distance_transform_edt(inside, sampling=HR_SPACING)
    shell = inside & (true > 3) & (true < 6)
    ratio = -distance.numpy()[shell] / true[shell]
    assert 0.75 < np.median(ratio) < 1.25


@pytest.mark.parametrize("population", ["healthy", "everyone"])
def test_label_maps_leave_nothing_out(population):
    shapes = draw(2, seed=21, population=population)
    everywhere = phantom.nearest_labels(phantom.on_lattice(shapes))
    np.testing.assert_array_equal(phantom.label_maps(shapes), everywhere)


def test_the_warp_moves_points_by_its_cosines():
    shape = draw(1, seed=6)
    still = replace(shape, warp=torch.zeros(1, 2, 4, 4, 4))
    warp = torch.zeros(1, 2, 4, 4, 4)
    warp[0, 0, 0, 0, 0], warp[0, 1, 0, 1, 2] = 1.5, 2.0
    D, H, W = (torch.tensor([x]) for x in (4.0, -10.0, 21.0))
    phase_h, phase_w = (np.pi / 2 * (x / phantom.WARP_REACH + 1) for x in (H, W))
    shift_w = 2.0 * torch.cos(phase_h) * torch.cos(2 * phase_w)
    moved = phantom.signed_distances(replace(shape, warp=warp), D, H, W)
    torch.testing.assert_close(moved, phantom.signed_distances(still, D, H + 1.5, W + shift_w))


def test_tissue_ends_at_the_flat_cut():
    shape = draw(1, seed=8)
    cut = replace(shape, top=torch.tensor([-10.0]))
    tissue = np.flatnonzero(labels_of(cut)[0].any((1, 2)))
    end = lattice_axes()[0][tissue[-1]]
    assert end == pytest.approx(float(shape.apex + shape.length) - 10, abs=2.0)


def test_size_scales_volume():
    shape = draw(1, seed=3)
    bigger = replace(shape, radius=1.1 * shape.radius)
    small, large = ((labels_of(s)[0] == 1).sum() for s in (shape, bigger))
    assert large / small == pytest.approx(1.21, abs=0.02)


def test_hearts_of_a_batch_do_not_touch_each_other():
    shapes = draw(3, seed=9)
    together = phantom.on_lattice(shapes, LATTICE_SHAPE)
    alone = torch.cat([phantom.on_lattice(shapes[i : i + 1], LATTICE_SHAPE) for i in range(3)])
    torch.testing.assert_close(together, alone)


def test_distances_are_differentiable_in_every_parameter():
    shape = draw(1, seed=1).double()
    names = [f.name for f in fields(shape)]
    values = [getattr(shape, name).clone().requires_grad_() for name in names]
    D, H, W = (torch.tensor([x], dtype=torch.float64) for x in (7.3, 11.9, -21.7))

    def distances(*parameters):
        one = phantom.HeartShape(**dict(zip(names, parameters, strict=True)))
        return phantom.signed_distances(one, D, H, W)

    assert gradcheck(distances, values, atol=1e-4)


def test_class_logits_and_labels_agree_with_the_distances():
    heart, lv, myo, rv = [-2.0, -3.0, 0.5], [-2.0, 3.0, 4.0], [1.0, -1.0, 2.0], [5.0, 2.0, 0.6]
    distances = torch.tensor([[heart, lv, myo, rv]])
    np.testing.assert_array_equal(phantom.nearest_labels(distances), [[1, 2, 0]])
    shape = phantom.on_lattice(draw(2, seed=12), LATTICE_SHAPE)
    most_likely = phantom.class_logits(shape).argmax(1).numpy()
    np.testing.assert_array_equal(phantom.nearest_labels(shape), most_likely)
    softer = phantom.class_logits(distances, width=2.0)
    torch.testing.assert_close(softer, phantom.class_logits(distances) / 2)


@pytest.mark.parametrize("population", ["healthy", "everyone"])
def test_the_heart_is_its_tissues_and_has_no_surface_where_they_meet(population):
    heart, *tissues = phantom.on_lattice(
        draw(2, seed=31, population=population), LATTICE_SHAPE
    ).unbind(1)
    least = torch.stack(tissues).amin(0)
    outside = least > 0
    torch.testing.assert_close(heart[outside], least[outside])
    assert (heart <= least + 1e-4).all()
    for one, out in zip(heart.numpy(), outside.numpy(), strict=True):
        depth = ndimage.distance_transform_edt(~out, sampling=[2 * x for x in HR_SPACING])
        assert (one[depth > 6] < -1.5).all()
