"""Populations of hearts: a heart is a smooth function of T independent standard normals.

`TRAITS` says how healthy adults vary, a `Population` what differs from them. The numbers were
fitted to the published statistics that ``srheart population --check`` lists; no patient's data
enter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import softplus

from srheart_demo.frame import HALF_EXTENT
from srheart_demo.heart.phantom import HeartShape

RV_AZIMUTH = 290.0
"""Mean direction of the RV seen from the LV in the model's frame, degrees from H to W."""

LOWEST = 3.0 - HALF_EXTENT[0]
"""No heart reaches below this along D, mm: the apex stays in the box whatever the length."""

THINNED_WALL = 4.0
"""What the deepest regional thinning leaves of the wall, mm."""

THINNEST_WALL = 5.0
"""No ventricle's wall is thinner all round, mm; the lattice would not hold it closed."""

Numbers = float | list[float] | list[list[float]] | list[list[list[float]]]


@dataclass(frozen=True)
class Trait:
    """An independent Gaussian quantity: mean and SD, which broadcast to `shape`."""

    mean: Numbers
    sd: Numbers
    shape: tuple[int, ...] = ()


def _warp_spread(sd: float) -> list[list[list[float]]]:
    """SD of each weight of `HeartShape.warp`, mm."""
    orders = range(4)
    return [
        [[sd / (1 + i * i + j * j + k * k) if i + j + k else 0.0 for k in orders] for j in orders]
        for i in orders
    ]


TRAITS: dict[str, Trait] = {
    # Shared by several parameters; logarithms of factors. Filling stretches the cavities and thins
    # the wall; among healthy adults at end-diastole it does not vary.
    "size": Trait(-0.005, 0.076),
    "filling": Trait(0.0, 0.0),
    "common_wall": Trait(0.0, 0.015),
    # The left ventricle; logarithms.
    "length": Trait(4.509, 0.021),
    "radius": Trait(3.262, 0.058),
    "wall": Trait(2.106, 0.046),
    "apex_wall": Trait(1.859, 0.198),
    "endo_profile": Trait([0.036, -0.035, -0.018, 0.021, 0.008, -0.021], 0.036, (6,)),
    "epi_profile": Trait([-0.009, -0.014, -0.006, 0.005, 0.019, 0.004], 0.009, (6,)),
    "endo_harmonics": Trait(
        [
            [[-0.034, -0.039, -0.078, -0.073], [-0.023, 0.003, 0.029, -0.019]],
            [[-0.002, 0.032, -0.029, -0.013], [0.002, 0.008, 0.044, 0.014]],
        ],
        0.035,
        (2, 2, 4),
    ),
    "epi_harmonics": Trait(
        [
            [[-0.005, -0.014, 0.037, 0.019], [0.130, 0.056, 0.003, -0.004]],
            [[0.000, -0.004, -0.009, -0.001], [0.001, 0.005, 0.010, 0.010]],
            [[-0.002, -0.010, -0.019, -0.007], [-0.011, 0.003, 0.014, 0.008]],
        ],
        [[[0.018]], [[0.012]], [[0.011]]],
        (3, 2, 4),
    ),
    # mm; slopes.
    "bend": Trait(
        [[-4.6, 1.0], [3.3, 2.4], [0.7, -1.2]],
        [[3.96, 3.10], [1.10, 1.03], [0.62, 0.93]],
        (3, 2),
    ),
    "base_tilt": Trait([-0.074, 0.0], 0.032, (2,)),
    # The right ventricle: mm; slopes; logarithm of the width; degrees.
    "rv_along": Trait(0.0, 3.4),
    "rv_apex": Trait(-0.2, 2.1),
    "rv_base": Trait(-0.8, 0.43),
    "rv_base_tilt": Trait([-0.020, 0.098], 0.017, (2,)),
    "rv_width": Trait(3.557, 0.021),
    "rv_arc": Trait([51.8, 55.1, 71.0, 78.1], [2.57, 5.0, 1.69, 1.29], (4,)),
    "rv_arc_all": Trait(0.0, 5.0),
    "rv_centre": Trait([14.8, -3.5, -12.1, -9.0], 3.63, (4,)),
    "rv_centre_all": Trait(0.0, 6.5),
    "rv_power": Trait(-0.401, 0.239),
    "rv_skew": Trait(0.0, 0.087),
    "rv_modes": Trait(
        [
            [-0.115, -0.195, 0.092, 0.027],
            [-0.025, 0.160, 0.042, 0.015],
            [0.002, 0.039, 0.041, 0.020],
            [0.0] * 4,
            [0.0] * 4,
        ],
        [[0.16, 0.17, 0.05, 0.04]] * 3 + [[0.04, 0.04, 0.03, 0.03]] * 2,
        (5, 4),
    ),
    "rv_base_bend": Trait(0.0, 1.0, (3,)),
    # Where the labelling was cut flat above the LV's base, mm; seldom low enough to matter.
    "top": Trait(12.0, 3.0),
    # Irregularity, mm: falls with the square of the cosines' orders; no common shift.
    "warp": Trait(0.0, _warp_spread(0.3), (2, 4, 4, 4)),
    # Regional thinning: how deep, in which direction (u, v), at which level.
    "thinning": Trait(0.0, 0.0),
    "thinning_towards": Trait(0.0, 1.0, (2,)),
    "thinning_level": Trait(0.0, 1.0),
    # Place in the box: mm along D, u and v; degrees.
    "position": Trait([-2.0, 0.7, 0.4], [4.0, 3.0, 3.0], (3,)),
    "azimuth": Trait(5.0, 16.0),
}
"""How healthy adults vary; the order is the layout of epsilon."""

