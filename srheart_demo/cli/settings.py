"""The options that choose how Algorithm 1 is run."""

from __future__ import annotations

import argparse
from dataclasses import replace

from srheart_demo.cli.errors import BadInput
from srheart_demo.solver.settings import Settings, preset


def chosen_settings(options: argparse.Namespace) -> Settings:
    """The preset, with what the options beside it change in it.

    Raises:
        BadInput: an unknown preset, or a seed for a start that is not random.
    """
    try:
        settings = preset(options.preset)
    except KeyError as error:
        raise BadInput(f"--preset: {error.args[0]}.") from error
    if options.gamma is not None:
        settings = replace(settings, gamma=options.gamma)
    if options.start is not None:
        settings = replace(settings, start=options.start)
    if options.seed is not None:
        if settings.start != "random":
            raise BadInput("--seed: only a random start needs one; add --start random.")
        settings = replace(settings, seed=options.seed)
    if options.no_residual:
        settings = replace(settings, residual=False)
    return settings
