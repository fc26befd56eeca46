"""How Algorithm 1 is run, and the named ways to run it, each with its source."""

import math
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from srheart_demo.frame import HALF_EXTENT

FARTHEST_REACH = 2 * HALF_EXTENT[1]
"""No slice is sought farther off, mm, than the HR box is wide; the search tries all between."""


@dataclass(frozen=True)
class Settings:
    """How Algorithm 1 is run. The presets (`PRESETS`) are instances of this.

    >>> from dataclasses import replace
    >>> sr.PAPER.lr_z, sr.REFERENCE.alternate, sr.RECOMMENDED.solver, sr.INTERACTIVE.iterations
    (0.0001, True, 'lbfgs', 10)
    >>> replace(sr.RECOMMENDED, gamma=3.0).gamma
    3.0

    Attributes:
        name: for display.
        gamma: γ of Eq. 5; without an LA view it acts on nothing. With 0 views are not heeded.
        solver: one of `solvers.SOLVERS`.
        lr_z, lr_d: Adam's learning rates, in units of z and in mm. L-BFGS measures z and d in
            steps of equal curvature (`curvature.units`), times lr_z and lr_d.
        alternate: (Adam) update d, look again, then update z, instead of both from one gradient.
        halve_every: (Adam) iterations after which both learning rates are halved; 0 for never.
        iterations: at most so many.
        stop_change: stop when the mean relative change of the objective over the last
            `stop_window` iterations is smaller (the paper's rule); 0 for never.
        stop_dice, stop_mm: stop when over `stop_window` iterations nothing changed that could be
            seen: on the slices' planes the mean Dice of G(z) with what it was stays above
            1 − `stop_dice`, and no slice moved by more than `stop_mm`; 0 for never.
        prior: add the negative log-priors of z and d (maximum a posteriori); without, the
            objective is L alone (maximum likelihood, the paper's).
        prior_of: with `prior`, which of them have one: "z", "d" or both, "zd".
        thinned: take L_SA from fewer voxels that say as much (`fast.thin`), not from all.
        patch_mm2: area in a slice that counts as one independent observation, mm². Neighbouring
            voxels err together, so the prior is weighed against patches, not voxels; see
            ``docs/decisions.md``.
        motion_mm: motion below which the prior on d hardly grows, mm.
        astray: (with a prior on d) share of breath-holds that went astray, whose displacement says
            nothing of the others'; see `motion_prior`.
        moving_views: each long-axis view has a displacement of its own, sought with the slices'.
            Without, it lies where its file says, as in the paper.
        search_at: iterations before which every slice's shift is searched globally.
        search_last: search once more where the run would stop, and go on from there if that lowers
            the objective.
        views_search_at: where long-axis views move, further iterations before which all shifts are
            searched.
        far_iterations: at most so many, if those are more, where long-axis views move, or where z
            is to start with an encoder and none tells where.
        reach: largest shift that the search considers, mm.
        search_mm: of pixels that lie nearer, mm, the search of slices looks at some.
        search_sd: with `prior`, standard deviation of each component of d in that search, mm;
            that of severe motion.
        start: where z starts: "zero" as in the paper; "random" from N(0, I); "encoder" from the
            encoder's guess, or at zero where G has none that knows scans, or no slice is near the
            base.
        seed: of a random start.
        residual: the answer is G(z) and what slices and views show beyond it (`answer`), not G(z)
            alone.
        muscle_sd: (of a cine, with `prior`) standard deviation of the log of the myocardium's
            volume from frame to frame; 0 lets it vary. Muscle is nearly incompressible.
    """

    name: str = "custom"
    gamma: float = 1.0
    solver: str = "adam"
    lr_z: float = 0.1
    lr_d: float = 0.3
    alternate: bool = False
    halve_every: int = 0
    iterations: int = 200
    stop_change: float = 0.0
    stop_dice: float = 0.0
    stop_mm: float = 0.0
    stop_window: int = 10
    prior: bool = False
    prior_of: str = "zd"
    thinned: bool = False
    patch_mm2: float = 100.0
    motion_mm: float = 1.0
    astray: float = 0.0
    moving_views: bool = False
    search_at: tuple[int, ...] = ()
    search_last: bool = False
    views_search_at: tuple[int, ...] = ()
    far_iterations: int = 0
    reach: float = 20.0
    search_mm: float = 0.0
    search_sd: float = 7.0
    start: str = "zero"
    seed: int = 0
    residual: bool = False
    muscle_sd: float = 0.0

    def __post_init__(self) -> None:
        if self.prior_of not in ("", "z", "d", "zd"):
            raise ValueError(f"settings {self.name}: prior_of is {self.prior_of!r}, not z, d or zd")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            kind = "whole number" if isinstance(least, int) else "number"
            if name == "reach" and value > FARTHEST_REACH:
                raise ValueError(
                    f"settings {self.name}: reach is {value!r}, above {FARTHEST_REACH:g} mm"
                )
            if not least <= value < math.inf or (kind != "number" and value != int(value)):
                said = f"{name} is {value!r}, but must be a {kind}, {least:g} or more"
                raise ValueError(f"settings {self.name}: {said}")

    @property
    def seeks_views(self) -> bool:
        """Whether views' own displacements are sought: without weight a view tells of none."""
        return self.moving_views and self.gamma > 0

    def searches(self, views: int) -> tuple[int, ...]:
        """Iterations before which all shifts are searched with so many long-axis views."""
        moving = views and self.seeks_views
        return (*self.search_at, *self.views_search_at) if moving else self.search_at


