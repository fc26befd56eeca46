"""Figures of a generator, where the right answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from simple_heart import heart_labels, scanner_from_model
from torch import Tensor

from srheart_demo.experiments.generators import (
    EVALUATION_SEED,
    accuracy,
    placed_heart,
    unseen_heart,
)
from srheart_demo.frame import LATTICE_SHAPE, lattice_points
from srheart_demo.heart import phantom
from srheart_demo.heart.generator import to_labels
from srheart_demo.heart.measures import dice
from srheart_demo.heart.population import draw
from srheart_demo.scan.evidence import whole_heart
from srheart_demo.scan.volume import LabelVolume, write_volume
from srheart_demo.solver.gauge import labels_at
from srheart_demo.training.hearts import VALIDATION_SEED


class OneHeart:
    """G(z) is one field, moved by 1 mm inwards and outwards by z; the encoder finds no more."""

    latent_size = 1
    information = torch.zeros(1, 1)

    def __init__(self, field: Tensor) -> None:
        self.field = field
        self.background = torch.tensor([1.0, 0, 0, 0])[:, None, None, None]

    def decode(self, z: Tensor) -> Tensor:
        return self.field + z[:, :, None, None, None] * self.background

    def encode(self, probabilities: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full((1, 1), 3.0), torch.zeros(1, 1)


@pytest.fixture(scope="module")
def heart() -> LabelVolume:
    return unseen_heart("healthy", 7)


@pytest.fixture(scope="module")
def field() -> Tensor:
    """The heart's own field, by its shape instead of its labels."""
    shape = draw(1, EVALUATION_SEED + 7, "healthy")
    return phantom.class_logits(phantom.on_lattice(shape, LATTICE_SHAPE))


def test_evaluated_hearts_were_never_seen() -> None:
    assert EVALUATION_SEED > 2 * VALIDATION_SEED


def test_labels_give_the_probabilities_of_the_shape(heart: LabelVolume, field: Tensor) -> None:
    seen, true = whole_heart(heart), field.softmax(1)
    torch.testing.assert_close(seen.sum(1), torch.ones_like(seen[:, 0]))
    assert (seen - true).abs().mean() < 0.003
    assert min(dice(to_labels(seen.clamp_min(1e-9).log()), heart.labels).values()) > 0.99


def test_labels_at_a_heart_are_those_of_the_whole_box(heart: LabelVolume, field: Tensor) -> None:
    points = torch.tensor(heart.points(), dtype=torch.float32)
    np.testing.assert_array_equal(labels_at(field, points), to_labels(field))
    assert not labels_at(torch.zeros_like(field), points).any()


def test_a_file_is_brought_into_the_frame(tmp_path: Path) -> None:
    """An oblique scan, base first, at voxels other than HR."""
    steps = np.diag([-3.0, 2.0, 2.0, 1.0])
    steps[:3, 3] = [58.0, -69.0, -69.0]
    grid = LabelVolume(np.zeros((40, 70, 70), np.uint8), steps)
    scan = LabelVolume(heart_labels(grid.points()), scanner_from_model() @ steps)
    write_volume(scan, tmp_path / "scan.nii.gz")
    placed = placed_heart(tmp_path / "scan.nii.gz")
    assert placed.spacing == pytest.approx((3.0, 2.0, 2.0))
    truth = heart_labels(lattice_points())
    assert min(dice(to_labels(whole_heart(placed).clamp_min(1e-9).log()), truth).values()) > 0.93


def test_a_generator_that_holds_the_heart_has_a_perfect_ceiling(
    heart: LabelVolume, field: Tensor
) -> None:
    figures = accuracy(OneHeart(field), heart)
    for tissue in ("LV", "MYO", "RV"):
        assert figures[f"ceiling Dice {tissue}"] > 0.99
        assert figures[f"ceiling ASSD {tissue}"] < 0.1
        assert figures[f"encode-decode Dice {tissue}"] < figures[f"ceiling Dice {tissue}"]
        assert figures[f"encode-decode ASSD {tissue}"] > figures[f"ceiling ASSD {tissue}"]
    assert figures["ceiling RMS of z"] < 0.3
