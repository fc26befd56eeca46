"""``srheart train``: a generator, or the baseline EDSR, from synthetic hearts."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srheart_demo.cli.errors import BadInput, writable
from srheart_demo.cli.options import option, positive, shared, weight, whole
from srheart_demo.cli.progress import ProgressLine

if TYPE_CHECKING:
    from srheart_demo import training

HELP = "train a network on synthetic hearts"
DESCRIPTION = (
    "Train a generator, or the baseline EDSR, on synthetic hearts. A stopped run goes on from the "
    "checkpoint in its folder. Writes NAME.safetensors (LEVEL.safetensors of an EDSR) and its card."
)
ONLY = {
    "beta": ("traits", "betavae"),
    "latent_size": ("traits", "betavae", "dcgan"),
    "motion": ("edsr",),
    "start": ("edsr",),
}
"""Options that not every network has."""
FIELDS = {"motion": "level"}
"""Options whose setting goes by another name."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Which network, and what of its recipe is changed."""
    add = partial(option, command)
    names = ("traits", "betavae", "dcgan", "edsr")
    what = "traits, the paper's betavae or dcgan, or the baseline edsr"
    add("generator NAME", what, usual="traits", nargs="?", choices=names)
    command.add_argument("--recipe", type=_gone, help=argparse.SUPPRESS)
    add("--hearts N", "synthetic hearts", positive)
    add("--steps N", "optimiser steps", positive)
    add("--beta", "how much q(z|x) is drawn to N(0, I)", weight)
    add("--latent-size M", "dimension of z", positive)
    what = "of the scans that edsr learns from (default: none)"
    add("--motion LEVEL", what, choices=("none", "normal", "severe"))
    add("--start FILE", "weights that edsr goes on from (default: fresh)")
    what = "compute in bfloat16: twice as fast where the processor has it"
    add("--bfloat16", what, default=None)
    add("--seed", "of hearts, initial weights and batches", whole)
    shared(command, "output")


def run(options: argparse.Namespace) -> None:
    """Train, or go on where a stopped run left off."""
    from srheart_demo import training

    settings = _settings(options)
    try:
        with writable(options.output, "the training cannot write"), ProgressLine() as progress:

            def show(state: training.TrainingProgress) -> None:
                detail = ", ".join(f"{name} {_short(loss)}" for name, loss in state.losses.items())
                progress.update(state.phase, state.done, state.total, detail)

            weights = training.train(settings, options.output, show)
    except ValueError as error:
        raise BadInput(f"{error}; give the same options, or another folder.") from error
    except KeyboardInterrupt:
        print(f"\nThe same command goes on from {options.output}.", file=sys.stderr)
        raise
    print(f"Wrote {weights} and its card.")


def _settings(options: argparse.Namespace) -> training.TrainingSettings:
    from dataclasses import replace

    from srheart_demo import training

    recipes: dict[str, Any] = {
        "traits": training.TraitsSettings(),
        "betavae": training.BetaVAESettings(),
        "dcgan": training.DCGANSettings(),
        "edsr": training.EDSRSettings(),
    }
    generator = options.generator
    for name, owners in ONLY.items():
        if getattr(options, name) is not None and generator not in owners:
            flag = name.replace("_", "-")
            raise BadInput(f"--{flag}: {generator} has no use for it; leave it out.")
    if options.start is not None and not Path(options.start).is_file():
        raise BadInput(f"--start: there is no file {options.start}; give weights of an edsr.")
    chosen = {
        FIELDS.get(name, name): getattr(options, name)
        for name in ("hearts", "steps", "beta", "bfloat16", "seed", "motion", "start")
        if getattr(options, name) is not None
    }
    settings = replace(recipes[generator], **chosen)
    if options.latent_size is None or isinstance(settings, training.EDSRSettings):
        return settings
    return replace(
        settings, architecture=replace(settings.architecture, latent_size=options.latent_size)
    )


def _gone(recipe: str) -> str:
    raise argparse.ArgumentTypeError(
        f"{recipe}: this option is gone; train betavae for the paper's recipe (it was plain), "
        "train traits for ours (it was recommended)"
    )


def _short(loss: float) -> str:
    return f"{loss:.0f}" if abs(loss) >= 100 else f"{loss:.2f}"
