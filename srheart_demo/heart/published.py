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
"""Healthy adults at end-diastole, by the names of `benchmarks.shape`."""
VOLUMES_ACDC = {name: tuple(volumes) for name, volumes in _FIGURES["acdc"].items()}
"""Mean LV, MYO and RV volumes, ml, of patients in ACDC."""
