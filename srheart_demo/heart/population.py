"""Populations of hearts: a heart is a smooth function of T independent standard normals.

`TRAITS` says how healthy adults vary, a `Population` what differs from them. The numbers, in
population.toml, were fitted to the published statistics that ``benchmarks.population`` lists;
no patient's data enter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import softplus

from srheart_demo.files import read_toml
from srheart_demo.frame import HALF_EXTENT
from srheart_demo.heart.phantom import HeartShape

RV_AZIMUTH = 290.0
"""Mean direction of the RV seen from the LV in the model's frame, degrees from H to W."""
LOWEST = 3.0 - HALF_EXTENT[0]
"""No heart reaches below this along D, mm: the apex stays in the box whatever the length."""
THINNED_WALL = 4.0  # What the deepest regional thinning leaves of the wall, mm
THINNEST_WALL = 5.0
"""No ventricle's wall is thinner all round, mm; the lattice would not hold it closed."""

Numbers = float | list[float] | list[list[float]] | list[list[list[float]]]


@dataclass(frozen=True)
class Trait:
    """An independent Gaussian quantity: mean and SD, which broadcast to `shape`."""

    mean: Numbers
    sd: Numbers
    shape: tuple[int, ...] = ()


_NUMBERS = read_toml(__file__, "population.toml")


def _spread_of(name: str, sd: Numbers) -> Numbers:
    """A trait's SD; that of `HeartShape.warp` falls with the square of the cosines' orders."""
    if name != "warp" or not isinstance(sd, float):
        return sd
    n = range(4)
    return [[[sd / (1 + i * i + j * j + k * k) * (i + j + k > 0) for k in n] for j in n] for i in n]


TRAITS = {
    name: Trait(trait["mean"], _spread_of(name, trait["sd"]), tuple(trait.get("shape", ())))
    for name, trait in _NUMBERS["traits"].items()
}
"""How healthy adults vary; the order is the layout of epsilon."""

SEEDS = {whose: range(*ends) for whose, ends in _NUMBERS["seeds"].items()}
"""Whose hearts the seeds of `draw` are: none is another's."""

TRAITS_SIZE = sum(math.prod(trait.shape) for trait in TRAITS.values())
"""Number of standard normals that make a heart."""


@dataclass(frozen=True)
class Population:
    """How a population differs from healthy adults, men and women together, at end-diastole."""

    shift: Mapping[str, float]  # trait → what is added to its mean
    spread: Mapping[str, Numbers]  # trait → its SD in place of the healthy one


POPULATIONS = {
    name: Population(
        own.get("shift", {}), {t: _spread_of(t, sd) for t, sd in own.get("spread", {}).items()}
    )
    for name, own in _NUMBERS["populations"].items()
}

VOLUME_RANGES = {tissue: (low, high) for tissue, (low, high) in _NUMBERS["volumes"].items()}
"""Least and greatest volume of a tissue, ml, by all that can be drawn."""


def shapes(epsilon: Tensor, population: str = "healthy") -> HeartShape:
    """The hearts of standard normals (N, T); smooth, and laid out alike for all populations."""
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
    first = torch.zeros_like(t["endo_harmonics"][:, :1])
    following = torch.cat([first, t["endo_harmonics"]], dim=1)
    # In a thick wall the septum is thicker still.
    septum = torch.zeros_like(following)
    septum[:, 0, 0] = 0.12 * torch.log(wall / 8.0)[:, None]

    azimuth = torch.deg2rad(RV_AZIMUTH + t["azimuth"])
    cos, sin = azimuth.cos(), azimuth.sin()
    along_d, along_u, along_v = t["position"].unbind(1)
    along_u = along_u - 0.5 * rv_width
    made = {
        "apex": _softly_above(LOWEST + apex_wall, along_d + (apex_wall - length) / 2, 1.0),
        "length": length,
        "centre": torch.stack([cos * along_u - sin * along_v, sin * along_u + cos * along_v], 1),
        "azimuth": azimuth,
        "radius": radius,
        "wall": wall,
        "apex_wall": apex_wall,
        "epi_profile": 0.75 * t["endo_profile"] + t["epi_profile"] + thinner_profile,
        "epi_harmonics": 0.75 * following + t["epi_harmonics"] + septum + thinner_harmonics,
        # An RV that reached around the LV's apex would part there.
        "rv_apex": _softly_above(2.0 - apex_wall, t["rv_apex"] + t["rv_along"], 1.5),
        "rv_base": t["rv_base"] + t["rv_along"],
        "rv_width": rv_width,
        "rv_arc": torch.deg2rad(t["rv_arc"] + t["rv_arc_all"][:, None]),
        "rv_centre": torch.deg2rad(t["rv_centre"] + t["rv_centre_all"][:, None]),
        "rv_power": 0.5 + 0.5 * torch.sigmoid(t["rv_power"]),
    }
    # The others are traits as they are.
    own = t | made
    return HeartShape(**{each.name: own[each.name] for each in fields(HeartShape)})


def draw(n: int, seed: int, population: str = "healthy") -> HeartShape:
    """Draw `n` hearts; the same seed gives the same hearts."""
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
    """What thins one sector of the wall: change of the log-radius of the epicardium's profile,
    (N, 6), and harmonics, (N, 3, 2, 4)."""
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
    around = torch.stack(harmonics, 1)[..., None]
    return BUMP[0] * along_axis(6), around * along_axis(4)[:, None, None]
