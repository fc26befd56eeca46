"""How well a generator holds hearts that are known, and how fast it is; figures by name."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, hr_affine, lattice_points
from srheart_demo.heart import phantom
from srheart_demo.heart.measures import assd, dice
from srheart_demo.heart.population import SEEDS, draw
from srheart_demo.machine import one_thread
from srheart_demo.scan.degradation import sample
from srheart_demo.scan.evidence import whole_heart
from srheart_demo.scan.placement import place
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.solver.best_code import Ceiling, Encoder
from srheart_demo.solver.problem import Generator

EVALUATION_SEED = SEEDS["evaluation"].start
"""Hearts of this seed and above were neither trained nor validated on."""
HEARTS = 100_000
"""Hearts that one choice of seed may use."""

Figures = dict[str, float]
MakeHeart = Callable[[], LabelVolume]


def synthetic_heart(seed: int, population: str) -> LabelVolume:
    """A heart on the HR grid, in the model's frame."""
    shape = draw(1, EVALUATION_SEED + seed, population)
    return LabelVolume(phantom.label_maps(shape)[0], hr_affine(), population)


def read_heart(path: Path) -> LabelVolume:
    """A heart of a file, in the model's frame as `place` finds it by the labels.

    Raises:
        InvalidVolume: the file cannot be read or shows no whole heart.
    """
    heart = read_short_axis(path)
    model_from_world = np.linalg.inv(place(heart).world_from_model)
    return replace(heart, affine=model_from_world @ heart.affine)


@torch.no_grad()
def labels_at(field: Tensor, heart: LabelVolume) -> np.ndarray:
    """The segmentation that a field (1, 4, 32, 64, 64) gives at a heart's voxels.

    Between nodes that are all background lies background only, so only the box around the other
    nodes is sampled.
    """
    labels, points = np.zeros(heart.shape, np.uint8), heart.points()
    nodes = lattice_points(LATTICE_SHAPE)
    tissue = nodes[field[0].argmax(0).numpy() > 0]
    if len(tissue):
        step = nodes[1, 1, 1] - nodes[0, 0, 0]
        inside = (points >= tissue.min(0) - step) & (points <= tissue.max(0) + step)
        near = inside.all(axis=-1)
        seen = sample(field, torch.tensor(points[near], dtype=torch.float32))
        labels[near] = seen[0].argmax(0).numpy()
    return labels


def accuracy(ceiling: Ceiling, heart: LabelVolume) -> Figures:
    """Dice and ASSD at a heart's voxels of its best code and, with an encoder, of its encoding.

    "RMS of z" is |z|/√M of the best code; of draws from N(0, I) it is near 1.
    """
    G, target = ceiling.G, whole_heart(heart)
    codes = {"ceiling": ceiling.best_code(target)}
    if isinstance(G, Encoder):
        with torch.no_grad():
            codes["encode-decode"], _ = G.encode(target)
    figures = {}
    for name, z in codes.items():
        with torch.no_grad():
            estimate = labels_at(G.decode(z), heart)
        for tissue, score in dice(estimate, heart.labels).items():
            figures[f"{name} Dice {tissue}"] = score
        for tissue, distance in assd(estimate, heart.labels, heart.spacing).items():
            figures[f"{name} ASSD {tissue}"] = distance
    figures["ceiling RMS of z"] = float(codes["ceiling"].square().mean().sqrt())
    return figures


def decode_times(G: Generator, repeats: int = 30) -> Figures:
    """Mean processor time of one decoding, without and with the gradient in z, on one thread, ms.

    Other programs that keep the machine busy hardly count.
    """
    z = torch.zeros(1, G.latent_size)

    def forward() -> None:
        with torch.no_grad():
            G.decode(z)

    def backward() -> None:
        G.decode(z.clone().requires_grad_()).sum().backward()

    with one_thread():
        return {
            "decode, ms": _milliseconds(forward, repeats),
            "decode and gradient in z, ms": _milliseconds(backward, repeats),
        }


def _milliseconds(work: Callable[[], None], repeats: int) -> float:
    work()
    start = time.thread_time()
    for _ in range(repeats):
        work()
    return 1000 * (time.thread_time() - start) / repeats