SEEDS = {
    "training": range(1_000_000),
    "validation": range(1_000_000, 2_000_000),
    "samples": range(2_000_000, 3_000_000),
    "evaluation": range(3_000_000, 4_000_000),
    "calibration": range(4_000_000, 5_000_000),
    "experiments": range(5_000_000, 6_000_000),
    "explorer": range(6_000_000, 7_000_000),
}
"""Whose hearts the seeds of `draw` are: none is another's."""

TRAITS_SIZE = sum(math.prod(trait.shape) for trait in TRAITS.values())
"""Number of standard normals that make a heart."""


@dataclass(frozen=True)
class Population:
    """How a population differs from healthy adults, men and women together, at end-diastole.

    Patients have the mean volumes of ACDC's; men and women differ as in published cohorts
    (Kawel 2012, Petersen 2017), but within the spread of the wall of healthy adults together.

    Attributes:
        shift: trait → what is added to its mean.
        spread: trait → its SD in place of the healthy one.
    """

    shift: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, Numbers] = field(default_factory=dict)


POPULATIONS: dict[str, Population] = {
    "healthy": Population(),
    "men": Population({"size": 0.045, "wall": 0.04}, {"size": 0.061, "wall": 0.023}),
    "women": Population({"size": -0.045, "wall": -0.04}, {"size": 0.061, "wall": 0.023}),
    "dilated": Population(
        {"filling": 0.289, "length": -0.06, "wall": 0.125, "rv_width": -0.291},
        {"filling": 0.07, "rv_width": 0.08},
    ),
    "hypertrophic": Population(
        {"filling": -0.066, "wall": 0.275, "rv_width": -0.342},
        {"filling": 0.06, "wall": 0.12, "rv_width": 0.06},
    ),
    "infarct": Population(
        {"filling": 0.06, "length": -0.02, "wall": -0.04, "rv_width": -0.366, "thinning": 1.0},
        {"filling": 0.08, "rv_width": 0.06, "thinning": 0.25},
    ),
    "rv_overload": Population(
        {"filling": -0.146, "wall": -0.37, "rv_width": 0.273}, {"filling": 0.08, "rv_width": 0.08}
    ),
    "end_systole": Population(
        {"filling": -0.445, "wall": 0.03, "rv_width": -0.365}, {"filling": 0.07, "rv_width": 0.06}
    ),
    # Holds all of the above; the generator learns this one.
    "everyone": Population(
        {"filling": -0.09, "wall": -0.06, "rv_width": -0.19, "thinning": 0.2, "top": -2.0},
        {
            "filling": 0.24,
            "wall": 0.25,
            "rv_width": 0.22,
            "thinning": 0.3,
            "base_tilt": 0.04,
            "rv_base": 2.5,
            "rv_base_tilt": 0.06,
            "rv_base_bend": 2.0,
            "top": 5.0,
            "rv_arc": 4.0,
            "rv_skew": 0.15,
            "rv_modes": [[0.14, 0.14, 0.1, 0.1]] * 3 + [[0.06] * 4] * 2,
            "warp": _warp_spread(1.0),
        },
    ),
}

VOLUME_RANGES = {"LV": (17.0, 729.0), "MYO": (38.0, 327.0), "RV": (26.0, 513.0)}
"""0.1 to 99.9 percentiles of the volumes of 10,000 draws of `everyone`, ml, on the lattice.

``srheart population --check --population everyone --hearts 10000`` prints them anew."""


