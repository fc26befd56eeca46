"""The learnt baseline: its shapes, its geometry, its training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from srheart_demo import training
from srheart_demo.heart.generator import save_weights
from srheart_demo.scan.degradation import Stack
from srheart_demo.solver.baselines import edsr
from srheart_demo.solver.baselines.edsr import (
    EDSR,
    EDSRArchitecture,
    fold,
    read_edsr,
    unfold,
)
from srheart_demo.training.edsr import WINDOW, pairs, window
from srheart_demo.training.hearts import make_hearts

TINY = EDSRArchitecture(width=8, blocks=1, fine_width=4)


def test_folding_and_unfolding_are_inverse_up_to_the_planes() -> None:
    x = torch.randn(2, 3, 4, 8, 12)
    assert torch.equal(unfold(fold(x, 4), 1, 4), x)


def test_unfolded_planes_follow_each_other_along_D() -> None:
    x = torch.arange(2 * 5).float().reshape(1, 2, 5, 1, 1).transpose(1, 2)
    assert unfold(x, 5, 1).flatten().tolist() == list(range(10))


def test_it_gives_five_planes_for_each_slice_and_sees_no_other_sample() -> None:
    torch.manual_seed(0)
    network = EDSR(TINY)
    scans = torch.rand(2, 4, 6, 32, 24)
    planes = network(scans)
    assert planes.shape == (2, 4, 30, 16, 12)
    torch.testing.assert_close(network(scans[:1]), planes[:1])


def test_weights_come_back(tmp_path) -> None:
    torch.manual_seed(0)
    network = EDSR(TINY)
    save_weights(network, tmp_path / "none.safetensors", {})
    again = read_edsr(tmp_path / "none.safetensors")
    assert again.architecture == TINY
    scan = torch.rand(1, 4, 3, 16, 16)
    torch.testing.assert_close(again(scan), network(scan), atol=1e-2, rtol=1e-2)


class PlanesOfTheirSlice(torch.nn.Module):
    """What a network without between-slice knowledge gives: five times each slice."""

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        """(B, 4, K, h, w) → (B, 4, 5 K, h / 2, w / 2)."""
        halved = torch.nn.functional.avg_pool3d(one_hot, (1, 2, 2))
        return halved.repeat_interleave(5, dim=2)


@pytest.fixture
def blocks(monkeypatch) -> np.ndarray:
    """Labels of a stack whose k-th slice is a square of label 1 + k % 3."""
    monkeypatch.setattr(edsr, "load_edsr", lambda level: PlanesOfTheirSlice())
    labels = np.zeros((5, 128, 128), np.uint8)
    for k in range(5):
        labels[k, 40:80, 48:96] = 1 + k % 3
    return labels


def test_on_its_own_slices_it_answers_with_its_own_planes(blocks) -> None:
    stack = Stack.from_hr(slices=5)
    assert np.array_equal(edsr.restore(blocks, stack, stack), blocks)


def test_an_answer_lies_where_the_scan_lies_whatever_its_pixels(blocks) -> None:
    stack = Stack.from_hr(slices=5)
    turned = replace(stack, row_step=stack.column_step, column_step=stack.row_step)
    found = edsr.restore(blocks.transpose(0, 2, 1), turned, stack)
    assert np.array_equal(found, blocks)


def test_planes_far_outside_the_stack_are_background(blocks) -> None:
    stack = Stack.from_hr(slices=5)
    found = edsr.restore(blocks, stack, Stack.from_hr(step=1, first=0))
    shown = found.any((1, 2))
    # From half a gap below the first slice, at plane 2, to half a gap above the last, at 22.
    assert shown[:25].all()
    assert not shown[25:].any()


def test_one_slice_is_not_enough(blocks) -> None:
    stack = Stack.from_hr(slices=1)
    with pytest.raises(ValueError, match="between slices"):
        edsr.restore(blocks[:1], stack, stack)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(KeyError, match="extreme"):
        edsr.load_edsr("extreme")


def test_pairs_agree_where_nothing_moved() -> None:
    hearts = make_hearts(2, 0).probabilities()
    scan, target = pairs(hearts, "none", torch.Generator().manual_seed(1))
    assert scan.shape == (2, 4, 13, 128, 128)
    assert target.shape == (2, 4, 65, 64, 64)
    halved = torch.nn.functional.avg_pool3d(scan, (1, 2, 2))
    agree = (halved.argmax(1) == target[:, :, ::5].argmax(1)).float().mean()
    assert agree > 0.99
    moved, same = pairs(hearts, "severe", torch.Generator().manual_seed(1))
    torch.testing.assert_close(same, target)
    assert (moved != scan).any()


def test_a_window_keeps_all_tissue_and_wanders() -> None:
    classes = torch.zeros(4, 64)
    classes[1, 20:50] = 1
    windows = {window(classes, torch.Generator().manual_seed(i)).start for i in range(30)}
    assert len(windows) > 1
    assert all(
        start <= 40 and start + WINDOW >= 100 and start % edsr.FOLD == 0 for start in windows
    )


def test_training_writes_a_network_that_another_can_go_on_from(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("srheart_demo.training.edsr.QUALITY_HEARTS", 1)
    first = training.EDSRSettings(hearts=2, steps=2, batch=1, architecture=TINY)
    path = training.train(first, tmp_path / "none")
    assert path.name == "none.safetensors"
    second = replace(first, level="severe", start=str(path))
    start, end = read_edsr(path), read_edsr(training.train(second, tmp_path / "severe"))
    fresh = training.EDSRSettings(architecture=TINY, seed=0).training().network
    weights = [network.tail.weight.detach() for network in (start, end, fresh)]
    distance = [float((weights[0] - other).norm()) for other in weights[1:]]
    assert 0 < distance[0] < distance[1]
