"""Methods by name. Two latent optimisations stand beside each other: the paper's, and ours.

The paper's is the public code's schedule on the paper's generator: maximum likelihood from
z = d = 0, with no search, no prior and no residual. Ours is `RECOMMENDED` on our generator.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from srheart_demo.experiments.restoration import LatentOptimisation, Method, interpolated
from srheart_demo.files import fingerprint
from srheart_demo.heart.generator import OURS, weights_file
from srheart_demo.solver.baselines import BASELINES, edsr
from srheart_demo.solver.settings import INTERACTIVE, PAPER, RECOMMENDED, REFERENCE, STEPS

LO_OURS, LO_PAPER = "LO (ours)", "LO (paper)"
LO_PRINTED = "LO (paper, as printed)"
VIEWS_OURS, VIEWS_PAPER = "LO-multi-view (ours)", "LO-multi-view (paper)"
FORMER = {"LO": LO_OURS, "LO-multi-view": VIEWS_OURS}
"""Names that results of earlier versions have → today's."""
PAPERS = "betavae"  # The paper's generator; ours is `OURS`

SWEEP = {0.0: LO_OURS} | {
    gamma: VIEWS_OURS if gamma == RECOMMENDED.gamma else f"LO-multi-view (ours, γ = {gamma:g})"
    for gamma in (0.1, 0.3, 1.0, 3.0, 10.0)
}
"""γ of Eq. 5 → method; without weight the view is not seen."""

LADDER: dict[str, Method] = {
    LO_PAPER: LatentOptimisation(REFERENCE, generator=PAPERS),
    "+ our generator": LatentOptimisation(REFERENCE, generator=OURS),
    **{step.name: LatentOptimisation(step, generator=OURS) for step in STEPS[1:]},
    "+ LA view": LatentOptimisation(RECOMMENDED, True, OURS),
}
"""From the paper's method to ours: each does as the one before it, and what its name adds."""

_HELD = {"no prior": "", "prior on z": "z", "prior on d": "d", "both priors": "zd"}
CROSSED: dict[str, Method] = {
    f"{generator}, {held}": LatentOptimisation(
        replace(STEPS[2], prior=bool(of), prior_of=of), generator=generator
    )
    for generator in (PAPERS, OURS)
    for held, of in _HELD.items()
}
"""The public code's schedule on either generator, with priors of z and of d."""

_OTHERWISE: dict[str, dict[str, Any]] = {
    "d held at 0": {"lr_d": 0.0},
    "d ten times slower": {"lr_d": REFERENCE.lr_d / 10},
    "50 iterations": {"iterations": 50},
}
OTHERWISE: dict[str, Method] = {
    **{
        f"{PAPERS}, {name}": LatentOptimisation(replace(REFERENCE, **change), generator=PAPERS)
        for name, change in _OTHERWISE.items()
    },
    LO_PRINTED: LatentOptimisation(PAPER, generator=PAPERS),
}
"""Other ways to read the paper: its demonstration never moves d, and as printed it stops early."""

METHODS: dict[str, Method] = {
    **{name: partial(interpolated, name) for name in BASELINES},
    LO_OURS: LatentOptimisation(RECOMMENDED, generator=OURS),
    "LO (INTERACTIVE)": LatentOptimisation(INTERACTIVE, generator=OURS),
    **{
        name: LatentOptimisation(replace(RECOMMENDED, gamma=gamma), True, OURS)
        for gamma, name in SWEEP.items()
        if gamma
    },
    VIEWS_PAPER: LatentOptimisation(REFERENCE, True, PAPERS),
    **LADDER,
    **CROSSED,
    **OTHERWISE,
}


def method(name: str, level: str) -> Method:
    """A method by its name; "EDSR" is the one that was trained on this level of motion.

    Raises:
        KeyError: an unknown name, with the known ones.
    """
    full = _full_name(name, level)
    if full in FORMER:
        raise KeyError(f"{name!r} is now called {FORMER[full]!r}")
    if full not in METHODS:
        raise KeyError(f"unknown method {name!r}; known: {', '.join(METHODS)}")
    return METHODS[full]


def _full_name(name: str, level: str) -> str:
    return f"EDSR ({level})" if name == "EDSR" else name


def weights_in_use(names: Iterable[str], levels: Iterable[str]) -> dict[str, str]:
    """Fingerprints of the weights that methods of these names use at these levels."""
    files: dict[str, Path] = {}
    for name in (_full_name(name, level) for name in names for level in levels):
        used = METHODS.get(name)
        if isinstance(used, LatentOptimisation):
            files[used.generator] = weights_file(used.generator)
        elif name.startswith("EDSR"):
            files[name] = Path(str(edsr.EDSR_WEIGHTS)) / f"{name[6:-1]}.safetensors"
    return {name: fingerprint(path) for name, path in files.items() if path.exists()}
