"""Published statistics of real hearts, that synthetic ones are held against.

No patient's data: these are figures of means and spreads, in published.toml with their sources.
"""

from typing import NamedTuple

from srheart_demo.files import read_toml


class MeanSD(NamedTuple):
    """Mean and SD over hearts."""

    mean: float
    sd: float


_FIGURES = read_toml(__file__, "published.toml")
HEALTHY = {name: MeanSD(*figure) for name, figure in _FIGURES["healthy"].items()}
"""Healthy adults at end-diastole, by the names of `anatomy.statistics`."""
VOLUMES_ACDC = {name: tuple(volumes) for name, volumes in _FIGURES["acdc"].items()}
"""Mean LV, MYO and RV volumes, ml, of patients in ACDC."""

MEAN_TOLERANCE = 1 / 3  # How far a mean may lie from the published one, in published SDs
SD_TOLERANCE = 0.3  # How far an SD may lie from the published one, as a share of it


def outside(drawn: MeanSD, target: MeanSD) -> list[str]:
    """Which of ``mean`` and ``SD`` lie outside their tolerance."""
    off = {
        "mean": abs(drawn.mean - target.mean) > MEAN_TOLERANCE * target.sd,
        "SD": abs(drawn.sd / target.sd - 1) > SD_TOLERANCE,
    }
    return [name for name, is_off in off.items() if is_off]
