"""Populations of hearts: drawing shape parameters, apart from building hearts from them.

Means and spreads follow the population statistics of a healthy adult cohort and the spreads of
parametric fits; ``docs/decisions.md`` lists them. No patient's data enter.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from srheart_demo.phantom import HeartShape

RV_AZIMUTH = np.deg2rad(292.0)
"""Mean direction of the RV seen from the LV in the model's frame, from H to W."""


@dataclass(frozen=True)
class Population:
    """How a population differs from healthy adults at end-diastole.

    Attributes:
        length, radius, wall, rv_width: factors on the healthy means.
        spread: log-SD added to each of those factors.
    """

    length: float = 1.0
    radius: float = 1.0
    wall: float = 1.0
    rv_width: float = 1.0
    spread: float = 0.0


POPULATIONS = {
    "healthy": Population(),
    "dilated": Population(length=1.1, radius=1.25, wall=0.95, spread=0.08),
    "hypertrophic": Population(radius=0.92, wall=1.6, rv_width=0.95, spread=0.1),
    "rv_overload": Population(length=0.97, radius=0.85, rv_width=1.25, spread=0.08),
    "end_systole": Population(length=0.85, radius=0.72, wall=1.4, rv_width=0.75, spread=0.1),
}


def draw(n: int, seed: int, population: str = "healthy") -> HeartShape:
    """Draw `n` hearts; the same seed gives the same hearts.

    Raises:
        KeyError: an unknown population, with the known ones.
    """
    if population not in POPULATIONS:
        raise KeyError(f"unknown population {population!r}; known: {', '.join(POPULATIONS)}")
    group = POPULATIONS[population]
    rng = np.random.default_rng(seed)

    def normal(mean: object, sd: object, *shape: int) -> np.ndarray:
        return rng.normal(np.asarray(mean, float), np.asarray(sd, float), (n, *shape))

    def factor(mean: float) -> np.ndarray:
        return mean * np.exp(rng.normal(0, 1, n) * group.spread)

    size = np.exp(normal(-0.015, 0.08))
    length = 93 * size * np.exp(normal(0, 0.05)) * factor(group.length)
    radius = 26.6 * size * np.exp(normal(0, 0.035)) * factor(group.radius)
    thickness = size**0.6 * np.exp(normal(0, 0.10)) * factor(group.wall)
    wall = 8.3 * thickness
    apex_wall = 6.8 * thickness * np.exp(normal(0, 0.25))

    bend = np.stack(
        [
            normal([-4.5, -1.0], [4.0, 3.5], 2),
            normal([3.1, 2.9], [1.2, 1.2], 2),
            normal([1.4, -1.3], [0.7, 1.0], 2),
        ],
        axis=1,
    )
    endo_harmonics = normal(0, 0.022, 2, 2, 4)
    endo_harmonics[:, 0, 0] += np.array([-0.02, -0.06, -0.10, -0.09])
    epi_harmonics = normal(0, 0.016, 3, 2, 4)
    epi_harmonics[:, 1] += 0.75 * endo_harmonics[:, 0]
    epi_harmonics[:, 2] += 0.75 * endo_harmonics[:, 1]
    epi_harmonics[:, 0, 1] += np.array([0.14, 0.05, 0.01, 0.0])
    endo_profile = normal(0, 0.035, 6)

    rv_width = 37.5 * size * np.exp(normal(0, 0.06)) * factor(group.rv_width)
    rv_arc = np.deg2rad(normal([50, 60, 69, 74], 3.5, 4) + normal(0, 3.0)[:, None])
    rv_centre = np.deg2rad(normal([18, 4, -8, -16], 4.0, 4) + normal(0, 4.0)[:, None])
    rv_modes = normal(0, 0.07, 3, 4)

    heart_length = length + apex_wall
    apex = -heart_length / 2 + apex_wall + normal(0, 4.0)
    azimuth = RV_AZIMUTH + np.deg2rad(normal(0, 18))
    # The box is centred on the whole heart, so the LV lies away from the RV.
    towards_rv = np.stack([np.cos(azimuth), np.sin(azimuth)], axis=-1)
    centre = -0.5 * rv_width[:, None] * towards_rv + normal(0, 3.0, 2)

    parameters = {
        "apex": apex,
        "length": length,
        "centre": centre,
        "azimuth": azimuth,
        "bend": bend,
        "radius": radius,
        "wall": wall,
        "apex_wall": apex_wall,
        "endo_profile": endo_profile,
        "epi_profile": 0.75 * endo_profile + normal(0, 0.015, 6),
        "endo_harmonics": endo_harmonics,
        "epi_harmonics": epi_harmonics,
        "base_tilt": normal([-0.05, 0.0], [0.05, 0.05], 2),
        "rv_apex": normal(1.4, 3.3),
        "rv_base": normal(0.5, 3.0),
        "rv_base_tilt": normal([0.0, 0.0], [0.06, 0.06], 2),
        "rv_width": rv_width,
        "rv_arc": rv_arc,
        "rv_centre": rv_centre,
        "rv_power": np.clip(normal(0.72, 0.08), 0.5, 1.0),
        "rv_skew": normal(0.0, 0.12),
        "rv_modes": rv_modes,
    }
    return HeartShape(**{name: _tensor(value) for name, value in parameters.items()})


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