def shapes(epsilon: Tensor, population: str = "healthy") -> HeartShape:
    """The hearts of standard normals; smooth, and laid out alike for all populations.

    Args:
        epsilon: (N, T) standard normals.
        population: one of `POPULATIONS`.

    Raises:
        KeyError: an unknown population, with the known ones.
    """
    if population not in POPULATIONS:
        raise KeyError(f"unknown population {population!r}; known: {', '.join(POPULATIONS)}")
    t = _traits(epsilon, POPULATIONS[population])
    length = torch.exp(t["length"] + t["size"] + 0.4 * t["filling"])
    radius = torch.exp(t["radius"] + t["size"] + t["filling"])
    thickness = torch.exp(0.6 * t["size"] - 0.7 * t["filling"] + t["common_wall"])
    wall = _softly_above(THINNEST_WALL, torch.exp(t["wall"]) * thickness, 0.5)
    apex_wall = torch.exp(t["apex_wall"]) * thickness
    # A wider arc comes with a flatter crescent; else the volume would vary too much.
    flattening = -0.012 * t["rv_arc_all"]
    rv_width = torch.exp(t["rv_width"] + t["size"] + 0.4 * t["filling"] + flattening)

    thinner_profile, thinner_harmonics = _thinning(t, radius, wall)
    endo_harmonics = t["endo_harmonics"]
    following = torch.cat([torch.zeros_like(endo_harmonics[:, :1]), endo_harmonics], dim=1)
    # In a thick wall the septum is thicker still.
    septum = torch.zeros_like(following)
    septum[:, 0, 0] = 0.12 * torch.log(wall / 8.0)[:, None]

    azimuth = torch.deg2rad(RV_AZIMUTH + t["azimuth"])
    cos, sin = azimuth.cos(), azimuth.sin()
    along_d, along_u, along_v = t["position"].unbind(1)
    along_u = along_u - 0.5 * rv_width
    return HeartShape(
        apex=_softly_above(LOWEST + apex_wall, along_d + (apex_wall - length) / 2, 1.0),
        length=length,
        centre=torch.stack([cos * along_u - sin * along_v, sin * along_u + cos * along_v], dim=1),
        azimuth=azimuth,
        bend=t["bend"],
        radius=radius,
        wall=wall,
        apex_wall=apex_wall,
        endo_profile=t["endo_profile"],
        epi_profile=0.75 * t["endo_profile"] + t["epi_profile"] + thinner_profile,
        endo_harmonics=endo_harmonics,
        epi_harmonics=0.75 * following + t["epi_harmonics"] + septum + thinner_harmonics,
        base_tilt=t["base_tilt"],
        # An RV that reached around the LV's apex would part there.
        rv_apex=_softly_above(2.0 - apex_wall, t["rv_apex"] + t["rv_along"], 1.5),
        rv_base=t["rv_base"] + t["rv_along"],
        rv_base_tilt=t["rv_base_tilt"],
        rv_width=rv_width,
        rv_arc=torch.deg2rad(t["rv_arc"] + t["rv_arc_all"][:, None]),
        rv_centre=torch.deg2rad(t["rv_centre"] + t["rv_centre_all"][:, None]),
        rv_power=0.5 + 0.5 * torch.sigmoid(t["rv_power"]),
        rv_skew=t["rv_skew"],
        rv_modes=t["rv_modes"],
        rv_base_bend=t["rv_base_bend"],
        top=t["top"],
        warp=t["warp"],
    )


def draw(n: int, seed: int, population: str = "healthy") -> HeartShape:
    """Draw `n` hearts; the same seed gives the same hearts.

    Raises:
        KeyError: an unknown population, with the known ones.
    """
    generator = torch.Generator().manual_seed(seed)
    return shapes(torch.randn(n, TRAITS_SIZE, generator=generator), population)


def _traits(epsilon: Tensor, population: Population) -> dict[str, Tensor]:
    """Trait → (N, *shape): its mean + SD × its slice of epsilon."""
    sizes = [math.prod(trait.shape) for trait in TRAITS.values()]
    traits = {}
    for (name, trait), part in zip(TRAITS.items(), epsilon.split(sizes, dim=1), strict=True):
        mean = epsilon.new_tensor(trait.mean) + population.shift.get(name, 0.0)
        sd = epsilon.new_tensor(population.spread.get(name, trait.sd))
        traits[name] = mean + sd * part.reshape(-1, *trait.shape)
    return traits


def _softly_above(floor: float | Tensor, values: Tensor, width: float) -> Tensor:
    """`values`, bent within about `width` of `floor` so that none lies below it."""
    return floor + width * softplus((values - floor) / width)


BUMP = (0.3085, 0.4311, 0.1857, 0.0575)
"""Fourier coefficients 0 to 3 of exp(2 cos θ − 2): a bump some 50° wide to either side."""


def _thinning(t: Mapping[str, Tensor], radius: Tensor, wall: Tensor) -> tuple[Tensor, Tensor]:
    """Change of the log-radius of the epicardium that thins one sector of the wall.

    Returns:
        (N, 6) for the profile, (N, 3, 2, 4) for the harmonics.
    """
    spare = softplus(wall - THINNED_WALL)
    depth = torch.log1p(-torch.tanh(t["thinning"]) * spare / (radius + wall))
    level = 0.5 + 0.25 * torch.tanh(t["thinning_level"])

    def along_axis(knots: int) -> Tensor:
        s = torch.linspace(0, 1, knots, dtype=level.dtype)
        return depth[:, None] * torch.exp(-(((s - level[:, None]) / 0.3) ** 2))

    towards = t["thinning_towards"]
    wave = first = torch.view_as_complex(
        towards / (towards.square().sum(1, keepdim=True) + 0.1).sqrt()
    )
    harmonics = []
    for weight in BUMP[1:]:
        harmonics.append(weight * torch.view_as_real(wave))
        wave = wave * first
    return BUMP[0] * along_axis(6), torch.stack(harmonics, 1)[..., None] * along_axis(4)[
        :, None, None
    ]