_LEAST: dict[str, float] = {
    **dict.fromkeys(("gamma", "lr_z", "lr_d", "stop_change", "stop_dice", "stop_mm"), 0.0),
    **dict.fromkeys(("astray", "muscle_sd", "reach", "search_mm"), 0.0),
    **dict.fromkeys(("patch_mm2", "motion_mm", "search_sd"), 1e-6),
    **dict.fromkeys(("iterations", "far_iterations", "halve_every"), 0),
    "stop_window": 1,
}
"""The least value of each number; whole numbers have a whole one."""

_HALF_BOX = HALF_EXTENT[1]  # The public code measures d in halves of the box; here in mm

PAPER = Settings(name="PAPER", lr_z=1e-4, lr_d=1e-4 * _HALF_BOX, iterations=500, stop_change=0.05)
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
    lr_d=1.0,
    iterations=120,
    stop_dice=0.004,
    stop_mm=0.3,
    stop_window=4,
    prior=True,
    thinned=True,
    motion_mm=2.0,
    astray=0.02,
    moving_views=True,
    search_at=(0,),
    search_last=True,
    start="encoder",
    residual=True,
    muscle_sd=0.02,
)
"""The best answer that we know: maximum a posteriori by L-BFGS, with a global search of every
shift, and what the slices show beyond the generator."""

INTERACTIVE = replace(
    RECOMMENDED,
    name="INTERACTIVE",
    iterations=10,
    stop_dice=0.03,
    stop_mm=2.0,
    stop_window=3,
    search_last=False,
    search_mm=2.5,
    views_search_at=(6,),
    far_iterations=30,
)
"""RECOMMENDED cut short, to solve again while a slider moves.

A first heart, of the encoder, leans as its displaced slices do, and the views are sought by it; so
with views all are sought again by a better heart. See ``docs/decisions.md``."""

PRESETS = {settings.name: settings for settings in (PAPER, REFERENCE, RECOMMENDED, INTERACTIVE)}
PAPERS_SYSTEM = "REFERENCE", "betavae"  # The paper's own system: settings and generator

_TAKEN = {
    "prior on d": "prior_of motion_mm astray moving_views muscle_sd",
    "L-BFGS": "solver lr_z lr_d alternate halve_every iterations stop_dice stop_mm stop_window"
    " thinned",
    "search": "search_at search_last",
    "start": "start",
    "residual": "residual",
}
"""What each further step takes from RECOMMENDED."""


def _taken(before: Settings, step: tuple[str, str]) -> Settings:
    name, fields = step
    taken: dict[str, Any] = {field: getattr(RECOMMENDED, field) for field in fields.split()}
    return replace(before, name=f"+ {name}", **taken)


_WITH_PRIOR = replace(REFERENCE, name="+ prior on z", prior=True, prior_of="z")
STEPS: tuple[Settings, ...] = (REFERENCE, *accumulate(_TAKEN.items(), _taken, initial=_WITH_PRIOR))
"""From REFERENCE to RECOMMENDED: each does as the one before it, and what its name adds."""


def title(settings: Settings) -> str:
    """What a run with these settings is called: the preset's name, or that it was changed.

    γ changes no name: it is a weight of the data, and told beside it.
    """
    known = PRESETS.get(settings.name)
    if known is None or replace(settings, gamma=known.gamma) == known:
        return settings.name
    return f"{settings.name}, changed"


def preset(name: str) -> Settings:
    """A preset by its name, in any case."""
    if name.upper() not in PRESETS:
        raise KeyError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name.upper()]
