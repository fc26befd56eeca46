"""Lesson 3: its checks, a heart that no generator here has seen, and galleries of hearts."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from srheart_demo.experiments.generators import ceiling_of
from srheart_demo.explorer.why import Direction, Watch, named_directions, principal_directions
from srheart_demo.frame import hr_affine, lattice_points
from srheart_demo.heart.anatomy import LV, MYO, RV
from srheart_demo.heart.generator import HeartGenerator
from srheart_demo.lessons.pictures import Labels, finish, grid, lengthwise, middle, scale_bar
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.evidence import whole_heart
from srheart_demo.scan.volume import LabelVolume


def septal_defect(S_HR: Labels, radius: float) -> Labels:
    """A heart (64, 128, 128) with a hole in the wall between its ventricles.

    Myocardium within `radius` mm of the middle of the wall becomes LV.
    """
    points = lattice_points(S_HR.shape)
    left, right = points[S_HR == LV].mean(0), points[S_HR == RV].mean(0)
    wall, towards = points[S_HR == MYO], (right - left) / np.linalg.norm(right - left)
    ahead = (wall - left) @ towards
    aside = np.linalg.norm(wall - left - ahead[:, None] * towards, axis=1)
    centre = wall[(aside < 4.0) & (ahead > 0)].mean(0)
    hole = (np.linalg.norm(points - centre, axis=-1) < radius) & (S_HR == MYO)
    return np.where(hole, np.uint8(LV), S_HR)


def seen_whole(labels: Labels) -> Tensor:
    """A heart on the HR grid as G's encoder takes it: class probabilities (1, 4, 32, 64, 64)."""
    return whole_heart(LabelVolume(labels, hr_affine()))


def best_code(G: HeartGenerator, labels: Labels) -> Tensor:
    """The code (1, M) whose heart is nearest to one on the HR grid: the best any solver can do."""
    return ceiling_of(G).best_code(seen_whole(labels))


def directions(G: HeartGenerator, n: int) -> list[Direction]:
    """The directions of z that change hearts most, each named by what it changes."""
    return named_directions(G, principal_directions(G, n), Watch())


def _gaussians() -> Cases:
    rng = torch.Generator().manual_seed(0)
    return {
        "three hearts of six latents": tuple(torch.randn(2, 3, 6, generator=rng)),
        "five hearts of four latents": tuple(torch.randn(2, 5, 4, generator=rng)),
    }


@exercise(_gaussians)
def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Exercise 1: KL(q ‖ N(0, I)) of diagonal Gaussians, nats."""
    return (mean**2 + log_variance.exp() - 1 - log_variance).sum(1) / 2


def _walks() -> Cases:
    rng = torch.Generator().manual_seed(1)
    z, vector = torch.randn(2, 1, 8, generator=rng), torch.randn(2, 8, generator=rng)
    vector = vector / vector.norm(dim=1, keepdim=True)
    return {"an amount of 2": (z[0], vector[0], 2.0), "an amount of −1": (z[1], vector[1], -1.0)}


@exercise(_walks)
def along(z: Tensor, vector: Tensor, amount: float) -> Tensor:
    """Exercise 2: z with its part along a unit direction replaced."""
    return z + (amount - z @ vector)[:, None] * vector


def _codes() -> Cases:
    rng = torch.Generator().manual_seed(2)
    return {
        "M = 100, a long z": (1.3 * torch.randn(1, 100, generator=rng),),
        "M = 64, a short z": (0.6 * torch.randn(1, 64, generator=rng),),
    }


@exercise(_codes)
def surprise(z: Tensor) -> float:
    """Exercise 3: how many standard deviations |z|² lies above what N(0, I) has."""
    return float((z.square().sum() - z.numel()) / (2 * z.numel()) ** 0.5)


def picture_hearts(
    rows: Mapping[str, Sequence[Labels]],
    captions: Mapping[str, Sequence[str]] | None = None,
    through: Sequence[int] | None = None,
) -> Figure:
    """Hearts (64, 128, 128) in rows: each cut along its length, and one slice; a bar is 50 mm.

    `captions` stand below each heart of a row; `through` are the slice and the row of the cut, by
    default those through the middle of each LV.
    """
    tiles = {
        title: [_tile(heart, *(middle(heart) if through is None else through)) for heart in hearts]
        for title, hearts in rows.items()
    }
    figure, axes = grid(tiles, captions=captions)
    scale_bar(axes[-1, 0])
    return finish(figure)


def _tile(heart: Labels, level: int, row: int, reach: int = 56) -> Labels:
    """A heart's cut along its length above one of its slices, `reach` pixels to either side."""
    near = slice(heart.shape[1] // 2 - reach, heart.shape[1] // 2 + reach)
    return np.concatenate([lengthwise(heart, row), heart[level, near]])[:, near]
