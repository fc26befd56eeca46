"""Lesson 1: its checks, and what a run does in a picture."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.dashboard.theme import ESTIMATE, INK
from srheart_demo.lessons.pictures import finish
from srheart_demo.lessons.truth import Truth as Truth
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.solver.algorithm import Step


@exercise(lambda: {f"M = {M} and K = {K}": (M, K) for M, K in ((128, 13), (64, 9), (30, 4))})
def unknowns(M: int, K: int) -> int:
    """Exercise 1: z has M numbers, d has two for each of K slices."""
    return M + 2 * K


def _displacements() -> Cases:
    d = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    return {"nine slices": (d,), "six slices, 2 mm and −3 mm off": (d[:6] + torch.tensor([2, -3]),)}


@exercise(_displacements)
def without_common(d: Tensor) -> Tensor:
    """Exercise 2: displacements up to one common translation."""
    return d - d.mean(0)


def _maps() -> Cases:
    labels = np.random.default_rng(0).binomial(3, 0.5, (16, 24, 24)).astype(np.uint8)
    return {
        "the LV in voxels of 2 × 1.25 × 1.25 mm": (labels, 1, (2.0, 1.25, 1.25)),
        "the RV in voxels of 8 × 1.5 × 1.4 mm": (labels[:9], 3, (8.0, 1.5, 1.4)),
    }


@exercise(_maps)
def volume_ml(labels: np.ndarray, label: int, spacing: tuple[float, float, float]) -> float:
    """Exercise 3: voxels of one label times the volume of a voxel."""
    height, row, column = spacing
    return float((labels == label).sum()) * height * row * column / 1000


def picture_convergence(
    steps: Sequence[Step], d_true: NDArray[np.floating], tissue: NDArray[np.bool_]
) -> Figure:
    """Losses and the displacement of every slice (estimate and truth, mean removed), by iteration.

    `d_true` is (K, 2), mm; only slices with tissue (K,) are shown, the others say nothing of d.
    """
    d = np.array([s.d[0].numpy()[tissue] for s in steps])
    d -= d.mean(1, keepdims=True)
    truth = d_true[tissue] - d_true[tissue].mean(0)
    iterations = [s.iteration for s in steps]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 2.9))
    left.semilogy(iterations, [s.loss for s in steps], color=INK)
    left.set(xlabel="iteration", ylabel="L, nats per voxel", title="loss")
    for axis, component, name in ((middle, 0, "rows"), (right, 1, "columns")):
        axis.plot(iterations, d[..., component], color=ESTIMATE, lw=1)
        axis.scatter([iterations[-1]] * len(truth), truth[:, component], color=INK, s=14, zorder=3)
        axis.set(xlabel="iteration", ylabel="d, mm", title=f"d along {name} (dots: truth)")
    return finish(figure)
