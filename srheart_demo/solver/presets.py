"""Named settings of Algorithm 1, each with its source."""

from dataclasses import replace

from srheart_demo.frame import HALF_EXTENT
from srheart_demo.solver.settings import Settings

_HALF_BOX = HALF_EXTENT[1]
"""The public code measures d in halves of the box; here in mm."""

PAPER = Settings(
    name="PAPER",
    lr_z=1e-4,
    lr_d=1e-4 * _HALF_BOX,
    iterations=500,
    stop_change=0.05,
)
"""As printed (section 2.3): Adam at 1e-4 from z = d = 0, both updated at once, stopped when the
mean relative change of the loss falls below 5 %. It stops far from a solution."""

REFERENCE = Settings(
    name="REFERENCE",
    lr_z=0.2,
    lr_d=0.1 * _HALF_BOX,
    alternate=True,
    halve_every=100,
    iterations=500,
)
"""As the authors' public code does: d, then z, at 0.1 and 0.2, halved every 100, 500 times."""

RECOMMENDED = Settings(
    name="RECOMMENDED",
    solver="lbfgs",
    lr_z=1.0,
    lr_d=0.5,
    iterations=120,
    stop_dice=0.002,
    stop_mm=0.1,
    stop_window=5,
    prior=True,
    motion_mm=2.0,
    search_at=(0,),
    search_last=True,
    start="encoder",
    residual=True,
)
"""The best answer that we know: maximum a posteriori by L-BFGS, with a global search of every
shift, and what the slices show beyond the generator."""

INTERACTIVE = replace(
    RECOMMENDED,
    name="INTERACTIVE",
    iterations=12,
    thinned=True,
    stop_dice=0.005,
    stop_mm=0.2,
    stop_window=3,
    search_last=False,
)
"""RECOMMENDED cut short and from fewer voxels, to solve again while a slider moves."""

PRESETS = {settings.name: settings for settings in (PAPER, REFERENCE, RECOMMENDED, INTERACTIVE)}


def title(settings: Settings) -> str:
    """What a run with these settings is called: the preset's name, or that it was changed.

    γ changes no name: it is a weight of the data, and told beside it.
    """
    known = PRESETS.get(settings.name)
    if known is None or replace(settings, gamma=known.gamma) == known:
        return settings.name
    return f"{settings.name}, changed"


def preset(name: str) -> Settings:
    """A preset by its name, in any case.

    Raises:
        KeyError: an unknown name, with the known ones.
    """
    if name.upper() not in PRESETS:
        raise KeyError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name.upper()]
