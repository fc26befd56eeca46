from dataclasses import replace

import numpy as np
import torch

from srheart_demo.baselines.nearest import restore
from srheart_demo.degradation import Stack
from srheart_demo.frame import HR_SHAPE


def test_each_slice_is_repeated_to_its_neighbours():
    S_HR = np.random.default_rng(0).integers(0, 4, HR_SHAPE).astype(np.uint8)
    restored = restore(S_HR[2::5], Stack.from_hr())
    for k in range(13):
        for plane in range(5 * k, min(5 * k + 5, 64)):
            np.testing.assert_array_equal(restored[plane], S_HR[5 * k + 2])


def test_what_the_stack_does_not_cover_is_background():
    stack = Stack.from_hr(slices=4).crop(slice(30, 60), slice(20, 80))
    restored = restore(np.ones((4, 30, 60), np.uint8), stack)
    assert (restored > 0).sum() == 20 * 30 * 60
    assert (restored[:20, 30:60, 20:80] == 1).all()


def test_reversed_rows_are_followed():
    labels = np.random.default_rng(1).integers(0, 4, (13, 128, 128)).astype(np.uint8)
    stack = Stack.from_hr()
    turned = replace(stack, origin=stack.origin + 127 * stack.row_step, row_step=-stack.row_step)
    np.testing.assert_array_equal(restore(labels, stack), restore(labels[:, ::-1], turned))
    assert torch.equal(turned.pixels(), stack.pixels().flip(0))
